//! Rotations: unit quaternions without their largest component.

use crate::limits::QUAT_BITS;
use serde::{Deserialize, Serialize};
use std::f64::consts::SQRT_2;

/// A unit quaternion as its smallest three components, each in `bits` bits (Glenn Fiedler, "Snapshot
/// Compression").
///
/// Lanes: the index of the largest component in the order x, y, z, w; then the other three in that order,
/// each scaled from `±1/√2` to `0..=2^bits − 1`. A quaternion and its negative are the same rotation; the
/// sign with a positive largest component is the one that is meant.
///
/// A component is off by at most `h = 1 / (√2 · max_lane)`, the largest by at most `3h` (it is at least ½ and
/// each of the others at most as large), hence the rotation by at most `2 · √12 · h ≤ 5 / max_lane` radians.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmallestThree {
    /// Bits of each small component, within [`QUAT_BITS`].
    pub bits: u8,
}

impl SmallestThree {
    /// Whether the number of bits is within [`QUAT_BITS`].
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        *QUAT_BITS.start() <= self.bits && self.bits <= *QUAT_BITS.end()
    }

    /// The largest lane of a small component.
    #[inline]
    #[must_use]
    pub fn max_lane(&self) -> i32 {
        (1 << self.bits) - 1
    }

    /// The index of the largest component by magnitude; the first one of equals.
    #[inline]
    #[must_use]
    pub fn largest(&self, components: &[f64; 4]) -> usize {
        let mut largest = 0;
        for index in 1..4 {
            if components[index].abs() > components[largest].abs() {
                largest = index;
            }
        }
        largest
    }

    /// The positions, in steps, of the components other than `largest`, with the sign that makes that one
    /// positive.
    #[inline]
    #[must_use]
    pub fn positions(&self, components: &[f64; 4], largest: usize) -> [f64; 3] {
        let sign = if components[largest] < 0.0 { -1.0 } else { 1.0 };
        let max = f64::from(self.max_lane());
        let mut positions = [0.0; 3];
        for (position, index) in positions.iter_mut().zip((0..4).filter(|&index| index != largest)) {
            *position = (components[index] * sign * SQRT_2 + 1.0) * 0.5 * max;
        }
        positions
    }

    /// The nearest lane to a position in steps, held inside the range: a component beside an equal largest
    /// one is a rounding error away from it.
    #[inline]
    #[must_use]
    pub fn lane(&self, position: f64) -> i32 {
        let lane = (position + 0.5).floor();
        if lane <= 0.0 {
            0
        } else if lane >= f64::from(self.max_lane()) {
            self.max_lane()
        } else {
            lane as i32
        }
    }

    /// The unit quaternion x, y, z, w of four lanes.
    #[inline]
    #[must_use]
    pub fn value(&self, lanes: [i32; 4]) -> [f64; 4] {
        let max = f64::from(self.max_lane());
        let largest = lanes[0] as usize & 3;
        let mut components = [0.0; 4];
        let mut squares = 0.0;
        for (lane, index) in lanes[1..].iter().zip((0..4).filter(|&index| index != largest)) {
            let component = (f64::from(*lane) * 2.0 / max - 1.0) / SQRT_2;
            components[index] = component;
            squares += component * component;
        }
        if squares < 1.0 {
            components[largest] = (1.0 - squares).sqrt();
        } else {
            // No quantised rotation gets here, but lanes from the network may: the result is a rotation all
            // the same.
            let length = squares.sqrt();
            components.iter_mut().for_each(|component| *component /= length);
        }
        components
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The largest angle between two rotations that are this far apart as vectors: twice the arc over the
    /// chord.
    fn rotation_error(left: &[f64; 4], right: &[f64; 4]) -> f64 {
        let dot: f64 = left.iter().zip(right).map(|(left, right)| left * right).sum();
        let sign = if dot < 0.0 { -1.0 } else { 1.0 };
        let chord = left.iter().zip(right).map(|(left, right)| (left - sign * right) * (left - sign * right));
        4.0 * libm::asin(chord.sum::<f64>().sqrt() / 2.0)
    }

    fn length(components: &[f64; 4]) -> f64 {
        components.iter().map(|component| component * component).sum::<f64>().sqrt()
    }

    fn quantized(small: SmallestThree, unit: &[f64; 4]) -> [i32; 4] {
        let largest = small.largest(unit);
        let [first, second, third] = small.positions(unit, largest).map(|position| small.lane(position));
        [largest as i32, first, second, third]
    }

    fn assert_quat(small: SmallestThree, unit: &[f64; 4]) {
        let lanes = quantized(small, unit);
        let value = small.value(lanes);
        let error = rotation_error(unit, &value);
        assert!(error <= 5.0 / f64::from(small.max_lane()), "{unit:?} {lanes:?} {error}");
        assert!((length(&value) - 1.0).abs() < 1e-12, "{unit:?} {lanes:?}");
        assert!(lanes[1..].iter().all(|lane| (0..=small.max_lane()).contains(lane)));
        let negative = unit.map(|component| -component);
        assert_eq!(quantized(small, &negative), lanes, "the same rotation: {unit:?}");
    }

    #[test]
    fn each_small_quaternion_keeps_its_rotation() {
        for bits in [4, 5] {
            let small = SmallestThree { bits };
            let lanes = 0..=small.max_lane();
            for largest in 0..4 {
                for (a, b, c) in lanes.clone().flat_map(|a| {
                    let lanes = lanes.clone();
                    lanes.clone().flat_map(move |b| lanes.clone().map(move |c| (a, b, c)))
                }) {
                    assert_quat(small, &small.value([largest, a, b, c]));
                }
            }
        }
    }

    /// A rotation whose lanes say which component is the largest comes back as these lanes.
    #[test]
    fn each_lane_of_a_quaternion_maps_to_itself() {
        let small = SmallestThree { bits: 5 };
        let max = small.max_lane();
        let mut kept = 0;
        for largest in 0..4 {
            for packed in 0..(max + 1) * (max + 1) * (max + 1) {
                let lanes = [
                    largest,
                    packed % (max + 1),
                    packed / (max + 1) % (max + 1),
                    packed / (max + 1) / (max + 1),
                ];
                let value = small.value(lanes);
                let own = value[largest as usize];
                if value
                    .iter()
                    .enumerate()
                    .all(|(index, other)| index == largest as usize || own > other.abs())
                {
                    assert_eq!(quantized(small, &value), lanes);
                    kept += 1;
                }
            }
        }
        assert!(kept > 4 * 10_000, "{kept}");
    }

    #[test]
    fn ties_and_axes_of_a_quaternion() {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let third = (1.0_f64 / 3.0).sqrt();
        for bits in QUAT_BITS {
            let small = SmallestThree { bits };
            assert!(small.is_valid());
            for first in 0..4 {
                for sign in [1.0, -1.0] {
                    let mut axis = [0.0; 4];
                    axis[first] = sign;
                    assert_eq!(small.largest(&axis), first);
                    assert_quat(small, &axis);
                    assert_quat(small, &[0.5, 0.5, 0.5, 0.5].map(|component: f64| component * sign));
                    for second in (0..4).filter(|&second| second != first) {
                        let mut pair = [0.0; 4];
                        (pair[first], pair[second]) = (half, half * sign);
                        assert_eq!(small.largest(&pair), first.min(second));
                        assert_quat(small, &pair);
                        let mut three = [third * sign; 4];
                        three[first] = 0.0;
                        assert_quat(small, &three);
                    }
                }
            }
        }
        assert!(!SmallestThree { bits: 3 }.is_valid() && !SmallestThree { bits: 16 }.is_valid());
    }

    proptest! {
        #[test]
        fn a_rotation_is_off_by_five_over_the_largest_lane(
            bits in QUAT_BITS,
            components in prop::array::uniform4(-1.0..1.0),
        ) {
            let length = length(&components);
            prop_assume!(length > 1e-3);
            assert_quat(SmallestThree { bits }, &components.map(|component: f64| component / length));
        }

        /// Components that are nearly equal, where the choice of the largest is a rounding error's.
        #[test]
        fn a_rotation_near_a_tie_is_off_by_no_more(
            bits in QUAT_BITS,
            signs in prop::array::uniform4(prop::sample::select(vec![-1.0, 0.0, 1.0])),
            noise in prop::array::uniform4(-1e-7..1e-7),
        ) {
            let components = [0, 1, 2, 3].map(|index: usize| signs[index] + noise[index]);
            let length = length(&components);
            prop_assume!(length > 0.5);
            assert_quat(SmallestThree { bits }, &components.map(|component: f64| component / length));
        }

        /// Lanes in their range that no rotation has: three small components that are no part of a unit
        /// vector.
        #[test]
        fn hostile_lanes_are_a_rotation(
            bits in QUAT_BITS,
            largest in 0..4,
            small_lanes in prop::array::uniform3(0..1 << 15),
        ) {
            let small = SmallestThree { bits };
            let [a, b, c] = small_lanes.map(|lane: i32| lane.min(small.max_lane()));
            let value = small.value([largest, a, b, c]);
            prop_assert!(value.iter().all(|component| component.is_finite()));
            prop_assert!((length(&value) - 1.0).abs() < 1e-12);
        }
    }
}
