//! Flow control by acknowledgement.
//!
//! The problem: a client that reads slowly, or not at all. The obvious signal, a socket that is full, does
//! not come: a kernel takes thousands of snapshots for a peer that reads none, and each of them is out of
//! date when it is read at last. So the signal is the client's own: each of its messages carries the newest
//! snapshot that it has decoded. While what it has not acknowledged is young, it gets the next one; else
//! this tick is skipped for it before anything is encoded, and the next delta spans the gap.

use std::collections::VecDeque;
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::message::RoundTrip;
use tickwire_protocol::time::{Micros, Tick};

/// The snapshots of one connection that are under way.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Ascending; what was sent when.
    unacknowledged: VecDeque<(Tick, Micros)>,
    /// Since when nothing has been acknowledged though something is under way.
    waiting_since: Option<Micros>,
}

impl Flow {
    /// Whether a snapshot may be sent now.
    #[must_use]
    pub fn may_send(&self, now: Micros, round_trip: &RoundTrip) -> bool {
        !self.is_overdue(now, round_trip) && self.unacknowledged.len() < MAX_UNDER_WAY
    }

    /// Whether something should have been acknowledged by now.
    #[must_use]
    pub fn is_overdue(&self, now: Micros, round_trip: &RoundTrip) -> bool {
        let oldest = self.unacknowledged.front();
        oldest.is_some_and(|(_, sent)| now.saturating_since(*sent) > patience(round_trip))
    }

    /// Takes note of a snapshot that was sent.
    pub fn handle_sent(&mut self, tick: Tick, now: Micros) {
        self.unacknowledged.push_back((tick, now));
        self.waiting_since.get_or_insert(now);
    }

    /// Takes in the newest snapshot that the client has decoded.
    pub fn handle_acknowledged(&mut self, tick: Tick, now: Micros) {
        let before = self.unacknowledged.len();
        while self.unacknowledged.front().is_some_and(|(oldest, _)| *oldest <= tick) {
            self.unacknowledged.pop_front();
        }
        if self.unacknowledged.is_empty() {
            self.waiting_since = None;
        } else if self.unacknowledged.len() < before {
            self.waiting_since = Some(now);
        }
    }

    /// Forgets what is under way: on a new connection, or when the client starts its view anew.
    pub fn restart(&mut self) {
        self.unacknowledged.clear();
        self.waiting_since = None;
    }

    /// For how long the client has acknowledged nothing of what is under way.
    #[must_use]
    pub fn waiting_for(&self, now: Micros) -> Micros {
        self.waiting_since.map_or(Micros(0), |since| now.saturating_since(since))
    }
}

/// How long an acknowledgement may take before the next snapshot has to wait: the round trip, four times its
/// variance as in RFC 6298, and 100 ms for clients that acknowledge with their next input; at most a second.
fn patience(round_trip: &RoundTrip) -> Micros {
    let Some((smoothed, variance)) = round_trip.smoothed().zip(round_trip.variance()) else {
        return MAX_PATIENCE;
    };
    Micros(smoothed.0 + 4 * variance.0 + 100_000).min(MAX_PATIENCE)
}

const MAX_PATIENCE: Micros = Micros(1_000_000);

/// What is older than any baseline need not be under way.
const MAX_UNDER_WAY: usize = MAX_BASELINE_AGE as usize - 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_falls_silent_gets_no_more() {
        let mut flow = Flow::default();
        let mut round_trip = RoundTrip::default();
        round_trip.handle_sample(Micros(20_000));
        let patience = patience(&round_trip);
        assert_eq!(patience, Micros(20_000 + 4 * 10_000 + 100_000));
        assert!(flow.may_send(Micros(0), &round_trip));
        flow.handle_sent(Tick(1), Micros(0));
        assert!(flow.may_send(patience, &round_trip));
        flow.handle_sent(Tick(2), patience);
        assert!(!flow.may_send(Micros(patience.0 + 1), &round_trip));
        assert_eq!(flow.waiting_for(Micros(9_000_000)), Micros(9_000_000));
        // One acknowledged makes room by the age of the next.
        flow.handle_acknowledged(Tick(1), Micros(patience.0 + 1));
        assert!(flow.may_send(Micros(patience.0 + 1), &round_trip));
        flow.handle_acknowledged(Tick(2), Micros(patience.0 + 2));
        assert_eq!(flow.waiting_for(Micros(9_000_000)), Micros(0));
    }
}
