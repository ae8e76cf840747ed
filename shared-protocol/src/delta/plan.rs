//! The plan of a kind: its schema worked out into what coding needs per field, with no look-up by name left.

use super::form::FORM_CONTEXTS;
use super::model::{LEVELS, MASK_BITS, ModelShape, Role, residual_symbols};
use super::segment::Rate;
use super::trends::Trends;
use crate::limits::{MAX_ANCHOR_AGE, MAX_BASELINE_AGE};
use crate::schema::{KindSchema, Predictor, Quantization, steps_per_velocity_step};
use crate::time::Micros;

/// How the entities of one kind are coded.
#[derive(Clone, Debug)]
pub(crate) struct KindPlan {
    /// The fields in coding order. A velocity is coded with the position that it moves.
    pub(crate) fields: Vec<FieldPlan>,
    /// The number of fields up to the last of which something is expected before it is read.
    pub(crate) foreseen: usize,
    /// The number of lanes.
    pub(crate) lanes: usize,
    /// The lanes that an entering entity is coded against.
    pub(crate) defaults: Vec<i32>,
    /// The lanes that follow a trend.
    pub(crate) trends: Trends,
    /// Whether there are any.
    pub(crate) has_trends: bool,
    /// The bits of the change mask in all.
    pub(crate) mask_bits: usize,
    /// The symbols that those take.
    pub(crate) masks: usize,
    /// The models, the mask's first.
    pub(crate) models: Vec<ModelShape>,
}

/// How one field is coded. The numbers are as small as they can be: one that cannot be large needs fewer
/// checks of its sums.
#[derive(Clone, Debug)]
pub(crate) struct FieldPlan {
    /// Its place in the schema, for errors.
    pub(crate) index: u8,
    /// Its first lane.
    pub(crate) first: u16,
    /// Its first bit in the change mask.
    pub(crate) bit: u8,
    /// Its first model.
    pub(crate) model: u16,
    /// What is coded.
    pub(crate) shape: Shape,
}

/// The ways to code a field. The tag is a byte of its own: found in the gaps of another field, it would take
/// a calculation for each match.
#[derive(Clone, Debug)]
#[repr(u8)]
pub(crate) enum Shape {
    /// A boolean: its change says all.
    Flip,
    /// One of few values, told as such.
    Symbol {
        /// The number of values.
        values: i32,
        /// Whether the old value is part of the context.
        by_old: bool,
    },
    /// A lane of its own.
    One(LanesPlan),
    /// Residuals of two lanes, one after the other.
    Two(LanesPlan),
    /// Residuals of three lanes.
    Three(LanesPlan),
    /// One lane that wraps around.
    Turn {
        /// The number of values.
        steps: i32,
        /// Whether two baselines are extrapolated.
        linear: bool,
    },
    /// A rotation as smallest three.
    Quat {
        /// The largest value of a small component.
        max: i32,
        /// Whether two baselines are extrapolated.
        linear: bool,
    },
    /// A position and the velocity that moves it. Boxed, for its plan is larger than all the others.
    Segment(Box<SegmentPlan>),
}

/// How up to three lanes are coded. How many they are is the shape's to say, which tells them apart anyhow.
#[derive(Clone, Debug)]
pub(crate) struct LanesPlan {
    /// The largest value of each lane.
    pub(crate) max: [i32; 3],
    /// Whether two baselines are extrapolated.
    pub(crate) linear: bool,
}

/// How a segment is coded.
#[derive(Clone, Debug)]
pub(crate) struct SegmentPlan {
    /// The number of axes.
    pub(crate) axes: usize,
    /// The largest position of each axis.
    pub(crate) max: [i32; 3],
    /// Whether the position wraps around, as an angle does.
    pub(crate) wraps: bool,
    /// The lane of the anchor tick.
    pub(crate) anchor: usize,
    /// The first lane of the velocity.
    pub(crate) velocity: usize,
    /// The field of the velocity, for errors.
    pub(crate) velocity_index: u8,
    /// The largest velocity lane of each axis.
    pub(crate) velocity_max: [i32; 3],
    /// The velocity lane that means rest, of each axis.
    pub(crate) still: [i32; 3],
    /// How far a velocity step moves each axis.
    pub(crate) rate: [Rate; 3],
}

/// Fields with at most this many values are told as values, not as differences.
const FEW_VALUES: i32 = 16;

impl KindPlan {
    pub(crate) fn new(kind: &KindSchema, period: Micros) -> KindPlan {
        let layout = kind.layout();
        let owned = |index: usize| kind.fields.iter().any(|field| field.predictor.velocity() == Some(index));
        let mut fields = Vec::new();
        let mut field_models = Vec::new();
        let mut mask_bits = 0;
        let mut defaults = vec![0; layout.lanes];
        let mut trending = vec![0; layout.lanes];
        for (index, (field, lanes)) in kind.fields.iter().zip(&layout.fields).enumerate() {
            let default = field.quantization.lanes_of(&field.default).unwrap_or_default();
            defaults[lanes.first..lanes.first + lanes.count].copy_from_slice(&default[..lanes.count]);
            if field.predictor == Predictor::Linear {
                trending[lanes.first..lanes.first + lanes.count].fill(-1);
            }
            if owned(index) {
                continue;
            }
            let shape = shape_of(kind, index, period);
            let model = field_models.len();
            field_models.extend(shape.models());
            fields.push(FieldPlan {
                index: index as u8,
                first: lanes.first as u16,
                bit: mask_bits as u8,
                model: model as u16,
                shape,
            });
            mask_bits += fields.last().map_or(0, |field| field.shape.mask_bits());
        }
        // An entering entity is coded against something at rest: a default velocity would need an anchor.
        for field in &fields {
            if let Shape::Segment(segment) = &field.shape {
                let velocity = segment.velocity..segment.velocity + segment.axes;
                defaults[velocity].copy_from_slice(&segment.still[..segment.axes]);
            }
        }
        let masks = mask_bits.div_ceil(MASK_BITS);
        let mut models: Vec<ModelShape> = (0..masks)
            .map(|chunk| ModelShape {
                role: Role::Mask { chunk: chunk as u8 },
                symbols: 1 << (mask_bits - chunk * MASK_BITS).min(MASK_BITS),
                contexts: FORM_CONTEXTS * LEVELS,
            })
            .collect();
        models.extend(field_models);
        for field in &mut fields {
            field.model += masks as u16;
        }
        let trends = Trends::new(trending);
        let has_trends = trends.is_any();
        let foreseen = fields.iter().rposition(|field| field.shape.is_foreseen()).map_or(0, |last| last + 1);
        let lanes = layout.lanes;
        KindPlan { fields, foreseen, lanes, defaults, trends, has_trends, mask_bits, masks, models }
    }
}

fn shape_of(kind: &KindSchema, index: usize, period: Micros) -> Shape {
    let field = &kind.fields[index];
    let all_max = field.quantization.max_lanes();
    let max = [all_max[0], all_max[1], all_max[2]];
    let linear = field.predictor == Predictor::Linear;
    if let Predictor::Segment { velocity } = field.predictor {
        let velocity_field = &kind.fields[usize::from(velocity)];
        let layout = kind.layout();
        let velocity_max = velocity_field.quantization.max_lanes();
        let mut still = [0; 3];
        let mut rate = [Rate::default(); 3];
        if let Quantization::Ranged(axes) = &velocity_field.quantization {
            for (axis, range) in axes.iter().enumerate() {
                still[axis] = range.lane(range.position(0.0)).unwrap_or(0);
                let steps = steps_per_velocity_step(&field.quantization, axis, axes).unwrap_or(0.0);
                rate[axis] = Rate::new(steps, period);
            }
        }
        return Shape::Segment(Box::new(SegmentPlan {
            axes: field.quantization.lanes(),
            max,
            wraps: matches!(field.quantization, Quantization::Angle(_)),
            anchor: layout.fields[index].first + layout.fields[index].count,
            velocity: layout.fields[usize::from(velocity)].first,
            velocity_index: velocity,
            velocity_max: [velocity_max[0], velocity_max[1], velocity_max[2]],
            still,
            rate,
        }));
    }
    match &field.quantization {
        Quantization::Bool => Shape::Flip,
        Quantization::Enum { .. } => Shape::Symbol { values: max[0] + 1, by_old: max[0] < FEW_VALUES },
        Quantization::Int { .. } if max[0] < FEW_VALUES && !linear => {
            Shape::Symbol { values: max[0] + 1, by_old: true }
        }
        Quantization::Int { .. } => Shape::One(LanesPlan { max, linear }),
        Quantization::Ranged(axes) => match axes.len() {
            1 => Shape::One(LanesPlan { max, linear }),
            2 => Shape::Two(LanesPlan { max, linear }),
            _ => Shape::Three(LanesPlan { max, linear }),
        },
        Quantization::Angle(turn) => Shape::Turn { steps: turn.steps, linear },
        Quantization::Quat(small) => Shape::Quat { max: small.max_lane(), linear },
    }
}

impl Shape {
    /// Bits in the change mask: a rotation's second one says that its largest component is not the predicted
    /// one, a segment's that its velocity changed.
    pub(crate) fn mask_bits(&self) -> usize {
        match self {
            Shape::Quat { .. } | Shape::Segment(_) => 2,
            _ => 1,
        }
    }

    /// The number of lanes that are coded one by one.
    pub(crate) fn lanes(&self) -> usize {
        match self {
            Shape::One(_) => 1,
            Shape::Two(_) => 2,
            Shape::Three(_) => 3,
            _ => 0,
        }
    }

    /// Whether something is expected of the field before it is read.
    fn is_foreseen(&self) -> bool {
        !matches!(self, Shape::Flip | Shape::Symbol { .. } | Shape::Segment(_))
    }

    fn models(&self) -> Vec<ModelShape> {
        let residual = |role, max: &[i32]| ModelShape {
            role,
            symbols: residual_symbols(max.iter().copied().max().unwrap_or(0)),
            contexts: max.len() * FORM_CONTEXTS * LEVELS * LEVELS,
        };
        let few = |role, symbols, contexts| ModelShape { role, symbols, contexts };
        match self {
            Shape::Flip => vec![],
            Shape::Symbol { values, by_old } => {
                let old_values = if *by_old { *values as usize } else { 1 };
                vec![few(Role::Symbol, *values as usize, FORM_CONTEXTS * old_values)]
            }
            Shape::One(lanes) | Shape::Two(lanes) | Shape::Three(lanes) => {
                vec![residual(Role::Residual { linear: lanes.linear }, &lanes.max[..self.lanes()])]
            }
            Shape::Turn { steps, linear } => vec![residual(Role::Residual { linear: *linear }, &[steps / 2])],
            Shape::Quat { max, linear } => vec![
                few(Role::Largest, 3, FORM_CONTEXTS),
                residual(Role::Residual { linear: *linear }, &[*max; 3]),
            ],
            Shape::Segment(segment) => {
                let max = if segment.wraps { [segment.max[0] / 2 + 1; 3] } else { segment.max };
                vec![
                    few(Role::Stop, 2, FORM_CONTEXTS),
                    residual(Role::Velocity, &segment.velocity_max[..segment.axes]),
                    residual(Role::Anchor, &max[..segment.axes]),
                ]
            }
        }
    }
}

/// The context of a group of residuals: what form, how far the field was about to move.
#[inline]
pub(crate) fn group_context(form: usize, activity: u32) -> usize {
    form * LEVELS + activity as usize
}

/// Bits that tell the age of an anchor which is newer than the baseline: none for a baseline of the tick
/// before.
#[inline]
pub(crate) fn anchor_age_bits(baseline_age: u32) -> u32 {
    let ages = baseline_age.min(MAX_ANCHOR_AGE);
    u32::BITS - (ages - 1).leading_zeros()
}

const _: () = assert!(MAX_ANCHOR_AGE.is_power_of_two() && MAX_BASELINE_AGE >= 1);
