use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, max = 1, step = 1e-10))]
    x: f64,
}

fn main() {}
