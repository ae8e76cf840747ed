use glam::Vec2;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = [0.0; 2], max = 8, step = 0.5))]
    x: Vec2,
}

fn main() {}
