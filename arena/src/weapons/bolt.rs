//! Bolts: they fly for a while and hit whoever is there when they come.
//!
//! The shooter's client shows a bolt in the tick in which it is thrown, from the step's effect: it flies
//! straight with a known velocity until a wall ([`Map::free_distance`](crate::level::Map::free_distance)), or
//! until the server says that it hit. So the shooter is not told of the own bolts as entities. Whether one
//! hits is judged on the server, where everybody is when it gets there.

use super::distance_to_circle;
use crate::combat::Blow;
use crate::movement::PLAYER_RADIUS;
use crate::rules::Arena;
use crate::weapons::Weapon;
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::game::TickContext;
use tickwire_protocol::id::{EntityIndex, PlayerId};

/// How fast a bolt flies, in tiles per second.
pub const BOLT_SPEED: f32 = 18.0;

/// What it takes from whom it hits.
pub const BOLT_DAMAGE: u8 = 18;

/// How far it flies, in tiles.
pub const BOLT_RANGE: f32 = 24.0;

/// Its radius, in tiles.
pub const BOLT_RADIUS: f32 = 0.12;

/// Seconds from bolt to bolt.
pub(super) const INTERVAL_SECONDS: f32 = 0.2;

/// How fast it throws the victim away, in tiles per second.
const PUSH: f32 = 2.5;

/// A bolt in flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoltShot {
    /// Which entity it is.
    pub entity: EntityIndex,
    /// Who threw it.
    pub owner: PlayerId,
    /// The number of the shot.
    pub number: u16,
    /// Where it is.
    pub position: Vec2,
    /// Tiles per second.
    pub velocity: Vec2,
    /// How far it still flies.
    pub rest: f32,
}

impl Arena {
    /// Lets a bolt fly that was just thrown.
    pub(crate) fn throw_bolt(
        &mut self,
        owner: PlayerId,
        number: u16,
        position: Vec2,
        velocity: Vec2,
        context: &TickContext<'_, Arena>,
    ) {
        // Without an index nobody could be told of it: it is not thrown.
        let Ok(entity) = self.slots.allocate(context.tick) else { return };
        self.bolts.push(BoltShot { entity, owner, number, position, velocity, rest: BOLT_RANGE });
    }

    /// Moves the bolts on, and sees whom they hit.
    pub(crate) fn fly_bolts(&mut self, context: &mut TickContext<'_, Arena>) {
        let mut bolts = std::mem::take(&mut self.bolts);
        bolts.retain_mut(|bolt| {
            let flies_on = self.fly_bolt(bolt, context);
            if !flies_on {
                self.slots.free(bolt.entity, context.tick);
            }
            flies_on
        });
        self.bolts = bolts;
    }

    /// Moves a bolt on. False when its flight is over.
    fn fly_bolt(&mut self, bolt: &mut BoltShot, context: &mut TickContext<'_, Arena>) -> bool {
        let step = bolt.velocity * context.dt;
        let length = step.length();
        let way = step / length;
        let reach = if bolt.rest < length { bolt.rest } else { length };
        let free = context.level.free_distance(bolt.position, way, reach);
        let mut first: Option<(PlayerId, f32)> = None;
        let owner = self.fighters.get(&bolt.owner).map(|fighter| fighter.colour).unwrap_or_default();
        for (player, fighter) in &self.fighters {
            if *player == bolt.owner || fighter.entity.is_none() || fighter.colour.is_with(owner) {
                continue;
            }
            let radius = PLAYER_RADIUS + BOLT_RADIUS;
            let distance = distance_to_circle(bolt.position, way, fighter.avatar.position, radius);
            if let Some(distance) = distance.filter(|distance| *distance <= free)
                && first.is_none_or(|(_, other)| distance < other)
            {
                first = Some((*player, distance));
            }
        }
        if let Some((victim, distance)) = first {
            let blow = Blow {
                by: bolt.owner,
                weapon: Weapon::Bolts,
                number: bolt.number,
                damage: BOLT_DAMAGE,
                push: way * PUSH,
                at: bolt.position + way * distance,
            };
            self.hurt(victim, blow, context);
            return false;
        }
        bolt.position += way * free;
        bolt.rest -= length;
        free >= length && bolt.rest > 0.0
    }
}
