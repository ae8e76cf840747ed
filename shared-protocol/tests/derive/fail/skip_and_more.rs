use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(skip, default = 3)]
    x: u8,
}

fn main() {}
