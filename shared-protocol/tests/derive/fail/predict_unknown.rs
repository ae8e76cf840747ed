use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), predict = cubic)]
    x: u8,
}

fn main() {}
