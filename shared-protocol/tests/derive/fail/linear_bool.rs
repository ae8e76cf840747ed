use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(predict = linear)]
    x: bool,
}

fn main() {}
