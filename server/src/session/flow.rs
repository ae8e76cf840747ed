//! Flow control by acknowledgement.
//!
//! The problem: a client that reads slowly, or not at all. The obvious signal, a socket that is full, does
//! not come: a kernel takes thousands of snapshots for a peer that reads none, and each of them is out of
//! date when it is read at last. So the signal is the client's own: each of its messages carries the newest
//! snapshot that it has decoded. While what it has not acknowledged is young, it gets the next one; else
//! this tick is skipped for it before anything is encoded, and the next delta spans the gap.

use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::message::RoundTrip;
use tickwire_protocol::time::{Micros, RecentTicks, Tick};

/// When the snapshots of the last ticks were sent: the same for all players of a room.
#[derive(Clone, Debug)]
pub struct SendTimes {
    newest: Tick,
    /// By tick modulo the length.
    times: [Micros; MAX_BASELINE_AGE as usize],
}

impl Default for SendTimes {
    fn default() -> SendTimes {
        SendTimes { newest: Tick(0), times: [Micros(0); MAX_BASELINE_AGE as usize] }
    }
}

impl SendTimes {
    /// The snapshots of a tick are sent now.
    pub fn note(&mut self, tick: Tick, now: Micros) {
        self.newest = tick;
        self.times[tick.0 as usize % self.times.len()] = now;
    }

    /// When the snapshots of a tick were sent; for one that is long ago, the beginning of time.
    fn of(&self, tick: Tick) -> Micros {
        let is_kept = self.newest.since(tick).is_some_and(|ticks| ticks < MAX_BASELINE_AGE);
        if is_kept { self.times[tick.0 as usize % self.times.len()] } else { Micros(0) }
    }
}

/// The snapshots of one connection that are under way.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    unacknowledged: RecentTicks,
    /// Since when nothing has been acknowledged though something is under way.
    waiting_since: Option<Micros>,
}

impl Flow {
    /// Whether the snapshot of a tick may be sent now.
    #[must_use]
    pub fn may_send(&self, tick: Tick, now: Micros, round_trip: &RoundTrip, times: &SendTimes) -> bool {
        // What is older than any baseline need not be under way.
        let is_young = |oldest| tick.since(oldest).is_some_and(|ticks| ticks < MAX_BASELINE_AGE - 1);
        self.unacknowledged.oldest().is_none_or(is_young) && !self.is_overdue(now, round_trip, times)
    }

    /// Whether something should have been acknowledged by now.
    #[must_use]
    pub fn is_overdue(&self, now: Micros, round_trip: &RoundTrip, times: &SendTimes) -> bool {
        let oldest = self.unacknowledged.oldest();
        oldest.is_some_and(|oldest| now.saturating_since(times.of(oldest)) > patience(round_trip))
    }

    /// Takes note of a snapshot that was sent.
    pub fn handle_sent(&mut self, tick: Tick, now: Micros) {
        self.unacknowledged.push(tick);
        self.waiting_since.get_or_insert(now);
    }

    /// Takes in the newest snapshot that the client has decoded.
    pub fn handle_acknowledged(&mut self, tick: Tick, now: Micros) {
        let before = self.unacknowledged.len();
        self.unacknowledged.remove_through(tick);
        if self.unacknowledged.is_empty() {
            self.waiting_since = None;
        } else if self.unacknowledged.len() < before {
            self.waiting_since = Some(now);
        }
    }

    /// Forgets what is under way: on a new connection, or when the client starts its view anew.
    pub fn restart(&mut self) {
        *self = Flow::default();
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
        let mut noted = SendTimes::default();
        let mut send = |flow: &mut Flow, tick, now| {
            noted.note(tick, now);
            flow.handle_sent(tick, now);
            noted.clone()
        };
        assert!(flow.may_send(Tick(1), Micros(0), &round_trip, &SendTimes::default()));
        let times = send(&mut flow, Tick(1), Micros(0));
        assert!(flow.may_send(Tick(2), patience, &round_trip, &times));
        let times = send(&mut flow, Tick(2), patience);
        assert!(!flow.may_send(Tick(3), Micros(patience.0 + 1), &round_trip, &times));
        assert_eq!(flow.waiting_for(Micros(9_000_000)), Micros(9_000_000));
        // One acknowledged makes room by the age of the next.
        flow.handle_acknowledged(Tick(1), Micros(patience.0 + 1));
        assert!(flow.may_send(Tick(3), Micros(patience.0 + 1), &round_trip, &times));
        assert!(!flow.may_send(Tick(65), Micros(patience.0 + 1), &round_trip, &times), "too old a baseline");
        flow.handle_acknowledged(Tick(2), Micros(patience.0 + 2));
        assert_eq!(flow.waiting_for(Micros(9_000_000)), Micros(0));
    }
}
