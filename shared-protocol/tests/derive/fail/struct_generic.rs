use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing<T> {
    x: T,
}

fn main() {}
