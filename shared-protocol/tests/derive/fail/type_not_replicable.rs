use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    x: String,
}

fn main() {}
