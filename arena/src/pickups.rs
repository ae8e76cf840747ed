//! What lies about: health, armour, cloaks.

use crate::avatar::{Avatar, FULL_HEALTH};
use crate::events::ArenaEvent;
use crate::level::{Map, PickupKind};
use crate::movement::PLAYER_RADIUS;
use crate::rules::{Arena, SIGHT};
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::game::TickContext;
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::Tick;

/// How long a cloak lasts, in seconds.
pub const CLOAK_SECONDS: f32 = 12.0;

/// From how near a cloaked player is seen by enemies, in tiles.
pub const CLOAK_SIGHT: f32 = 4.0;

/// What lies in one place, or comes back there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pickup {
    /// Which entity it is.
    pub(crate) entity: EntityIndex,
    /// Where.
    pub(crate) position: Vec2,
    /// What.
    pub(crate) what: PickupKind,
    /// When it is there again; `None` when it is there.
    pub(crate) back: Option<Tick>,
}

impl PickupKind {
    /// Whether a player could use it now.
    #[must_use]
    pub fn is_useful_to(self, avatar: &Avatar) -> bool {
        match self {
            PickupKind::Health => avatar.health < FULL_HEALTH,
            PickupKind::Armour => avatar.armour < FULL_HEALTH,
            PickupKind::Cloak => avatar.cloak < 1.0,
        }
    }

    fn give_to(self, avatar: &mut Avatar) {
        match self {
            PickupKind::Health => avatar.health = avatar.health.saturating_add(35).min(FULL_HEALTH),
            PickupKind::Armour => avatar.armour = avatar.armour.saturating_add(50).min(FULL_HEALTH),
            PickupKind::Cloak => avatar.cloak = CLOAK_SECONDS,
        }
    }

    /// Seconds until it is there again.
    fn return_seconds(self) -> f32 {
        match self {
            PickupKind::Health => 12.0,
            PickupKind::Armour => 20.0,
            PickupKind::Cloak => 40.0,
        }
    }
}

impl Arena {
    /// Puts out what the level says.
    pub(crate) fn lay_out_pickups(&mut self, map: &Map, tick: Tick) {
        for pickup in self.pickups.drain(..) {
            self.slots.free(pickup.entity, tick);
        }
        for spot in map.pickups() {
            if let Ok(entity) = self.slots.allocate(tick) {
                let pickup = Pickup { entity, position: spot.position, what: spot.what, back: None };
                self.pickups.push(pickup);
            }
        }
    }

    /// Lets players take what they walk over, the one with the lowest number first.
    pub(crate) fn take_pickups(&mut self, context: &mut TickContext<'_, Arena>) {
        let mut pickups = std::mem::take(&mut self.pickups);
        for pickup in &mut pickups {
            if pickup.back.is_some_and(|back| back <= context.tick) {
                pickup.back = None;
            }
            if pickup.back.is_none()
                && let Some(player) = self.give(pickup)
            {
                let back = self.after(pickup.what.return_seconds(), context);
                pickup.back = Some(back);
                self.tell_taken(player, pickup, context);
            }
        }
        self.pickups = pickups;
    }

    fn give(&mut self, pickup: &Pickup) -> Option<PlayerId> {
        let reach = PLAYER_RADIUS + REACH;
        for (player, fighter) in &mut self.fighters {
            let distance = fighter.avatar.position.distance_squared(pickup.position);
            if fighter.is_alive() && distance < reach * reach && pickup.what.is_useful_to(&fighter.avatar) {
                pickup.what.give_to(&mut fighter.avatar);
                return Some(*player);
            }
        }
        None
    }

    fn tell_taken(&self, player: PlayerId, pickup: &Pickup, context: &mut TickContext<'_, Arena>) {
        if let Some(subject) = self.fighters.get(&player).and_then(|fighter| fighter.entity) {
            let told = ArenaEvent::Taken { player, what: pickup.what, at: pickup.position };
            context.events.tell_who_sees(subject, pickup.position.extend(0.0), SIGHT, told);
        }
    }
}

/// How near a player's edge must come to the middle of a thing, in tiles.
const REACH: f32 = 0.35;
