use tickwire_protocol::Replicate;

#[derive(Replicate)]
enum Team {}

fn main() {}
