//! Where the lanes of a kind lie: one flat row of integers per entity, so that a state is compared, copied
//! and hashed as a slice.

use super::{KindSchema, Predictor, Quantization};
use crate::wire::quantize::Axis;

/// The fastest a segment may move, in steps per second. With it, ticks of at most a second, and extrapolation
/// over less than 256 of them the products of a rate with 32 binary places stay inside 64 bits.
pub(crate) const MAX_STEPS_PER_SECOND: f64 = 1_048_576.0;

/// Where the lanes of each field of a kind lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneLayout {
    /// Per field, in the order of the schema.
    pub fields: Vec<FieldLanes>,
    /// Lanes of an entity in all.
    pub lanes: usize,
    /// Components of an entity's value in all.
    pub components: usize,
}

/// Where the lanes of one field lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLanes {
    /// The first lane.
    pub first: usize,
    /// The number of lanes, the anchor of a segment not counted.
    pub count: usize,
    /// The lane that holds the anchor tick, for a field published as segments: it follows the others. It is
    /// zero while the velocity is zero, when the anchor does not matter, so that equal states are equal
    /// lanes.
    pub anchor: Option<usize>,
    /// The first component of the value.
    pub component: usize,
}

impl KindSchema {
    /// Where the lanes of this kind lie: fields in their order, each segment's anchor after its position.
    #[must_use]
    pub fn layout(&self) -> LaneLayout {
        let (mut lanes, mut components) = (0, 0);
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let count = field.quantization.lanes();
            let segment = matches!(field.predictor, Predictor::Segment { .. });
            let anchor = segment.then_some(lanes + count);
            fields.push(FieldLanes { first: lanes, count, anchor, component: components });
            lanes += count + usize::from(segment);
            components += field.quantization.components();
        }
        LaneLayout { fields, lanes, components }
    }
}

/// How many steps of the position one step of the velocity moves it in a second.
pub(crate) fn steps_per_velocity_step(
    position: &Quantization,
    axis: usize,
    velocity: &[Axis],
) -> Option<f64> {
    let step = match position {
        Quantization::Ranged(axes) => axes.get(axis)?.step,
        Quantization::Angle(turn) => turn.step(),
        _ => return None,
    };
    Some(velocity.get(axis)?.step / step)
}

/// The most steps that the velocity can move the position in a second.
pub(crate) fn steps_per_second(position: &Quantization, axis: usize, velocity: &[Axis]) -> Option<f64> {
    let step = match position {
        Quantization::Ranged(axes) => axes.get(axis)?.step,
        Quantization::Angle(turn) => turn.step(),
        _ => return None,
    };
    Some(fastest(velocity.get(axis)?) / step)
}

/// The largest magnitude of a velocity, in units per second.
pub(crate) const fn fastest(velocity: &Axis) -> f64 {
    let (first, last) = (velocity.min.abs(), velocity.value(velocity.max_lane).abs());
    if first > last { first } else { last }
}
