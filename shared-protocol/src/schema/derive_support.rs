//! What the code of `#[derive(Replicate)]` calls, public for that alone. No part of the interface.
//!
//! The checks are constant functions: the derive asserts them, so that a mistake in an attribute is a compile
//! error. They are the checks of [`Schema::new`](super::Schema::new) too, or stricter, so that what compiles
//! is a valid kind.

use super::{FieldValue, layout};
use crate::limits::{MAX_LANE, MAX_LANES, MAX_NAME_BYTES};
use crate::wire::quantize::{Axis, Turn};

/// Whether a name of a kind, field or variant has 1 to [`MAX_NAME_BYTES`] bytes.
#[must_use]
pub const fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES
}

/// Whether a tolerance is zero or between ½ and 64 steps.
#[must_use]
pub const fn is_tolerance(tolerance: f32) -> bool {
    tolerance == 0.0 || (0.5 <= tolerance && tolerance <= 64.0)
}

/// Whether the integers `min..=max` are exact in `f64`, at least one, and at most [`MAX_LANE`] steps.
#[must_use]
pub const fn is_int_range(min: i64, max: i64) -> bool {
    const EXACT: i64 = 1 << 53;
    // In this order, no difference overflows.
    -EXACT < min && min <= max && max < EXACT && max - min <= MAX_LANE as i64
}

/// Whether a kind of so many components and segments has at most [`MAX_LANES`] lanes: one for each component,
/// and one for the anchor of each segment.
#[must_use]
pub const fn are_few_lanes(components: usize, segments: usize) -> bool {
    components + segments <= MAX_LANES
}

/// The axes of `ranged(…)`. Each slice has one number for all axes, or one per axis.
#[must_use]
pub const fn axes<const AXES: usize>(min: &[f64], max: &[f64], step: &[f64]) -> [Axis; AXES] {
    let mut axes = [Axis { min: 0.0, step: 0.0, max_lane: 0 }; AXES];
    let mut axis = 0;
    while axis < AXES {
        axes[axis] = Axis::covering(of_axis(min, axis), of_axis(max, axis), of_axis(step, axis));
        axis += 1;
    }
    axes
}

/// Whether all numbers are finite.
#[must_use]
pub const fn are_finite(values: &[f64]) -> bool {
    let mut index = 0;
    while index < values.len() {
        if !values[index].is_finite() {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether all numbers are greater than zero.
#[must_use]
pub const fn are_positive(values: &[f64]) -> bool {
    let mut index = 0;
    while index < values.len() {
        if values[index] <= 0.0 {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether `min < max` on each axis.
#[must_use]
pub const fn are_in_order(min: &[f64], max: &[f64]) -> bool {
    let axes = if min.len() > max.len() { min.len() } else { max.len() };
    let mut axis = 0;
    while axis < axes {
        if of_axis(min, axis) >= of_axis(max, axis) {
            return false;
        }
        axis += 1;
    }
    true
}

/// Whether no axis has more than [`MAX_LANE`] steps. Such an axis comes out of [`axes`] with no lanes.
#[must_use]
pub const fn have_lanes(axes: &[Axis]) -> bool {
    let mut axis = 0;
    while axis < axes.len() {
        if axes[axis].max_lane < 1 {
            return false;
        }
        axis += 1;
    }
    true
}

/// Whether all axes are valid.
#[must_use]
pub const fn are_valid(axes: &[Axis]) -> bool {
    let mut axis = 0;
    while axis < axes.len() {
        if !axes[axis].is_valid() {
            return false;
        }
        axis += 1;
    }
    true
}

/// Whether a segment with this velocity stays inside the range of its arithmetic on each axis.
#[must_use]
pub const fn are_slow_enough(position: &[Axis], velocity: &[Axis]) -> bool {
    let mut axis = 0;
    while axis < position.len() && axis < velocity.len() {
        if layout::fastest(&velocity[axis]) / position[axis].step > layout::MAX_STEPS_PER_SECOND {
            return false;
        }
        axis += 1;
    }
    true
}

/// [`are_slow_enough`] for an angle.
#[must_use]
pub const fn is_slow_enough(position: Turn, velocity: &[Axis]) -> bool {
    velocity.is_empty() || layout::fastest(&velocity[0]) / position.step() <= layout::MAX_STEPS_PER_SECOND
}

/// The components of a value.
#[must_use]
pub fn components_of<T: FieldValue>(value: &T) -> Vec<f64> {
    let mut components = vec![0.0; T::COMPONENTS];
    value.write_components(&mut components);
    components
}

/// The one number for all axes, or that of one axis. A missing one is an error of its own, and any other does
/// here.
const fn of_axis(values: &[f64], axis: usize) -> f64 {
    match values.len() {
        0 => f64::NAN,
        len if axis < len => values[axis],
        len => values[len - 1],
    }
}
