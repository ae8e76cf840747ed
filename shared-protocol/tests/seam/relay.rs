//! The third game: two teams run through a walled field, lay traps that the other team cannot see, and tag
//! one another at what they saw. Small, and it uses every part of the seam.

use glam::Vec2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::game::*;
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::Tick;

#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub(crate) struct Steer {
    #[replicate(ranged(min = -1.0, max = 1.0, step = 1.0 / 127.0))]
    pub(crate) way: Vec2,
    pub(crate) dash: bool,
    /// Tags whoever is near, as seen.
    pub(crate) tag: bool,
}

impl Input for Steer {
    fn held(&self) -> Steer {
        Steer { way: self.way, dash: false, tag: false }
    }

    fn merge_late(&mut self, late: &Steer) {
        self.dash |= late.dash;
        self.tag |= late.tag;
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Replicate, Serialize, Deserialize)]
pub(crate) enum Side {
    #[default]
    Red,
    Blue,
}

impl Side {
    fn other(self) -> Side {
        if self == Side::Red { Side::Blue } else { Side::Red }
    }

    pub(crate) fn team(self) -> TeamId {
        TeamId(self as u8)
    }
}

#[derive(Clone, Debug, PartialEq, Replicate)]
pub(crate) struct Runner {
    #[replicate(ranged(min = -64.0, max = 64.0, step = 0.02), velocity = velocity)]
    pub(crate) position: Vec2,
    #[replicate(ranged(min = -40.0, max = 40.0, step = 0.05))]
    pub(crate) velocity: Vec2,
    pub(crate) side: Side,
}

#[derive(Clone, Debug, PartialEq, Replicate)]
pub(crate) struct Trap {
    #[replicate(ranged(min = -64.0, max = 64.0, step = 0.02))]
    pub(crate) position: Vec2,
    pub(crate) side: Side,
}

/// Everybody knows the score: it is nowhere.
#[derive(Clone, Debug, PartialEq, Replicate)]
pub(crate) struct Score {
    pub(crate) red: u16,
    pub(crate) blue: u16,
}

pub(crate) const RUNNER: Kind<Runner> = Kind::new(0);
pub(crate) const TRAP: Kind<Trap> = Kind::new(1);
pub(crate) const SCORE: Kind<Score> = Kind::new(2);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Legs {
    pub(crate) position: Vec2,
    pub(crate) velocity: Vec2,
    pub(crate) dash_ready_at: Tick,
}

/// How far the field reaches to each side, as a decimal number in a text.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) reach: f32,
}

impl Level for Field {
    fn parse(content: &[u8]) -> Result<Field, LevelError> {
        let text = std::str::from_utf8(content).map_err(|_| LevelError::new("line 1: not a text"))?;
        let reach = text.trim().parse().ok().filter(|reach| (8.0..=60.0).contains(reach));
        reach.map(|reach| Field { reach }).ok_or(LevelError::new("line 1, column 1: no number from 8 to 60"))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Dashed,
    Bumped,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Command {
    Say(String),
    ChangeSide,
    LayTrap,
    NextField(f32),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Said(PlayerId, String),
    Welcome { side: Side },
    TrapLaid,
    Tagged { by: PlayerId, whom: PlayerId },
    Dashed(PlayerId),
    Sprung(PlayerId),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) places: u16,
    pub(crate) field: String,
}

impl Default for Config {
    fn default() -> Config {
        Config { places: 8, field: "40".to_owned() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Player {
    pub(crate) name: String,
    pub(crate) side: Side,
    pub(crate) entity: EntityIndex,
    pub(crate) legs: Legs,
}

#[derive(Debug, Serialize, Deserialize)]
struct Laid {
    position: Vec2,
    side: Side,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Relay {
    places: u16,
    slots: EntitySlots,
    score_entity: EntityIndex,
    score: [u16; 2],
    pub(crate) players: BTreeMap<PlayerId, Player>,
    spectators: BTreeMap<PlayerId, Vec2>,
    traps: BTreeMap<EntityIndex, Laid>,
    /// Follows from the level, and so is not saved.
    #[serde(skip)]
    corners: [Vec2; 4],
}

impl Simulation for Relay {
    const NAME: &'static str = "relay";
    const RULES_VERSION: u32 = 3;
    const INPUT_POLICY: InputPolicy = InputPolicy::PER_TICK;
    const KINDS: &'static [DeclaredKind] = &[RUNNER.declare(), TRAP.declare(), SCORE.declare()];
    const ENTITY_CAPACITY: u32 = 512;
    type Input = Steer;
    type Avatar = Legs;
    type Level = Field;
    type Effect = Effect;
    type Command = Command;
    type Event = Event;

    fn step(legs: &mut Legs, steer: &Steer, context: &mut StepContext<'_, Relay>) {
        let wish = steer.way.clamp_length_max(1.0) * 9.0;
        legs.velocity += (wish - legs.velocity) * float::min(1.0, 8.0 * context.dt);
        if steer.dash && context.tick >= legs.dash_ready_at {
            legs.velocity = steer.way.normalize_or_zero() * 30.0;
            legs.dash_ready_at = Tick(context.tick.0 + 45);
            context.effects.emit(Effect::Dashed);
        }
        legs.position += legs.velocity * context.dt;
        let reach = context.level.reach;
        for (position, velocity) in
            [(&mut legs.position.x, &mut legs.velocity.x), (&mut legs.position.y, &mut legs.velocity.y)]
        {
            if position.abs() > reach {
                *position = float::clamp(*position, -reach, reach);
                *velocity = 0.0;
                context.effects.emit(Effect::Bumped);
            }
        }
    }
}

impl Game for Relay {
    type Config = Config;

    fn new(config: &Config, level: &Field, _: &mut SimRng) -> Relay {
        let mut slots = EntitySlots::new(Relay::ENTITY_CAPACITY);
        let score_entity = slots.allocate(Tick(0)).expect("the first of many");
        let mut relay = Relay {
            places: config.places,
            slots,
            score_entity,
            score: [0; 2],
            players: BTreeMap::new(),
            spectators: BTreeMap::new(),
            traps: BTreeMap::new(),
            corners: [Vec2::ZERO; 4],
        };
        relay.restored(level);
        relay
    }

    fn join(
        &mut self,
        joining: &Joining<'_>,
        context: &mut TickContext<'_, Relay>,
    ) -> Result<(), JoinRefusal> {
        if joining.name == "Mallory" {
            return Err(JoinRefusal::Banned);
        }
        if self.players.values().any(|player| player.name == joining.name) {
            return Err(JoinRefusal::Name);
        }
        if joining.role == Role::Spectator {
            self.spectators.insert(joining.player, Vec2::ZERO);
            return Ok(());
        }
        context.events.tell_all(Event::Said(joining.player, "hello".to_owned()));
        if joining.name.starts_with("late") {
            // Told too early: a refusal takes back what was told.
            return Err(JoinRefusal::because("the race is on"));
        }
        if self.players.len() >= usize::from(self.places) {
            return Err(JoinRefusal::Full);
        }
        let entity = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
        let reds = self.players.values().filter(|player| player.side == Side::Red).count();
        let side = if reds * 2 > self.players.len() { Side::Blue } else { Side::Red };
        let name = joining.name.to_owned();
        let legs = Legs { position: self.spawn_point(context.random), ..Legs::default() };
        self.players.insert(joining.player, Player { name, side, entity, legs });
        context.events.tell_player(joining.player, Event::Welcome { side });
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, _: Departure, context: &mut TickContext<'_, Relay>) {
        self.spectators.remove(&player);
        if let Some(player) = self.players.remove(&player) {
            self.slots.free(player.entity, context.tick);
        }
    }

    fn tick(&mut self, context: &mut TickContext<'_, Relay>) {
        for issued in context.commands {
            self.obey(issued.player, &issued.command, context);
        }
        for (id, player) in &mut self.players {
            context.step(*id, &mut player.legs);
            if context.effects.drain().any(|effect| effect == Effect::Dashed) {
                let point = player.legs.position.extend(0.0);
                context.events.tell_near(point, 20.0, Event::Dashed(*id));
            }
        }
        self.tag(context);
        self.spring(context);
        // The camera of those who watch goes round.
        for centre in self.spectators.values_mut() {
            *centre = Vec2::from_angle(context.tick.0 as f32 * 0.01) * 10.0;
        }
    }

    fn capture(&self, frame: &mut Frame) {
        for player in self.players.values() {
            let Legs { position, velocity, .. } = player.legs;
            let runner = Runner { position, velocity, side: player.side };
            frame.put(RUNNER, player.entity, &runner, Place::on_plane(position).with_importance(2.0));
        }
        for (entity, laid) in &self.traps {
            let trap = Trap { position: laid.position, side: laid.side };
            frame.put(TRAP, *entity, &trap, Place::on_plane(laid.position));
        }
        let [red, blue] = self.score;
        frame.put(SCORE, self.score_entity, &Score { red, blue }, Place::everywhere());
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        match (self.players.get(&player), self.spectators.get(&player)) {
            (Some(player), _) => Viewpoint::around(player.legs.position.extend(0.0), 25.0),
            (None, Some(centre)) => Viewpoint::around(centre.extend(0.0), 50.0),
            (None, None) => Viewpoint::Everything,
        }
    }

    fn avatar(&self, player: PlayerId) -> Option<&Legs> {
        self.players.get(&player).map(|player| &player.legs)
    }

    fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
        self.players.get(&player).map(|player| player.entity)
    }

    fn team(&self, player: PlayerId) -> Option<TeamId> {
        self.players.get(&player).map(|player| player.side.team())
    }

    fn hides(&self, entity: EntityIndex, viewer: PlayerId) -> bool {
        let Some(trap) = self.traps.get(&entity) else { return false };
        self.players.get(&viewer).is_none_or(|viewer| viewer.side != trap.side)
    }

    fn first_level(config: &Config) -> Result<LoadedLevel<Field>, LevelError> {
        LoadedLevel::parse(config.field.as_bytes())
    }

    fn level_changed(&mut self, context: &mut TickContext<'_, Relay>) {
        let field = context.level.shared();
        self.restored(&field);
        for player in self.players.values_mut() {
            let corner = context.random.pick(&self.corners).expect("there are four");
            player.legs = Legs { position: *corner, ..Legs::default() };
        }
    }

    fn restored(&mut self, level: &Field) {
        let at = level.reach * 0.5;
        self.corners = [Vec2::new(at, at), Vec2::new(-at, at), Vec2::new(at, -at), Vec2::new(-at, -at)];
    }
}

impl Relay {
    fn spawn_point(&self, random: &mut SimRng) -> Vec2 {
        *random.pick(&self.corners).expect("there are four") + random.unit_vec2() * 3.0
    }

    fn obey(&mut self, id: PlayerId, command: &Command, context: &mut TickContext<'_, Relay>) {
        let Some(player) = self.players.get_mut(&id) else { return };
        match command {
            Command::Say(text) => context.events.tell_all(Event::Said(id, text.clone())),
            Command::ChangeSide => player.side = player.side.other(),
            Command::LayTrap => {
                let position = player.legs.position + Vec2::X * 2.0;
                let position = position.clamp(Vec2::splat(-60.0), Vec2::splat(60.0));
                if let Ok(entity) = self.slots.allocate(context.tick) {
                    self.traps.insert(entity, Laid { position, side: player.side });
                    context.events.tell_team(player.side.team(), Event::TrapLaid);
                }
            }
            Command::NextField(reach) => {
                if let Ok(level) = LoadedLevel::parse(reach.to_string().into_bytes()) {
                    context.change_level(level);
                }
            }
        }
    }

    /// Who tags hits the nearest enemy within reach, where it was seen.
    fn tag(&mut self, context: &mut TickContext<'_, Relay>) {
        for (id, player) in &self.players {
            if !context.inputs.of(*id).tag {
                continue;
            }
            let past = context.seen_by(*id);
            let enemies = self.players.iter().filter(|(_, other)| other.side != player.side);
            let hit = enemies.into_iter().find(|(_, other)| {
                let shown = past.get(RUNNER, other.entity);
                shown.is_some_and(|shown| shown.position.distance(player.legs.position) < 6.0)
            });
            if let Some((whom, _)) = hit {
                self.score[player.side as usize] = self.score[player.side as usize].saturating_add(1);
                context.events.tell_all(Event::Tagged { by: *id, whom: *whom });
            }
        }
    }

    /// A trap throws its victim in some direction: a knock-back that no client foresees.
    fn spring(&mut self, context: &mut TickContext<'_, Relay>) {
        for (id, player) in &mut self.players {
            let sprung = self.traps.iter().find(|(_, trap)| {
                trap.side != player.side && trap.position.distance(player.legs.position) < 1.0
            });
            let Some((entity, trap)) = sprung.map(|(entity, trap)| (*entity, trap.position)) else {
                continue;
            };
            player.legs.velocity = context.random.unit_vec2() * 30.0;
            self.traps.remove(&entity);
            self.slots.free(entity, context.tick);
            context.events.tell_who_sees(player.entity, trap.extend(0.0), 30.0, Event::Sprung(*id));
        }
    }
}
