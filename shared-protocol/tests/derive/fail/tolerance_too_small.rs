use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), tolerance = 0.25)]
    x: u8,
}

fn main() {}
