//! What a client predicts of its own player.

use crate::movement::PLAYER_RADIUS;
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::determinism::float;

/// A living player as its own client predicts it: all that the step reads and writes, exact to the last bit.
/// What an own display shows is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Avatar {
    /// Where its middle is, in tiles.
    pub position: Vec2,
    /// Tiles per second.
    pub velocity: Vec2,
    /// Where it aims: see [`ArenaInput::aim`](crate::ArenaInput::aim).
    pub aim: f32,
    /// Seconds that its dash goes on; 0 when it is not dashing.
    pub dash: f32,
    /// Where the last dash led: a direction of length 1.
    pub dash_way: Vec2,
    /// Seconds until the next dash may begin.
    pub dash_cooldown: f32,
}

impl Avatar {
    /// A player who has just appeared.
    #[must_use]
    pub fn at(position: Vec2) -> Avatar {
        Avatar { position, ..Avatar::default() }
    }

    /// Whether a point is within it.
    #[must_use]
    pub fn covers(&self, point: Vec2) -> bool {
        (self.position - point).length_squared() <= PLAYER_RADIUS * PLAYER_RADIUS
    }
}

/// What is left of a time after a tick. It ends at the tick that is nearest to its end: 0.2 s at 60 Hz are 12
/// ticks, whatever the roundings of twelve differences add up to.
#[must_use]
pub(crate) fn tick_down(seconds: f32, dt: f32) -> f32 {
    if seconds < 1.5 * dt { 0.0 } else { float::max(seconds - dt, 0.0) }
}
