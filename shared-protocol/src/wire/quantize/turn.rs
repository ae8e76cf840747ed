//! Angles: even parts of a turn, the last of which is a neighbour of the first.

use super::whole_steps;
use crate::limits::MAX_LANE;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// An angle in radians as one of `steps` equal parts of a turn; lane zero is the angle zero, lanes wrap
/// around.
///
/// The error of a round trip is at most half a part, `π / steps`, plus the rounding of the type that holds
/// the angle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Parts of a turn, from 2 to [`MAX_LANE`].
    pub steps: i32,
}

impl Turn {
    /// The coarsest division of a turn whose parts are at most `step` radians. The result may be invalid
    /// ([`Turn::is_valid`]).
    #[must_use]
    pub const fn with_step(step: f64) -> Turn {
        let steps = whole_steps(TAU / step);
        Turn { steps: if steps >= 2.0 && steps <= MAX_LANE as f64 { steps as i32 } else { 0 } }
    }

    /// Whether there are at least two parts and not too many.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        2 <= self.steps && self.steps <= MAX_LANE
    }

    /// A part of a turn in radians.
    #[inline]
    #[must_use]
    pub const fn step(&self) -> f64 {
        TAU / self.steps as f64
    }

    /// The position of `angle` (any finite number of radians) in parts of a turn, in `0.0..=steps`.
    #[inline]
    #[must_use]
    pub fn position(&self, angle: f64) -> f64 {
        // The remainder is exact, so that many turns do not pile up an error of their own.
        let within = if angle.abs() < TAU { angle } else { angle % TAU };
        let within = if within < 0.0 { within + TAU } else { within };
        within / TAU * f64::from(self.steps)
    }

    /// The nearest lane to a position in parts of a turn.
    #[inline]
    #[must_use]
    pub fn lane(&self, position: f64) -> i32 {
        let above = position + 0.5;
        // The first is a machine instruction everywhere, and does for all angles as `position` gives them.
        let lane = if above >= 0.0 { above as i32 } else { above.floor() as i32 };
        lane.rem_euclid(self.steps)
    }

    /// The angle of a lane in radians, in `−π < angle ≤ π`.
    #[inline]
    #[must_use]
    pub fn value(&self, lane: i32) -> f64 {
        self.value_at(f64::from(lane))
    }

    /// The angle at a position in parts of a turn, in `−π < angle ≤ π` for positions in `0.0..=steps`.
    #[inline]
    #[must_use]
    pub fn value_at(&self, position: f64) -> f64 {
        let angle = position / f64::from(self.steps) * TAU;
        if angle > PI { angle - TAU } else { angle }
    }

    /// The shortest signed way around from one position to another, in parts of a turn.
    #[inline]
    #[must_use]
    pub fn difference(&self, to: f64, from: f64) -> f64 {
        let steps = f64::from(self.steps);
        let way = (to - from) % steps;
        if way > steps / 2.0 {
            way - steps
        } else if way < -steps / 2.0 {
            way + steps
        } else {
            way
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The distance of two places on a circle.
    fn apart(left: f64, right: f64, around: f64) -> f64 {
        let way = (left - right).rem_euclid(around);
        if way > around / 2.0 { around - way } else { way }
    }

    #[test]
    fn each_lane_of_a_turn_maps_to_itself() {
        for steps in [2, 3, 7, 256, 360, 4095, 62_832, 1 << 16] {
            let turn = Turn { steps };
            for lane in 0..steps {
                let angle = turn.value(lane);
                assert!(-PI < angle && angle <= PI, "{lane}/{steps}: {angle}");
                assert_eq!(turn.lane(turn.position(angle)), lane, "{steps}");
                assert_eq!(turn.lane(turn.position(f64::from(angle as f32))), lane, "{steps} as an f32");
                assert_eq!(turn.lane(turn.position(angle + TAU)), lane, "{steps} a turn on");
                assert_eq!(turn.lane(turn.position(angle - TAU)), lane, "{steps} a turn back");
            }
        }
    }

    #[test]
    fn the_ends_of_a_turn_meet() {
        for steps in [2, 3, 5, 64, 1000, 65_535, MAX_LANE] {
            let turn = Turn { steps };
            let ends = [PI, -PI, PI.next_up(), PI.next_down(), (-PI).next_up(), (-PI).next_down()];
            let near = [0.0, -0.0, f64::MIN_POSITIVE, -f64::MIN_POSITIVE, -1e-17, TAU, -TAU, TAU.next_down()];
            for angle in ends {
                let lane = turn.lane(turn.position(angle));
                assert!((0..steps).contains(&lane));
                let away = (turn.value(lane).abs() - PI).abs();
                assert!(away <= PI / f64::from(steps) + 1e-15, "{angle} of {steps}: {away}");
            }
            for angle in near {
                assert_eq!(turn.lane(turn.position(angle)), 0, "{angle} of {steps}");
            }
        }
    }

    #[test]
    fn the_division_of_a_turn_is_the_coarsest() {
        assert_eq!(Turn::with_step(TAU / 1000.0).steps, 1000);
        assert_eq!(Turn::with_step(1e-4).steps, 62_832);
        assert_eq!(Turn::with_step(PI).steps, 2);
        assert_eq!(Turn::with_step(6.0).steps, 2);
        for hostile in [0.0, -1.0, 7.0, 1e-9, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            assert!(!Turn::with_step(hostile).is_valid(), "{hostile}");
        }
        let valid = |steps| Turn { steps }.is_valid();
        assert!(valid(2) && valid(MAX_LANE) && !valid(1) && !valid(0) && !valid(-5) && !valid(MAX_LANE + 1));
    }

    proptest! {
        #[test]
        fn an_angle_is_off_by_half_a_part(bits: u32, steps in 2..=MAX_LANE) {
            let angle = f64::from(f32::from_bits(bits));
            prop_assume!(angle.is_finite());
            let turn = Turn { steps };
            let position = turn.position(angle);
            prop_assert!((0.0..=f64::from(steps)).contains(&position));
            let lane = turn.lane(position);
            prop_assert!((0..steps).contains(&lane));
            let value = turn.value(lane);
            prop_assert!(-PI < value && value <= PI);
            // The remainder is exact in the turn of an `f64`, which is what "the same angle" means here.
            let apart = apart(value, angle % TAU, TAU);
            prop_assert!(apart <= PI / f64::from(steps) + 1e-14, "{}", apart);
        }

        #[test]
        fn a_small_angle_is_off_by_half_a_part(angle in -10.0_f32..10.0, steps in 2..=1 << 16) {
            let turn = Turn { steps };
            let value = turn.value(turn.lane(turn.position(f64::from(angle)))) as f32;
            let apart = apart(f64::from(value), f64::from(angle), TAU);
            prop_assert!(apart <= PI / f64::from(steps) + 2.0 * f64::from(f32::EPSILON), "{}", apart);
        }

        #[test]
        fn the_way_around_is_the_shortest(from in 0.0..1.0, to in 0.0..1.0, steps in 2..=MAX_LANE) {
            let turn = Turn { steps };
            let (from, to) = (from * f64::from(steps), to * f64::from(steps));
            let way = turn.difference(to, from);
            prop_assert!(way.abs() <= f64::from(steps) / 2.0);
            prop_assert!(apart(from + way, to, f64::from(steps)) < 1e-6);
        }
    }
}
