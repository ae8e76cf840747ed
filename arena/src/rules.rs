//! The rules as the framework runs them: the shared step, and the server's side of a match.

use crate::avatar::Avatar;
use crate::capture::Owner;
use crate::config::ArenaConfig;
use crate::entities;
use crate::events::{ArenaCommand, ArenaEffect, ArenaEvent, RosterEntry};
use crate::fighter::{Fighter, is_npc};
use crate::input::ArenaInput;
use crate::level::Map;
use crate::movement;
use crate::pickups::Pickup;
use crate::round::Round;
use crate::talk::Refused;
use crate::weapons::{self, BoltShot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::game::{
    DeclaredKind, Departure, EntitySlots, Frame, Game, InputPolicy, JoinRefusal, Joining, LevelError,
    LoadedLevel, Role, Simulation, StepContext, TeamId, TickContext, Viewpoint,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::Tick;

/// A match in the arena.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arena {
    pub(crate) config: ArenaConfig,
    pub(crate) slots: EntitySlots,
    pub(crate) fighters: BTreeMap<PlayerId, Fighter>,
    /// In the order in which they were thrown.
    pub(crate) bolts: Vec<BoltShot>,
    pub(crate) pickups: Vec<Pickup>,
    pub(crate) round: Round,
    pub(crate) round_entity: EntityIndex,
    pub(crate) refused: Refused,
    #[serde(skip)]
    pub(crate) owners: Vec<Owner>,
}

/// How far a player sees, in tiles.
pub const SIGHT: f32 = 20.0;

/// The share of the walking speed that is left to who charges a rail gun.
const CHARGING_PACE: f32 = 0.55;

impl Simulation for Arena {
    const NAME: &'static str = "arena";
    const RULES_VERSION: u32 = 1;
    const INPUT_POLICY: InputPolicy = InputPolicy::PER_TICK;
    const KINDS: &'static [DeclaredKind] = entities::KINDS;
    // 64 players with a line of the scoreboard each, what lies about, and the bolts of all of them: in flight
    // for up to 1.4 s, and their indices at rest for another 65 ticks.
    const ENTITY_CAPACITY: u32 = 2048;
    type Input = ArenaInput;
    type Avatar = Avatar;
    type Level = Map;
    type Effect = ArenaEffect;
    type Command = ArenaCommand;
    type Event = ArenaEvent;

    fn step(avatar: &mut Avatar, input: &ArenaInput, context: &mut StepContext<'_, Arena>) {
        avatar.tick_down(context.dt);
        avatar.aim = input.aim;
        weapons::select(avatar, input.weapon);
        let from = avatar.position;
        let pace = if avatar.charge > 0.0 { CHARGING_PACE } else { 1.0 };
        if movement::walk(avatar, input, pace, context.dt, context.level) {
            context.effects.emit(ArenaEffect::Dash { from, way: avatar.dash_way });
        }
        // From where it now stands: that is what its player sees in this tick.
        weapons::trigger(avatar, input, context.dt, context.effects);
    }

    fn between(from: &Avatar, to: &Avatar, share: f32) -> Avatar {
        // Nobody walks so far within the time of a correction: it has appeared elsewhere.
        if from.position.distance_squared(to.position) > FAR * FAR {
            return *to;
        }
        let aim = from.aim + float::angle_difference(from.aim, to.aim) * share;
        Avatar { position: from.position.lerp(to.position, share), aim, ..*to }
    }
}

/// A distance in tiles that nobody is seen to slide over.
const FAR: f32 = 4.0;

impl Game for Arena {
    type Config = ArenaConfig;

    fn new(config: &ArenaConfig, level: &Map, _: &mut SimRng) -> Arena {
        let mut slots = EntitySlots::new(Arena::ENTITY_CAPACITY);
        let round_entity = slots.allocate(Tick(0)).unwrap_or_default();
        let mut arena = Arena {
            config: config.clone().within_limits(),
            slots,
            fighters: BTreeMap::new(),
            bolts: Vec::new(),
            pickups: Vec::new(),
            round: Round::new(0, 0),
            round_entity,
            refused: Refused::default(),
            owners: Vec::new(),
        };
        arena.lay_out_pickups(level, Tick(0));
        arena
    }

    fn first_level(config: &ArenaConfig) -> Result<LoadedLevel<Map>, LevelError> {
        // All of them: who runs a server is not to hear of the third when the second round is over.
        let maps = config.maps();
        for source in maps.iter() {
            source.read().map_err(|error| LevelError::new(format!("{}, {error}", source.file)))?;
        }
        LoadedLevel::parse(maps[0].text.as_bytes())
    }

    fn join(
        &mut self,
        joining: &Joining<'_>,
        context: &mut TickContext<'_, Arena>,
    ) -> Result<(), JoinRefusal> {
        let Joining { player, name, role } = *joining;
        if role == Role::Player {
            let people = self.fighters.keys().filter(|player| !is_npc(**player)).count() as u32;
            if people >= self.config.players {
                return Err(JoinRefusal::Full);
            }
            let score = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
            if self.fighters.len() as u32 >= self.config.players {
                self.remove_npc(context);
            }
            let name = name.to_owned();
            let fighter = Fighter::new(name.clone(), self.smaller_team(), score, None);
            self.fighters.insert(player, fighter);
            context.events.tell_all(ArenaEvent::Named(RosterEntry { player, name }));
            self.place(player, context);
        }
        self.tell_roster(player, context);
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, _: Departure, context: &mut TickContext<'_, Arena>) {
        self.remove(player, context);
    }

    fn tick(&mut self, context: &mut TickContext<'_, Arena>) {
        self.hear(context);
        self.fill_up(context);
        let thoughts = self.think(context);
        let shots = self.step_all(&thoughts, context);
        self.fly_bolts(context);
        for (player, shot) in shots {
            match shot {
                ArenaEffect::Rail { number, from, way } => {
                    self.shoot_rail(player, number, from, way, context)
                }
                ArenaEffect::Bolt { number, from, velocity } => {
                    self.throw_bolt(player, number, from, velocity, context);
                }
                ArenaEffect::Dash { .. } => {}
            }
        }
        self.take_pickups(context);
        self.respawn(context);
        self.run_round(context);
        self.note_owners();
    }

    fn level_changed(&mut self, context: &mut TickContext<'_, Arena>) {
        self.begin_round(context);
    }

    fn capture(&self, frame: &mut Frame) {
        self.put_all(frame);
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        self.look_of(player)
    }

    fn avatar(&self, player: PlayerId) -> Option<&Avatar> {
        self.fighters.get(&player).filter(|fighter| fighter.is_alive()).map(|fighter| &fighter.avatar)
    }

    fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
        self.fighters.get(&player)?.entity
    }

    fn team(&self, player: PlayerId) -> Option<TeamId> {
        self.fighters.get(&player)?.colour.team()
    }

    fn hides(&self, entity: EntityIndex, viewer: PlayerId) -> bool {
        self.is_hidden(entity, viewer)
    }

    fn refused(&self, tell: &mut dyn FnMut(&'static str, u64)) {
        self.refused.by_name().for_each(|(name, count)| tell(name, count));
    }

    fn restored(&mut self, _: &Map) {
        self.note_owners();
    }
}

impl Arena {
    /// Steps everybody who is alive, and says who shot what.
    fn step_all(
        &mut self,
        thoughts: &[(PlayerId, ArenaInput)],
        context: &mut TickContext<'_, Arena>,
    ) -> Vec<(PlayerId, ArenaEffect)> {
        let mut shots = Vec::new();
        for (player, fighter) in &mut self.fighters {
            let thought = thoughts.binary_search_by_key(player, |(npc, _)| *npc);
            let input = match thought {
                Ok(place) => thoughts[place].1,
                Err(_) => *context.inputs.of(*player),
            };
            let is_alive = fighter.is_alive();
            let cooldown = is_alive.then_some(fighter.avatar.dash_cooldown);
            self.refused.count_input(&input, cooldown, context.dt);
            if is_alive {
                context.step_with(&input, &mut fighter.avatar);
                shots.extend(context.effects.drain().map(|effect| (*player, effect)));
            }
        }
        shots
    }

    /// Takes somebody out.
    pub(crate) fn remove(&mut self, player: PlayerId, context: &mut TickContext<'_, Arena>) {
        let Some(fighter) = self.fighters.remove(&player) else { return };
        if let Some(entity) = fighter.entity {
            self.slots.free(entity, context.tick);
        }
        self.slots.free(fighter.score, context.tick);
        context.events.tell_all(ArenaEvent::Left { player });
    }
}
