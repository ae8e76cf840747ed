//! Bytes that nobody wrote: an error or a state, no panic, no allocation.

use super::random::{Drawn, any_kind, codec_of, decoded, encoded, only_kind};
use proptest::prelude::*;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaError};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::BitReader;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_a_state_or_an_error(
        kind in any_kind(),
        tick in prop_oneof![0..70_u32, any::<u32>()],
        seed: u64,
    ) {
        let codec = codec_of(kind.clone(), Micros::period_of(20));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let mut tick = Tick(tick);
        let mut history: Vec<(Tick, Vec<i32>)> = Vec::new();
        for _ in 0..60 {
            let bytes: Vec<u8> = (0..rng.u32_up_to(300)).map(|_| noise(&mut rng)).collect();
            let (form, baselines) = match &history[..] {
                [] => (BaselineForm::entering(tick), Baselines::Entering),
                [.., newer] if rng.chance(0.4) || history.len() < 2 => {
                    (BaselineForm::new(tick, newer.0, None).unwrap(), Baselines::One(&newer.1))
                }
                [.., older, newer] => {
                    let form = BaselineForm::new(tick, newer.0, Some(older.0));
                    (form.unwrap(), Baselines::Two(&newer.1, &older.1))
                }
                [_] => unreachable!("the second arm takes it"),
            };
            if let Ok((state, _)) = decoded(codec, &form, baselines, &bytes) {
                // What is shown of it is finite, now and later, and it can be told to others.
                let mut value = vec![f64::NAN; codec.components()];
                for later in [0, 1, 50, 5000, u32::MAX] {
                    codec.value(&state, Tick(tick.0.saturating_add(later)), &mut value);
                    prop_assert!(value.iter().all(|component| component.is_finite()));
                }
                let (bytes, bits) = encoded(codec, &form, baselines, &state);
                prop_assert_eq!(decoded(codec, &form, baselines, &bytes), Ok((state.clone(), bits)));
                history.push((tick, state));
                let Some(later) = tick.after(1 + rng.u32_up_to(40)) else { break };
                tick = later;
            }
        }
    }

    #[test]
    fn a_cut_delta_is_an_error(kind in any_kind(), seed: u64) {
        let codec = codec_of(kind.clone(), Micros::period_of(20));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let form = BaselineForm::new(Tick(109), Tick(100), None).unwrap();
        for _ in 0..8 {
            let newer = Drawn { kind: &kind, codec, tick: Tick(100), newer: None }.state(&mut rng);
            let drawn = Drawn { kind: &kind, codec, tick: Tick(109), newer: Some((Tick(100), &newer)) };
            let (bytes, bits) = encoded(codec, &form, Baselines::One(&newer), &drawn.state(&mut rng));
            // Whatever is cut off, the reader asks for it: the code words of what is left say so.
            for length in 0..bytes.len() {
                let cut = decoded(codec, &form, Baselines::One(&newer), &bytes[..length]);
                prop_assert!(matches!(cut, Err(DeltaError::OutOfBits(_))), "{:?}", cut);
            }
            // And cut inside a byte, what follows stands in for it: another state or an error.
            for length in 0..bits {
                let mut other = bytes.clone();
                other[length / 8] &= (1 << (length % 8)) - 1;
                other[length / 8 + 1..].fill(0);
                let _ = decoded(codec, &form, Baselines::One(&newer), &other);
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_another_state_or_an_error(kind in any_kind(), seed: u64) {
        let codec = codec_of(kind.clone(), Micros::period_of(20));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let form = BaselineForm::new(Tick(103), Tick(100), Some(Tick(98))).unwrap();
        let older = Drawn { kind: &kind, codec, tick: Tick(98), newer: None }.state(&mut rng);
        let drawn = Drawn { kind: &kind, codec, tick: Tick(100), newer: Some((Tick(98), &older)) };
        let newer = drawn.state(&mut rng);
        let baselines = Baselines::Two(&newer, &older);
        let drawn = Drawn { kind: &kind, codec, tick: Tick(103), newer: Some((Tick(100), &newer)) };
        let state = drawn.state(&mut rng);
        let (bytes, bits) = encoded(codec, &form, baselines, &state);
        for bit in 0..bits {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            // The decoder checks what it returns; what the bits mean is another matter.
            let _ = decoded(codec, &form, baselines, &other);
        }
    }

    #[test]
    fn decoding_allocates_nothing(kind in any_kind(), seed: u64) {
        let codec = codec_of(kind.clone(), Micros::period_of(20));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let entering = BaselineForm::entering(Tick(100));
        let state = Drawn { kind: &kind, codec, tick: Tick(100), newer: None }.state(&mut rng);
        let (bytes, _) = encoded(codec, &entering, Baselines::Entering, &state);
        let garbage: Vec<u8> = (0..400).map(|_| noise(&mut rng)).collect();
        let two = BaselineForm::new(Tick(105), Tick(100), Some(Tick(99))).unwrap();
        let mut out = vec![0; codec.lanes()];
        let mut value = vec![0.0; codec.components()];
        let cases = [(&entering, Baselines::Entering), (&two, Baselines::Two(&state, &state))];
        let allocated = allocation_counter::measure(|| {
            for (form, baselines) in cases {
                for bytes in [&bytes, &garbage] {
                    let _ = codec.decode(form, baselines, &mut BitReader::new(bytes), &mut out);
                    let _ = codec.check(&out);
                    let _ = codec.is_restless(&out, &state);
                }
            }
            codec.value(&state, Tick(120), &mut value);
        });
        prop_assert_eq!(allocated.count_total, 0);
    }
}

/// A byte that is often zero or all ones, so that both ends of the code words are met.
fn noise(rng: &mut SimRng) -> u8 {
    match rng.u32_up_to(3) {
        0 => 0,
        1 => 0xff,
        _ => rng.next_u32() as u8,
    }
}
