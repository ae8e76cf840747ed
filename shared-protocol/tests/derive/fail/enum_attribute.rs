use tickwire_protocol::Replicate;

#[derive(Replicate)]
#[replicate(name = "team")]
enum Team {
    #[replicate(skip)]
    Red,
    Blue,
}

fn main() {}
