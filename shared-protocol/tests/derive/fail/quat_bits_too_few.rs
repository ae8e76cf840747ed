use glam::Quat;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(quat(bits = 3))]
    x: Quat,
}

fn main() {}
