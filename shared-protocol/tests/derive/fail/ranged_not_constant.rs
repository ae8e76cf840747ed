use tickwire_protocol::Replicate;

fn size() -> f64 {
    8.0
}

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, max = size(), step = 0.5))]
    x: f32,
}

fn main() {}
