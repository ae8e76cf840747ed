//! A player's seat: its inputs on their way to the tick, and what its client can know of its avatar.
//!
//! A client that predicts folds the step over the inputs that were consumed since its baseline. The server
//! does the same and compares, so it keeps what it needs for that: the inputs of the last ticks, and the
//! avatar after each of them.

use crate::assemble::AvatarNews;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{
    Arrival, Effects, Game, InputPolicy, InputQueue, InputStamp, SentInput, StepContext, TickSchedule,
};
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::message::encode_payload;
use tickwire_protocol::snapshot::Consumed;
use tickwire_protocol::time::{Micros, Tick};

/// The typed state of one player in a match.
pub(super) struct Seat<G: Game> {
    pub(super) queue: InputQueue<G::Input>,
    /// Whether the client steps its own avatar.
    pub(super) predicts: bool,
    /// For a stream: the number that the next input has, about.
    pub(super) next_sequence: u32,
    /// Of the last ticks, if the client predicts, oldest first.
    past: VecDeque<Stepped<G>>,
    rejected_in_a_row: u32,
    avatar: Vec<u8>,
    expected: Vec<u8>,
}

/// What one tick did to an avatar.
struct Stepped<G: Game> {
    tick: Tick,
    consumed: Consumed,
    input: G::Input,
    level: Option<(u32, Arc<G::Level>)>,
    after: Option<G::Avatar>,
}

impl<G: Game> Seat<G> {
    pub(super) fn new(policy: InputPolicy, next: Tick, predicts: bool) -> Seat<G> {
        Seat {
            queue: InputQueue::new(policy, next),
            predicts,
            next_sequence: 0,
            past: VecDeque::new(),
            rejected_in_a_row: 0,
            avatar: Vec::new(),
            expected: Vec::new(),
        }
    }

    /// Begins to fetch it into the cache.
    pub(super) fn prefetch(&self) {
        black_box((self.past.len(), self.next_sequence, self.avatar.len(), self.queue.counters().accepted));
    }

    /// Takes in an input, and ends the session of a client whose inputs keep being for another time.
    pub(super) fn handle_input(
        &mut self,
        sent: SentInput<G::Input>,
        at: Micros,
        schedule: &TickSchedule,
    ) -> Result<(), SessionEnd> {
        let stamp = sent.stamp;
        let arrival = self.queue.handle_input(sent, at, schedule);
        if let InputStamp::Sequence(sequence) = stamp {
            self.next_sequence = self.next_sequence.max(sequence.saturating_add(1));
            return Ok(());
        }
        self.rejected_in_a_row = if arrival == Arrival::Rejected { self.rejected_in_a_row + 1 } else { 0 };
        if self.rejected_in_a_row > MAX_REJECTED_IN_A_ROW {
            return Err(SessionEnd::InputOutOfWindow);
        }
        Ok(())
    }

    pub(super) fn record_input(&mut self, tick: Tick, consumed: Consumed, input: &G::Input) {
        if self.past.len() > MAX_BASELINE_AGE as usize {
            self.past.pop_front();
        }
        self.past.push_back(Stepped { tick, consumed, input: input.clone(), level: None, after: None });
    }

    pub(super) fn record_avatar(
        &mut self,
        tick: Tick,
        level: &(u32, Arc<G::Level>),
        avatar: Option<&G::Avatar>,
    ) {
        if self.past.back().is_none_or(|newest| newest.tick < tick) {
            // A player without a connection: nothing is taken from it.
            self.record_input(tick, Consumed::Neutral, &G::Input::default());
        }
        if let Some(newest) = self.past.back_mut() {
            (newest.level, newest.after) = (Some(level.clone()), avatar.cloned());
        }
    }

    /// What the client is told of its avatar at `tick`, against `baseline`.
    pub(super) fn avatar_news(
        &mut self,
        tick: Tick,
        baseline: Option<Tick>,
        current: Option<&G::Avatar>,
        period: Micros,
    ) -> AvatarNews<'_> {
        let has_avatar = current.is_some_and(|avatar| write(avatar, &mut self.avatar));
        let mut consumed = Vec::new();
        let (mut has_expected, mut whole) = (false, false);
        if let (Some(baseline), true) = (baseline, self.predicts) {
            let first = self.past.partition_point(|stepped| stepped.tick <= baseline);
            consumed.extend(self.past.range(first..).map(|stepped| stepped.consumed));
            debug_assert_eq!(consumed.len() as u32, tick.0 - baseline.0, "each tick since is recorded");
            let expected = self.expect(first, period);
            has_expected = expected.is_some_and(|avatar| write(&avatar, &mut self.expected));
            whole = has_avatar && first + 1 < self.past.len() && self.changes_level(first);
        }
        AvatarNews {
            avatar: has_avatar.then_some(&self.avatar[..]),
            expected: has_expected.then_some(&self.expected[..]),
            whole,
            consumed,
        }
    }

    /// Whether the level changes among the ticks from `past[first]` on. A client is told that it does, but
    /// not in which of these ticks: which steps it takes in which level is its guess.
    fn changes_level(&self, first: usize) -> bool {
        let epoch = |stepped: &Stepped<G>| stepped.level.as_ref().map(|(epoch, _)| *epoch);
        let before = first.checked_sub(1).and_then(|place| self.past.get(place)).and_then(epoch);
        self.past.range(first..).any(|stepped| epoch(stepped) != before)
    }

    /// The avatar of the tick before `past[first]`, stepped on to the newest tick.
    fn expect(&self, first: usize, period: Micros) -> Option<G::Avatar> {
        let before = self.past.get(first.checked_sub(1)?)?;
        let mut avatar = before.after.clone()?;
        let mut mute = Effects::muted();
        for stepped in self.past.range(first..) {
            let (_, level) = stepped.level.as_ref()?;
            let mut context = StepContext::new(stepped.tick, period, &**level, &mut mute);
            G::step(&mut avatar, &stepped.input, &mut context);
        }
        Some(avatar)
    }

    pub(super) fn encoded(&mut self, avatar: &G::Avatar) -> Option<&[u8]> {
        write(avatar, &mut self.avatar).then_some(&self.avatar[..])
    }
}

/// Encodes an avatar; false for one that no message could carry, which is then as if it were not there.
fn write<A: serde::Serialize>(avatar: &A, out: &mut Vec<u8>) -> bool {
    out.clear();
    encode_payload(avatar, out).is_ok()
}

/// Five seconds at 60 Hz: no honest client is that far off for so long.
const MAX_REJECTED_IN_A_ROW: u32 = 300;
