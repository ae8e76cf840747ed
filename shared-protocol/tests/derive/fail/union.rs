use tickwire_protocol::Replicate;

#[derive(Replicate)]
union Thing {
    x: u8,
    y: i8,
}

fn main() {}
