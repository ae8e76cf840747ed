use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, min = 1, max = 8, step = 0.5))]
    x: f32,
}

fn main() {}
