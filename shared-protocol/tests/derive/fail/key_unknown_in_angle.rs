use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(parts = 8))]
    x: f32,
}

fn main() {}
