use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(max = 3), tolerance = f32::NAN)]
    x: u8,
}

fn main() {}
