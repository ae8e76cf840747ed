use glam::Quat;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), tolerence = 1)]
    x: u8,
    #[replicate(quat)]
    y: Quat,
}

fn main() {}
