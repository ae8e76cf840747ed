//! The rail gun: it hits at once whoever its player aimed at, as that player saw the world.
//!
//! What a player sees of others is some 50 to 150 milliseconds old: as long as a snapshot takes, and as the
//! client holds it back to show an even motion. In that time a walker goes a tile. So the server looks for
//! the victim where it was when the shooter aimed at it ([`TickContext::seen_by`]): it rewinds what it had
//! published, no further than the clamp allows. Who has just gone behind a wall may so be hit there; the
//! other choice is that everybody has to aim where nothing is to be seen.

use super::distance_to_circle;
use crate::combat::Blow;
use crate::entities::FIGURE;
use crate::events::ArenaEvent;
use crate::movement::PLAYER_RADIUS;
use crate::rules::{Arena, SIGHT};
use crate::weapons::Weapon;
use glam::Vec2;
use tickwire_protocol::determinism::float;
use tickwire_protocol::game::TickContext;
use tickwire_protocol::id::PlayerId;

/// How long the trigger is held before the rail gun goes off, in seconds.
pub const RAIL_CHARGE_SECONDS: f32 = 0.4;

/// What it takes from whom it hits.
pub const RAIL_DAMAGE: u8 = 70;

/// How far it reaches, in tiles.
pub const RAIL_RANGE: f32 = 30.0;

/// Seconds from a shot until it can be charged again.
pub(super) const COOLDOWN_SECONDS: f32 = 1.2;

/// How fast a shot throws the shooter back, in tiles per second.
pub(super) const RECOIL: f32 = 3.0;

/// How fast it throws the victim away.
const PUSH: f32 = 9.0;

/// Added to a player's radius: the published position may be off by three quarters of a 32nd.
const LENIENCE: f32 = 0.03;

impl Arena {
    /// Judges a shot.
    pub(crate) fn shoot_rail(
        &mut self,
        shooter: PlayerId,
        number: u16,
        from: Vec2,
        way: Vec2,
        context: &mut TickContext<'_, Arena>,
    ) {
        let reach = context.level.free_distance(from, way, RAIL_RANGE);
        let hit = self.first_on_line(shooter, from, way, reach, context);
        let distance = hit.map_or(reach, |(_, distance)| distance);
        let to = from + way * distance;
        let victim = hit.map(|(victim, _)| victim);
        if let Some(subject) = self.fighters.get(&shooter).and_then(|fighter| fighter.entity) {
            let middle = (from + to) * 0.5;
            let told = ArenaEvent::Rail { by: shooter, from, to, victim };
            context.events.tell_who_sees(subject, middle.extend(0.0), SIGHT + 0.5 * distance, told);
        }
        if let Some(victim) = victim {
            let blow = Blow {
                by: shooter,
                weapon: Weapon::Rail,
                number,
                damage: RAIL_DAMAGE,
                push: way * PUSH,
                at: to,
            };
            self.hurt(victim, blow, context);
        }
    }

    /// Who is hit first on a line, where the shooter saw everybody.
    fn first_on_line(
        &self,
        shooter: PlayerId,
        from: Vec2,
        way: Vec2,
        reach: f32,
        context: &TickContext<'_, Arena>,
    ) -> Option<(PlayerId, f32)> {
        let past = context.seen_by(shooter);
        let mut first: Option<(PlayerId, f32)> = None;
        for (player, fighter) in &self.fighters {
            let Some(entity) = fighter.entity.filter(|_| *player != shooter) else { continue };
            let seen = match past.time() {
                // Who has appeared since was not there to be aimed at.
                Some(time) if time.tick < context.tick => match past.get(FIGURE, entity) {
                    Some(figure) => figure.position,
                    None => continue,
                },
                // An NPC, which looks at the world as it is, or somebody who has not said what it sees.
                _ => fighter.avatar.position,
            };
            let distance = distance_to_circle(from, way, seen, PLAYER_RADIUS + LENIENCE);
            if let Some(distance) = distance.filter(|distance| *distance <= reach)
                && first.is_none_or(|(_, other)| distance < other)
            {
                first = Some((*player, float::max(distance, 0.0)));
            }
        }
        first
    }
}
