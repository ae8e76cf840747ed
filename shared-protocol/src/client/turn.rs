//! Time passes for the client: inputs are made when their ticks come, silence is noticed, and what is due is
//! written.

use super::clock::SNAP_MICROS;
use super::hub::Client;
use crate::game::{InputPolicy, Simulation};
use crate::limits::{MAX_EFFECTS, MAX_INPUT_WINDOW_TICKS, MAX_INPUTS};
use crate::message::SessionState;
use crate::time::{Micros, Tick};

/// After so long without a word a connection is probably dead.
const SILENCE: Micros = Micros(1_500_000);
/// Before the first welcome it takes longer: a second hello would be a second player.
const FIRST_SILENCE: Micros = Micros(5_000_000);
/// Who looks so much later than it should was away itself, and what it did not hear means nothing.
const AWAY: Micros = Micros(500_000);
/// Snapshots are acknowledged after this time, unless an input does it before.
const ACKNOWLEDGE: Micros = Micros(50_000);
const PING_INTERVAL: u64 = 1_000_000;
/// The first pings come sooner, to know the round trip soon.
const FIRST_PINGS: u32 = 5;
const FIRST_PING_INTERVAL: u64 = 200_000;
/// Pings are not in step with ticks, so that they find all phases of them.
const PING_JITTER: u64 = 130_000;
/// What a tick lasts at least, as far as the client looks at its clock.
const SHORTEST: Micros = Micros(1000);

impl<S: Simulation> Client<S> {
    /// Lets time pass: inputs are made whose tick has come, others move on, and what is due is written.
    pub fn handle_time(&mut self, now: Micros) {
        self.pass(now);
        if self.expected_at.is_some_and(|expected| self.now > expected + AWAY) {
            self.listened_since = self.now;
        }
        if self.ended.is_none() {
            self.notice_silence();
            self.connector.handle_time(self.now);
            self.make_inputs();
            self.playback.advance(self.now);
            self.ping();
            self.acknowledge();
        }
        self.expected_at = self.poll_deadline();
    }

    /// When [`Client::handle_time`] is to be called next, if nothing happens before.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Micros> {
        if self.ended.is_some() {
            return None;
        }
        let is_active = self.session.state() == SessionState::Active;
        let input = self.next_input.filter(|_| self.makes_inputs()).and_then(|next| self.clock.time_of(next));
        // No room ticks as fast as a broken welcome may say.
        let input = input.map(|at| if self.period() < SHORTEST { at.max(self.now + SHORTEST) } else { at });
        let acknowledge = self.unacknowledged_since.filter(|_| is_active).map(|since| since + ACKNOWLEDGE);
        let silence = self.connector.current().is_some() && !self.connector.is_wanting();
        let silence = silence.then(|| self.listened_since + self.patience());
        let times =
            [input, acknowledge, silence, self.connector.deadline(), self.next_ping.filter(|_| is_active)];
        times.into_iter().flatten().min()
    }

    /// The newest of all times that were told: time does not run backwards.
    pub(super) fn pass(&mut self, now: Micros) {
        // Far enough from the end that sums of times do not overflow.
        self.now = self.now.max(now.min(Micros(u64::MAX >> 2)));
    }

    fn patience(&self) -> Micros {
        if self.session.welcome().is_some() { SILENCE } else { FIRST_SILENCE }
    }

    fn notice_silence(&mut self) {
        if self.waiting.is_some_and(|(until, _)| until <= self.now) {
            self.waiting = None;
        }
        if self.connector.current().is_none() || self.connector.is_wanting() {
            return;
        }
        if self.now.saturating_since(self.listened_since) >= self.patience() {
            self.trouble_since.get_or_insert(self.listened_since);
            self.connector.want(self.now);
        }
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(S::INPUT_POLICY, InputPolicy::Stream(_))
    }

    pub(super) fn may_send_inputs(&self) -> bool {
        // What is sent into a silence comes out of it as a flood of old inputs.
        self.session.state() == SessionState::Active
            && self.trouble_since.is_none()
            && !self.config.session.spectator
    }

    fn makes_inputs(&self) -> bool {
        !self.is_stream() && !self.is_hidden && self.may_send_inputs()
    }

    fn make_inputs(&mut self) {
        self.clock.advance(self.now);
        if !self.makes_inputs() {
            return;
        }
        let Some(due) = self.clock.due(self.now) else { return };
        // What may not have come is made again, even where its tick is over: else the server would merge its
        // presses, or not, and the client could not know.
        while let Some((first, last)) = self.history.forgotten_run(due) {
            let next = self.next_input;
            self.make_input(first, last);
            self.next_input = self.next_input.max(next);
        }
        // The first input of a connection is that of the next tick: the one that is due should have been made
        // already, and would be reported as late as it is. No tick gets a second one, however the clock was
        // set: the server keeps the first.
        let unmade = self.history.newest().map_or(Some(Tick(0)), |newest| newest.after(1));
        let Some((next, unmade)) = self.next_input.or(due.after(1)).zip(unmade) else { return };
        let first = next.max(unmade);
        self.next_input = Some(first);
        let Some(backlog) = due.since(first) else { return };
        let micros = u64::from(backlog) * self.period().0;
        if micros > SNAP_MICROS as u64 || backlog >= MAX_INPUT_WINDOW_TICKS {
            // Nobody wanted anything in all these ticks, and most are over.
            self.next_input = due.after(1);
            return;
        }
        self.make_input(first, due);
    }

    /// Makes the inputs of ticks from `first` to `last`.
    pub(super) fn make_input(&mut self, first: Tick, last: Tick) {
        let mut next = first;
        while next <= last {
            let mut rows = std::mem::take(&mut self.rows);
            rows.clear();
            let count = (last.0 - next.0).saturating_add(1).min(MAX_INPUTS as u32);
            for tick in (next.0..=last.0).map(Tick).take(count as usize) {
                let input = match self.history.made_before(tick) {
                    Some(input) => {
                        self.wish.repeat(&input, &mut rows);
                        input
                    }
                    None => self.wish.take(&mut rows),
                };
                self.predictor.handle_made(tick, &input);
                self.history.push(tick, input);
                self.clock.handle_sent(tick);
                self.counted.inputs += 1;
            }
            self.send_inputs(next.0, &rows);
            self.rows = rows;
            let Some(after) = next.after(count) else { break };
            next = after;
        }
        self.next_input = last.after(1);
        self.predictor.predict(&self.history, last, self.now);
        let effects = self.predictor.drain_effects();
        self.effects.extend(effects);
        let excess = self.effects.len().saturating_sub(MAX_EFFECTS);
        self.effects.drain(..excess);
    }

    pub(super) fn send_inputs(&mut self, first: u32, rows: &[i32]) {
        let Some(id) = self.connector.current() else { return };
        let view = self.newest.filter(|_| self.config.shows_others).map(|_| self.playback.time());
        let mut message = self.buffer();
        self.session.encode_inputs(first, rows, view, &mut message);
        self.unacknowledged_since = None;
        self.outgoing.push_back((id, message));
    }

    pub(super) fn acknowledge(&mut self) {
        let is_due = self.unacknowledged_since.is_some_and(|since| since + ACKNOWLEDGE <= self.now);
        if !is_due || self.session.state() != SessionState::Active {
            return;
        }
        let Some(id) = self.connector.current() else { return };
        let mut message = self.buffer();
        self.session.encode_acknowledgement(&mut message);
        self.unacknowledged_since = None;
        self.outgoing.push_back((id, message));
    }

    fn ping(&mut self) {
        let is_due = self.next_ping.is_some_and(|at| at <= self.now);
        if !is_due || self.session.state() != SessionState::Active {
            return;
        }
        self.pings = self.pings.saturating_add(1);
        let interval = if self.pings < FIRST_PINGS { FIRST_PING_INTERVAL } else { PING_INTERVAL };
        self.next_ping = Some(self.now + Micros(interval + self.connector.random_up_to(PING_JITTER)));
        let Some(id) = self.connector.current() else { return };
        let mut message = self.buffer();
        // With too many under way there is nothing to be learned from one more.
        if self.session.encode_ping(self.now, &mut message).is_ok() {
            self.outgoing.push_back((id, message));
        } else {
            self.recycle(message);
        }
    }

    /// Pings from now on, quickly at first.
    pub(super) fn begin_pings(&mut self) {
        (self.pings, self.next_ping) = (0, Some(self.now));
    }

    pub(super) fn period(&self) -> Micros {
        self.session.welcome().map_or(Micros(1), |welcome| welcome.body.tick_period)
    }
}
