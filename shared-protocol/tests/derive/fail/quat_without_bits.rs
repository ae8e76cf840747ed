use glam::Quat;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(quat())]
    x: Quat,
}

fn main() {}
