use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), default)]
    x: u8,
}

fn main() {}
