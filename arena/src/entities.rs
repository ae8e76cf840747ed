//! What is replicated: the kinds of entity, and what each field means for whoever draws it.

use crate::level::MAP_SIDE;
use crate::movement::TOP_SPEED;
use crate::teams::Colour;
use glam::Vec2;
use tickwire_protocol::Replicate;
use tickwire_protocol::game::Kind;

/// A living player as others see it.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Figure {
    /// Where its middle is, in tiles, to a 32nd of one. It is a circle of radius
    /// [`PLAYER_RADIUS`](crate::PLAYER_RADIUS).
    #[replicate(ranged(min = 0.0, max = FAR_EDGE, step = 1.0 / 32.0), velocity = velocity)]
    pub position: Vec2,
    /// Tiles per second. Beyond a walker's speed it dashes or was thrown.
    #[replicate(ranged(min = -TOP_SPEED, max = TOP_SPEED, step = 1.0 / 32.0))]
    pub velocity: Vec2,
    /// Where it aims: the angle from the direction to the right, clockwise as y goes down.
    #[replicate(angle(steps = 256))]
    pub aim: f32,
    /// Whose it is: a [`PlayerId`](tickwire_protocol::id::PlayerId).
    pub player: u16,
    /// The colour it plays in.
    pub colour: Colour,
}

/// The kind of players.
pub const FIGURE: Kind<Figure> = Kind::new(0);

/// The largest coordinate in any level.
const FAR_EDGE: f32 = *MAP_SIDE.end() as f32;
