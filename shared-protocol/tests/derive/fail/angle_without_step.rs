use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle())]
    x: f32,
}

fn main() {}
