use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    x: f32,
}

fn main() {}
