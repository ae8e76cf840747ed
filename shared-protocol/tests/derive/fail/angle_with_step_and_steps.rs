use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(step = 0.1, steps = 63))]
    x: f32,
}

fn main() {}
