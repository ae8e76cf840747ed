use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(tolerance = 1, int(max = 3), tolerance = 2)]
    x: u8,
}

fn main() {}
