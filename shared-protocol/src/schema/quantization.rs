//! How a value becomes lanes, per field: a choice among the ways of [`quantize`](crate::wire::quantize).

use super::{FieldProblem, derive_support};
use crate::limits::MAX_VARIANTS;
use crate::wire::quantize::{Axis, SmallestThree, Turn};
use serde::{Deserialize, Serialize};

/// How a value becomes lanes: integers from zero up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Quantization {
    /// `false` or `true`; one lane.
    Bool,
    /// The integers `min..=max`; one lane, `value − min`.
    Int {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// One of the named variants; one lane.
    Enum {
        /// The names in the order of their lanes.
        variants: Vec<String>,
    },
    /// A scalar or vector of one to three axes; a lane per axis.
    Ranged(Vec<Axis>),
    /// An angle in radians; one lane that wraps around.
    Angle(Turn),
    /// A rotation; four lanes.
    Quat(SmallestThree),
}

impl Quantization {
    /// The components nearest to zero that the range has; of rotations, the identity.
    #[must_use]
    pub fn nearest_to_zero(&self) -> Vec<f64> {
        match self {
            Quantization::Bool | Quantization::Enum { .. } | Quantization::Angle(_) => vec![0.0],
            Quantization::Int { min, .. } if *min > 0 => vec![*min as f64],
            Quantization::Int { max, .. } => vec![if *max < 0 { *max as f64 } else { 0.0 }],
            Quantization::Ranged(axes) => axes
                .iter()
                .map(|axis| {
                    let position = axis.position(0.0);
                    let last = f64::from(axis.max_lane);
                    if position < 0.0 {
                        axis.min
                    } else if position > last {
                        axis.value(axis.max_lane)
                    } else {
                        0.0
                    }
                })
                .collect(),
            Quantization::Quat(_) => vec![0.0, 0.0, 0.0, 1.0],
        }
    }

    /// The number of lanes.
    #[must_use]
    pub fn lanes(&self) -> usize {
        match self {
            Quantization::Ranged(axes) => axes.len(),
            Quantization::Quat(_) => 4,
            _ => 1,
        }
    }

    /// The number of components of the value: one, one per axis, or the four of a quaternion.
    #[must_use]
    pub fn components(&self) -> usize {
        self.lanes()
    }

    /// The largest value of each lane; unused places are zero.
    #[must_use]
    pub fn max_lanes(&self) -> [i32; 4] {
        match self {
            Quantization::Bool => [1, 0, 0, 0],
            Quantization::Int { min, max } => [(max - min) as i32, 0, 0, 0],
            Quantization::Enum { variants } => [variants.len() as i32 - 1, 0, 0, 0],
            Quantization::Ranged(axes) => {
                let mut max = [0; 4];
                for (slot, axis) in max.iter_mut().zip(axes) {
                    *slot = axis.max_lane;
                }
                max
            }
            Quantization::Angle(turn) => [turn.steps - 1, 0, 0, 0],
            Quantization::Quat(small) => [3, small.max_lane(), small.max_lane(), small.max_lane()],
        }
    }

    /// The lanes nearest to these components, or `None` when there are too few or too many, or one is not
    /// finite or out of range. Unused places are zero.
    #[must_use]
    pub fn lanes_of(&self, components: &[f64]) -> Option<[i32; 4]> {
        if components.len() != self.components() || components.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut lanes = [0; 4];
        match self {
            Quantization::Bool | Quantization::Int { .. } | Quantization::Enum { .. } => {
                let min = if let Quantization::Int { min, .. } = self { *min } else { 0 };
                let lane = components[0] - min as f64;
                lanes[0] = lane as i32;
                if lanes[0] < 0 || lanes[0] > self.max_lanes()[0] || f64::from(lanes[0]) != lane {
                    return None;
                }
            }
            Quantization::Ranged(axes) => {
                for ((lane, axis), value) in lanes.iter_mut().zip(axes).zip(components) {
                    *lane = axis.lane(axis.position(*value))?;
                }
            }
            Quantization::Angle(turn) => lanes[0] = turn.lane(turn.position(components[0])),
            Quantization::Quat(small) => {
                let unit = unit_quaternion(components)?;
                let largest = small.largest(&unit);
                lanes[0] = largest as i32;
                for (lane, position) in lanes[1..].iter_mut().zip(small.positions(&unit, largest)) {
                    *lane = small.lane(position);
                }
            }
        }
        Some(lanes)
    }

    /// Whether the lanes of this quantisation are sound.
    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        match self {
            Quantization::Bool => Ok(()),
            Quantization::Int { min, max } => {
                if derive_support::is_int_range(*min, *max) {
                    Ok(())
                } else {
                    Err(FieldProblem::Range)
                }
            }
            Quantization::Enum { variants } => {
                let named = variants.iter().all(|name| derive_support::is_name(name));
                let counted = (1..=MAX_VARIANTS as usize).contains(&variants.len());
                if named && counted { Ok(()) } else { Err(FieldProblem::Variants) }
            }
            Quantization::Ranged(axes) if axes.is_empty() || axes.len() > 3 => Err(FieldProblem::Axes),
            Quantization::Ranged(axes) => {
                if axes.iter().all(Axis::is_valid) {
                    Ok(())
                } else {
                    Err(FieldProblem::Range)
                }
            }
            Quantization::Angle(turn) => {
                if turn.is_valid() {
                    Ok(())
                } else {
                    Err(FieldProblem::Parts)
                }
            }
            Quantization::Quat(small) => {
                if small.is_valid() {
                    Ok(())
                } else {
                    Err(FieldProblem::Parts)
                }
            }
        }
    }
}

/// The quaternion x, y, z, w scaled to unit length, or `None` when it has none.
pub(crate) fn unit_quaternion(components: &[f64]) -> Option<[f64; 4]> {
    let four: [f64; 4] = components.try_into().ok()?;
    let length = four.iter().map(|component| component * component).sum::<f64>().sqrt();
    (length.is_finite() && length > 1e-12).then(|| four.map(|component| component / length))
}
