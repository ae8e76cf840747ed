//! Each error has something that provokes it, and names what was wrong.

use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{
    BaselineForm, Baselines, DeltaCodec, DeltaError, FormError, KindCodec, PublishError, Published,
    StateError, Trainer,
};
use tickwire_protocol::id::KindId;
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter, OutOfBits};

#[derive(Replicate)]
struct Mover {
    #[replicate(ranged(min = 0.0, max = 10.0, step = 1.0), velocity = speed)]
    place: f32,
    #[replicate(ranged(min = -4.0, max = 4.0, step = 1.0))]
    speed: f32,
    // Of 26 lanes, the largest class of residuals goes up to 31: a hostile one leaves the range.
    #[replicate(ranged(min = 0.0, max = 25.0, step = 1.0))]
    height: f32,
    #[replicate(quat(bits = 9))]
    pose: glam::Quat,
    hp: u8,
}

const PLACE: usize = 0;
const ANCHOR: usize = 1;
const SPEED: usize = 2;
const HEIGHT: usize = 3;
const POSE: usize = 4;

fn codec() -> DeltaCodec {
    DeltaCodec::new(&Schema::new(vec![Mover::kind()]).unwrap(), Micros::period_of(30))
}

fn mover(codec: &DeltaCodec) -> &KindCodec {
    codec.kind(KindId(0)).expect("it has one kind")
}

/// What all strings of this many bytes, enough for any entity here, decode to at an early tick.
fn errors_of_noise(codec: &KindCodec, form: &BaselineForm, baselines: Baselines<'_>) -> Vec<DeltaError> {
    let mut errors = Vec::new();
    let mut word = 1_u64;
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        for _ in 0..4 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.extend_from_slice(&(word ^ word >> 29).to_le_bytes());
        }
        let mut state = vec![-7; codec.lanes()];
        if let Err(error) = codec.decode(form, baselines, &mut BitReader::new(&bytes), &mut state) {
            assert!(state.iter().all(|lane| *lane == -7));
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
    }
    errors
}

#[test]
fn bits_that_end_early() {
    let codec = codec();
    let form = BaselineForm::entering(Tick(9));
    let mut state = [-7; 9];
    let mut reader = BitReader::new(&[]);
    let error = mover(&codec).decode(&form, Baselines::Entering, &mut reader, &mut state).unwrap_err();
    assert!(matches!(error, DeltaError::OutOfBits(OutOfBits { available: 0, .. })), "{error}");
    assert_eq!(state, [-7; 9]);
}

#[test]
fn bits_that_leave_the_range_or_the_time() {
    let codec = codec();
    let codec = mover(&codec);
    let early = errors_of_noise(codec, &BaselineForm::entering(Tick(9)), Baselines::Entering);
    for (field, name) in ["place", "speed", "height"].into_iter().enumerate() {
        assert!(early.contains(&DeltaError::OutOfRange { field: field as u8 }), "{name}: {early:?}");
    }
    assert!(early.contains(&DeltaError::Anchor { field: 0 }), "{early:?}");
    let late = errors_of_noise(codec, &BaselineForm::entering(Tick(63)), Baselines::Entering);
    assert!(!late.contains(&DeltaError::Anchor { field: 0 }), "a segment of 63 ticks ago began at the first");
    assert_eq!(early[..].iter().filter(|error| **error == DeltaError::Baselines).count(), 0);
    let text = DeltaError::OutOfRange { field: 2 }.to_string();
    assert_eq!(text, "field 2 is outside its range");
}

#[test]
fn baselines_that_do_not_go_with_the_form() {
    let codec = codec();
    let kind = mover(&codec);
    let row = kind.defaults().to_vec();
    let entering = BaselineForm::entering(Tick(9));
    let one = BaselineForm::new(Tick(9), Tick(8), None).unwrap();
    let two = BaselineForm::new(Tick(9), Tick(8), Some(Tick(7))).unwrap();
    let wrong = [
        (entering, Baselines::One(&row)),
        (entering, Baselines::Two(&row, &row)),
        (one, Baselines::Entering),
        (one, Baselines::Two(&row, &row)),
        (one, Baselines::One(&row[1..])),
        (two, Baselines::Entering),
        (two, Baselines::One(&row)),
        (two, Baselines::Two(&row[1..], &row)),
        (two, Baselines::Two(&row, &[])),
    ];
    let mut trainer = Trainer::new(&codec);
    for (form, baselines) in wrong {
        let mut state = [-7; 9];
        let decoded = kind.decode(&form, baselines, &mut BitReader::new(&[0xff; 40]), &mut state);
        assert_eq!(decoded, Err(DeltaError::Baselines), "{form:?} {baselines:?}");
        assert_eq!(state, [-7; 9]);
        assert_eq!(trainer.observe(KindId(0), &form, baselines, &row), Err(DeltaError::Baselines));
    }
    let enters = |kind: KindId, trainer: &mut Trainer<'_>, row: &[i32]| {
        trainer.observe(kind, &entering, Baselines::Entering, row)
    };
    assert_eq!(enters(KindId(1), &mut trainer, &row), Err(DeltaError::Baselines), "no such kind");
    assert_eq!(enters(KindId(0), &mut trainer, &row[1..]), Err(DeltaError::Baselines), "no such state");
    assert_eq!(enters(KindId(0), &mut trainer, &row), Ok(()));
    assert!(codec.kind(KindId(1)).is_none());
}

#[test]
#[should_panic(expected = "built the form from these baselines")]
fn encoding_against_another_form_is_a_fault() {
    let codec = codec();
    let form = BaselineForm::entering(Tick(9));
    let row = mover(&codec).defaults().to_vec();
    mover(&codec).encode(&form, Baselines::One(&row), &row, &mut BitWriter::new());
}

#[test]
#[should_panic(expected = "at most a second")]
fn a_tick_of_no_length_is_a_fault() {
    let _ = DeltaCodec::new(&Schema::new(vec![Mover::kind()]).unwrap(), Micros(0));
}

#[test]
fn ticks_that_are_no_form() {
    let form = |tick, newer, older: Option<u32>| BaselineForm::new(Tick(tick), Tick(newer), older.map(Tick));
    assert_eq!(form(5, 5, None), Err(FormError::Order));
    assert_eq!(form(5, 9, None), Err(FormError::Order));
    assert_eq!(form(5, 4, Some(4)), Err(FormError::Order));
    assert_eq!(form(5, 4, Some(5)), Err(FormError::Order));
    assert_eq!(form(MAX_BASELINE_AGE + 1, 0, None), Err(FormError::TooOld));
    assert_eq!(form(200, 199, Some(198 - MAX_BASELINE_AGE)), Err(FormError::TooOld));
    assert_eq!(form(u32::MAX, 0, None), Err(FormError::TooOld));
    let widest = form(200, 200 - MAX_BASELINE_AGE, Some(200 - 2 * MAX_BASELINE_AGE)).unwrap();
    assert_eq!((widest.tick(), widest.newer()), (Tick(200), Some(Tick(200 - MAX_BASELINE_AGE))));
    assert_eq!(widest.older(), Some(Tick(200 - 2 * MAX_BASELINE_AGE)));
}

#[test]
fn rows_that_are_no_state() {
    let codec = codec();
    let kind = mover(&codec);
    let good = kind.defaults().to_vec();
    assert_eq!(kind.check(&good), Ok(()));
    assert_eq!(kind.check(&good[1..]), Err(StateError::Length { expected: 9, actual: 8 }));
    assert_eq!(kind.check(&[]), Err(StateError::Length { expected: 9, actual: 0 }));
    let changed = |lane: usize, value: i32| {
        let mut row = good.clone();
        row[lane] = value;
        kind.check(&row)
    };
    let ends = [(PLACE, 10), (SPEED, 8), (HEIGHT, 25), (POSE, 3), (POSE + 1, 511), (POSE + 3, 511), (8, 255)];
    for (lane, last) in ends {
        for value in [-1, last + 1, i32::MIN, i32::MAX] {
            assert_eq!(changed(lane, value), Err(StateError::OutOfRange { lane }), "{value}");
        }
        assert_eq!((changed(lane, 0), changed(lane, last)), (Ok(()), Ok(())));
    }
    assert_eq!(changed(ANCHOR, 1), Err(StateError::Anchor { lane: ANCHOR }));
    assert_eq!(changed(ANCHOR, -1), Err(StateError::Anchor { lane: ANCHOR }));
    let mut moving = good.clone();
    (moving[SPEED], moving[ANCHOR]) = (5, -1);
    assert_eq!(kind.check(&moving), Ok(()), "a tick past the range of an i32");
}

#[test]
fn values_that_cannot_be_published() {
    let codec = codec();
    let kind = mover(&codec);
    let good = [5.0, 1.0, 2.0, 0.0, 0.0, 0.0, 1.0, 100.0];
    let mut before = vec![0; kind.lanes()];
    kind.publish(&good, None, Tick(3), 0, &mut before).unwrap();
    let changed = |component: usize, value: f64| {
        let mut values = good;
        values[component] = value;
        let mut state = vec![0; kind.lanes()];
        let fresh = kind.publish(&values, None, Tick(4), 0, &mut state);
        let kept = kind.publish(&values, Some(Published::from(&before[..])), Tick(4), 0, &mut state);
        assert_eq!(format!("{fresh:?}"), format!("{kept:?}"), "whatever was before");
        fresh
    };
    let field_of = [0, 1, 2, 3, 3, 3, 3, 4];
    for (component, field) in field_of.into_iter().enumerate() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            match changed(component, odd) {
                Err(PublishError::NotFinite { field: named, value }) => {
                    assert_eq!((named, value.to_bits()), (field, odd.to_bits()));
                }
                other => panic!("component {component}: {other:?}"),
            }
        }
    }
    let outside =
        [(0, 10.6, 0), (0, -0.6, 0), (1, -4.6, 1), (2, 1e300, 2), (7, 256.0, 4), (7, -1.0, 4), (7, 0.5, 4)];
    for (component, value, field) in outside {
        assert_eq!(changed(component, value), Err(PublishError::OutOfRange { field, value }));
    }
    let mut zero = good;
    zero[3..7].fill(0.0);
    let refused = kind.publish(&zero, None, Tick(4), 0, &mut before.clone());
    assert_eq!(refused, Err(PublishError::OutOfRange { field: 3, value: 0.0 }));
    let text = PublishError::NotFinite { field: 0, value: f64::NAN }.to_string();
    assert_eq!(text, "field 0 is NaN, not a finite number");
    for inside in [10.4, -0.4] {
        assert_eq!(changed(0, inside), Ok(()), "half a step outside is a rounding error");
    }
}
