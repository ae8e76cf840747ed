//! What a client predicts of its own player.

use crate::weapons::Weapon;
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::determinism::float;

/// A living player as its own client predicts it: all that the step reads and writes, exact to the last bit.
/// It is also what an own display shows. The dead have none.
///
/// The server alone changes health and armour, gives a cloak, and throws a player about; the client hears of
/// it as a correction.
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
    /// What it has in its hands.
    pub weapon: Weapon,
    /// Seconds for which the rail gun has been charged; at [`RAIL_CHARGE_SECONDS`](crate::weapons) it goes
    /// off.
    pub charge: f32,
    /// Seconds until the rail gun may be charged again.
    pub rail_cooldown: f32,
    /// Seconds until the next bolt may be thrown.
    pub bolt_cooldown: f32,
    /// The number of the last shot, by which a hit is matched with what was shown.
    pub shots: u16,
    /// 100 is well; 0 is never seen here.
    pub health: u8,
    /// Takes two thirds of each damage until it is used up; at most 100.
    pub armour: u8,
    /// Seconds for which it is hidden from enemies who are not close. A shot ends it.
    pub cloak: f32,
    /// Seconds for which nothing hurts it, after it has appeared. A shot ends it.
    pub protection: f32,
}

/// The health of who is well, and the most armour.
pub const FULL_HEALTH: u8 = 100;

/// How long nothing hurts somebody who has just appeared, in seconds.
pub const PROTECTION_SECONDS: f32 = 2.0;

impl Avatar {
    /// A player who has just appeared.
    #[must_use]
    pub fn at(position: Vec2) -> Avatar {
        Avatar { position, health: FULL_HEALTH, protection: PROTECTION_SECONDS, ..Avatar::default() }
    }

    /// Lets the times run that concern nothing else.
    pub(crate) fn tick_down(&mut self, dt: f32) {
        for time in [
            &mut self.dash_cooldown,
            &mut self.rail_cooldown,
            &mut self.bolt_cooldown,
            &mut self.cloak,
            &mut self.protection,
        ] {
            *time = tick_down(*time, dt);
        }
    }
}

/// What is left of a time after a tick. It ends at the tick that is nearest to its end: 0.2 s at 60 Hz are 12
/// ticks, whatever the roundings of twelve differences add up to.
#[must_use]
pub(crate) fn tick_down(seconds: f32, dt: f32) -> f32 {
    if seconds < 1.5 * dt { 0.0 } else { float::max(seconds - dt, 0.0) }
}
