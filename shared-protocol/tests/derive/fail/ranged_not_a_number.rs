use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, max = 8, step = f64::NAN))]
    x: f32,
}

fn main() {}
