//! The random generator: long enough sequences of everything it draws.

use tickwire_protocol::determinism::{SimRng, state_hash};

/// One hash per kind of draw, and one of the generator afterwards.
pub(crate) fn draws() -> Vec<u64> {
    let mut rng = SimRng::from_u64(0x0123_4567_89ab_cdef);
    let mut hashes = vec![
        hash_of(&mut rng, SimRng::next_u32),
        hash_of(&mut rng, SimRng::next_u64),
        hash_of(&mut rng, |rng| rng.unit_f32().to_bits()),
        hash_of(&mut rng, |rng| rng.signed_unit_f32().to_bits()),
        hash_of(&mut rng, |rng| rng.f32_in(-3.0, 11.0).to_bits()),
        hash_of(&mut rng, |rng| rng.u32_in(3, 3 << 30)),
        hash_of(&mut rng, |rng| rng.i32_in(-1000, 1000)),
        hash_of(&mut rng, |rng| rng.chance(0.3)),
        hash_of(&mut rng, |rng| rng.angle().to_bits()),
        hash_of(&mut rng, |rng| rng.unit_vec2().to_array().map(f32::to_bits)),
        hash_of(&mut rng, |rng| rng.unit_vec3().to_array().map(f32::to_bits)),
        hash_of(&mut rng, |rng| rng.pick(&[2_u8, 3, 5, 7, 11]).copied()),
        hash_of(&mut rng, |rng| {
            let mut order = [0_u8, 1, 2, 3, 4, 5, 6, 7, 8];
            rng.shuffle(&mut order);
            order
        }),
        hash_of(&mut rng, |rng| rng.fork("child", rng.words_drawn()).next_u64()),
    ];
    hashes.push(state_hash(&rng).expect("a generator holds integers"));
    hashes
}

fn hash_of<T: serde::Serialize>(rng: &mut SimRng, mut draw: impl FnMut(&mut SimRng) -> T) -> u64 {
    let drawn: Vec<T> = (0..2000).map(|_| draw(rng)).collect();
    state_hash(&drawn).expect("integers can be hashed")
}
