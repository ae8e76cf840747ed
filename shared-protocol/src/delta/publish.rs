//! Publishing: from the truth of the simulation to the one state per tick that everybody is told, and back to
//! values.
//!
//! What is published stays where it is while the truth is within the field's tolerance of it. So noise at the
//! edge of two steps costs nothing, and a moving field starts a new segment only when the old one has become
//! wrong.

use super::codec::KindCodec;
use super::plan::{SegmentPlan, Shape};
use super::predict::{segment_substeps, segment_value};
use super::segment::SUBSTEPS;
use crate::limits::MAX_ANCHOR_AGE;
use crate::schema::{FieldSchema, KindSchema, LaneLayout, Predictor, Quantization, unit_quaternion};
use crate::time::Tick;
use std::ops::Range;
use thiserror::Error;

/// A value that cannot be published.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum PublishError {
    /// A component is not a finite number.
    #[error("field {field} is {value}, not a finite number")]
    NotFinite {
        /// The place of the field in its kind.
        field: usize,
        /// The component.
        value: f64,
    },
    /// A component is outside the range of its field; of a rotation: its length is zero.
    #[error("field {field} is {value}, outside its range")]
    OutOfRange {
        /// The place of the field in its kind.
        field: usize,
        /// The component.
        value: f64,
    },
}

/// What publishing needs of a kind.
#[derive(Clone, Debug)]
pub(crate) struct PublishPlan {
    fields: Vec<FieldSchema>,
    layout: LaneLayout,
    /// The fields that are segments: their place, and that among the plan's fields.
    segments: Vec<(usize, usize)>,
    /// The components of neighbouring fields that are no segments.
    standing: Vec<Range<usize>>,
}

/// What was published at the tick before.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The state.
    pub state: &'a [i32],
    /// The components that it was published for, if they are at hand: what has stayed as it was need not be
    /// worked out again.
    pub value: Option<&'a [f64]>,
}

impl<'a> From<&'a [i32]> for Published<'a> {
    fn from(state: &'a [i32]) -> Published<'a> {
        Published { state, value: None }
    }
}

/// Half of the ticks that an anchor may be old. A segment is re-anchored in the first tick of its entity's
/// turn after that, and each entity has one turn in as many ticks, so that a room full of walkers does not do
/// it all at once.
const REANCHOR_TURN: u32 = MAX_ANCHOR_AGE / 2;

impl PublishPlan {
    pub(crate) fn new(kind: &KindSchema) -> PublishPlan {
        let owned = |index: usize| {
            let mut predictors = kind.fields.iter().map(|field| field.predictor);
            predictors.any(|predictor| predictor == Predictor::Segment { velocity: index as u8 })
        };
        // The plan has no place for a velocity: it is its segment's.
        let planned = (0..kind.fields.len()).filter(|index| !owned(*index)).zip(0..);
        let is_segment = |index: usize| matches!(kind.fields[index].predictor, Predictor::Segment { .. });
        let segments = planned.filter(|(index, _)| is_segment(*index)).collect();
        let layout = kind.layout();
        let mut standing: Vec<Range<usize>> = Vec::new();
        for (field, lanes) in kind.fields.iter().zip(&layout.fields) {
            if matches!(field.predictor, Predictor::Segment { .. }) {
                continue;
            }
            let end = lanes.component + field.quantization.components();
            match standing.last_mut().filter(|run| run.end == lanes.component) {
                Some(run) => run.end = end,
                None => standing.push(lanes.component..end),
            }
        }
        PublishPlan { fields: kind.fields.clone(), layout, segments, standing }
    }

    /// Whether all that is no segment has stayed as it was. Compared as bits: zeros of either sign are told
    /// apart, and what is no number has not been published.
    fn stands(&self, value: &[f64], before: &[f64]) -> bool {
        let same = |(one, other): (&f64, &f64)| one.to_bits() == other.to_bits();
        let is_same = |run: &Range<usize>| value[run.clone()].iter().zip(&before[run.clone()]).all(same);
        self.standing.iter().all(is_same)
    }
}

impl KindCodec {
    /// The number of components of a value.
    #[must_use]
    pub fn components(&self) -> usize {
        self.publishing.layout.components
    }

    /// Writes to `state` what is published for `value` (its components) at `tick`, given what was published
    /// at the tick before, if anything was. `entity` staggers the re-anchoring of segments: any number that
    /// differs from entity to entity.
    ///
    /// That the components of before are given makes a difference to the time alone.
    ///
    /// # Errors
    /// [`PublishError`] names the field that cannot be published; `state` then holds nothing of use.
    ///
    /// # Panics
    /// When a slice does not have the kind's length.
    pub fn publish(
        &self,
        value: &[f64],
        before: Option<Published<'_>>,
        tick: Tick,
        entity: u32,
        state: &mut [i32],
    ) -> Result<(), PublishError> {
        let plan = &self.publishing;
        assert!(value.len() == plan.layout.components && state.len() == plan.layout.lanes);
        let value_before = before.and_then(|before| before.value);
        let before = before.map(|before| before.state);
        // What a field is published as depends on its components and on what it was published as, and to do
        // it again for the same components changes nothing.
        let stands = match before.zip(value_before) {
            Some((before, value_before)) if plan.stands(value, value_before) => {
                state.copy_from_slice(before);
                true
            }
            _ => false,
        };
        // Velocities first, because a segment stands on the published one.
        if !stands {
            for (index, field) in plan.fields.iter().enumerate() {
                if matches!(field.predictor, Predictor::Segment { .. }) {
                    continue;
                }
                let lanes = plan.layout.fields[index];
                let components = &value[lanes.component..lanes.component + field.quantization.components()];
                let place = lanes.first..lanes.first + lanes.count;
                let kept = before.map(|before| &before[place.clone()]);
                publish_field(index, field, components, kept, &mut state[place])?;
            }
        }
        for &(index, place) in &plan.segments {
            let Shape::Segment(segment) = &self.plan.fields[place].shape else { continue };
            let lanes = plan.layout.fields[index];
            let components = &value[lanes.component..lanes.component + segment.axes];
            let fresh = Fresh { index, field: &plan.fields[index], first: lanes.first, tick, entity };
            fresh.publish(segment, components, before, state)?;
        }
        Ok(())
    }

    /// Writes the components of a published state at `tick`.
    ///
    /// # Panics
    /// When a slice does not have the kind's length.
    pub fn value(&self, state: &[i32], tick: Tick, value: &mut [f64]) {
        let plan = &self.publishing;
        assert!(value.len() == plan.layout.components && state.len() == plan.layout.lanes);
        let mut segments = plan.segments.iter().peekable();
        for (index, field) in plan.fields.iter().enumerate() {
            let lanes = plan.layout.fields[index];
            let row = &state[lanes.first..lanes.first + lanes.count];
            let out = &mut value[lanes.component..lanes.component + field.quantization.components()];
            if let Some(&(_, place)) = segments.next_if(|(segment, _)| *segment == index)
                && let Shape::Segment(segment) = &self.plan.fields[place].shape
            {
                for (axis, component) in out.iter_mut().enumerate() {
                    let substeps = segment_substeps(segment, lanes.first, state, tick, axis);
                    *component = segment_component(&field.quantization, segment, axis, substeps);
                }
                continue;
            }
            match &field.quantization {
                Quantization::Bool | Quantization::Enum { .. } => out[0] = f64::from(row[0]),
                Quantization::Int { min, .. } => out[0] = (*min + i64::from(row[0])) as f64,
                Quantization::Ranged(axes) => {
                    for ((component, axis), lane) in out.iter_mut().zip(axes).zip(row) {
                        *component = axis.value(*lane);
                    }
                }
                Quantization::Angle(turn) => out[0] = turn.value(row[0]),
                Quantization::Quat(small) => {
                    out.copy_from_slice(&small.value([row[0], row[1], row[2], row[3]]));
                }
            }
        }
    }
}

/// The value of a segment's axis at a position in substeps.
fn segment_component(quantization: &Quantization, segment: &SegmentPlan, axis: usize, substeps: i64) -> f64 {
    let last = i64::from(segment.max[axis]) * SUBSTEPS;
    let inside = if segment.wraps { substeps.rem_euclid(last + SUBSTEPS) } else { substeps.clamp(0, last) };
    let position = inside as f64 / SUBSTEPS as f64;
    match quantization {
        Quantization::Ranged(axes) => axes[axis].value_at(position),
        Quantization::Angle(turn) => turn.value_at(position),
        _ => 0.0,
    }
}

/// Publishes a field that is no segment: what was published before if it is close enough, else the nearest
/// lanes.
fn publish_field(
    index: usize,
    field: &FieldSchema,
    components: &[f64],
    kept: Option<&[i32]>,
    out: &mut [i32],
) -> Result<(), PublishError> {
    let refuse = |value: f64| {
        if value.is_finite() {
            PublishError::OutOfRange { field: index, value }
        } else {
            PublishError::NotFinite { field: index, value }
        }
    };
    let nearest = field.quantization.lanes_of(components).ok_or_else(|| {
        let odd = components.iter().copied().find(|value| !value.is_finite());
        refuse(odd.or(first_outside(&field.quantization, components)).unwrap_or(components[0]))
    })?;
    out.copy_from_slice(&nearest[..out.len()]);
    if let Some(kept) = kept
        && kept != out
        && field.tolerance > 0.0
        && is_close(&field.quantization, components, kept, f64::from(field.tolerance))
    {
        out.copy_from_slice(kept);
    }
    Ok(())
}

/// The first component of a ranged value that is outside its axis.
fn first_outside(quantization: &Quantization, components: &[f64]) -> Option<f64> {
    let Quantization::Ranged(axes) = quantization else { return None };
    let mut pairs = axes.iter().zip(components);
    pairs.find(|(axis, value)| axis.lane(axis.position(**value)).is_none()).map(|(_, value)| *value)
}

/// Whether each component is within `tolerance` steps of the published lanes.
fn is_close(quantization: &Quantization, components: &[f64], kept: &[i32], tolerance: f64) -> bool {
    match quantization {
        Quantization::Ranged(axes) => axes.iter().zip(components).zip(kept).all(|((axis, value), lane)| {
            let position = axis.position(*value);
            // An exact zero is published as zero: a thing at rest must not creep.
            let rests = *value == 0.0 && axis.lane(position) != Some(*lane);
            !rests && (position - f64::from(*lane)).abs() <= tolerance
        }),
        Quantization::Angle(turn) => {
            let way = turn.difference(turn.position(components[0]), f64::from(kept[0]));
            way.abs() <= tolerance
        }
        Quantization::Quat(small) => unit_quaternion(components).is_some_and(|unit| {
            let largest = kept[0] as usize & 3;
            let positions = small.positions(&unit, largest);
            // The largest component of another sign than its neighbours in time would be a wholly different
            // rotation.
            unit[largest].abs() > 0.4
                && positions.iter().zip(&kept[1..]).all(|(a, b)| (a - f64::from(*b)).abs() <= tolerance)
        }),
        Quantization::Bool | Quantization::Int { .. } | Quantization::Enum { .. } => false,
    }
}

/// A position about to be published.
struct Fresh<'a> {
    index: usize,
    field: &'a FieldSchema,
    first: usize,
    tick: Tick,
    entity: u32,
}

impl Fresh<'_> {
    fn publish(
        &self,
        segment: &SegmentPlan,
        components: &[f64],
        before: Option<&[i32]>,
        state: &mut [i32],
    ) -> Result<(), PublishError> {
        let mut positions = [0.0; 3];
        for (axis, component) in components.iter().enumerate() {
            positions[axis] = self.position(axis, *component)?;
        }
        for (axis, position) in positions[..segment.axes].iter().enumerate() {
            state[self.first + axis] = match &self.field.quantization {
                Quantization::Ranged(axes) => {
                    let value = components[axis];
                    axes[axis].lane(*position).ok_or(PublishError::OutOfRange { field: self.index, value })?
                }
                Quantization::Angle(turn) => turn.lane(*position),
                _ => 0,
            };
        }
        if let Some(before) = before
            && self.still_holds(segment, &positions, before, state)
        {
            // One by one, as in `still_holds`: of so few, a call to the library takes longer.
            let lanes = state[self.first..].iter_mut().zip(&before[self.first..]);
            lanes.take(segment.axes).for_each(|(lane, before)| *lane = *before);
            state[segment.anchor] = before[segment.anchor];
            return Ok(());
        }
        state[segment.anchor] = if segment.is_still(state) { 0 } else { self.tick.0 as i32 };
        Ok(())
    }

    fn position(&self, axis: usize, component: f64) -> Result<f64, PublishError> {
        if !component.is_finite() {
            return Err(PublishError::NotFinite { field: self.index, value: component });
        }
        Ok(match &self.field.quantization {
            Quantization::Ranged(axes) => axes[axis].position(component),
            Quantization::Angle(turn) => turn.position(component),
            _ => 0.0,
        })
    }

    /// Whether the segment of before may go on: at the same velocity, young enough, and within tolerance of
    /// the truth.
    fn still_holds(
        &self,
        segment: &SegmentPlan,
        positions: &[f64; 3],
        before: &[i32],
        state: &[i32],
    ) -> bool {
        let mut velocity = segment.velocity..segment.velocity + segment.axes;
        if velocity.any(|lane| state[lane] != before[lane]) {
            return false;
        }
        if !segment.is_still(before) {
            let age = self.tick.since(Tick(before[segment.anchor] as u32)).unwrap_or(MAX_ANCHOR_AGE);
            let turn = self.tick.0.wrapping_add(self.entity).is_multiple_of(REANCHOR_TURN);
            if age >= MAX_ANCHOR_AGE || (turn && age >= REANCHOR_TURN) {
                return false;
            }
        }
        // `state` holds the nearest lanes by now. Without a tolerance the shown value must be no worse than
        // those.
        let exact = self.field.tolerance == 0.0;
        let shown_lanes = || segment_value(segment, self.first, before, self.tick, None);
        if exact && shown_lanes()[..segment.axes] != state[self.first..self.first + segment.axes] {
            return false;
        }
        let tolerance = if exact { 0.5 } else { f64::from(self.field.tolerance) };
        (0..segment.axes).all(|axis| {
            let shown = segment_substeps(segment, self.first, before, self.tick, axis);
            let shown = shown as f64 / SUBSTEPS as f64;
            let off = match &self.field.quantization {
                Quantization::Angle(turn) => turn.difference(positions[axis], shown),
                _ => positions[axis] - shown,
            };
            off.abs() <= tolerance
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::quantize::{Axis, SmallestThree, Turn};

    fn close(quantization: &Quantization, components: &[f64], kept: &[i32]) -> bool {
        is_close(quantization, components, kept, 0.75)
    }

    #[test]
    fn what_is_kept_is_within_tolerance_on_each_axis() {
        let axis = Axis { min: -1.0, step: 0.1, max_lane: 20 };
        let plane = Quantization::Ranged(vec![axis; 2]);
        assert!(close(&plane, &[0.57, 0.57], &[15, 15]));
        assert!(close(&plane, &[0.57, 0.43], &[15, 15]));
        assert!(!close(&plane, &[0.58, 0.5], &[15, 15]));
        assert!(!close(&plane, &[0.5, 0.42], &[15, 15]));
        // Zero is published as zero, and as nothing else that is near.
        assert!(close(&plane, &[0.0, 0.0], &[10, 10]));
        assert!(!close(&plane, &[0.0, 0.5], &[11, 15]));
        assert!(close(&plane, &[0.04, 0.5], &[11, 15]));
    }

    #[test]
    fn angles_are_kept_across_the_ends_of_the_turn() {
        let angle = Quantization::Angle(Turn { steps: 8 });
        let step = std::f64::consts::TAU / 8.0;
        assert!(close(&angle, &[-0.7 * step], &[0]) && close(&angle, &[8.7 * step], &[0]));
        assert!(close(&angle, &[0.7 * step], &[0]) && close(&angle, &[-0.3 * step], &[7]));
        assert!(!close(&angle, &[-0.8 * step], &[0]) && !close(&angle, &[0.8 * step], &[0]));
    }

    #[test]
    fn rotations_are_kept_while_their_largest_component_is_large() {
        let pose = Quantization::Quat(SmallestThree { bits: 9 });
        let kept = pose.lanes_of(&[0.0, 0.0, 0.0, 1.0]).unwrap();
        assert!(close(&pose, &[0.0, 0.0005, 0.0, 1.0], &kept));
        assert!(close(&pose, &[0.0, -0.0005, 0.0, -1.0], &kept), "the same rotation");
        assert!(!close(&pose, &[0.0, 0.01, 0.0, 1.0], &kept));
        assert!(!close(&pose, &[1.0, 0.0, 0.0, 0.0], &kept));
    }
}
