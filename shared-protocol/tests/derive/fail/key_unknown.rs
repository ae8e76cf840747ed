use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(range(min = 0, max = 8, step = 0.5))]
    x: f32,
}

fn main() {}
