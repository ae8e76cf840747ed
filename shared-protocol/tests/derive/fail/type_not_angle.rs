use glam::Vec2;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(angle(steps = 64))]
    x: Vec2,
}

fn main() {}
