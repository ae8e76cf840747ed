use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 256))]
    x: u8,
}

fn main() {}
