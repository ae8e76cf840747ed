//! What a run saw: for people, and as JSON for scripts.

use crate::measure::{Measures, Times};
use crate::parts::{PayloadPart, parts, write_parts};
use crate::series::{Series, SeriesPoint};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The report of a run. The figures are of the time that was measured, which starts when all clients are in
/// the room and have warmed up.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Clients that were let in.
    pub clients: u32,
    /// Seconds that were measured.
    pub seconds: f64,
    /// Threads of the bots.
    pub threads: usize,
    /// Snapshots per client and second.
    pub snapshot_hz_mean: f64,
    /// Milliseconds from one snapshot of a client to its next.
    pub interval_ms: Quantiles,
    /// Bytes of the server's messages per client and second, without the WebSocket's framing.
    pub payload_bytes_per_client_second: f64,
    /// Where these bytes went, if it was counted; else there are none.
    pub payload_parts: Vec<PayloadPart>,
    /// Inputs per client and second.
    pub inputs_per_client_second: f64,
    /// Milliseconds from when an input was sent to when a snapshot showed its effect.
    pub latency_ms: Quantiles,
    /// Effects that were seen.
    pub latencies: u64,
    /// State checks that were compared with the server's.
    pub checks: u64,
    /// Of these, those that were not the server's.
    pub wrong_states: u64,
    /// Messages of the server that broke the protocol; each ended a client.
    pub protocol_errors: u64,
    /// Snapshots that could not be read because their baseline was not held.
    pub missed_snapshots: u64,
    /// Of clients that predict: avatars that the server confirmed or not.
    pub predicted: u64,
    /// Those that had been predicted otherwise.
    pub corrections: u64,
    /// Corrections though the server had taken the player's own inputs: others interfered.
    pub interfered: u64,
    /// Avatars that were not as both ends expected, by their check.
    pub avatar_mismatches: u64,
    /// Ticks that took the player's own input.
    pub inputs_taken: u64,
    /// Ticks that took the held or the neutral input, because the player's own was late or lost.
    pub inputs_substituted: u64,
    /// Of ten thousand ticks, those whose input was substituted.
    pub inputs_substituted_per_10000: f64,
    /// Connections that were lost or given up, and replaced.
    pub connections_lost: u64,
    /// Sessions that went on over another connection.
    pub resumes: u64,
    /// The network that was put between the clients and their sockets, by name.
    pub conditions: Option<String>,
    /// Clients whose session ended before the run did.
    pub disconnects: u64,
    /// How they ended, by name.
    pub ends: BTreeMap<String, u64>,
    /// Milliseconds that the bots sent their inputs too late: how far they can be trusted.
    pub bot_lateness_ms: Quantiles,
    /// Microseconds of processor time that a client took of the bots per second, where the system tells it.
    pub bot_cpu_micros_per_client_second: Option<f64>,
    /// Whether the run was ended from outside.
    pub interrupted: bool,
    /// How it went over time.
    pub series: Vec<SeriesPoint>,
}

/// How a time was distributed, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half were at most this.
    pub p50: f64,
    /// 99 of 100 were at most this.
    pub p99: f64,
    /// 999 of 1000 were at most this.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Quantiles {
    fn of(times: &Times) -> Quantiles {
        let (p50, p99, p999) = (times.millis_at(0.5), times.millis_at(0.99), times.millis_at(0.999));
        Quantiles { p50, p99, p999, max: times.max_millis() }
    }
}

/// What a report is made of besides the sums.
pub(crate) struct Frame {
    pub(crate) clients: u32,
    pub(crate) seconds: f64,
    pub(crate) threads: usize,
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) interrupted: bool,
    pub(crate) conditions: Option<String>,
    /// The names of the game's kinds of entity.
    pub(crate) kinds: Vec<String>,
    pub(crate) accounts: bool,
}

impl Report {
    pub(crate) fn new(frame: Frame, measures: Measures, series: &Series) -> Report {
        let client_seconds = f64::from(frame.clients) * frame.seconds;
        let rate = |count: u64| if client_seconds > 0.0 { count as f64 / client_seconds } else { 0.0 };
        let cpu = frame.cpu_seconds.filter(|_| client_seconds > 0.0);
        let players = &measures.players;
        let substituted = players.inputs_held + players.inputs_neutral;
        let ticks = players.inputs_taken + substituted;
        Report {
            clients: frame.clients,
            seconds: frame.seconds,
            threads: frame.threads,
            snapshot_hz_mean: rate(measures.snapshots),
            interval_ms: Quantiles::of(&measures.intervals),
            payload_bytes_per_client_second: rate(measures.payload_bytes),
            payload_parts: if frame.accounts {
                parts(&measures.account, &frame.kinds, client_seconds)
            } else {
                Vec::new()
            },
            inputs_per_client_second: rate(measures.inputs),
            latency_ms: Quantiles::of(&measures.latencies),
            latencies: measures.latencies.count(),
            checks: measures.checks,
            wrong_states: measures.wrong_states,
            protocol_errors: measures.protocol_errors,
            missed_snapshots: measures.missed + players.restarts,
            predicted: players.predicted,
            corrections: players.corrections,
            interfered: players.interfered,
            avatar_mismatches: players.mismatches,
            inputs_taken: players.inputs_taken,
            inputs_substituted: substituted,
            inputs_substituted_per_10000: substituted as f64 * 1e4 / (ticks.max(1)) as f64,
            connections_lost: players.connections_lost,
            resumes: players.resumes,
            conditions: frame.conditions,
            disconnects: measures.disconnects,
            ends: measures.ends,
            bot_lateness_ms: Quantiles::of(&measures.lateness),
            bot_cpu_micros_per_client_second: cpu.map(|seconds| seconds * 1e6 / client_seconds),
            interrupted: frame.interrupted,
            series: series.told(frame.clients, frame.seconds),
        }
    }

    /// Whether the clients were served as they should be: nothing broke the protocol, no state was wrong, and
    /// not all of them were lost.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let is_right = self.protocol_errors == 0 && self.wrong_states == 0 && self.avatar_mismatches == 0;
        is_right && (self.clients == 0 || self.disconnects < u64::from(self.clients))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { interval_ms: interval, latency_ms: latency, bot_lateness_ms: late, .. } = self;
        let interrupted = if self.interrupted { ", interrupted" } else { "" };
        writeln!(f, "clients          {} for {:.1} s{interrupted}", self.clients, self.seconds)?;
        writeln!(
            f,
            "snapshots        {:.2} a second; every {:.1} ms (p50), {:.1} (p99), {:.1} (p99.9), {:.1} (most)",
            self.snapshot_hz_mean, interval.p50, interval.p99, interval.p999, interval.max
        )?;
        writeln!(
            f,
            "payload          {:.0} bytes a second and client",
            self.payload_bytes_per_client_second
        )?;
        write_parts(f, self)?;
        writeln!(
            f,
            "input to effect  {:.1} ms (p50), {:.1} (p99) of {} at {:.1} inputs a second",
            latency.p50, latency.p99, self.latencies, self.inputs_per_client_second
        )?;
        writeln!(
            f,
            "faults           {} protocol errors, {} wrong states of {} checked, {} snapshots missed",
            self.protocol_errors, self.wrong_states, self.checks, self.missed_snapshots
        )?;
        if self.predicted > 0 {
            let under = self.conditions.as_ref().map_or(String::new(), |name| format!(" ({name})"));
            writeln!(
                f,
                "prediction{under:7} {} of {} avatars corrected, {} of them without a late input; \
                 {} checks failed",
                self.corrections, self.predicted, self.interfered, self.avatar_mismatches
            )?;
            writeln!(
                f,
                "inputs           {} of 10,000 late or lost; {} connections lost, {} resumes",
                self.inputs_substituted_per_10000.round(),
                self.connections_lost,
                self.resumes
            )?;
        }
        write!(f, "disconnects      {}", self.disconnects)?;
        for (end, count) in &self.ends {
            write!(f, "; {end} {count}")?;
        }
        write!(f, "\nthe bots         {} threads, inputs late by {:.1} ms (p99)", self.threads, late.p99)?;
        match self.bot_cpu_micros_per_client_second {
            Some(micros) => write!(f, ", {micros:.0} µs of processor a second and client"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::time::Micros;

    fn report(change: impl FnOnce(&mut Measures)) -> Report {
        let mut measures = Measures::new();
        measures.snapshots = 6000;
        measures.payload_bytes = 120_000;
        (0..100).for_each(|_| measures.intervals.record(Micros(33_000)));
        change(&mut measures);
        let frame = Frame {
            clients: 10,
            seconds: 20.0,
            threads: 2,
            cpu_seconds: Some(0.02),
            interrupted: false,
            conditions: None,
            kinds: Vec::new(),
            accounts: false,
        };
        Report::new(frame, measures, &Series::new(Micros(1_000_000)))
    }

    #[test]
    fn rates_are_per_client_and_second() {
        let report = report(|_| {});
        assert_eq!((report.snapshot_hz_mean, report.payload_bytes_per_client_second), (30.0, 600.0));
        assert_eq!(report.bot_cpu_micros_per_client_second, Some(100.0));
        let json = serde_json::to_value(&report).unwrap();
        for name in [
            "clients",
            "seconds",
            "snapshot_hz_mean",
            "interval_ms",
            "payload_bytes_per_client_second",
            "latency_ms",
            "protocol_errors",
            "wrong_states",
            "disconnects",
            "bot_lateness_ms",
        ] {
            assert!(json.get(name).is_some(), "{name}");
        }
        let interval = json["interval_ms"]["p999"].as_f64().unwrap();
        assert!((interval - 33.0).abs() < 0.1, "{interval}");
        assert!(report.to_string().lines().count() >= 6);
    }

    #[test]
    fn faults_make_a_bad_report() {
        assert!(report(|_| {}).is_good());
        assert!(report(|measures| measures.disconnects = 9).is_good());
        assert!(!report(|measures| measures.disconnects = 10).is_good());
        assert!(!report(|measures| measures.wrong_states = 1).is_good());
        assert!(!report(|measures| measures.protocol_errors = 1).is_good());
    }
}
