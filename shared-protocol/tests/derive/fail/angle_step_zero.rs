use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(step = 0))]
    x: f32,
}

fn main() {}
