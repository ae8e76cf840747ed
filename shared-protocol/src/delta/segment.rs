//! Segments: how a moving field is published so that nothing is sent while it moves as it did.
//!
//! The problem: a walker at constant velocity is rounded to the grid afresh each tick. Its rounded positions
//! are not on a line, so extrapolating them is off by one step in about a quarter of the ticks, and each of
//! those costs bits.
//!
//! The idea: publish a line instead of points. A segment is an anchor on the grid, the tick of the anchor,
//! and a velocity on a grid of its own. Its value at a later tick is one integer function of those three;
//! nothing is chained, so that everybody who has the segment has the same value at the same tick, however
//! they came by it. The publisher starts a new segment when the truth leaves the tolerance around that value
//! or the velocity changes.

use crate::limits::MAX_ANCHOR_AGE;
use crate::time::Micros;

/// Parts of a step in which positions along a segment are computed.
pub(crate) const SUBSTEPS: i64 = 256;

/// Ticks over which a segment is extrapolated at most; beyond, it stands still. It bounds the arithmetic, and
/// what a reader shows that has not heard for long.
const MAX_EXTRAPOLATION: u32 = MAX_ANCHOR_AGE * 2;

/// How far one axis of a position moves: steps per tick and velocity step, with 32 binary places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate(i64);

impl Rate {
    /// The rate for a velocity step that moves the position by `steps_per_second`, at this tick period.
    pub(crate) fn new(steps_per_second: f64, period: Micros) -> Rate {
        // Rounded once, here. Multiplication and rounding are exact in IEEE arithmetic, so both ends hold one
        // number.
        Rate((steps_per_second * period.0 as f64 / 1e6 * 4_294_967_296.0 + 0.5).floor() as i64)
    }

    /// The way in substeps of `velocity` (in its steps) over `ticks`, rounded to the nearest, half up.
    #[inline]
    pub(crate) fn substeps(self, velocity: i32, ticks: u32) -> i64 {
        let ticks = i64::from(ticks.min(MAX_EXTRAPOLATION));
        (i64::from(velocity) * self.0 * ticks + (1 << 23)) >> 24
    }
}

/// The grid point nearest to a position in substeps, half up.
#[inline]
pub(crate) fn nearest_step(substeps: i64) -> i64 {
    (substeps + SUBSTEPS / 2).div_euclid(SUBSTEPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::MAX_STEPS_PER_SECOND;

    #[test]
    fn a_rate_is_exact_to_a_hundredth_of_a_step_over_its_life() {
        // Swarm's figures: 0.02 units/s on a grid of 0.13 units at 30 Hz, at full speed for 64 ticks.
        let rate = Rate::new(0.02 / 0.13, Micros::period_of(30));
        let way = rate.substeps(15_000, 63) as f64 / SUBSTEPS as f64;
        let truth = 300.0 / 0.13 * 63.0 * 0.033_333;
        assert!((way - truth).abs() < 0.01, "{way} instead of {truth}");
    }

    #[test]
    fn the_fastest_segment_does_not_overflow() {
        let fastest = Rate::new(MAX_STEPS_PER_SECOND, Micros(1_000_000));
        assert_eq!(fastest.substeps(1, u32::MAX), MAX_STEPS_PER_SECOND as i64 * 128 * SUBSTEPS);
        let slow = Rate::new(MAX_STEPS_PER_SECOND / f64::from(1 << 29), Micros(1_000_000));
        assert_eq!(slow.substeps(-(1 << 29), 128), -(MAX_STEPS_PER_SECOND as i64) * 128 * SUBSTEPS);
    }

    #[test]
    fn rounding_is_half_up_on_both_sides() {
        assert_eq!([-129, -128, -1, 127, 128].map(nearest_step), [-1, 0, 0, 0, 1]);
    }
}
