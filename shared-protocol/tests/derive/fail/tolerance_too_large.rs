use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), tolerance = 65)]
    x: u8,
}

fn main() {}
