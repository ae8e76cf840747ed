//! The rules as the framework runs them: the shared step, and the server's side of a match.

use crate::avatar::Avatar;
use crate::config::ArenaConfig;
use crate::entities::{FIGURE, Figure};
use crate::events::{ArenaCommand, ArenaEffect, ArenaEvent};
use crate::input::ArenaInput;
use crate::level::{MAX_PLAYERS, Map};
use crate::movement;
use crate::teams::Colour;
use glam::Vec2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{
    DeclaredKind, Departure, EntitySlots, Frame, Game, InputPolicy, JoinRefusal, Joining, LevelError,
    LoadedLevel, Place, Role, Simulation, StepContext, TickContext, Viewpoint,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};

/// A match in the arena.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arena {
    players: u32,
    slots: EntitySlots,
    fighters: BTreeMap<PlayerId, Fighter>,
}

/// Somebody who plays.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fighter {
    entity: EntityIndex,
    avatar: Avatar,
}

/// How far a player sees, in tiles.
pub const SIGHT: f32 = 20.0;

impl Simulation for Arena {
    const NAME: &'static str = "arena";
    const INPUT_POLICY: InputPolicy = InputPolicy::PER_TICK;
    const KINDS: &'static [DeclaredKind] = &[FIGURE.declare()];
    const ENTITY_CAPACITY: u32 = 2048;
    type Input = ArenaInput;
    type Avatar = Avatar;
    type Level = Map;
    type Effect = ArenaEffect;
    type Command = ArenaCommand;
    type Event = ArenaEvent;

    fn step(avatar: &mut Avatar, input: &ArenaInput, context: &mut StepContext<'_, Arena>) {
        let from = avatar.position;
        avatar.aim = input.aim;
        if movement::walk(avatar, input, 1.0, context.dt, context.level) {
            context.effects.emit(ArenaEffect::Dash { from, way: avatar.dash_way });
        }
    }
}

impl Game for Arena {
    type Config = ArenaConfig;

    fn new(config: &ArenaConfig, _: &Map, _: &mut SimRng) -> Arena {
        Arena {
            players: config.players.clamp(1, MAX_PLAYERS),
            slots: EntitySlots::new(Arena::ENTITY_CAPACITY),
            fighters: BTreeMap::new(),
        }
    }

    fn first_level(config: &ArenaConfig) -> Result<LoadedLevel<Map>, LevelError> {
        let source = config.map(0);
        LoadedLevel::parse(source.text.as_bytes())
            .map_err(|error| LevelError::new(format!("{}, {error}", source.file)))
    }

    fn join(
        &mut self,
        joining: &Joining<'_>,
        context: &mut TickContext<'_, Arena>,
    ) -> Result<(), JoinRefusal> {
        if joining.role == Role::Spectator {
            return Ok(());
        }
        if self.fighters.len() as u32 >= self.players {
            return Err(JoinRefusal::Full);
        }
        let entity = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
        let at = self.choose_spawn(context);
        self.fighters.insert(joining.player, Fighter { entity, avatar: Avatar::at(at) });
        context.events.tell_player(joining.player, ArenaEvent::Spawned { at });
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, _: Departure, context: &mut TickContext<'_, Arena>) {
        if let Some(fighter) = self.fighters.remove(&player) {
            self.slots.free(fighter.entity, context.tick);
        }
    }

    fn tick(&mut self, context: &mut TickContext<'_, Arena>) {
        for (player, fighter) in &mut self.fighters {
            context.step(*player, &mut fighter.avatar);
            context.effects.clear();
        }
    }

    fn level_changed(&mut self, context: &mut TickContext<'_, Arena>) {
        let players: Vec<PlayerId> = self.fighters.keys().copied().collect();
        for player in players {
            let at = self.choose_spawn(context);
            if let Some(fighter) = self.fighters.get_mut(&player) {
                fighter.avatar = Avatar::at(at);
                context.events.tell_player(player, ArenaEvent::Spawned { at });
            }
        }
    }

    fn capture(&self, frame: &mut Frame) {
        for (player, Fighter { entity, avatar }) in &self.fighters {
            let figure = Figure {
                position: avatar.position,
                velocity: avatar.velocity,
                aim: avatar.aim,
                player: player.0,
                colour: Colour::None,
            };
            frame.put(FIGURE, *entity, &figure, Place::on_plane(avatar.position));
        }
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        let around = |fighter: &Fighter| Viewpoint::around(fighter.avatar.position.extend(0.0), SIGHT);
        self.fighters.get(&player).map_or(Viewpoint::Everything, around)
    }

    fn avatar(&self, player: PlayerId) -> Option<&Avatar> {
        self.fighters.get(&player).map(|fighter| &fighter.avatar)
    }

    fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
        self.fighters.get(&player).map(|fighter| fighter.entity)
    }
}

impl Arena {
    /// Of some places to appear, the one that is farthest from everybody.
    fn choose_spawn(&self, context: &mut TickContext<'_, Arena>) -> Vec2 {
        let mut chosen = (f32::NEG_INFINITY, Vec2::ZERO);
        for _ in 0..SPAWN_CANDIDATES {
            let Some(spawn) = context.random.pick(context.level.spawns()) else { break };
            let mut nearest = f32::INFINITY;
            for fighter in self.fighters.values() {
                let distance = fighter.avatar.position.distance_squared(spawn.position);
                if distance < nearest {
                    nearest = distance;
                }
            }
            if nearest > chosen.0 {
                chosen = (nearest, spawn.position);
            }
        }
        chosen.1
    }
}

/// Places that are looked at before somebody appears in one of them.
const SPAWN_CANDIDATES: u32 = 12;
