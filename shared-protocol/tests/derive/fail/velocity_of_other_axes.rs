use glam::Vec2;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(ranged(min = 0, max = 8, step = 0.5), velocity = v)]
    x: Vec2,
    #[replicate(ranged(min = -1, max = 1, step = 0.1))]
    v: f32,
}

fn main() {}
