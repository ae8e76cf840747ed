//! Ranged values: evenly spaced numbers between two bounds.

use super::whole_steps;
use crate::limits::MAX_LANE;
use serde::{Deserialize, Serialize};

/// One axis of a ranged value: the numbers `min + lane · step` for lanes `0..=max_lane`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The value of lane zero.
    pub min: f64,
    /// The distance of two neighbours, greater than zero.
    pub step: f64,
    /// The largest lane, from 1 to [`MAX_LANE`].
    pub max_lane: i32,
}

impl Axis {
    /// The axis that covers `min..=max`; the last lane is the first one not below `max`, a hundredth of a
    /// step aside. The result may be invalid ([`Axis::is_valid`]), as it is for arguments out of order or not
    /// finite.
    #[must_use]
    pub const fn covering(min: f64, max: f64, step: f64) -> Axis {
        let lanes = whole_steps((max - min) / step);
        let fits = step > 0.0 && lanes >= 1.0 && lanes <= MAX_LANE as f64;
        Axis { min, step, max_lane: if fits { lanes as i32 } else { 0 } }
    }

    /// Whether the axis has at least two values, all finite and so far apart that `f64` brings each back to
    /// its lane.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        let (first, last) = (self.min.abs(), self.value(self.max_lane).abs());
        let largest = if first > last { first } else { last };
        self.min.is_finite()
            && self.step.is_finite()
            && self.step > 0.0
            && 1 <= self.max_lane
            && self.max_lane <= MAX_LANE
            && largest.is_finite()
            // A value is rounded once and its distance from `min` once more, by at most an eighth of a step
            // then.
            && largest + self.step / 16.0 > largest
    }

    /// The position of `value` on the axis in steps, fractions included: lane 3 is at 3.0.
    #[inline]
    #[must_use]
    pub fn position(&self, value: f64) -> f64 {
        (value - self.min) / self.step
    }

    /// The value of a lane.
    #[inline]
    #[must_use]
    pub const fn value(&self, lane: i32) -> f64 {
        self.value_at(lane as f64)
    }

    /// The value at a position in steps. See [`Axis::position`].
    #[inline]
    #[must_use]
    pub const fn value_at(&self, position: f64) -> f64 {
        self.min + position * self.step
    }

    /// The nearest lane to a position in steps, or `None` more than half a step outside the axis.
    #[inline]
    #[must_use]
    pub fn lane(&self, position: f64) -> Option<i32> {
        // Floor of x + ½ rather than `round`: one rule for both signs. What is not negative is floored by
        // being made an integer, which is a machine instruction everywhere.
        let above = position + 0.5;
        (above >= 0.0 && above < f64::from(self.max_lane) + 1.0).then_some(above as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_axis_covers_its_range() {
        let lanes = |min, max, step| Axis::covering(min, max, step).max_lane;
        assert_eq!(lanes(0.0, 1.0, 0.1), 10);
        assert_eq!(lanes(0.0, 1.0, f64::from(0.1_f32)), 10);
        assert_eq!(lanes(0.0, 700.0, f64::from(0.7_f32)), 1000);
        assert_eq!(lanes(-1.0, 1.0, 2.0), 1);
        assert_eq!(lanes(0.0, 1.0, 3.0), 1);
        assert_eq!(lanes(0.0, 1e-9, 3.0), 1);
        assert_eq!(lanes(0.0, 1.05, 0.1), 11);
        assert_eq!(lanes(0.0, f64::from(MAX_LANE), 1.0), MAX_LANE);
        // Of many steps, the tolerance is a hundredth of one and no more.
        assert_eq!(lanes(0.0, 1e8 + 0.25, 1.0), 100_000_001);
        assert_eq!(lanes(0.0, 1e8 + 1e-3, 1.0), 100_000_000);
    }

    #[test]
    fn an_axis_without_a_sound_range_is_invalid() {
        let (infinite, nan) = (f64::INFINITY, f64::NAN);
        let hostile = [
            (0.0, 0.0, 1.0),
            (1.0, 0.0, 1.0),
            (0.0, 1.0, 0.0),
            (0.0, 1.0, -1.0),
            (1.0, 0.0, -1.0),
            (0.0, f64::from(MAX_LANE) + 0.5, 1.0),
            (-1e308, 1e308, 1.0),
            (0.0, 1.0, f64::MIN_POSITIVE),
            (0.0, infinite, 1.0),
            (-infinite, 0.0, 1.0),
            (0.0, 1.0, infinite),
            (nan, 1.0, 1.0),
            (0.0, nan, 1.0),
            (0.0, 1.0, nan),
            // Neighbours that an `f64` does not tell apart.
            (1e18, 1e18 + 1024.0, 1.0),
            (-1e18 - 1024.0, -1e18, 1.0),
            // Here it does for the first two, but not for the next.
            (1e15, 1e15 + 1024.0, 0.07),
        ];
        for (min, max, step) in hostile {
            assert!(!Axis::covering(min, max, step).is_valid(), "{min} {max} {step}");
        }
        let valid = Axis { min: 0.0, step: 1.0, max_lane: 1 };
        assert!(valid.is_valid());
        for max_lane in [i32::MIN, -1, 0, MAX_LANE + 1, i32::MAX] {
            assert!(!Axis { max_lane, ..valid }.is_valid(), "{max_lane}");
        }
        // The last value is beyond `f64`, though the first is not.
        assert!(!Axis { min: 0.0, step: 1e300, max_lane: MAX_LANE }.is_valid());
    }

    #[test]
    fn each_lane_of_an_axis_maps_to_itself() {
        let axes =
            [(0.0, 1.0, 0.1), (-256.0, 255.0, 1.0 / 512.0), (-0.3, 0.7, 0.001), (1e6, 1e6 + 9.0, 0.0001)];
        for (min, max, step) in axes {
            let axis = Axis::covering(min, max, step);
            assert!(axis.is_valid());
            for lane in 0..=axis.max_lane {
                assert_eq!(axis.lane(axis.position(axis.value(lane))), Some(lane));
            }
        }
    }

    #[test]
    fn an_axis_ends_half_a_step_outside() {
        let axis = Axis::covering(-2.0, 2.0, 0.5);
        assert_eq!(axis.lane(axis.position(-2.25)), Some(0));
        assert_eq!(axis.lane(axis.position(-2.251)), None);
        assert_eq!(axis.lane(axis.position(2.249)), Some(8));
        assert_eq!(axis.lane(axis.position(2.25)), None);
        for hostile in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            assert_eq!(axis.lane(axis.position(hostile)), None, "{hostile}");
        }
    }

    proptest! {
        #[test]
        fn a_value_on_an_axis_is_off_by_half_a_step(
            min in -1e6..1e6,
            step in 1e-4..1e3,
            max_lane in 1..=MAX_LANE,
            along in 0.0..=1.0,
        ) {
            let axis = Axis { min, step, max_lane };
            prop_assume!(axis.is_valid());
            let value = min + along * step * f64::from(max_lane);
            let lane = axis.lane(axis.position(value)).unwrap();
            let rounding = 4.0 * f64::EPSILON * (value.abs() + min.abs());
            prop_assert!((axis.value(lane) - value).abs() <= step / 2.0 + rounding);
            // What a game holds is often an `f32`, which adds its own rounding.
            let single = f64::from(axis.value(lane) as f32);
            let rounding = rounding + f64::from(f32::EPSILON) * (value.abs() + step);
            prop_assert!((single - value).abs() <= step / 2.0 + rounding);
        }

        #[test]
        fn a_lane_of_any_valid_axis_maps_to_itself(
            min in -1.0..1.0,
            exponent in 0..60,
            step in 0.1..10.0,
            max_lane in 1..=MAX_LANE,
            along in 0.0..=1.0,
        ) {
            let axis = Axis { min: min * (1_u64 << exponent) as f64, step, max_lane };
            prop_assume!(axis.is_valid());
            let lane = (along * f64::from(max_lane)) as i32;
            prop_assert_eq!(axis.lane(axis.position(axis.value(lane))), Some(lane));
        }

        #[test]
        fn an_axis_reaches_both_ends(min in -1e6..1e6, span in 1e-3..1e6, step in 1e-3..1e3) {
            let axis = Axis::covering(min, min + span, step);
            prop_assert!(axis.is_valid());
            prop_assert_eq!(axis.value(0), min);
            prop_assert!(axis.value(axis.max_lane) >= min + span - 0.0101 * step);
            prop_assert!(axis.max_lane == 1 || axis.value(axis.max_lane - 1) < min + span);
        }
    }
}
