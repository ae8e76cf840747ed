use tickwire_protocol::Replicate;

#[derive(Replicate)]
struct Thing {
    #[replicate(int(min = 0, max = 8))]
    x: f32,
}

fn main() {}
