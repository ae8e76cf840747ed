use tickwire_protocol::Replicate;

#[derive(Replicate)]
enum Team {
    Red,
    Blue,
}

#[derive(Replicate)]
struct Thing {
    #[replicate(predict = linear)]
    x: Team,
}

fn main() {}
