//! Encoding and decoding is the identity, whatever the kind, the form and the age.

use super::random::{Drawn, any_kind, codec_of, decoded, encoded, only_kind};
use proptest::prelude::*;
use tickwire_protocol::delta::{BaselineForm, Baselines, Published};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};

/// The first tick, the second, a usual one, and one past the range of an `i32`.
fn any_tick() -> impl Strategy<Value = Tick> {
    prop_oneof![0..3_u32, 100..200_u32, 0xffff_fe00..0xffff_ff00_u32].prop_map(Tick)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn raw_states_come_out_as_they_went_in(
        kind in any_kind(),
        first in any_tick(),
        ages in (1..=MAX_BASELINE_AGE, 1..=MAX_BASELINE_AGE),
        period in 1..=1_000_000_u64,
        seed: u64,
    ) {
        let codec = codec_of(kind.clone(), Micros(period));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        for _ in 0..20 {
            let drawn = |tick, newer, rng: &mut SimRng| Drawn { kind: &kind, codec, tick, newer }.state(rng);
            let older = drawn(first, None, &mut rng);
            let newer_tick = first.after(ages.0).expect("far from the last");
            let newer = drawn(newer_tick, Some((first, &older)), &mut rng);
            let tick = newer_tick.after(ages.1).expect("far from the last");
            let state = drawn(tick, Some((newer_tick, &newer)), &mut rng);
            let three = BaselineForm::new(tick, newer_tick, Some(first)).unwrap();
            let cases = [
                (BaselineForm::entering(first), Baselines::Entering, &older),
                (BaselineForm::new(newer_tick, first, None).unwrap(), Baselines::One(&older), &newer),
                (BaselineForm::new(tick, newer_tick, None).unwrap(), Baselines::One(&newer), &state),
                (three, Baselines::Two(&newer, &older), &state),
            ];
            for (form, baselines, state) in cases {
                let (bytes, bits) = encoded(codec, &form, baselines, state);
                prop_assert_eq!(decoded(codec, &form, baselines, &bytes), Ok((state.clone(), bits)));
            }
        }
    }

    #[test]
    fn published_states_come_out_as_they_went_in(
        kind in any_kind(),
        first in any_tick(),
        period in 1_000..=1_000_000_u64,
        entity: u32,
        seed: u64,
    ) {
        let codec = codec_of(kind.clone(), Micros(period));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let mut value = vec![0.0; codec.components()];
        codec.value(codec.defaults(), first, &mut value);
        let mut history: Vec<Vec<i32>> = Vec::new();
        for step in 0..140 {
            let tick = first.after(step).expect("far from the last");
            // The truth is what some state shows: in range, and jumping about at times.
            if rng.chance(0.3) {
                let drawn = Drawn { kind: &kind, codec, tick, newer: None }.state(&mut rng);
                codec.value(&drawn, tick, &mut value);
            }
            let mut state = vec![0; codec.lanes()];
            let before = history.last().map(|before| Published::from(&before[..]));
            codec.publish(&value, before, tick, entity, &mut state).unwrap();
            prop_assert_eq!(codec.check(&state), Ok(()));
            for _ in 0..3 {
                let age = 1 + rng.u32_up_to(MAX_BASELINE_AGE - 1);
                let gap = 1 + rng.u32_up_to(MAX_BASELINE_AGE - 1);
                let past = |back: u32| history.get(step.checked_sub(back)? as usize);
                let at = |back: u32| Some((tick.before(back)?, past(back)?));
                let (form, baselines) = match (at(age), at(age + gap)) {
                    (None, _) => (BaselineForm::entering(tick), Baselines::Entering),
                    (Some(newer), None) => {
                        (BaselineForm::new(tick, newer.0, None).unwrap(), Baselines::One(newer.1))
                    }
                    (Some(newer), Some(older)) => {
                        let form = BaselineForm::new(tick, newer.0, Some(older.0));
                        (form.unwrap(), Baselines::Two(newer.1, older.1))
                    }
                };
                let (bytes, bits) = encoded(codec, &form, baselines, &state);
                prop_assert_eq!(decoded(codec, &form, baselines, &bytes), Ok((state.clone(), bits)));
            }
            history.push(state);
        }
    }

    #[test]
    fn deltas_follow_each_other_without_a_gap(kind in any_kind(), seed: u64) {
        let codec = codec_of(kind.clone(), Micros::period_of(60));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let form = BaselineForm::entering(Tick(500));
        let drawn = Drawn { kind: &kind, codec, tick: Tick(500), newer: None };
        let states: Vec<Vec<i32>> = (0..10).map(|_| drawn.state(&mut rng)).collect();
        // As shared bits are: built once, each on its own words, and copied behind others.
        let (mut shared, mut packet) = (BitWriter::new(), BitWriter::new());
        packet.write(5, 3);
        for state in &states {
            let mark = shared.begin_span();
            codec.encode(&form, Baselines::Entering, state, &mut shared);
            let span = shared.end_span(mark);
            packet.append(&shared, span);
        }
        let bytes = packet.to_bytes();
        let mut reader = BitReader::new(&bytes);
        prop_assert_eq!(reader.read(3), Ok(5));
        for state in &states {
            let mut row = vec![0; codec.lanes()];
            prop_assert_eq!(codec.decode(&form, Baselines::Entering, &mut reader, &mut row), Ok(()));
            prop_assert_eq!(&row, state);
        }
        prop_assert_eq!(reader.finish(), Ok(()));
    }
}
