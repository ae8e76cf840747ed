//! What the server knows that a client knows: which entities, and when each of them was told.
//!
//! It is the mirror of the client's views, without the states: those are in the history. On an ordered
//! transport what was written will be read, so that the last snapshot is known; on an unreliable one, what
//! was acknowledged.

use super::known::{Knowledge, Known, Next};
use super::shared::BaselinePair;
use crate::history::History;
use std::collections::VecDeque;
use std::hint::black_box;
use thiserror::Error;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::limits::{MAX_BASELINE_AGE, ROUND_BASELINE_TICKS};
use tickwire_protocol::snapshot::StreamProfile;
use tickwire_protocol::time::Tick;

/// How snapshots travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// All arrive, in order.
    Ordered,
    /// Some do not, or late.
    Unreliable,
}

/// One player's stream of snapshots. In memory, what an acknowledgement needs comes first.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Recipient {
    acknowledged: Option<Tick>,
    newest_sent: Option<Tick>,
    /// The tick of the snapshot before the newest one.
    before: Option<Tick>,
    pub(super) profile: StreamProfile,
    pub(super) transport: Transport,
    /// What is known after the newest snapshot. It is brought up to date in place: nearly all of it stays.
    latest: Option<Knowledge>,
    /// Entities that are visible and wait for their turn to enter, and since when; ascending.
    pub(super) waiting: Vec<(EntityIndex, Tick)>,
    /// What was known after older snapshots that may be baselines, oldest first.
    older: VecDeque<Knowledge>,
    spare: Vec<Knowledge>,
}

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
            latest: None,
            before: None,
            newest_sent: None,
            acknowledged: None,
            waiting: Vec::new(),
            older: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// Begins to fetch its own memory into the cache.
    pub(crate) fn prefetch(&self) {
        black_box((self.profile, self.older.len(), self.spare.len(), self.waiting.len()));
        black_box((self.acknowledged, self.entities()));
    }

    /// Goes on with what is known.
    pub(crate) fn prefetch_known(&self) {
        if let Some(latest) = &self.latest {
            latest.prefetch();
        }
    }

    /// What the player's snapshots look like.
    #[must_use]
    pub fn profile(&self) -> StreamProfile {
        self.profile
    }

    /// Forgets what the client knows: its view is told anew. After a resume, a new recipient does that.
    pub fn restart(&mut self) {
        self.spare.extend(self.older.drain(..).chain(self.latest.take()));
        self.before = None;
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
        self.latest.as_ref().map_or(0, |latest| latest.indices.len())
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
            let Some(acknowledged) = self.all_mut().find(|knowledge| knowledge.tick == tick) else {
                // Snapshots older than any baseline are forgotten; of younger ones each is known that was
                // sent.
                let aged = self.all().next().is_none_or(|oldest| tick < oldest.tick);
                return if aged { Ok(()) } else { Err(AckError::NeverSent { tick }) };
            };
            acknowledged.certain = true;
            // Only the newest is ever acknowledged: what is older and uncertain stays so.
            for _ in 0..self.older.len() {
                match self.older.pop_front() {
                    Some(old) if old.tick < tick && !old.certain => self.spare.push(old),
                    Some(old) => self.older.push_back(old),
                    None => {}
                }
            }
        }
        self.acknowledged = Some(tick);
        Ok(())
    }

    /// What may be a baseline, oldest first.
    fn all(&self) -> impl DoubleEndedIterator<Item = &Knowledge> {
        self.older.iter().chain(&self.latest)
    }

    fn all_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Knowledge> {
        self.older.iter_mut().chain(&mut self.latest)
    }

    /// The baseline pairs that a snapshot of `tick` may be coded against, the best first. The older of a pair
    /// is there only if `trends` says that it is of use.
    pub(super) fn pairs(&self, tick: Tick, trends: bool) -> impl Iterator<Item = BaselinePair> + '_ {
        let held = move |newer: &&Knowledge| newer.certain && is_held(newer.tick, tick);
        self.all().rev().filter(held).map(move |newer| self.pair(newer.tick, tick, trends))
    }

    /// The first of those pairs, if it is of the newest snapshot, which it is for nearly all.
    #[inline]
    pub(super) fn usual_pair(&self, tick: Tick, trends: bool) -> Option<BaselinePair> {
        let newest = self.latest.as_ref()?;
        (newest.certain && is_held(newest.tick, tick)).then(|| self.pair(newest.tick, tick, trends))
    }

    /// The pair of a baseline for a snapshot of `tick`.
    #[inline]
    fn pair(&self, newer: Tick, tick: Tick, trends: bool) -> BaselinePair {
        let older = match self.transport {
            _ if !trends => None,
            // All arrive, so that the one before was read too.
            Transport::Ordered if Some(newer) == self.newest_sent => self.before,
            _ => {
                let mut certain = self.older.iter().rev().filter(|older| older.certain);
                certain.find(|older| older.tick < newer).map(|older| older.tick)
            }
        };
        BaselinePair { newer, older: older.filter(|older| is_held(*older, tick)) }
    }

    /// What is known after the snapshot of a tick, if that may be a baseline.
    #[inline]
    pub(super) fn known(&self, tick: Tick) -> Option<Known<'_>> {
        let newest = self.latest.as_ref().filter(|latest| latest.tick == tick);
        let known = newest.or_else(|| self.older.iter().find(|older| older.tick == tick));
        known.map(Knowledge::known)
    }

    /// The ticks of the last two snapshots, the newest first, as far as the client still holds them.
    pub(super) fn last_sent(&self) -> [Option<Tick>; 2] {
        [self.latest.as_ref().map(|latest| latest.tick), self.before]
    }

    /// Keeps the knowledge after a snapshot that has been written against the one of `baseline`.
    pub(super) fn keep(&mut self, next: &Next, baseline: Option<Tick>) {
        let is_young = |old: &Tick| next.tick.0 - old.0 < MAX_BASELINE_AGE;
        let before = self.latest.as_ref().map(|latest| latest.tick);
        let mut latest = self.latest.take().or_else(|| self.spare.pop()).unwrap_or_default();
        let keeps = before.is_some_and(|before| {
            self.transport == Transport::Unreliable || before.0.is_multiple_of(ROUND_BASELINE_TICKS)
        });
        if keeps {
            let mut kept = self.spare.pop().unwrap_or_default();
            kept.copy(&latest);
            self.older.push_back(kept);
        }
        if baseline.is_none() || baseline != before {
            let base = self.older.iter().find(|older| Some(older.tick) == baseline);
            match base {
                Some(base) => latest.copy(base),
                None => latest.clear(),
            }
        }
        latest.advance(next, self.transport == Transport::Ordered);
        self.latest = Some(latest);
        self.newest_sent = Some(next.tick);
        self.before = before.filter(is_young);
        // Only who keeps more has to forget: to look at the oldest in each tick would fetch it from far. And
        // it may have been this snapshot's baseline.
        while let Some(aged) = self.older.pop_front_if(|oldest| keeps && !is_young(&oldest.tick)) {
            self.spare.push(aged);
        }
    }

    /// The check of the client's knowledge after the snapshot of `tick`, to compare with the one that it
    /// computes. `avatar` is the avatar of that tick. `None` when that knowledge or the states it is of
    /// are no longer held.
    #[must_use]
    pub fn check(&self, history: &History, tick: Tick, avatar: Option<&[u8]>) -> Option<u32> {
        self.known(tick)?.check(history, avatar)
    }
}

/// Whether the states of a baseline are in the history when a snapshot of `tick` is written.
#[inline]
fn is_held(baseline: Tick, tick: Tick) -> bool {
    tick.since(baseline).is_some_and(|age| (1..=MAX_BASELINE_AGE).contains(&age))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: StreamProfile = StreamProfile { has_avatar: false, predicts: false, capacity: 8 };

    fn sent(transport: Transport, ticks: impl Iterator<Item = u32>) -> Recipient {
        let mut recipient = Recipient::new(PROFILE, transport);
        ticks.for_each(|tick| recipient.keep(&Next::of(Tick(tick)), None));
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
        let recipient = sent(Transport::Ordered, 1..=50);
        assert_eq!(pairs(&recipient, 51), [(50, Some(49)), (48, Some(32)), (32, Some(16)), (16, None)]);
        // What is too old for the history is none, neither as the newer nor as the older.
        assert_eq!(pairs(&recipient, 113), [(50, Some(49))]);
        assert_eq!(pairs(&recipient, 114), [(50, None)]);
        assert_eq!(pairs(&recipient, 115), []);
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
