use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged)]
    x: f32,
}

fn main() {}
