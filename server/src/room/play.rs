//! The typed part of a room: the match of one game, behind a trait that names none of its types.
//!
//! What is generic over the game is here and nowhere else: inputs and commands become the game's types, its
//! state becomes entities, avatars and events.

use super::seat::Seat;
use crate::assemble::AvatarNews;
use crate::history::History;
use crate::rewind::PublishedPast;
use std::sync::Arc;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{
    Audience, Departure, Events, Frame, Game, Hosted, InputCounters, InputForm, InputPolicy, InputStamp,
    Issued, JoinRefusal, Joining, SentInput, TickInputs, TickSchedule, ViewTime, Viewpoint,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::limits::{MAX_EVENTS_PER_TICK, MAX_REFUSAL_REASONS};
use tickwire_protocol::message::{InputMessage, decode_payload, encode_payload};
use tickwire_protocol::snapshot::InputLead;
use tickwire_protocol::time::{Micros, Tick, expand_low_16, expand_tick};

/// A match of some game. Per tick: who leaves and joins, `tick`, `capture`, and then what each player is to
/// be told.
pub(crate) trait Play: Send {
    /// Lets a player in. `predicts` says that the client steps its own avatar.
    fn join(&mut self, joining: &Joining<'_>, predicts: bool) -> Result<(), JoinRefusal>;

    /// Takes a player out.
    fn leave(&mut self, player: PlayerId, why: Departure);

    /// A player goes on from another connection: what was under way over the one before does not count. Of
    /// the next tick it has been taken already.
    fn resume(&mut self, player: PlayerId, predicts: bool);

    /// Takes in inputs. `newest` is the tick of the newest snapshot that was sent to the player.
    fn handle_input(
        &mut self,
        player: PlayerId,
        message: &InputMessage<'_>,
        newest: Option<Tick>,
        at: Micros,
        schedule: &TickSchedule,
    ) -> Result<(), SessionEnd>;

    /// Takes in a command.
    fn handle_command(&mut self, player: PlayerId, payload: &[u8]) -> Result<(), SessionEnd>;

    /// Takes what the next tick takes from a player, who may see back no further than `reach`; says how early
    /// the newest input came, if there is news of it.
    fn take_inputs(&mut self, player: PlayerId, reach: (ViewTime, ViewTime)) -> Option<InputLead>;

    /// Begins to fetch into the cache what the inputs of a player need.
    fn prefetch(&self, player: PlayerId);

    /// The tick that comes next.
    fn next_tick(&self) -> Tick;

    /// Moves on by a tick. `history` is of the ticks before.
    fn tick(&mut self, history: &History) -> Tick;

    /// Publishes the state into the history, and says how many entities could not be.
    fn capture(&mut self, history: &mut History) -> Result<usize, String>;

    /// Where a player looks.
    fn viewpoint(&self, player: PlayerId) -> Viewpoint;

    /// Of a list of entities, in ascending order, those that the player may see: without the player's own if
    /// its client predicts it. `rest` is memory for them, should they not be all.
    fn veil<'a>(
        &self,
        player: PlayerId,
        predicts: bool,
        seen: &'a [EntityIndex],
        rest: &'a mut Vec<EntityIndex>,
    ) -> &'a [EntityIndex];

    /// What the player is told of its own avatar, against a baseline.
    fn avatar(&mut self, player: PlayerId, tick: Tick, baseline: Option<Tick>) -> AvatarNews<'_>;

    /// The bytes of a player's avatar after the last tick.
    fn avatar_bytes(&mut self, player: PlayerId) -> Option<&[u8]>;

    /// Takes the events of the tick out, each encoded once, and says how many could not be told.
    fn drain_events(&mut self, each: &mut dyn FnMut(&Audience, Arc<[u8]>)) -> u64;

    /// Whether an event for this audience concerns a player.
    fn concerns(&self, audience: &Audience, player: PlayerId) -> bool;

    /// What became of all players' inputs since this was asked before.
    fn drain_counters(&mut self) -> InputCounters;

    /// What the game refused since this was asked before: each reason that it has, and how often.
    fn drain_refusals(&mut self, each: &mut dyn FnMut(&'static str, u64));

    /// The level: how many there were before, and its content.
    fn level(&self) -> (u32, Arc<[u8]>);

    /// The hash of the whole state.
    fn state_hash(&self) -> Result<u64, String>;
}

/// The match of one game.
pub(crate) struct Match<G: Game> {
    hosted: Hosted<G>,
    form: InputForm<G::Input>,
    policy: InputPolicy,
    /// By player id.
    seats: Vec<Option<Box<Seat<G>>>>,
    /// How many of them have a client that steps its own avatar.
    predicting: usize,
    counters: InputCounters,
    /// What the game's refusals stood at when they were last taken out, reason by reason.
    refused: Vec<u64>,
    inputs: TickInputs<G::Input>,
    commands: Vec<Issued<G::Command>>,
    events: Events<G::Event>,
    dropped: u64,
    frame: Frame,
    rows: Vec<i32>,
    payload: Vec<u8>,
}

impl<G: Game> Match<G> {
    pub(crate) fn new(hosted: Hosted<G>, form: InputForm<G::Input>) -> Match<G> {
        Match {
            hosted,
            form,
            policy: G::INPUT_POLICY.within_limits(),
            seats: Vec::new(),
            predicting: 0,
            counters: InputCounters::default(),
            refused: Vec::new(),
            inputs: TickInputs::new(),
            commands: Vec::new(),
            events: Events::new(),
            dropped: 0,
            frame: Frame::new(),
            rows: Vec::new(),
            payload: Vec::new(),
        }
    }
}

impl<G: Game> Play for Match<G> {
    fn join(&mut self, joining: &Joining<'_>, predicts: bool) -> Result<(), JoinRefusal> {
        self.hosted.join(joining, &mut self.events)?;
        let place = usize::from(joining.player.0);
        if self.seats.len() <= place {
            self.seats.resize_with(place + 1, || None);
        }
        self.seats[place] = Some(Box::new(Seat::new(self.policy, self.hosted.next_tick(), predicts)));
        self.predicting += usize::from(predicts);
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, why: Departure) {
        self.hosted.leave(player, why, &mut self.events);
        self.inputs.forget(player);
        if let Some(seat) = self.seats.get_mut(usize::from(player.0)).and_then(Option::take) {
            self.predicting -= usize::from(seat.predicts);
        }
    }

    fn resume(&mut self, player: PlayerId, predicts: bool) {
        let (policy, next) = (self.policy, self.hosted.next_tick().next());
        if let Some(seat) = self.seats.get_mut(usize::from(player.0)).and_then(Option::as_deref_mut) {
            self.predicting -= usize::from(seat.predicts);
            self.predicting += usize::from(predicts);
            // The inputs of a stream go on where they were, and their numbers are told by their low bits.
            let next_sequence = seat.next_sequence;
            *seat = Seat::new(policy, next, predicts);
            seat.next_sequence = next_sequence;
        }
    }

    fn handle_input(
        &mut self,
        player: PlayerId,
        message: &InputMessage<'_>,
        newest: Option<Tick>,
        at: Micros,
        schedule: &TickSchedule,
    ) -> Result<(), SessionEnd> {
        let header = *message.header();
        self.rows.clear();
        message.read_inputs(self.form.codec(), &mut self.rows).map_err(|error| error.end())?;
        let (form, rows) = (&self.form, &self.rows);
        let Some(seat) = self.seats.get_mut(usize::from(player.0)).and_then(Option::as_deref_mut) else {
            return Ok(());
        };
        let decoded = newest.and_then(|newest| header.newest_snapshot_near(newest));
        let view = header.view.zip(decoded).map(|(back, decoded)| back.resolve(decoded));
        let first = match self.policy {
            InputPolicy::PerTick(_) => expand_tick(header.first, schedule.tick).map(|tick| tick.0),
            InputPolicy::Stream(_) => expand_low_16(header.first, seat.next_sequence),
        };
        let first = first.ok_or(SessionEnd::InputOutOfWindow)?;
        let width = form.codec().lanes();
        for offset in 0..u32::from(header.count) {
            let number = first.checked_add(offset).ok_or(SessionEnd::InputOutOfWindow)?;
            let row = &rows[offset as usize * width..][..width];
            let stamp = match self.policy {
                InputPolicy::PerTick(_) => InputStamp::Tick(Tick(number)),
                InputPolicy::Stream(_) => InputStamp::Sequence(number),
            };
            // The view is that of the run's last input.
            let is_last = offset + 1 == u32::from(header.count);
            let sent = SentInput { stamp, view: view.filter(|_| is_last), input: form.value(row) };
            seat.handle_input(sent, at, schedule)?;
        }
        Ok(())
    }

    fn handle_command(&mut self, player: PlayerId, payload: &[u8]) -> Result<(), SessionEnd> {
        let command = decode_payload(payload).map_err(|_| SessionEnd::Malformed)?;
        if self.commands.len() >= MAX_COMMANDS_PER_TICK {
            return Err(SessionEnd::TooMany);
        }
        self.commands.push(Issued { player, command });
        Ok(())
    }

    fn take_inputs(&mut self, player: PlayerId, reach: (ViewTime, ViewTime)) -> Option<InputLead> {
        let tick = self.hosted.next_tick();
        let seat = self.seats.get_mut(usize::from(player.0))?.as_deref_mut()?;
        let consumption = self.inputs.take(player, tick, &mut seat.queue, reach);
        if seat.predicts {
            seat.record_input(tick, consumption.consumed, self.inputs.of(player));
        }
        self.counters += seat.queue.drain_counters();
        let sample = seat.queue.poll_lead()?;
        let millis = sample.micros.div_euclid(1000).clamp(-MAX_LEAD_MILLIS, MAX_LEAD_MILLIS) as i16;
        Some(InputLead { tick: sample.tick, millis })
    }

    fn prefetch(&self, player: PlayerId) {
        if let Some(seat) = self.seats.get(usize::from(player.0)).and_then(Option::as_deref) {
            seat.prefetch();
        }
    }

    fn next_tick(&self) -> Tick {
        self.hosted.next_tick()
    }

    fn tick(&mut self, history: &History) -> Tick {
        let past = PublishedPast::new(history);
        let tick = self.hosted.tick(&self.inputs, &self.commands, &past, &mut self.events);
        self.inputs.clear();
        self.commands.clear();
        if self.predicting == 0 {
            return tick;
        }
        let level = (self.hosted.level_epoch(), self.hosted.level().shared());
        for (player, seat) in self.seats.iter_mut().enumerate() {
            let Some(seat) = seat.as_deref_mut().filter(|seat| seat.predicts) else { continue };
            seat.record_avatar(tick, &level, self.hosted.game().avatar(PlayerId(player as u16)));
        }
        tick
    }

    fn capture(&mut self, history: &mut History) -> Result<usize, String> {
        self.hosted.capture(&mut self.frame).map_err(|error| error.to_string())?;
        let tick = self.hosted.next_tick().before(1).ok_or("nothing has been ticked yet")?;
        let mut refused = 0;
        history.capture(tick, &self.frame, |error| {
            refused += 1;
            tracing::debug!(game = G::NAME, %tick, %error, "an entity cannot be published");
        });
        Ok(refused)
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        self.hosted.game().viewpoint(player)
    }

    fn veil<'a>(
        &self,
        player: PlayerId,
        predicts: bool,
        seen: &'a [EntityIndex],
        rest: &'a mut Vec<EntityIndex>,
    ) -> &'a [EntityIndex] {
        let game = self.hosted.game();
        let own = game.own_entity(player);
        let is_predicted = predicts && own.is_some_and(|own| seen.binary_search(&own).is_ok());
        // Of a game that hides nothing, nothing is left of this loop.
        if !is_predicted && !seen.iter().any(|entity| game.hides(*entity, player)) {
            return seen;
        }
        let is_shown = |entity: EntityIndex| {
            if Some(entity) == own { !predicts } else { !game.hides(entity, player) }
        };
        rest.clear();
        rest.extend(seen.iter().copied().filter(|entity| is_shown(*entity)));
        rest
    }

    fn avatar(&mut self, player: PlayerId, tick: Tick, baseline: Option<Tick>) -> AvatarNews<'_> {
        let period = self.hosted.period();
        let game = self.hosted.game();
        let current = game.avatar(player);
        match self.seats.get_mut(usize::from(player.0)).and_then(Option::as_deref_mut) {
            Some(seat) => seat.avatar_news(tick, baseline, current, period),
            None => AvatarNews::default(),
        }
    }

    fn avatar_bytes(&mut self, player: PlayerId) -> Option<&[u8]> {
        let avatar = self.hosted.game().avatar(player)?;
        let seat = self.seats.get_mut(usize::from(player.0))?.as_deref_mut()?;
        seat.encoded(avatar)
    }

    fn drain_events(&mut self, each: &mut dyn FnMut(&Audience, Arc<[u8]>)) -> u64 {
        let mut lost = self.events.dropped() - self.dropped;
        self.dropped = self.events.dropped();
        for addressed in self.events.drain() {
            self.payload.clear();
            match encode_payload(&addressed.event, &mut self.payload) {
                Ok(()) => each(&addressed.audience, Arc::from(&self.payload[..])),
                Err(error) => {
                    lost += 1;
                    tracing::warn!(game = G::NAME, %error, "an event cannot be told");
                }
            }
        }
        lost
    }

    fn concerns(&self, audience: &Audience, player: PlayerId) -> bool {
        self.hosted.concerns(audience, player)
    }

    fn drain_counters(&mut self) -> InputCounters {
        std::mem::take(&mut self.counters)
    }

    fn drain_refusals(&mut self, each: &mut dyn FnMut(&'static str, u64)) {
        let (refused, mut place) = (&mut self.refused, 0);
        self.hosted.game().refused(&mut |name, count| {
            if place == refused.len() && place < MAX_REFUSAL_REASONS {
                refused.push(0);
            }
            if let Some(before) = refused.get_mut(place) {
                each(name, count.saturating_sub(*before));
                *before = count;
            }
            place += 1;
        });
    }

    fn level(&self) -> (u32, Arc<[u8]>) {
        (self.hosted.level_epoch(), Arc::clone(self.hosted.level().content()))
    }

    fn state_hash(&self) -> Result<u64, String> {
        self.hosted.state_hash().map_err(|error| error.to_string())
    }
}

/// Commands of all players together in one tick. Who sends one more is disconnected for sending too many.
const MAX_COMMANDS_PER_TICK: usize = MAX_EVENTS_PER_TICK;

/// The largest lead that a snapshot tells.
const MAX_LEAD_MILLIS: i64 = 511;
