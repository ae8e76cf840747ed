use tickwire_protocol::Replicate;

#[derive(Replicate)]
#[replicate(name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn")]
struct Thing {
    x: u8,
}

fn main() {}
