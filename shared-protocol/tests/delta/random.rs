//! Random kinds up to the limits, and random states of them.

use proptest::prelude::*;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, DeltaError, KindCodec};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::KindId;
use tickwire_protocol::limits::{MAX_FIELDS, MAX_LANE, MAX_LANES, MAX_VARIANTS, QUAT_BITS};
use tickwire_protocol::schema::{FieldSchema, KindSchema, Predictor, Quantization, Schema};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};
use tickwire_protocol::wire::quantize::{Axis, SmallestThree, Turn};

/// A part of a kind: a field, or a position with its velocity.
#[derive(Clone, Debug)]
enum Part {
    Field(FieldSchema),
    Segment(FieldSchema, FieldSchema),
}

/// Any valid kind: of few fields mostly, at times of as many as there may be.
pub(crate) fn any_kind() -> impl Strategy<Value = KindSchema> {
    let parts = prop_oneof![4 => 0..6_usize, 1 => 12..=MAX_FIELDS];
    parts.prop_flat_map(|count| prop::collection::vec(any_part(), count)).prop_map(kind_of)
}

/// A codec of one kind with its default tables.
pub(crate) fn codec_of(kind: KindSchema, period: Micros) -> DeltaCodec {
    DeltaCodec::new(&Schema::new(vec![kind]).expect("the kinds here are valid"), period)
}

/// The only kind of a codec.
pub(crate) fn only_kind(codec: &DeltaCodec) -> &KindCodec {
    codec.kind(KindId(0)).expect("it has one kind")
}

/// The parts in their order as far as there is room for them.
fn kind_of(parts: Vec<Part>) -> KindSchema {
    let mut kind = KindSchema { name: "random".to_owned(), fields: Vec::new() };
    for part in parts {
        let before = kind.fields.len();
        match part {
            Part::Field(field) => kind.fields.push(field),
            Part::Segment(mut position, velocity) => {
                position.predictor = Predictor::Segment { velocity: before as u8 };
                kind.fields.extend([velocity, position]);
            }
        }
        if kind.fields.len() > MAX_FIELDS || kind.layout().lanes > MAX_LANES {
            kind.fields.truncate(before);
        }
    }
    for (index, field) in kind.fields.iter_mut().enumerate() {
        field.name = index.to_string();
    }
    kind
}

fn any_part() -> impl Strategy<Value = Part> {
    let any_field =
        (any_quantization(), any::<bool>(), any_tolerance()).prop_map(|(quantization, linear, tolerance)| {
            let mut field = FieldSchema::new("", quantization);
            let smooth = !matches!(field.quantization, Quantization::Bool | Quantization::Enum { .. });
            field.predictor = if linear && smooth { Predictor::Linear } else { Predictor::Hold };
            field.tolerance = tolerance;
            Part::Field(field)
        });
    prop_oneof![2 => any_field, 1 => any_segment()]
}

fn any_segment() -> impl Strategy<Value = Part> {
    let turning = (2..=1 << 16, any_axis_lanes());
    let moving = prop::collection::vec((any_axis_lanes(), any_axis_lanes(), 0.0..1.2), 1..=3);
    let quantizations = prop_oneof![
        turning.prop_map(|(steps, lanes)| {
            let turn = Turn { steps };
            (Quantization::Angle(turn), Quantization::Ranged(vec![velocity_axis(turn.step(), lanes, 0.5)]))
        }),
        moving.prop_map(|axes| {
            let axis =
                |max_lane: &i32| Axis { min: -0.25 * f64::from(*max_lane), step: 0.5, max_lane: *max_lane };
            let position = axes.iter().map(|(lanes, ..)| axis(lanes)).collect();
            let velocity = axes.iter().map(|(_, lanes, along)| velocity_axis(0.5, *lanes, *along)).collect();
            (Quantization::Ranged(position), Quantization::Ranged(velocity))
        }),
    ];
    (quantizations, any_tolerance()).prop_map(|((position, velocity), tolerance)| {
        let position = FieldSchema { tolerance, ..FieldSchema::new("", position) };
        Part::Segment(position, FieldSchema::new("", velocity))
    })
}

/// The axis of a velocity that is slow enough for a position of this step: with zero at `along` of its range.
fn velocity_axis(position_step: f64, max_lane: i32, along: f64) -> Axis {
    // The fastest segment moves 2^20 steps a second.
    let finest = position_step * 500_000.0 / f64::from(max_lane);
    let step = if finest < position_step / 4.0 { finest } else { position_step / 4.0 };
    Axis { min: -along * step * f64::from(max_lane), step, max_lane }
}

fn any_axis_lanes() -> impl Strategy<Value = i32> {
    prop_oneof![1..4, 4..5000, 1..=MAX_LANE, Just(MAX_LANE)]
}

fn any_quantization() -> impl Strategy<Value = Quantization> {
    let axis = || any_axis_lanes().prop_map(|max_lane| Axis { min: -3.0, step: 0.25, max_lane });
    prop_oneof![
        Just(Quantization::Bool),
        (-1000..1000_i64, 0..40_i64).prop_map(|(min, more)| Quantization::Int { min, max: min + more }),
        (-1000..1000_i64, any_axis_lanes())
            .prop_map(|(min, lanes)| Quantization::Int { min, max: min + i64::from(lanes) }),
        (1..=MAX_VARIANTS).prop_map(|count| {
            Quantization::Enum { variants: (0..count).map(|variant| variant.to_string()).collect() }
        }),
        prop::collection::vec(axis(), 1..=3).prop_map(Quantization::Ranged),
        prop_oneof![2..10, 10..5000, 2..=MAX_LANE, Just(MAX_LANE)]
            .prop_map(|steps| Quantization::Angle(Turn { steps })),
        QUAT_BITS.prop_map(|bits| Quantization::Quat(SmallestThree { bits })),
    ]
}

fn any_tolerance() -> impl Strategy<Value = f32> {
    prop_oneof![Just(0.0), Just(0.5), Just(0.75), 0.5..64.0_f32]
}

/// Where a state lies in the order of things: what is drawn must be a state, and one that can be coded.
pub(crate) struct Drawn<'a> {
    pub(crate) kind: &'a KindSchema,
    pub(crate) codec: &'a KindCodec,
    /// At which tick.
    pub(crate) tick: Tick,
    /// The newest state that may be a baseline of it, and its tick.
    pub(crate) newer: Option<(Tick, &'a [i32])>,
}

impl Drawn<'_> {
    /// A state that differs from the newer one in some fields, by little or by much.
    pub(crate) fn state(&self, rng: &mut SimRng) -> Vec<i32> {
        let base = self.newer.map_or(self.codec.defaults(), |newer| newer.1);
        let mut state = base.to_vec();
        let layout = self.kind.layout();
        let calm = rng.chance(0.3);
        for (field, lanes) in self.kind.fields.iter().zip(&layout.fields) {
            let max = field.quantization.max_lanes();
            for (lane, max) in (lanes.first..).zip(&max[..lanes.count]) {
                if !rng.chance(if calm { 0.1 } else { 0.7 }) {
                    continue;
                }
                let near = i64::from(base[lane]) + i64::from(rng.i32_in(-3, 4));
                state[lane] = match rng.u32_up_to(3) {
                    0 => rng.u32_up_to(*max as u32) as i32,
                    1 => {
                        if rng.chance(0.5) {
                            0
                        } else {
                            *max
                        }
                    }
                    _ => near.clamp(0, i64::from(*max)) as i32,
                };
            }
        }
        self.anchor(&mut state, rng);
        assert_eq!(self.codec.check(&state), Ok(()));
        state
    }

    /// Gives each segment that is not the old one an anchor since the newer baseline, if it moves.
    fn anchor(&self, state: &mut [i32], rng: &mut SimRng) {
        let layout = self.kind.layout();
        let defaults = self.codec.defaults();
        for (field, lanes) in self.kind.fields.iter().zip(&layout.fields) {
            let (Predictor::Segment { velocity }, Some(anchor)) = (field.predictor, lanes.anchor) else {
                continue;
            };
            let velocity = layout.fields[usize::from(velocity)];
            let velocity = velocity.first..velocity.first + velocity.count;
            let place = lanes.first..lanes.first + lanes.count;
            // The default velocity is rest.
            if state[velocity.clone()] == defaults[velocity.clone()] {
                state[anchor] = 0;
                continue;
            }
            let goes_on = self.newer.is_some_and(|(_, newer)| {
                newer[velocity.clone()] == state[velocity] && newer[place.clone()] == state[place]
            });
            if !goes_on || rng.chance(0.2) {
                let oldest = self.newer.map_or(self.tick.0.saturating_sub(63), |newer| newer.0.0 + 1);
                let oldest = if self.tick.0 - oldest > 63 { self.tick.0 - 63 } else { oldest };
                state[anchor] = (oldest + rng.u32_up_to(self.tick.0 - oldest)) as i32;
            }
        }
    }
}

/// The bits of a delta as bytes, and how many they are.
pub(crate) fn encoded(
    codec: &KindCodec,
    form: &BaselineForm,
    baselines: Baselines<'_>,
    state: &[i32],
) -> (Vec<u8>, usize) {
    let mut writer = BitWriter::new();
    codec.encode(form, baselines, state, &mut writer);
    (writer.to_bytes(), writer.bits())
}

/// What bytes are the delta of, and how many bits that took. An error must leave the output as it was.
pub(crate) fn decoded(
    codec: &KindCodec,
    form: &BaselineForm,
    baselines: Baselines<'_>,
    bytes: &[u8],
) -> Result<(Vec<i32>, usize), DeltaError> {
    let mut state = vec![UNTOUCHED; codec.lanes()];
    let mut reader = BitReader::new(bytes);
    match codec.decode(form, baselines, &mut reader, &mut state) {
        Ok(()) => {
            assert_eq!(codec.check(&state), Ok(()), "what is decoded is a state");
            Ok((state, reader.position()))
        }
        Err(error) => {
            assert!(state.iter().all(|lane| *lane == UNTOUCHED), "an error leaves the state as it was");
            Err(error)
        }
    }
}

const UNTOUCHED: i32 = i32::MIN;
