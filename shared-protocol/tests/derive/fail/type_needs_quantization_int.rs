use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    x: u32,
}

fn main() {}
