use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 8), velocity = v)]
    x: u8,
    #[replicate(ranged(min = -1, max = 1, step = 0.1))]
    v: f32,
}

fn main() {}
