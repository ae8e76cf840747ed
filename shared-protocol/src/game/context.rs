//! What a tick of the server has at hand.

use super::effects::Effects;
use super::event::Events;
use super::input::Input;
use super::level::LoadedLevel;
use super::queue::{Consumption, InputQueue};
use super::rewind::{Past, Rewind};
use super::simulation::{Simulation, StepContext};
use crate::determinism::SimRng;
use crate::id::PlayerId;
use crate::message::ViewTime;
use crate::snapshot::Consumed;
use crate::time::Tick;
use std::ops::Range;

/// What a tick has at hand. When players come and go it has the same, but neither inputs nor commands.
pub struct TickContext<'a, S: Simulation> {
    /// The tick.
    pub tick: Tick,
    /// The length of a tick in seconds, the same as in a step.
    pub dt: f32,
    /// The surroundings.
    pub level: &'a LoadedLevel<S::Level>,
    /// What the tick takes from each player.
    pub inputs: &'a TickInputs<S::Input>,
    /// What players said since the last tick, in the order in which it came.
    pub commands: &'a [Issued<S::Command>],
    /// The match's random source, saved and hashed with it.
    pub random: &'a mut SimRng,
    /// What players are to be told.
    pub events: &'a mut Events<S::Event>,
    /// Where the effects of [`TickContext::step`] go: here to be looked at, for players whom the prediction
    /// of another does not reach are told by events. Empty at the start of a tick.
    pub effects: &'a mut Effects<S::Effect>,
    pub(super) rewind: &'a dyn Rewind,
    pub(super) next_level: &'a mut Option<LoadedLevel<S::Level>>,
}

/// Something that a player said.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued<C> {
    /// Who said it. Whether they may is for the game to judge.
    pub player: PlayerId,
    /// What.
    pub command: C,
}

impl<S: Simulation> TickContext<'_, S> {
    /// Steps a player's avatar with the input that this tick takes from it, as its client does.
    ///
    /// Of a stream it is the newest input, or the neutral one if none came.
    pub fn step(&mut self, player: PlayerId, avatar: &mut S::Avatar) {
        self.step_with(self.inputs.of(player), avatar);
    }

    /// Steps an avatar with an input from elsewhere: of a player whom the server itself plays.
    pub fn step_with(&mut self, input: &S::Input, avatar: &mut S::Avatar) {
        let (tick, dt) = (self.tick, self.dt);
        S::step(avatar, input, &mut StepContext { tick, dt, level: self.level, effects: self.effects });
    }

    /// The world as a player saw it when it made the input of this tick.
    #[must_use]
    pub fn seen_by(&self, player: PlayerId) -> Past<'_> {
        Past::new(self.rewind, self.inputs.view(player))
    }

    /// Changes the level from the next tick on; that tick begins with
    /// [`Game::level_changed`](super::Game::level_changed). The last change of a tick counts.
    pub fn change_level(&mut self, level: LoadedLevel<S::Level>) {
        *self.next_level = Some(level);
    }
}

/// What a tick takes from the players, in the ascending order of their ids.
#[derive(Clone, Debug)]
pub struct TickInputs<I> {
    players: Vec<Taken>,
    inputs: Vec<I>,
    neutral: I,
}

#[derive(Clone, Debug)]
struct Taken {
    player: PlayerId,
    consumption: Consumption,
    inputs: Range<u32>,
}

impl<I: Input> TickInputs<I> {
    /// The inputs of nobody.
    #[must_use]
    pub fn new() -> TickInputs<I> {
        TickInputs { players: Vec::new(), inputs: Vec::new(), neutral: I::default() }
    }

    /// Forgets the inputs of the tick before; the memory is kept.
    pub fn clear(&mut self) {
        self.players.clear();
        self.inputs.clear();
    }

    /// Takes what `tick` takes from a player's queue. `reach` is how far this player may see back: from the
    /// oldest to the newest time; a view outside is brought to its nearer end. The order of players is free,
    /// ascending is fastest.
    ///
    /// # Panics
    /// When the player has been taken from already, or the queue's ticks are not consecutive.
    pub fn take(
        &mut self,
        player: PlayerId,
        tick: Tick,
        queue: &mut InputQueue<I>,
        reach: (ViewTime, ViewTime),
    ) -> Consumption {
        let first = self.inputs.len() as u32;
        let mut consumption = queue.consume(tick, &mut self.inputs);
        let (oldest, newest) = reach;
        consumption.view = consumption.view.map(|view| view.min(newest).max(oldest));
        let inputs = first..self.inputs.len() as u32;
        let taken = Taken { player, consumption, inputs };
        if self.players.last().is_none_or(|last| last.player < player) {
            self.players.push(taken);
        } else {
            let place = self.players.binary_search_by_key(&player, |taken| taken.player);
            self.players.insert(place.expect_err("a player has one queue"), taken);
        }
        consumption
    }

    /// Forgets what was taken from a player, who leaves before the tick.
    pub fn forget(&mut self, player: PlayerId) {
        self.players.retain(|taken| taken.player != player);
    }

    /// The one input that the tick takes from a player; of a stream the newest. The neutral one if there is
    /// none.
    #[must_use]
    pub fn of(&self, player: PlayerId) -> &I {
        self.all_of(player).last().unwrap_or(&self.neutral)
    }

    /// All inputs that the tick takes from a player, in the order in which they were made: of a stream any
    /// number.
    #[must_use]
    pub fn all_of(&self, player: PlayerId) -> &[I] {
        self.find(player).map_or(&[], |taken| self.slice(taken))
    }

    /// Whose input it is: neutral for somebody who sends none.
    #[must_use]
    pub fn consumed(&self, player: PlayerId) -> Consumed {
        self.find(player).map_or(Consumed::Neutral, |taken| taken.consumption.consumed)
    }

    /// What the player saw when it made its newest input, within its reach.
    #[must_use]
    pub fn view(&self, player: PlayerId) -> Option<ViewTime> {
        self.find(player).and_then(|taken| taken.consumption.view)
    }

    /// Each player from whom inputs are taken, in ascending order, with all that the tick takes from it: for
    /// games that look at everybody's anyway.
    pub fn iter(&self) -> impl Iterator<Item = (PlayerId, &[I])> + '_ {
        self.players.iter().map(|taken| (taken.player, self.slice(taken)))
    }

    /// The players from whom inputs are taken, in ascending order.
    pub fn players(&self) -> impl Iterator<Item = PlayerId> + '_ {
        self.players.iter().map(|taken| taken.player)
    }

    fn slice(&self, taken: &Taken) -> &[I] {
        &self.inputs[taken.inputs.start as usize..taken.inputs.end as usize]
    }

    fn find(&self, player: PlayerId) -> Option<&Taken> {
        let place = self.players.binary_search_by_key(&player, |taken| taken.player).ok()?;
        Some(&self.players[place])
    }
}

impl<I: Input> Default for TickInputs<I> {
    fn default() -> TickInputs<I> {
        TickInputs::new()
    }
}
