//! A match as its host holds it: the game, and what must be saved, hashed and advanced with it.

use super::context::{Issued, TickContext, TickInputs};
use super::effects::Effects;
use super::event::{Audience, Events};
use super::frame::{Frame, FrameError};
use super::level::LoadedLevel;
use super::refusal::JoinRefusal;
use super::rewind::{NoRewind, Rewind};
use super::rules::{Departure, Game, Joining, Viewpoint};
use super::simulation::seconds_per_tick;
use crate::determinism::{SimRng, StateHashError, state_hash};
use crate::id::PlayerId;
use crate::time::{Micros, Tick};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A running match without a network: the game with its tick, its level and its random source.
///
/// A server's room, a test and the replay of a recording all advance a match through it, and so alike. It is
/// saved through serde as a whole; a restored one goes on bit for bit, given the same joins, inputs, commands
/// and past.
pub struct Hosted<G: Game> {
    game: G,
    next_tick: Tick,
    period: Micros,
    random: SimRng,
    level: LoadedLevel<G::Level>,
    level_epoch: u32,
    next_level: Option<LoadedLevel<G::Level>>,
    effects: Effects<G::Effect>,
    no_inputs: TickInputs<G::Input>,
}

impl<G: Game> Hosted<G> {
    /// A new match whose first tick will be `first`.
    #[must_use]
    pub fn new(
        config: &G::Config,
        level: LoadedLevel<G::Level>,
        seed: u64,
        period: Micros,
        first: Tick,
    ) -> Hosted<G> {
        let mut random = SimRng::from_u64(seed);
        let game = G::new(config, &level, &mut random);
        Hosted::assemble(Saved {
            game,
            next_tick: first,
            period,
            random,
            level,
            level_epoch: 0,
            next_level: None,
        })
    }

    fn assemble(saved: Saved<G>) -> Hosted<G> {
        Hosted {
            game: saved.game,
            next_tick: saved.next_tick,
            period: saved.period,
            random: saved.random,
            level: saved.level,
            level_epoch: saved.level_epoch,
            next_level: saved.next_level,
            effects: Effects::new(),
            no_inputs: TickInputs::new(),
        }
    }

    /// Lets somebody in before the next tick.
    ///
    /// # Errors
    /// [`JoinRefusal`] from the game; nothing has happened then, and nobody is told anything.
    pub fn join(&mut self, joining: &Joining<'_>, events: &mut Events<G::Event>) -> Result<(), JoinRefusal> {
        let before = events.as_slice().len();
        let joined = self.outside_of_ticks(events, |game, context| game.join(joining, context));
        if joined.is_err() {
            events.truncate(before);
        }
        joined
    }

    /// Takes somebody out before the next tick.
    pub fn leave(&mut self, player: PlayerId, why: Departure, events: &mut Events<G::Event>) {
        self.outside_of_ticks(events, |game, context| game.leave(player, why, context));
    }

    /// Changes the level from the next tick on, as the game itself may.
    pub fn change_level(&mut self, level: LoadedLevel<G::Level>) {
        self.next_level = Some(level);
    }

    /// Moves the match on by one tick and says which it was.
    ///
    /// # Panics
    /// After the last tick, and when the game does.
    pub fn tick(
        &mut self,
        inputs: &TickInputs<G::Input>,
        commands: &[Issued<G::Command>],
        rewind: &dyn Rewind,
        events: &mut Events<G::Event>,
    ) -> Tick {
        let tick = self.next_tick;
        self.effects.clear();
        if let Some(level) = self.next_level.take() {
            self.level = level;
            self.level_epoch += 1;
            self.outside_of_ticks(events, |game, context| game.level_changed(context));
        }
        let mut context = TickContext {
            tick,
            dt: seconds_per_tick(self.period),
            level: &self.level,
            inputs,
            commands,
            random: &mut self.random,
            events,
            effects: &mut self.effects,
            rewind,
            next_level: &mut self.next_level,
        };
        self.game.tick(&mut context);
        self.next_tick = tick.next();
        tick
    }

    /// Fills a frame with the state after the last tick.
    ///
    /// # Errors
    /// [`FrameError`] for a mistake of the game's.
    pub fn capture(&self, frame: &mut Frame) -> Result<(), FrameError> {
        frame.clear();
        self.game.capture(frame);
        frame.finish()
    }

    /// Whether an event for this audience concerns a player who came in, judged by the state after the last
    /// tick.
    #[must_use]
    pub fn concerns(&self, audience: &Audience, player: PlayerId) -> bool {
        match audience {
            Audience::All => true,
            Audience::Player(one) => *one == player,
            Audience::Team(team) => self.game.team(player) == Some(*team),
            Audience::Near { point, radius, subject } => {
                let is_near = match self.game.viewpoint(player) {
                    Viewpoint::Everything => true,
                    Viewpoint::Around { centre, .. } => centre.distance_squared(*point) <= radius * radius,
                };
                let sees = |subject| {
                    self.game.own_entity(player) == Some(subject) || !self.game.hides(subject, player)
                };
                is_near && subject.is_none_or(sees)
            }
        }
    }

    /// The game.
    #[must_use]
    pub fn game(&self) -> &G {
        &self.game
    }

    /// The tick that comes next; what joins and leaves now does so in it.
    #[must_use]
    pub fn next_tick(&self) -> Tick {
        self.next_tick
    }

    /// The time from tick to tick.
    #[must_use]
    pub fn period(&self) -> Micros {
        self.period
    }

    /// The level of the last tick.
    #[must_use]
    pub fn level(&self) -> &LoadedLevel<G::Level> {
        &self.level
    }

    /// How many times the level has changed.
    #[must_use]
    pub fn level_epoch(&self) -> u32 {
        self.level_epoch
    }

    /// The hash of the state, by which two machines find out whether they agree. The level counts by its
    /// name.
    ///
    /// # Errors
    /// [`StateHashError`] names a value that has no portable hash, such as a NaN.
    pub fn state_hash(&self) -> Result<u64, StateHashError> {
        let next_level = self.next_level.as_ref().map(LoadedLevel::id);
        let rest = (self.next_tick, self.period, self.level.id(), self.level_epoch, next_level);
        state_hash(&(&self.game, &self.random, rest))
    }

    fn outside_of_ticks<T>(
        &mut self,
        events: &mut Events<G::Event>,
        act: impl FnOnce(&mut G, &mut TickContext<'_, G>) -> T,
    ) -> T {
        let mut context = TickContext {
            tick: self.next_tick,
            dt: seconds_per_tick(self.period),
            level: &self.level,
            inputs: &self.no_inputs,
            commands: &[],
            random: &mut self.random,
            events,
            effects: &mut self.effects,
            rewind: &NoRewind,
            next_level: &mut self.next_level,
        };
        act(&mut self.game, &mut context)
    }
}

/// What is saved of a match.
#[derive(Deserialize)]
#[serde(bound(deserialize = "G: Game"))]
struct Saved<G: Game> {
    game: G,
    next_tick: Tick,
    period: Micros,
    random: SimRng,
    level: LoadedLevel<G::Level>,
    level_epoch: u32,
    next_level: Option<LoadedLevel<G::Level>>,
}

/// The same, borrowed.
#[derive(Serialize)]
#[serde(bound(serialize = "G: Game"))]
struct Saving<'a, G: Game> {
    game: &'a G,
    next_tick: Tick,
    period: Micros,
    random: &'a SimRng,
    level: &'a LoadedLevel<G::Level>,
    level_epoch: u32,
    next_level: &'a Option<LoadedLevel<G::Level>>,
}

impl<G: Game> Serialize for Hosted<G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saving = Saving {
            game: &self.game,
            next_tick: self.next_tick,
            period: self.period,
            random: &self.random,
            level: &self.level,
            level_epoch: self.level_epoch,
            next_level: &self.next_level,
        };
        saving.serialize(serializer)
    }
}

impl<'de, G: Game> Deserialize<'de> for Hosted<G> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hosted<G>, D::Error> {
        let mut hosted: Hosted<G> = Hosted::assemble(Saved::deserialize(deserializer)?);
        hosted.game.restored(&hosted.level);
        Ok(hosted)
    }
}
