use glam::Vec3;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(quat(bits = 9))]
    x: Vec3,
}

fn main() {}
