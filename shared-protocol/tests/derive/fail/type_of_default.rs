use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), default = 1.5)]
    x: u8,
}

fn main() {}
