use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(steps = 64), angle(steps = 32))]
    x: f32,
}

fn main() {}
