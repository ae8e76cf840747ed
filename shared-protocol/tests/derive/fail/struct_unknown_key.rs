use tickwire_protocol::Replicate;

#[derive(Replicate)]
#[replicate(kind = "thing")]
struct Thing {
    x: u8,
}

fn main() {}
