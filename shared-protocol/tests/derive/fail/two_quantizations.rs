use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, max = 8, step = 0.5), angle(steps = 64))]
    x: f32,
}

fn main() {}
