use glam::Quat;
use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(quat(bits = 9))]
    x0: Quat,
    #[replicate(quat(bits = 9))]
    x1: Quat,
    #[replicate(quat(bits = 9))]
    x2: Quat,
    #[replicate(quat(bits = 9))]
    x3: Quat,
    #[replicate(quat(bits = 9))]
    x4: Quat,
    #[replicate(quat(bits = 9))]
    x5: Quat,
    #[replicate(quat(bits = 9))]
    x6: Quat,
    #[replicate(quat(bits = 9))]
    x7: Quat,
    #[replicate(quat(bits = 9))]
    x8: Quat,
    #[replicate(quat(bits = 9))]
    x9: Quat,
    #[replicate(quat(bits = 9))]
    x10: Quat,
    #[replicate(quat(bits = 9))]
    x11: Quat,
    #[replicate(quat(bits = 9))]
    x12: Quat,
    #[replicate(quat(bits = 9))]
    x13: Quat,
    #[replicate(quat(bits = 9))]
    x14: Quat,
    #[replicate(quat(bits = 9))]
    x15: Quat,
    y: u8,
}

fn main() {}
