use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: u8,
}

fn main() {}
