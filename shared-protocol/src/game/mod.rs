//! The seam: what a game is. This is the first page for somebody who writes one.
//!
//! A game is one crate without sockets, threads or JavaScript. It says four things:
//!
//! 1. what a player sends: an [`Input`] type, quantised by its attributes;
//! 2. what is replicated: structs with `#[derive(Replicate)]`, each declared as a [`Kind`];
//! 3. how a player's avatar moves: [`Simulation::step`]. The server rules with it, and each client predicts
//!    with it, so that one's own avatar answers at once;
//! 4. the rest of the rules: [`Game`], run by the server alone. Everything that is not the player's own
//!    movement is here.
//!
//! Here is a whole game. Runners race over a plane; whoever is first beyond the line wins.
//!
//! ```
//! use glam::Vec2;
//! use serde::{Deserialize, Serialize};
//! use std::collections::BTreeMap;
//! use tickwire_protocol::determinism::SimRng;
//! use tickwire_protocol::game::*;
//! use tickwire_protocol::id::{EntityIndex, PlayerId};
//! use tickwire_protocol::Replicate;
//!
//! /// What a player sends in each tick. The default is hands off.
//! #[derive(Clone, Debug, Default, PartialEq, Replicate)]
//! struct Steer {
//!     #[replicate(ranged(min = -1.0, max = 1.0, step = 1.0 / 127.0))]
//!     way: Vec2,
//!     leap: bool,
//! }
//!
//! impl Input for Steer {
//!     /// When the next one is missing: go on the same way, but do not leap again.
//!     fn held(&self) -> Steer {
//!         Steer { leap: false, ..self.clone() }
//!     }
//! }
//!
//! /// What everybody sees of a runner.
//! #[derive(Replicate)]
//! struct Runner {
//!     #[replicate(ranged(min = -500.0, max = 500.0, step = 0.05), velocity = velocity)]
//!     position: Vec2,
//!     #[replicate(ranged(min = -100.0, max = 100.0, step = 0.05))]
//!     velocity: Vec2,
//! }
//!
//! const RUNNER: Kind<Runner> = Kind::new(0);
//!
//! /// What a client predicts of its own runner: exact, never quantised.
//! #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
//! struct Legs {
//!     position: Vec2,
//!     velocity: Vec2,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Race {
//!     slots: EntitySlots,
//!     runners: BTreeMap<PlayerId, (EntityIndex, Legs)>,
//! }
//!
//! impl Simulation for Race {
//!     const NAME: &'static str = "race";
//!     const INPUT_POLICY: InputPolicy = InputPolicy::PER_TICK;
//!     const KINDS: &'static [DeclaredKind] = &[RUNNER.declare()];
//!     type Input = Steer;
//!     type Avatar = Legs;
//!     type Level = ();
//!     type Effect = ();
//!     type Command = ();
//!     type Event = String;
//!
//!     fn step(legs: &mut Legs, steer: &Steer, context: &mut StepContext<'_, Race>) {
//!         let reach = if steer.leap { 30.0 } else { 10.0 };
//!         legs.velocity = steer.way.clamp_length_max(1.0) * reach;
//!         legs.position += legs.velocity * context.dt;
//!     }
//! }
//!
//! impl Game for Race {
//!     type Config = ();
//!
//!     fn new(_: &(), _: &(), _: &mut SimRng) -> Race {
//!         Race { slots: EntitySlots::new(Race::ENTITY_CAPACITY), runners: BTreeMap::new() }
//!     }
//!
//!     fn join(
//!         &mut self,
//!         joining: &Joining<'_>,
//!         context: &mut TickContext<'_, Race>,
//!     ) -> Result<(), JoinRefusal> {
//!         if joining.role == Role::Player {
//!             let index = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
//!             let position = Vec2::new(0.0, context.random.f32_in(-20.0, 20.0));
//!             self.runners.insert(joining.player, (index, Legs { position, ..Legs::default() }));
//!             context.events.tell_all(format!("{} is in the race", joining.name));
//!         }
//!         Ok(())
//!     }
//!
//!     fn leave(&mut self, player: PlayerId, _: Departure, context: &mut TickContext<'_, Race>) {
//!         if let Some((index, _)) = self.runners.remove(&player) {
//!             self.slots.free(index, context.tick);
//!         }
//!     }
//!
//!     fn tick(&mut self, context: &mut TickContext<'_, Race>) {
//!         for (player, (_, legs)) in &mut self.runners {
//!             context.step(*player, legs);
//!             if legs.position.x > 400.0 {
//!                 *legs = Legs::default();
//!                 context.events.tell_player(*player, "You won.".to_owned());
//!             }
//!         }
//!     }
//!
//!     fn capture(&self, frame: &mut Frame) {
//!         for (index, legs) in self.runners.values() {
//!             let runner = Runner { position: legs.position, velocity: legs.velocity };
//!             frame.put(RUNNER, *index, &runner, Place::on_plane(legs.position));
//!         }
//!     }
//!
//!     fn viewpoint(&self, player: PlayerId) -> Viewpoint {
//!         self.avatar(player)
//!             .map_or(Viewpoint::Everything, |legs| Viewpoint::around(legs.position.extend(0.0), 120.0))
//!     }
//!
//!     fn avatar(&self, player: PlayerId) -> Option<&Legs> {
//!         self.runners.get(&player).map(|(_, legs)| legs)
//!     }
//!
//!     fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
//!         self.runners.get(&player).map(|(index, _)| *index)
//!     }
//! }
//!
//! // A match without a network, as a test of the rules wants it.
//! use tickwire_protocol::time::{Micros, Tick};
//! let level = Race::first_level(&()).unwrap();
//! let mut hosted: Hosted<Race> = Hosted::new(&(), level, 7, Micros::period_of(60), Tick(0));
//! let mut events = Events::new();
//! let ann = Joining { player: PlayerId(1), name: "Ann", role: Role::Player };
//! hosted.join(&ann, &mut events).unwrap();
//! hosted.tick(&TickInputs::new(), &[], &NoRewind, &mut events);
//! assert_eq!(events.as_slice()[0].event, "Ann is in the race");
//! ```
//!
//! # What the host promises
//!
//! - Ticks are consecutive and equally long. Everything of a match happens on one thread.
//! - Inputs arrive decoded and within their ranges. Commands are whatever a client can make up: the game
//!   judges them.
//! - A player who loses the connection for a while stays in the match; its inputs are neutral until it is
//!   back.
//!
//! # What the game promises
//!
//! - The same state, inputs and commands give the same next state on every machine: see
//!   [`determinism`](crate::determinism) for what that takes.
//! - The value is the whole state. What cannot be saved follows from the rest and is built again in
//!   [`Game::restored`].
//! - No entity index is in use twice, or again too early: [`EntitySlots`] sees to it.
//! - After the step, rules may push a predicted avatar about (a knock-back, a teleport). That costs its
//!   client a visible correction, and so it is for the rare case: what happens all the time belongs into the
//!   step.
//!
//! # Where to find what
//!
//! For the game: [`Simulation`], [`StepContext`], [`Effects`]; [`Game`], [`TickContext`], [`Frame`],
//! [`Viewpoint`]; [`Input`], [`InputPolicy`], [`TickInputs`]; [`Events`], [`Audience`], [`JoinRefusal`];
//! [`EntitySlots`], [`Kind`], [`Level`], [`LoadedLevel`].
//!
//! For the host: [`Hosted`] is a match with all that is saved, [`InputQueue`] the way of inputs from arrival
//! to tick, [`Rewind`] the published past. For both ends: [`InputForm`], [`ConsumedInputs`],
//! [`seconds_per_tick`].

mod context;
mod effects;
mod event;
mod frame;
mod hosted;
mod input;
mod kind;
mod level;
mod policy;
mod queue;
mod refusal;
mod rewind;
mod rules;
mod simulation;
mod slots;

pub use crate::message::ViewTime;
pub use crate::snapshot::Consumed;
pub use context::{Issued, TickContext, TickInputs};
pub use effects::Effects;
pub use event::{Addressed, Audience, Events, TeamId};
pub use frame::{Frame, FrameEntity, FrameError, Place};
pub use hosted::Hosted;
pub use input::{ConsumedInputs, Input, InputForm};
pub use kind::{DeclaredKind, Kind};
pub use level::{Level, LevelError, LevelId, LoadedLevel};
pub use policy::{InputPolicy, PerTickPolicy, StreamPolicy};
pub use queue::{
    Arrival, Consumption, InputCounters, InputQueue, InputStamp, LeadSample, SentInput, TickSchedule,
};
pub use refusal::JoinRefusal;
pub use rewind::{NoRewind, Past, Rewind, interpolate};
pub use rules::{Departure, Game, Joining, Role, Viewpoint};
pub use simulation::{FingerprintError, Simulation, StepContext, seconds_per_tick};
pub use slots::{EntitySlots, SlotsFull, UnsoundSlots};
