//! What is published: near the truth at every tick, and silent while nothing happens.

use super::random::{Drawn, any_kind, codec_of, only_kind};
use glam::Vec3;
use proptest::prelude::*;
use std::f64::consts::{PI, TAU};
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{DeltaCodec, KindCodec, Published};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::KindId;
use tickwire_protocol::limits::MAX_ANCHOR_AGE;
use tickwire_protocol::schema::{FieldSchema, KindSchema, Quantization, Schema};
use tickwire_protocol::time::{Micros, Tick};

#[derive(Clone, Debug, Replicate)]
struct Flyer {
    #[replicate(ranged(min = -40.0, max = 40.0, step = 0.1), velocity = velocity)]
    position: Vec3,
    #[replicate(ranged(min = -12.0, max = 12.0, step = 0.05))]
    velocity: Vec3,
    #[replicate(angle(steps = 720), velocity = spin)]
    heading: f64,
    #[replicate(ranged(min = -9.0, max = 9.0, step = 0.02))]
    spin: f64,
}

const POSITION: usize = 0;
const ANCHOR: usize = 3;
const VELOCITY: usize = 4;
const HEADING: usize = 7;
const TURN_ANCHOR: usize = 8;
const SPIN: usize = 9;

fn flyer_kind(tolerance: Option<f32>) -> KindSchema {
    let mut kind = Flyer::kind();
    if let Some(tolerance) = tolerance {
        kind.fields.iter_mut().for_each(|field| field.tolerance = tolerance);
    }
    kind
}

fn flyers(tolerance: Option<f32>) -> DeltaCodec {
    DeltaCodec::new(&Schema::new(vec![flyer_kind(tolerance)]).unwrap(), Micros::period_of(30))
}

fn flyer(codec: &DeltaCodec) -> &KindCodec {
    codec.kind(KindId(0)).expect("it is the only one")
}

/// Publishes a life: at each tick the truth that `step` gives, and `each` sees the tick, the truth and the
/// state.
fn publish(
    codec: &KindCodec,
    ticks: std::ops::Range<u32>,
    entity: u32,
    mut step: impl FnMut(u32) -> Vec<f64>,
    mut each: impl FnMut(u32, &[f64], &[i32]),
) {
    let mut before: Option<(Vec<i32>, Vec<f64>)> = None;
    for tick in ticks {
        let truth = step(tick);
        let mut state = vec![0; codec.lanes()];
        let known = before.as_ref().map(|(state, _)| Published::from(&state[..]));
        codec.publish(&truth, known, Tick(tick), entity, &mut state).unwrap();
        assert_eq!(codec.check(&state), Ok(()));
        let mut quicker = vec![0; codec.lanes()];
        let known = before.as_ref().map(|(state, value)| Published { state, value: Some(value) });
        codec.publish(&truth, known, Tick(tick), entity, &mut quicker).unwrap();
        assert_eq!(quicker, state, "with the truth of before at hand");
        each(tick, &truth, &state);
        before = Some((state, truth));
    }
}

/// How far each component that is shown is from the truth, in steps; of an angle, the short way.
fn errors(
    kind: &KindSchema,
    codec: &KindCodec,
    tick: u32,
    truth: &[f64],
    state: &[i32],
) -> Vec<(usize, f64)> {
    let mut shown = vec![0.0; codec.components()];
    codec.value(state, Tick(tick), &mut shown);
    let layout = kind.layout();
    let mut errors = Vec::new();
    for (index, (field, lanes)) in kind.fields.iter().zip(&layout.fields).enumerate() {
        for place in lanes.component..lanes.component + field.quantization.components() {
            let off = shown[place] - truth[place];
            let steps = match &field.quantization {
                Quantization::Ranged(axes) => off / axes[place - lanes.component].step,
                Quantization::Angle(turn) => {
                    let around = off.rem_euclid(TAU);
                    (if around > PI { around - TAU } else { around }) / turn.step()
                }
                // These tests hold rotations to lanes, not to components.
                Quantization::Quat(_) => 0.0,
                _ => off,
            };
            errors.push((index, steps.abs()));
        }
    }
    errors
}

fn assert_near(kind: &KindSchema, codec: &KindCodec, tick: u32, truth: &[f64], state: &[i32]) {
    for (index, error) in errors(kind, codec, tick, truth, state) {
        let field = &kind.fields[index];
        let whole = matches!(
            field.quantization,
            Quantization::Bool | Quantization::Int { .. } | Quantization::Enum { .. }
        );
        let tolerance = match f64::from(field.tolerance) {
            _ if whole => 0.0,
            0.0 => 0.5,
            tolerance => tolerance,
        };
        assert!(error <= tolerance + 1e-4, "tick {tick}, {}: off by {error} steps: {truth:?}", field.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_shown_is_within_tolerance(
        kind in any_kind(),
        first in prop_oneof![Just(0), any::<u32>()],
        seed: u64,
    ) {
        let codec = codec_of(kind.clone(), Micros::period_of(30));
        let codec = only_kind(&codec);
        let mut rng = SimRng::from_u64(seed);
        let mut truth = vec![0.0; codec.components()];
        codec.value(codec.defaults(), Tick(0), &mut truth);
        let first = if first > u32::MAX - 200 { first - 200 } else { first };
        let entity = rng.next_u32();
        let step = |tick: u32| {
            if rng.chance(0.1) {
                let drawn = Drawn { kind: &kind, codec, tick: Tick(tick), newer: None }.state(&mut rng);
                codec.value(&drawn, Tick(tick), &mut truth);
            }
            wiggle(&kind, &mut truth, &mut rng);
            truth.clone()
        };
        publish(codec, first..first + 150, entity, step, |tick, truth, state| {
            assert_near(&kind, codec, tick, truth, state);
        });
    }

    #[test]
    fn a_noisy_flyer_is_shown_where_it_is(
        seed: u64,
        tolerance in prop_oneof![Just(None), Just(Some(0.0)), Just(Some(3.0))],
    ) {
        let codec = flyers(tolerance);
        let kind = flyer_kind(tolerance);
        let mut rng = SimRng::from_u64(seed);
        let mut at = [0.0_f64; 4];
        let mut speed = [0, 1, 2, 3].map(|_| f64::from(rng.f32_in(-8.0, 8.0)));
        let step = |_| {
            let mut noise = |steps: f64| f64::from(rng.signed_unit_f32()) * steps;
            for axis in 0..3 {
                at[axis] += speed[axis] / 30.0;
                // At the walls, which are the ends of the range to the last step, it turns back.
                if at[axis].abs() > 40.0 {
                    at[axis] = if at[axis] > 0.0 { 40.0 } else { -40.0 };
                    speed[axis] = -speed[axis];
                }
            }
            at[3] += speed[3] / 30.0;
            let inside = |value: f64| if value.abs() > 40.0 { 40.0_f64.copysign(value) } else { value };
            let place = [0, 1, 2].map(|axis| inside(at[axis] + noise(0.01)));
            let way = [0, 1, 2].map(|axis| speed[axis] + noise(0.005));
            [&place[..], &way, &[at[3] + noise(0.0008), speed[3] + noise(0.002)]].concat()
        };
        publish(flyer(&codec), 100..900, seed as u32, step, |tick, truth, state| {
            assert_near(&kind, flyer(&codec), tick, truth, state);
        });
    }

    /// Half a step beside each end of a range is still that end, and no segment leads out of it.
    #[test]
    fn the_ends_of_a_range_are_shown(up: bool, beside in 0.0..0.049_f64, speed in 0.0..9.0_f64) {
        let codec = flyers(None);
        let end = if up { 40.0 } else { -40.0 };
        let place = if up { end + beside } else { end - beside };
        let way = if up { speed } else { -speed };
        let truth = vec![place, place, place, way, way, way, 0.0, 0.0];
        publish(flyer(&codec), 0..200, 3, |_| truth.clone(), |tick, truth, state| {
            assert_near(&flyer_kind(None), flyer(&codec), tick, truth, state);
            let mut shown = [0.0; 8];
            for later in [0, 1, 70, 1000] {
                flyer(&codec).value(state, Tick(tick + later), &mut shown);
                assert!(shown[..3].iter().all(|axis| axis.abs() <= 40.0 + 1e-9), "{shown:?}");
            }
        });
    }
}

/// Moves each component by about a step, inside its range.
fn wiggle(kind: &KindSchema, truth: &mut [f64], rng: &mut SimRng) {
    let layout = kind.layout();
    for (FieldSchema { quantization, .. }, lanes) in kind.fields.iter().zip(&layout.fields) {
        for place in lanes.component..lanes.component + quantization.components() {
            let noise = f64::from(rng.signed_unit_f32());
            match quantization {
                Quantization::Ranged(axes) => {
                    let axis = &axes[place - lanes.component];
                    let moved = truth[place] + noise * axis.step;
                    if axis.lane(axis.position(moved)).is_some() {
                        truth[place] = moved;
                    }
                }
                Quantization::Angle(turn) => truth[place] += noise * 2.0 * turn.step(),
                _ => {}
            }
        }
    }
}

fn still(place: f64) -> Vec<f64> {
    vec![place, -place, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
}

#[test]
fn an_exact_zero_velocity_stops_creeping() {
    let codec = flyers(Some(8.0));
    let mut last = None;
    // Its speed goes down by less than the tolerance at each tick, and ends at zero itself.
    let step = |tick: u32| {
        let speed = if tick < 20 { f64::from(20 - tick) * 0.06 } else { 0.0 };
        vec![1.0, 2.0, 3.0, speed, -speed, 0.0, 1.0, speed]
    };
    publish(flyer(&codec), 0..300, 9, step, |tick, _, state| {
        if tick >= 20 {
            let mut shown = [0.0; 8];
            flyer(&codec).value(state, Tick(tick), &mut shown);
            assert!(shown[3..6].iter().all(|speed| speed.abs() < 1e-9), "{shown:?}");
            assert!(shown[7].abs() < 1e-9);
            assert_eq!((state[ANCHOR], state[TURN_ANCHOR]), (0, 0), "canonical at rest");
            assert_eq!(last.get_or_insert(state.to_vec()), state, "tick {tick}: nothing moves any more");
        }
    });
}

#[test]
fn a_state_at_rest_is_canonical() {
    let codec = flyers(None);
    let mut before = None;
    let step = |tick: u32| match tick {
        // Two ways to the same rest, then another one.
        0..10 => still(3.0),
        10..20 => vec![3.0, -3.0, 1.0, 2.0, 0.0, 0.0, 1.0, 0.5],
        20..30 => still(3.0),
        _ => still(5.0),
    };
    publish(flyer(&codec), 0..40, 1, step, |tick, _, state| {
        let rests = !(10..20).contains(&tick);
        assert_eq!(state[ANCHOR] == 0, rests, "tick {tick}");
        assert_eq!(state[TURN_ANCHOR] == 0, rests, "tick {tick}");
        if tick == 5 {
            before = Some(state.to_vec());
        } else if tick == 25 {
            assert_eq!(before.as_deref(), Some(state), "the same rest is the same state");
        }
    });
}

#[test]
fn segments_are_anchored_anew_in_time_and_in_turn() {
    let codec = flyers(None);
    let mut anchored = vec![0; 400];
    for entity in 0..64 {
        // A velocity on the grid, and no noise: nothing else is a reason for a new anchor.
        let step = |tick: u32| {
            let way = f64::from(tick) / 30.0 * 0.5;
            vec![way, -way, way, 0.5, -0.5, 0.5, way, 0.5]
        };
        let mut last = None;
        publish(flyer(&codec), 0..400, entity, step, |tick, _, state| {
            let anchors = (state[ANCHOR], state[TURN_ANCHOR]);
            for anchor in [anchors.0, anchors.1] {
                assert!(tick - (anchor as u32) < MAX_ANCHOR_AGE, "entity {entity}: {anchor} at {tick}");
            }
            if last.replace(anchors) != Some(anchors) && tick > 0 {
                anchored[tick as usize] += 1;
            }
        });
    }
    let total: u32 = anchored.iter().sum();
    let most = anchored.iter().max().copied().unwrap_or_default();
    assert!((64 * 5..=64 * 13).contains(&total), "{total} new anchors in 400 ticks of 64 entities");
    assert!(most <= 4, "{most} of 64 entities in one tick");
}

#[test]
fn without_tolerance_each_value_is_rounded() {
    let codec = flyers(Some(0.0));
    let kind = flyer_kind(Some(0.0));
    let mut rng = SimRng::from_u64(11);
    let mut fresh = [0; 10];
    let mut told = 0;
    let mut last = Vec::new();
    let step = |tick: u32| {
        let way = f64::from(tick) * 0.037;
        let noise = f64::from(rng.signed_unit_f32()) * 0.08;
        vec![way % 30.0, noise, -noise * 3.0, 1.11 + noise, 0.0, -0.4, way * 3.0, 2.0 * noise]
    };
    publish(flyer(&codec), 0..1000, 4, step, |tick, truth, state| {
        flyer(&codec).publish(truth, None, Tick(tick), 4, &mut fresh).unwrap();
        let mut shown = [0.0; 8];
        flyer(&codec).value(state, Tick(tick), &mut shown);
        // What is shown is on the same step of the grid as the truth, and no further from it than that step.
        assert_eq!(state[VELOCITY..VELOCITY + 3], fresh[VELOCITY..VELOCITY + 3]);
        assert_eq!(state[SPIN], fresh[SPIN]);
        let mut again = [0; 10];
        flyer(&codec).publish(&shown, None, Tick(tick), 4, &mut again).unwrap();
        assert_eq!(again[POSITION..POSITION + 3], fresh[POSITION..POSITION + 3], "tick {tick}");
        assert_eq!(again[HEADING], fresh[HEADING], "tick {tick}");
        assert_near(&kind, flyer(&codec), tick, truth, state);
        told += u32::from(last != state);
        last = state.to_vec();
    });
    assert!(told > 500, "noise of most of a step is told: {told}");
}

#[test]
fn an_angle_may_go_round_and_round() {
    for speed in [-8.9, -0.013, 0.013, 3.0] {
        for tolerance in [None, Some(0.0)] {
            let codec = flyers(tolerance);
            let step = |tick: u32| {
                let angle = speed * f64::from(tick) / 30.0;
                vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, angle, speed]
            };
            let (mut told, mut last) = (0, Vec::new());
            publish(flyer(&codec), 0..3000, 8, step, |tick, truth, state| {
                assert_near(&flyer_kind(tolerance), flyer(&codec), tick, truth, state);
                told += u32::from(last != state);
                last = state.to_vec();
            });
            // A velocity half a step off the grid is as good as one on it; rounding costs more.
            let most = if tolerance.is_none() { 3000 / 15 } else { 3000 };
            assert!(told <= most, "{told} new segments at {speed} rad/s");
        }
    }
}
