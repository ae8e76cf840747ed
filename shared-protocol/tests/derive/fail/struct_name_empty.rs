use tickwire_protocol::Replicate;

#[derive(Replicate)]
#[replicate(name = "")]
struct Thing {
    x: u8,
}

fn main() {}
