use tickwire_protocol::Replicate;

#[derive(Replicate)]
enum Team {
    None,
    Red(u8),
    Blue { shade: u8 },
}

fn main() {}
