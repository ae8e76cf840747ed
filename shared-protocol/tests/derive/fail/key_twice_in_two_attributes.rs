use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(default = 1)]
    #[replicate(default = 2)]
    x: u8,
}

fn main() {}
