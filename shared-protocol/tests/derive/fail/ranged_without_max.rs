use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, step = 0.5))]
    x: f32,
}

fn main() {}
