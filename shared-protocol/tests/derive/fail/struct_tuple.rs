use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing(u8);

fn main() {}
