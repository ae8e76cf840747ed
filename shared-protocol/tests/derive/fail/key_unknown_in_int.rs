use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(from = 1))]
    x: u8,
}

fn main() {}
