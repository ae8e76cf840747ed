//! Whose turn it is when not all news fit.
//!
//! The problem: a budget of bytes for a player, and more news than it holds. Telling the nearest first would
//! never get to the others; telling all in turn would tell the far as often as the near.
//!
//! The idea (the priority accumulator of Glenn Fiedler's "State Synchronization"): an entity's claim grows
//! with each tick that it waits, faster the nearer and the more important it is, and starts anew when it has
//! been told. As it grows without bound, nothing starves: at the weights below, an entity at the edge waits
//! at most [`WEIGHT_RANGE`] times as long as one beside the player. Nothing is stored for it: the claim is
//! the weight times the ticks waited.

/// Weights are at least this part of the largest.
const WEIGHT_RANGE: f32 = 16.0;

/// Units at which an entity has half the claim of one at the player's side.
const HALF_DISTANCE: f32 = 100.0;

/// The claim of an entity that has waited for `ticks` at a squared distance, if it has a place.
#[inline]
pub(super) fn claim(ticks: u32, squared_distance: Option<f32>, importance: f32) -> f32 {
    let near = match squared_distance {
        Some(squared) => 1.0 / (1.0 + squared / (HALF_DISTANCE * HALF_DISTANCE)),
        None => 1.0,
    };
    let weight = near * importance;
    let floor = 1.0 / WEIGHT_RANGE;
    // A game's importance may be anything, and the claim must still grow.
    let weight = if weight > floor { weight } else { floor };
    let weight = if weight < WEIGHT_RANGE { weight } else { WEIGHT_RANGE };
    weight * (ticks + 1) as f32
}

/// The squared distance of two places.
#[inline]
pub(super) fn squared_distance(one: [f32; 3], other: [f32; 3]) -> f32 {
    let [x, y, z] = [0, 1, 2].map(|axis| one[axis] - other[axis]);
    x * x + y * y + z * z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_grow_with_time_and_fall_with_distance() {
        assert!(claim(1, Some(0.0), 1.0) > claim(0, Some(0.0), 1.0));
        assert!(claim(1, Some(0.0), 1.0) > claim(1, Some(1e4), 1.0));
        assert!(claim(1, Some(0.0), 2.0) > claim(1, Some(0.0), 1.0));
        // However far and unimportant, somebody who waits for long enough comes first.
        assert!(claim(300, Some(f32::INFINITY), 0.0) > claim(0, Some(0.0), 1e30));
        assert!(claim(300, Some(f32::NAN), f32::NAN) > 0.0);
    }
}
