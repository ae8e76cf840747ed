use tickwire_protocol::Replicate;

#[derive(Replicate)]
#[replicate(name = "a", name = "b")]
struct Thing {
    x: u8,
}

fn main() {}
