use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int)]
    x: i32,
}

fn main() {}
