//! A small game that is predicted, for what the swarm has not: fighters in an arena that is a level, who
//! dash, talk, cloak themselves, and can do things to the room that no real game would let them.

use glam::Vec2;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{
    DeclaredKind, Departure, Effects, EntitySlots, Frame, Game, Input, InputPolicy, Issued, JoinRefusal,
    Joining, Kind, Level, LevelError, LoadedLevel, Place, Role, Simulation, StepContext, TeamId, TickContext,
    TickInputs, Viewpoint,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};

/// The match.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Duel {
    players: u32,
    sight: f32,
    slots: EntitySlots,
    fighters: BTreeMap<PlayerId, Body>,
    drones: Vec<(EntityIndex, Drone)>,
}

/// Settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DuelConfig {
    /// Fighters who find room.
    pub players: u32,
    /// Drones that wander about by themselves.
    pub drones: u32,
    /// How far fighters see.
    pub sight: f32,
}

impl Default for DuelConfig {
    fn default() -> DuelConfig {
        DuelConfig { players: 64, drones: 12, sight: 120.0 }
    }
}

/// What a player does in a tick.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Stick {
    /// Where to.
    #[replicate(ranged(min = -1.0, max = 1.0, step = 1.0 / 127.0))]
    pub way: Vec2,
    /// A leap in that direction.
    pub dash: bool,
    /// A number that tests know inputs by.
    pub mark: u8,
}

impl Input for Stick {
    fn held(&self) -> Stick {
        Stick { dash: false, ..self.clone() }
    }

    fn merge_late(&mut self, late: &Stick) {
        self.dash |= late.dash;
    }
}

/// What its client predicts of a fighter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fighter {
    /// Where it is.
    pub position: Vec2,
    /// Units per second.
    pub velocity: Vec2,
    /// Ticks until it can dash again.
    pub tired: u32,
    /// How often it has dashed.
    pub dashes: u32,
}

/// What others see of a fighter.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Figure {
    /// Where it is.
    #[replicate(ranged(min = -600.0, max = 600.0, step = 0.05), velocity = velocity)]
    pub position: Vec2,
    /// Units per second.
    #[replicate(ranged(min = -200.0, max = 200.0, step = 0.05))]
    pub velocity: Vec2,
    /// Whose it is.
    #[replicate(int(min = 0, max = 65535))]
    pub player: u16,
    /// The mark of its last input.
    pub mark: u8,
}

/// A thing that wanders.
#[derive(Clone, Debug, Default, PartialEq, Replicate, Serialize, Deserialize)]
pub struct Drone {
    /// Where it is.
    #[replicate(ranged(min = -600.0, max = 600.0, step = 0.1), predict = linear)]
    pub position: Vec2,
    /// Whether its lamp is on.
    pub lit: bool,
}

/// The kind of fighters.
pub const FIGURE: Kind<Figure> = Kind::new(0);
/// The kind of drones.
pub const DRONE: Kind<Drone> = Kind::new(1);

/// An arena: half of its width and of its height, and how fast one runs in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arena {
    /// Half of its size.
    pub half: Vec2,
    /// Units per second.
    pub speed: f32,
}

impl Level for Arena {
    fn parse(content: &[u8]) -> Result<Arena, LevelError> {
        let text = std::str::from_utf8(content).map_err(|_| LevelError::new("an arena is a text"))?;
        let mut numbers = text.split_whitespace().map(str::parse::<f32>);
        match [(); 3].map(|()| numbers.next()) {
            [Some(Ok(x)), Some(Ok(y)), Some(Ok(speed))] => Ok(Arena { half: Vec2::new(x, y), speed }),
            _ => Err(LevelError::new("an arena is three numbers")),
        }
    }
}

/// The arenas that there are.
pub const ARENAS: [&str; 2] = ["200 200 40", "150 80 70"];

/// What a player may say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DuelCommand {
    /// To everybody.
    SayAll(String),
    /// To those within so many units.
    SayNear(String, f32),
    /// To the own team.
    SayTeam(String),
    /// Nobody of the other team sees the player from now on, or does again.
    Cloak(bool),
    /// Every other fighter is shoved aside.
    Shove,
    /// The room goes on in this arena.
    Level(u8),
    /// So many events for everybody, of so many bytes.
    Babble(u16, u16),
    /// The game fails.
    Panic,
    /// The game fails when it is asked what this player may see: others have been served by then.
    PanicWhenServed,
}

/// What players are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DuelEvent {
    /// Somebody is here.
    Joined(PlayerId, String),
    /// Somebody is gone.
    Left(PlayerId, String),
    /// Somebody said something.
    Said(PlayerId, String),
    /// The arena is another one.
    Arena,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Body {
    entity: EntityIndex,
    name: String,
    fighter: Fighter,
    mark: u8,
    is_cloaked: bool,
    is_doom: bool,
}

impl Simulation for Duel {
    const NAME: &'static str = "duel";
    const INPUT_POLICY: InputPolicy = InputPolicy::PER_TICK;
    const KINDS: &'static [DeclaredKind] = &[FIGURE.declare(), DRONE.declare()];
    const ENTITY_CAPACITY: u32 = 512;
    type Input = Stick;
    type Avatar = Fighter;
    type Level = Arena;
    type Effect = ();
    type Command = DuelCommand;
    type Event = DuelEvent;

    fn step(fighter: &mut Fighter, stick: &Stick, context: &mut StepContext<'_, Duel>) {
        let Arena { half, speed } = *context.level;
        let wanted = stick.way.clamp_length_max(1.0) * speed;
        fighter.velocity += (wanted - fighter.velocity) * (context.dt * 8.0);
        fighter.tired = fighter.tired.saturating_sub(1);
        if stick.dash && fighter.tired == 0 {
            fighter.velocity += stick.way * 80.0;
            (fighter.tired, fighter.dashes) = (12, fighter.dashes + 1);
        }
        fighter.position += fighter.velocity * context.dt;
        for axis in 0..2 {
            if fighter.position[axis].abs() > half[axis] {
                fighter.position[axis] = half[axis].copysign(fighter.position[axis]);
                fighter.velocity[axis] = 0.0;
            }
        }
    }

    fn between(from: &Fighter, to: &Fighter, share: f32) -> Fighter {
        Fighter { position: from.position.lerp(to.position, share), ..*to }
    }
}

impl Game for Duel {
    type Config = DuelConfig;

    fn new(config: &DuelConfig, arena: &Arena, random: &mut SimRng) -> Duel {
        let mut slots = EntitySlots::new(Duel::ENTITY_CAPACITY);
        let drones = (0..config.drones).filter_map(|_| {
            let index = slots.allocate(tickwire_protocol::time::Tick(0)).ok()?;
            let place = Vec2::new(random.signed_unit_f32(), random.signed_unit_f32());
            Some((index, Drone { position: place * arena.half, lit: false }))
        });
        let drones = drones.collect();
        Duel { players: config.players, sight: config.sight, slots, fighters: BTreeMap::new(), drones }
    }

    fn first_level(_: &DuelConfig) -> Result<LoadedLevel<Arena>, LevelError> {
        LoadedLevel::parse(ARENAS[0].as_bytes())
    }

    fn join(
        &mut self,
        joining: &Joining<'_>,
        context: &mut TickContext<'_, Duel>,
    ) -> Result<(), JoinRefusal> {
        let (player, name) = (joining.player, joining.name.to_owned());
        if name == "Nobody" {
            return Err(JoinRefusal::Name);
        }
        if joining.role == Role::Player {
            if self.fighters.len() as u32 >= self.players {
                return Err(JoinRefusal::Full);
            }
            let entity = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
            let place = Vec2::new(context.random.signed_unit_f32(), context.random.signed_unit_f32());
            let fighter = Fighter { position: place * context.level.half, ..Fighter::default() };
            let body =
                Body { entity, name: name.clone(), fighter, mark: 0, is_cloaked: false, is_doom: false };
            self.fighters.insert(player, body);
        }
        record(|| Recorded::Join(player, name.clone(), joining.role));
        context.events.tell_all(DuelEvent::Joined(player, name));
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, why: Departure, context: &mut TickContext<'_, Duel>) {
        record(|| Recorded::Leave(player, why));
        if let Some(body) = self.fighters.remove(&player) {
            self.slots.free(body.entity, context.tick);
            context.events.tell_all(DuelEvent::Left(player, body.name));
        }
    }

    fn tick(&mut self, context: &mut TickContext<'_, Duel>) {
        record(|| Recorded::Tick(context.inputs.clone(), context.commands.to_vec()));
        for Issued { player, command } in context.commands {
            self.handle_command(*player, command, context);
        }
        for (player, body) in &mut self.fighters {
            context.step(*player, &mut body.fighter);
            body.mark = context.inputs.of(*player).mark;
        }
        for (_, drone) in &mut self.drones {
            drone.lit ^= context.random.chance(0.02);
            drone.position += Vec2::new(context.random.signed_unit_f32(), 0.3);
            drone.position = drone.position.clamp(-context.level.half, context.level.half);
        }
    }

    fn level_changed(&mut self, context: &mut TickContext<'_, Duel>) {
        context.events.tell_all(DuelEvent::Arena);
    }

    fn capture(&self, frame: &mut Frame) {
        for (index, drone) in &self.drones {
            frame.put(DRONE, *index, drone, Place::on_plane(drone.position));
        }
        for (player, body) in &self.fighters {
            let Fighter { position, velocity, .. } = body.fighter;
            let figure = Figure { position, velocity, player: player.0, mark: body.mark };
            frame.put(FIGURE, body.entity, &figure, Place::on_plane(position));
        }
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        let around = |body: &Body| Viewpoint::around(body.fighter.position.extend(0.0), self.sight);
        self.fighters.get(&player).map_or(Viewpoint::Everything, around)
    }

    fn avatar(&self, player: PlayerId) -> Option<&Fighter> {
        self.fighters.get(&player).map(|body| &body.fighter)
    }

    fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
        self.fighters.get(&player).map(|body| body.entity)
    }

    fn team(&self, player: PlayerId) -> Option<TeamId> {
        self.fighters.contains_key(&player).then(|| team_of(player))
    }

    fn hides(&self, entity: EntityIndex, viewer: PlayerId) -> bool {
        let is_doom = self.fighters.get(&viewer).is_some_and(|body| body.is_doom);
        assert!(!is_doom, "the game fails, as it was asked to");
        let hidden = |(player, body): (&PlayerId, &Body)| {
            body.entity == entity && body.is_cloaked && team_of(*player) != team_of(viewer)
        };
        self.fighters.iter().any(hidden)
    }
}

/// Players with even numbers are one team, the others another.
fn team_of(player: PlayerId) -> TeamId {
    TeamId((player.0 % 2) as u8)
}

impl Duel {
    fn handle_command(
        &mut self,
        player: PlayerId,
        command: &DuelCommand,
        context: &mut TickContext<'_, Duel>,
    ) {
        let said = |text: &String| DuelEvent::Said(player, text.clone());
        let Some(body) = self.fighters.get_mut(&player) else { return };
        let place = body.fighter.position.extend(0.0);
        match command {
            DuelCommand::SayAll(text) => context.events.tell_all(said(text)),
            DuelCommand::SayNear(text, radius) => {
                context.events.tell_who_sees(body.entity, place, *radius, said(text));
            }
            DuelCommand::SayTeam(text) => context.events.tell_team(team_of(player), said(text)),
            DuelCommand::Cloak(is_cloaked) => body.is_cloaked = *is_cloaked,
            DuelCommand::Shove => {
                for (_, body) in self.fighters.iter_mut().filter(|(other, _)| **other != player) {
                    body.fighter.velocity += Vec2::new(30.0, -20.0);
                }
            }
            DuelCommand::Level(number) => {
                let text = ARENAS[usize::from(*number) % ARENAS.len()];
                context.change_level(LoadedLevel::parse(text.as_bytes()).expect("an arena of the list"));
            }
            DuelCommand::Babble(count, length) => {
                for _ in 0..*count {
                    context.events.tell_all(said(&"x".repeat(usize::from(*length))));
                }
            }
            DuelCommand::Panic => panic!("the game fails, as it was asked to"),
            DuelCommand::PanicWhenServed => body.is_doom = true,
        }
    }
}

/// What happened to the game, as a recording has it.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// Somebody was let in.
    Join(PlayerId, String, Role),
    /// Somebody was taken out.
    Leave(PlayerId, Departure),
    /// A tick.
    Tick(TickInputs<Stick>, Vec<Issued<DuelCommand>>),
}

thread_local! {
    static RECORDING: RefCell<Option<Vec<Recorded>>> = const { RefCell::new(None) };
}

/// Records what happens to games on this thread from now on.
pub fn start_recording() {
    RECORDING.with_borrow_mut(|recording| *recording = Some(Vec::new()));
}

/// What happened since the recording was started.
#[must_use]
pub fn stop_recording() -> Vec<Recorded> {
    RECORDING.with_borrow_mut(Option::take).unwrap_or_default()
}

fn record(what: impl FnOnce() -> Recorded) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(recording) = recording {
            recording.push(what());
        }
    });
}

/// A step of a fighter as its client makes it.
pub fn predict(
    fighter: &mut Fighter,
    stick: &Stick,
    tick: tickwire_protocol::time::Tick,
    period: tickwire_protocol::time::Micros,
    arena: &Arena,
) {
    let mut mute = Effects::muted();
    Duel::step(fighter, stick, &mut StepContext::new(tick, period, arena, &mut mute));
}
