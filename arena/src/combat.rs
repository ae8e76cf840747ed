//! Damage, death, and coming back.

use crate::avatar::Avatar;
use crate::events::ArenaEvent;
use crate::fighter::{Life, is_npc};
use crate::movement::{TOP_SPEED, limited};
use crate::rules::Arena;
use crate::weapons::Weapon;
use glam::Vec2;
use tickwire_protocol::game::TickContext;
use tickwire_protocol::id::PlayerId;

/// How long the dead stay so, in seconds.
pub const RESPAWN_SECONDS: f32 = 1.8;

/// Places that are looked at before somebody appears in one of them.
const SPAWN_CANDIDATES: u32 = 12;

/// What hits somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blow {
    /// Whose doing it is.
    pub(crate) by: PlayerId,
    /// With what.
    pub(crate) weapon: Weapon,
    /// The number of the shot.
    pub(crate) number: u16,
    /// What it takes from somebody without armour.
    pub(crate) damage: u8,
    /// What it adds to the velocity of whom it hits.
    pub(crate) push: Vec2,
    /// Where.
    pub(crate) at: Vec2,
}

impl Arena {
    /// Hurts somebody who is alive: unless it is protected, on the same side, or the round is over.
    pub(crate) fn hurt(&mut self, victim: PlayerId, blow: Blow, context: &mut TickContext<'_, Arena>) {
        let colour = self.fighters.get(&blow.by).map(|fighter| fighter.colour).unwrap_or_default();
        let is_playing = self.round.is_playing();
        let Some(fighter) = self.fighters.get_mut(&victim).filter(|fighter| fighter.is_alive()) else {
            return;
        };
        let avatar = &mut fighter.avatar;
        let is_spared = avatar.protection > 0.0 || fighter.colour.is_with(colour) || !is_playing;
        let damage = if is_spared { 0 } else { blow.damage };
        if damage > 0 {
            let absorbed = avatar.armour.min(damage - damage / 3);
            avatar.armour -= absorbed;
            avatar.health = avatar.health.saturating_sub(damage - absorbed);
            avatar.velocity = limited(avatar.velocity + blow.push, TOP_SPEED);
        }
        let is_dead = avatar.health == 0;
        let Blow { by, weapon, number, at, .. } = blow;
        let told = ArenaEvent::Hit { victim, by, weapon, number, damage, at };
        if !is_npc(victim) {
            context.events.tell_player(victim, told.clone());
        }
        if by != victim && !is_npc(by) {
            context.events.tell_player(by, told);
        }
        if is_dead {
            self.kill(victim, blow, context);
        }
    }

    fn kill(&mut self, victim: PlayerId, blow: Blow, context: &mut TickContext<'_, Arena>) {
        let until = self.after(RESPAWN_SECONDS, context);
        if let Some(fighter) = self.fighters.get_mut(&victim) {
            fighter.life = Life::Dead { until };
            fighter.deaths = fighter.deaths.saturating_add(1);
            fighter.streak = 0;
            if let Some(entity) = fighter.entity.take() {
                self.slots.free(entity, context.tick);
            }
        }
        let mut streak = 0;
        if let Some(killer) = self.fighters.get_mut(&blow.by).filter(|_| blow.by != victim) {
            killer.kills = killer.kills.saturating_add(1);
            killer.streak = killer.streak.saturating_add(1);
            streak = killer.streak;
            self.round.score(killer.colour);
        }
        let told = ArenaEvent::Killed { victim, by: blow.by, weapon: blow.weapon, streak };
        context.events.tell_all(told);
    }

    /// Lets the dead back in whose time has come.
    pub(crate) fn respawn(&mut self, context: &mut TickContext<'_, Arena>) {
        let is_due = |life: Life| matches!(life, Life::Dead { until } if until <= context.tick);
        let due = self.fighters.iter().filter(|(_, fighter)| is_due(fighter.life));
        let due: Vec<PlayerId> = due.map(|(player, _)| *player).collect();
        for player in due {
            self.place(player, context);
        }
    }

    /// Lets somebody appear, alive and well.
    pub(crate) fn place(&mut self, player: PlayerId, context: &mut TickContext<'_, Arena>) {
        let at = self.choose_spawn(player, context);
        let Some(fighter) = self.fighters.get_mut(&player) else { return };
        if fighter.entity.is_none() {
            // Without an index it stays dead for another tick, until one has rested enough.
            fighter.entity = self.slots.allocate(context.tick).ok();
        }
        if fighter.entity.is_some() {
            let weapon = fighter.avatar.weapon;
            let shots = fighter.avatar.shots;
            fighter.avatar = Avatar { weapon, shots, ..Avatar::at(at) };
            fighter.life = Life::Alive;
            if let Some(brain) = &mut fighter.brain {
                brain.handle_spawned();
            }
            if !is_npc(player) {
                context.events.tell_player(player, ArenaEvent::Spawned { at });
            }
        }
    }

    /// Of some places to appear, the one that is farthest from every enemy.
    fn choose_spawn(&self, player: PlayerId, context: &mut TickContext<'_, Arena>) -> Vec2 {
        let colour = self.fighters.get(&player).map(|fighter| fighter.colour).unwrap_or_default();
        let mut chosen = (f32::NEG_INFINITY, context.level.spawns()[0].position);
        for _ in 0..SPAWN_CANDIDATES {
            let Some(spawn) = context.random.pick(context.level.spawns()) else { break };
            let is_theirs = colour.team().is_some_and(|own| spawn.team.is_some_and(|team| team != own));
            let mut nearest = f32::INFINITY;
            for (other, fighter) in &self.fighters {
                if *other != player && fighter.is_alive() && !fighter.colour.is_with(colour) {
                    let distance = fighter.avatar.position.distance_squared(spawn.position);
                    if distance < nearest {
                        nearest = distance;
                    }
                }
            }
            if nearest > chosen.0 && !is_theirs {
                chosen = (nearest, spawn.position);
            }
        }
        chosen.1
    }
}
