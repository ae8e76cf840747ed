use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 1e18, max = 1e18 + 1024.0, step = 1))]
    x: f64,
}

fn main() {}
