//! What is measured, summed up per thread.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use tickwire_protocol::client::{ByteAccount, ClientStats};
use tickwire_protocol::time::Micros;

/// The sums of a thread's clients while the run is measured.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    /// Microseconds from one snapshot of a client to its next.
    pub(crate) intervals: Times,
    /// Microseconds from when an input was sent to when a snapshot showed what it did.
    pub(crate) latencies: Times,
    /// Microseconds that inputs were sent late.
    pub(crate) lateness: Times,
    pub(crate) snapshots: u64,
    /// Bytes of the server's messages, without the WebSocket's framing.
    pub(crate) payload_bytes: u64,
    pub(crate) inputs: u64,
    /// State checks that were compared.
    pub(crate) checks: u64,
    pub(crate) wrong_states: u64,
    pub(crate) protocol_errors: u64,
    /// Snapshots that could not be read for want of a baseline.
    pub(crate) missed: u64,
    /// What became of predictions.
    pub(crate) players: PlayerSums,
    /// Where the bytes went, if that is counted.
    pub(crate) account: ByteAccount,
    /// Connections that ended before the run did.
    pub(crate) disconnects: u64,
    /// How they ended, by the close frame's reason.
    pub(crate) ends: BTreeMap<String, u64>,
}

/// What clients that predict count, over and above the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlayerSums {
    pub(crate) predicted: u64,
    pub(crate) corrections: u64,
    pub(crate) interfered: u64,
    pub(crate) mismatches: u64,
    pub(crate) inputs_taken: u64,
    pub(crate) inputs_held: u64,
    pub(crate) inputs_neutral: u64,
    pub(crate) restarts: u64,
    pub(crate) connections_lost: u64,
    pub(crate) resumes: u64,
}

impl PlayerSums {
    pub(crate) fn of(stats: &ClientStats) -> PlayerSums {
        PlayerSums {
            predicted: stats.predicted,
            corrections: stats.corrections,
            interfered: stats.interfered,
            mismatches: stats.mismatches,
            inputs_taken: stats.inputs_taken,
            inputs_held: stats.inputs_held,
            inputs_neutral: stats.inputs_neutral,
            restarts: stats.restarts,
            connections_lost: stats.connections_lost,
            resumes: stats.resumes,
        }
    }

    fn each(&mut self, other: &PlayerSums, act: impl Fn(&mut u64, u64)) {
        act(&mut self.predicted, other.predicted);
        act(&mut self.corrections, other.corrections);
        act(&mut self.interfered, other.interfered);
        act(&mut self.mismatches, other.mismatches);
        act(&mut self.inputs_taken, other.inputs_taken);
        act(&mut self.inputs_held, other.inputs_held);
        act(&mut self.inputs_neutral, other.inputs_neutral);
        act(&mut self.restarts, other.restarts);
        act(&mut self.connections_lost, other.connections_lost);
        act(&mut self.resumes, other.resumes);
    }

    pub(crate) fn add(&mut self, other: &PlayerSums) {
        self.each(other, |sum, more| *sum += more);
    }

    /// What has been counted since an earlier time.
    pub(crate) fn since(mut self, earlier: &PlayerSums) -> PlayerSums {
        self.each(earlier, |sum, before| *sum = sum.saturating_sub(before));
        self
    }
}

/// A histogram of microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    fn new() -> Times {
        let histogram = Histogram::new_with_bounds(1, MAX_MICROS, 3);
        Times(histogram.expect("the bounds and the precision are within what the crate allows"))
    }

    /// One of a hundredth's precision, for the many points of a series.
    pub(crate) fn coarse() -> Times {
        let histogram = Histogram::new_with_bounds(1, MAX_MICROS, 2);
        Times(histogram.expect("the bounds and the precision are within what the crate allows"))
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    pub(crate) fn record(&mut self, time: Micros) {
        self.0.saturating_record(time.0);
    }

    /// The time that a share of all, 0 to 1, is not above, in milliseconds; zero if there is none.
    pub(crate) fn millis_at(&self, share: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_quantile(share) as f64 / 1e3 }
    }

    /// The longest, in milliseconds; zero if there is none.
    pub(crate) fn max_millis(&self) -> f64 {
        self.0.max() as f64 / 1e3
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn add(&mut self, other: &Times) {
        self.0.add(&other.0).expect("those that are added have the same bounds");
    }
}

impl Measures {
    pub(crate) fn new() -> Measures {
        Measures {
            intervals: Times::new(),
            latencies: Times::new(),
            lateness: Times::new(),
            snapshots: 0,
            payload_bytes: 0,
            inputs: 0,
            checks: 0,
            wrong_states: 0,
            protocol_errors: 0,
            missed: 0,
            players: PlayerSums::default(),
            account: ByteAccount::default(),
            disconnects: 0,
            ends: BTreeMap::new(),
        }
    }

    /// Adds what another thread has measured.
    pub(crate) fn add(&mut self, other: &Measures) {
        self.intervals.add(&other.intervals);
        self.latencies.add(&other.latencies);
        self.lateness.add(&other.lateness);
        self.snapshots += other.snapshots;
        self.payload_bytes += other.payload_bytes;
        self.inputs += other.inputs;
        self.checks += other.checks;
        self.wrong_states += other.wrong_states;
        self.protocol_errors += other.protocol_errors;
        self.missed += other.missed;
        self.players.add(&other.players);
        self.account.add(&other.account);
        self.disconnects += other.disconnects;
        for (end, count) in &other.ends {
            *self.ends.entry(end.clone()).or_default() += count;
        }
    }
}

/// Longer times count as this: ten minutes.
const MAX_MICROS: u64 = 600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_up() {
        let (mut one, mut other) = (Measures::new(), Measures::new());
        (1..=50).for_each(|millis| one.intervals.record(Micros(millis * 1000)));
        (51..=100).for_each(|millis| other.intervals.record(Micros(millis * 1000)));
        *other.ends.entry("kicked".to_owned()).or_default() += 2;
        one.add(&other);
        assert_eq!(one.intervals.count(), 100);
        assert!((one.intervals.millis_at(0.5) - 50.0).abs() < 0.1);
        assert!((one.intervals.max_millis() - 100.0).abs() < 0.1);
        assert_eq!((one.latencies.millis_at(0.99), one.latencies.max_millis()), (0.0, 0.0));
        assert_eq!(one.ends["kicked"], 2);
    }
}
