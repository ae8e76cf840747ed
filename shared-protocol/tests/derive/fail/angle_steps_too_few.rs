use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(steps = 1))]
    x: f32,
}

fn main() {}
