//! What is replicated: the kinds of entity, and what each field means for whoever draws it.

use crate::level::{MAP_SIDE, PickupKind};
use crate::movement::TOP_SPEED;
use crate::round::Phase;
use crate::teams::Colour;
use crate::weapons::Weapon;
use glam::Vec2;
use tickwire_protocol::Replicate;
use tickwire_protocol::game::{DeclaredKind, Kind};

/// A living player as others see it. It is near its viewer, and gone while it is dead, or cloaked and not
/// close.
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
    /// Whose it is: a [`PlayerId`](tickwire_protocol::id::PlayerId). Its name is in the roster.
    pub player: u16,
    /// The colour it plays in.
    pub colour: Colour,
    /// What it has in its hands.
    pub weapon: Weapon,
    /// Whether it charges its rail gun: a warning to whoever it aims at.
    pub charging: bool,
    /// Whether it is cloaked: whoever sees it nevertheless is close, or on its side. To be drawn faintly.
    pub cloaked: bool,
    /// Whether nothing hurts it, because it has just appeared.
    pub protected: bool,
    /// Whether it wears armour.
    pub armoured: bool,
    /// How well it is, in tenths.
    #[replicate(int(max = 10), default = 10)]
    pub vitality: u8,
}

/// A bolt in flight: on a straight line, with the same velocity to its end. Nobody is told of their own.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Bolt {
    /// Where it is, in tiles.
    #[replicate(ranged(min = 0.0, max = FAR_EDGE, step = 1.0 / 32.0), velocity = velocity)]
    pub position: Vec2,
    /// Tiles per second.
    #[replicate(ranged(min = -TOP_SPEED, max = TOP_SPEED, step = 1.0 / 32.0))]
    pub velocity: Vec2,
    /// Who threw it.
    pub owner: u16,
    /// The colour of who threw it.
    pub colour: Colour,
}

/// A place where something lies to be taken, or comes back.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Pickup {
    /// Its middle, which is the middle of a tile.
    #[replicate(ranged(min = 0.0, max = FAR_EDGE, step = 0.5))]
    pub position: Vec2,
    /// What lies there.
    pub what: PickupKind,
    /// Whether it is there now.
    pub present: bool,
}

/// A line of the scoreboard. Everybody is told of all of them.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Score {
    /// Whose it is.
    pub player: u16,
    /// The colour it plays in.
    pub colour: Colour,
    /// Whom it has killed in this round.
    pub kills: u16,
    /// How often it died.
    pub deaths: u16,
    /// Kills since it died last.
    pub streak: u16,
    /// Whether it is alive.
    pub alive: bool,
    /// Whether it is an NPC.
    pub npc: bool,
}

/// The round: its clock and what the teams have. There is one, and everybody is told of it.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct RoundState {
    /// Whether it is fought, or over and the board is to be shown.
    pub phase: Phase,
    /// The low 24 bits of the tick in which that ends: see [`RoundState::ends`].
    #[replicate(int(max = 16777215))]
    pub ends_low: u32,
    /// Whether there are two teams.
    pub teams: bool,
    /// What the red team has.
    pub red: u16,
    /// What the blue team has.
    pub blue: u16,
    /// How many kills end the round; 0 for none.
    pub score_limit: u16,
}

impl RoundState {
    /// The low bits of a tick that are told.
    pub(crate) const LOW_BITS: u32 = (1 << 24) - 1;

    /// The tick in which the phase ends, seen from a tick near it.
    #[must_use]
    pub fn ends(&self, now: tickwire_protocol::time::Tick) -> tickwire_protocol::time::Tick {
        let ahead = self.ends_low.wrapping_sub(now.0) & RoundState::LOW_BITS;
        // Half of the range lies in the past: the clock stands at its end while the next level comes.
        let is_past = ahead > RoundState::LOW_BITS / 2;
        if is_past { now } else { tickwire_protocol::time::Tick(now.0.saturating_add(ahead)) }
    }
}

/// The kind of living players.
pub const FIGURE: Kind<Figure> = Kind::new(0);
/// The kind of bolts.
pub const BOLT: Kind<Bolt> = Kind::new(1);
/// The kind of things to pick up.
pub const PICKUP: Kind<Pickup> = Kind::new(2);
/// The kind of the scoreboard's lines.
pub const SCORE: Kind<Score> = Kind::new(3);
/// The kind of the round.
pub const ROUND: Kind<RoundState> = Kind::new(4);

/// All kinds, each at the place of its number.
pub(crate) const KINDS: &[DeclaredKind] =
    &[FIGURE.declare(), BOLT.declare(), PICKUP.declare(), SCORE.declare(), ROUND.declare()];

/// The largest coordinate in any level.
const FAR_EDGE: f32 = *MAP_SIDE.end() as f32;

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::time::Tick;

    #[test]
    fn the_end_of_a_round_is_known_from_its_low_bits() {
        let ends = |tick: u32, now| {
            RoundState { ends_low: tick & RoundState::LOW_BITS, ..Default::default() }.ends(Tick(now))
        };
        assert_eq!(ends(500, 100), Tick(500));
        assert_eq!(ends((1 << 24) + 5, (1 << 24) - 5), Tick((1 << 24) + 5));
        assert_eq!(ends(100, 500), Tick(500), "over");
    }
}
