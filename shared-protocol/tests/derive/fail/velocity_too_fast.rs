use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, max = 8, step = 0.5), velocity = v)]
    x: f32,
    #[replicate(ranged(min = 0, max = 1e7, step = 1))]
    v: f32,
}

fn main() {}
