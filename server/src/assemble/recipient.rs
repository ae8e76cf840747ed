//! What the server knows that a client knows: which entities, and when each of them was told.
//!
//! It is the mirror of the client's views, without the states: those are in the history. On an ordered
//! transport what was written will be read, so that the last snapshot is known; on an unreliable one, what
//! was acknowledged.

use super::columns::Columns;
use super::known::{Known, Next, Note};
use super::shared::BaselinePair;
use crate::history::History;
use std::collections::VecDeque;
use thiserror::Error;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::snapshot::{RateMode, StreamProfile};
use tickwire_protocol::time::Tick;

/// How snapshots travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// All arrive, in order.
    Ordered,
    /// Some do not, or late.
    Unreliable,
}

/// One player's stream of snapshots.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub(super) profile: StreamProfile,
    pub(super) transport: Transport,
    /// The knowledge after each snapshot that may be a baseline, oldest first.
    sent: VecDeque<Sent>,
    indices: Columns<EntityIndex>,
    told: Columns<Tick>,
    spare_notes: Vec<Vec<Note>>,
    /// Entities that are visible and wait for their turn to enter, and since when; ascending.
    pub(super) waiting: Vec<(EntityIndex, Tick)>,
    newest_sent: Option<Tick>,
    acknowledged: Option<Tick>,
}

/// A snapshot that may be a baseline, and where what is known after it is.
#[derive(Clone, Debug)]
struct Sent {
    tick: Tick,
    epoch: u16,
    rate: RateMode,
    /// Whether the client is certain to hold it.
    certain: bool,
    indices: usize,
    told: usize,
    notes: Vec<Note>,
}

/// Snapshots at multiples of this many ticks are kept as baselines on an ordered transport too: those are
/// what baselines are rounded to when they are too many at a time.
const ROUND: u32 = 8;

/// An acknowledgement that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AckError {
    /// No snapshot of that tick was sent.
    #[error("{tick} is acknowledged and was never sent")]
    NeverSent {
        /// The tick.
        tick: Tick,
    },
}

impl Recipient {
    /// A stream that begins.
    #[must_use]
    pub fn new(profile: StreamProfile, transport: Transport) -> Recipient {
        Recipient {
            profile,
            transport,
            sent: VecDeque::new(),
            indices: Columns::default(),
            told: Columns::default(),
            spare_notes: Vec::new(),
            waiting: Vec::new(),
            newest_sent: None,
            acknowledged: None,
        }
    }

    /// Forgets what the client knows: its view is told anew. After a resume, a new recipient does that.
    pub fn restart(&mut self) {
        while let Some(old) = self.sent.pop_front() {
            self.forget(old);
        }
        self.waiting.clear();
        // What was sent stays sent: its acknowledgements may be under way.
        self.acknowledged = None;
    }

    /// The tick of the newest snapshot sent.
    #[must_use]
    pub fn newest_sent(&self) -> Option<Tick> {
        self.newest_sent
    }

    /// The newest tick that the client has acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> Option<Tick> {
        self.acknowledged
    }

    /// The number of entities that the client knows after the newest snapshot.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.sent.back().map_or(0, |sent| self.indices.get(sent.indices).len())
    }

    /// Takes in the newest snapshot that the client has decoded. Acknowledgements that are overtaken by newer
    /// ones do nothing.
    ///
    /// # Errors
    /// [`AckError`] for a snapshot that was not sent.
    pub fn handle_ack(&mut self, tick: Tick) -> Result<(), AckError> {
        if self.newest_sent.is_none_or(|newest| tick > newest) {
            return Err(AckError::NeverSent { tick });
        }
        if self.acknowledged.is_some_and(|acknowledged| tick <= acknowledged) {
            return Ok(());
        }
        if self.transport == Transport::Unreliable {
            let Some(place) = self.sent.iter().position(|sent| sent.tick == tick) else {
                // Snapshots older than any baseline are forgotten; of younger ones each is known that was
                // sent.
                let aged = self.sent.front().is_none_or(|oldest| tick < oldest.tick);
                return if aged { Ok(()) } else { Err(AckError::NeverSent { tick }) };
            };
            self.sent[place].certain = true;
            // Only the newest is ever acknowledged: what is older and uncertain stays so.
            for _ in 0..place {
                match self.sent.pop_front() {
                    Some(old) if old.certain => self.sent.push_back(old),
                    Some(old) => self.forget(old),
                    None => {}
                }
            }
            self.sent.make_contiguous().sort_by_key(|sent| sent.tick);
        }
        self.acknowledged = Some(tick);
        Ok(())
    }

    /// The baseline pairs that a snapshot of `tick` may be coded against, the best first. The older of a pair
    /// is there only if `trends` says that it is of use.
    pub(super) fn pairs(&self, tick: Tick, trends: bool) -> impl Iterator<Item = BaselinePair> + '_ {
        let usable = move |sent: &&Sent| {
            sent.certain && tick.since(sent.tick).is_some_and(|age| (1..=MAX_BASELINE_AGE).contains(&age))
        };
        self.sent.iter().enumerate().rev().filter(move |(_, sent)| usable(sent)).map(move |(place, sent)| {
            let before = self.sent.iter().take(place).rev().find(|older| older.certain && trends);
            // Its states must still be in the history, as those of the newer one are.
            let older = before.filter(|older| tick.0 - older.tick.0 <= MAX_BASELINE_AGE);
            BaselinePair { newer: sent.tick, older: older.map(|older| older.tick) }
        })
    }

    /// What is known after the snapshot of a tick, if that may be a baseline.
    pub(super) fn known(&self, tick: Tick) -> Option<Known<'_>> {
        let Sent { epoch, rate, indices, told, notes, .. } = &self.sent[self.place(tick)?];
        let (indices, told) = (self.indices.get(*indices), self.told.get(*told));
        Some(Known { tick, epoch: *epoch, rate: *rate, indices, told, notes })
    }

    fn place(&self, tick: Tick) -> Option<usize> {
        // Nearly always the newest is asked for.
        let newest = self.sent.len().checked_sub(1)?;
        if self.sent[newest].tick == tick {
            return Some(newest);
        }
        self.sent.binary_search_by_key(&tick, |sent| sent.tick).ok()
    }

    /// The ticks of the last snapshots that may be baselines, the newest first.
    pub(super) fn last_sent(&self) -> impl Iterator<Item = Tick> + '_ {
        self.sent.iter().rev().map(|sent| sent.tick)
    }

    /// Keeps the knowledge after a snapshot that has been written. What is the same as at the baseline is
    /// shared with it.
    pub(super) fn keep(&mut self, next: &Next, baseline: Option<Tick>) {
        let base = baseline.and_then(|tick| self.place(tick)).map(|place| &self.sent[place]);
        let indices = match base {
            Some(base) if next.same_indices => self.indices.share(base.indices),
            _ => self.indices.put(&next.indices),
        };
        let told = match base {
            Some(base) if next.same_told => self.told.share(base.told),
            _ => self.told.put(&next.told),
        };
        let mut notes = self.spare_notes.pop().unwrap_or_default();
        notes.clone_from(&next.notes);
        let certain = self.transport == Transport::Ordered;
        let Next { tick, epoch, rate, .. } = *next;
        let sent = Sent { tick, epoch, rate, certain, indices, told, notes };
        self.retire(tick);
        self.sent.push_back(sent);
        self.newest_sent = Some(tick);
    }

    /// Forgets the snapshots that are no baselines any more when that of `tick` has been sent.
    fn retire(&mut self, tick: Tick) {
        if self.transport == Transport::Ordered
            // The one before the newest stays too, as the older of two baselines.
            && let Some(place) = self.sent.len().checked_sub(2)
            && !self.sent[place].tick.0.is_multiple_of(ROUND)
            && let Some(old) = self.sent.remove(place)
        {
            self.forget(old);
        }
        while let Some(oldest) = self.sent.front()
            && tick.0 - oldest.tick.0 >= MAX_BASELINE_AGE
            && let Some(old) = self.sent.pop_front()
        {
            self.forget(old);
        }
    }

    fn forget(&mut self, old: Sent) {
        self.indices.release(old.indices);
        self.told.release(old.told);
        self.spare_notes.push(old.notes);
    }

    /// The check of the client's knowledge after the snapshot of `tick`, to compare with the one that it
    /// computes. `avatar` is the avatar of that tick. `None` when that knowledge or the states it is of
    /// are no longer held.
    #[must_use]
    pub fn check(&self, history: &History, tick: Tick, avatar: Option<&[u8]>) -> Option<u32> {
        self.known(tick)?.check(history, avatar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: StreamProfile = StreamProfile { has_avatar: false, predicts: false, capacity: 8 };

    fn sent(transport: Transport, ticks: impl Iterator<Item = u32>) -> Recipient {
        let mut recipient = Recipient::new(PROFILE, transport);
        ticks.for_each(|tick| recipient.keep(&Next { tick: Tick(tick), ..Next::default() }, None));
        recipient
    }

    fn pairs(recipient: &Recipient, tick: u32) -> Vec<(u32, Option<u32>)> {
        let pairs = recipient.pairs(Tick(tick), true);
        pairs.map(|pair| (pair.newer.0, pair.older.map(|older| older.0))).collect()
    }

    #[test]
    fn what_was_never_sent_cannot_be_acknowledged() {
        for transport in [Transport::Ordered, Transport::Unreliable] {
            let mut recipient = sent(transport, [10, 12, 13].into_iter());
            assert_eq!(recipient.handle_ack(Tick(14)), Err(AckError::NeverSent { tick: Tick(14) }));
            assert_eq!(recipient.handle_ack(Tick(12)), Ok(()));
            assert_eq!(recipient.acknowledged(), Some(Tick(12)));
            assert_eq!(recipient.handle_ack(Tick(10)), Ok(()), "an overtaken one does nothing");
            assert_eq!(recipient.acknowledged(), Some(Tick(12)));
        }
        let mut recipient = sent(Transport::Unreliable, [10, 12, 13].into_iter());
        assert_eq!(recipient.handle_ack(Tick(11)), Err(AckError::NeverSent { tick: Tick(11) }));
        let mut fresh = Recipient::new(PROFILE, Transport::Ordered);
        assert_eq!(fresh.handle_ack(Tick(0)), Err(AckError::NeverSent { tick: Tick(0) }));
    }

    #[test]
    fn in_order_the_last_snapshots_and_the_round_ones_are_baselines() {
        let recipient = sent(Transport::Ordered, 1..=30);
        assert_eq!(
            pairs(&recipient, 31),
            [(30, Some(29)), (29, Some(24)), (24, Some(16)), (16, Some(8)), (8, None)]
        );
        // What is too old for the history is none, neither as the newer nor as the older.
        assert_eq!(pairs(&recipient, 93), [(30, Some(29)), (29, None)]);
        assert_eq!(pairs(&recipient, 95), []);
    }

    #[test]
    fn with_loss_only_what_was_acknowledged_is_a_baseline() {
        let mut recipient = sent(Transport::Unreliable, 1..=30);
        assert_eq!(pairs(&recipient, 31), []);
        recipient.handle_ack(Tick(20)).expect("it was sent");
        assert_eq!(pairs(&recipient, 31), [(20, None)]);
        recipient.handle_ack(Tick(25)).expect("it was sent");
        assert_eq!(pairs(&recipient, 31), [(25, Some(20)), (20, None)]);
        recipient.restart();
        assert_eq!(pairs(&recipient, 31), []);
    }
}
