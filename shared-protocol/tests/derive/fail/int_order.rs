use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(min = 4, max = 3))]
    x: u8,
}

fn main() {}
