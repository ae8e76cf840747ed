use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(steps = 1 << 29), velocity = v)]
    x: f32,
    #[replicate(ranged(min = -1, max = 1, step = 0.1))]
    v: f32,
}

fn main() {}
