use glam::Quat;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(quat(bit = 9))]
    x: Quat,
}

fn main() {}
