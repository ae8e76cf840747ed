//! What the server counts, in the text form of Prometheus.

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tickwire_protocol::end::{SESSION_ENDS, SessionEnd};
use tickwire_protocol::time::Micros;

/// The stages of a tick, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the sockets and acting on what came.
    Drain,
    /// The game.
    Game,
    /// Publishing the state into the history.
    Capture,
    /// Who sees what.
    Interest,
    /// Encoding what each player is told.
    Assemble,
    /// Writing to the sockets.
    Send,
}

impl Stage {
    /// All stages and their names.
    pub const ALL: [(Stage, &'static str); 6] = [
        (Stage::Drain, "drain"),
        (Stage::Game, "game"),
        (Stage::Capture, "capture"),
        (Stage::Interest, "interest"),
        (Stage::Assemble, "assemble"),
        (Stage::Send, "send"),
    ];
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabel {
    game: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FormLabel {
    form: &'static str,
}

/// Every counter, gauge and histogram of a server. What is counted per player and tick is summed up by the
/// room and added once per tick.
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Connections, those under way included.
    pub connections: Gauge,
    /// Rooms.
    pub rooms: Gauge,
    /// Sessions with a connection.
    pub sessions_active: Gauge,
    /// Sessions without one, whose player may come back.
    pub sessions_detached: Gauge,
    /// Ticks.
    pub ticks: Counter,
    /// Ticks that started more than half a period late.
    pub late_ticks: Counter,
    /// Periods added to a room's clock because it fell behind.
    pub slipped_ticks: Counter,
    /// Ticks after which no snapshots were sent because the room is short of time.
    pub thinned_ticks: Counter,
    /// How late ticks start.
    pub lateness: Histogram,
    /// From when a tick was due to its last write.
    pub tick_done: Histogram,
    /// Round-trip times.
    pub round_trip: Histogram,
    /// Inputs that came in time.
    pub inputs_accepted: Counter,
    /// Inputs that came for a later tick than the next.
    pub inputs_early: Counter,
    /// Inputs that came after their tick.
    pub inputs_late: Counter,
    /// Ticks that had to do without a player's input.
    pub inputs_missing: Counter,
    /// Inputs that came twice.
    pub inputs_duplicate: Counter,
    /// Inputs that were dropped: out of the window, or more than may wait.
    pub inputs_rejected: Counter,
    /// Times that an inbox was full and the socket had to wait.
    pub inbox_full: Counter,
    /// Snapshots.
    pub snapshots: Counter,
    /// Bytes of snapshots.
    pub snapshot_bytes: Counter,
    /// Snapshots skipped because what the player had not acknowledged was too old.
    pub skips_unacknowledged: Counter,
    /// Snapshots skipped because the socket had not taken all of the one before.
    pub skips_unwritten: Counter,
    /// Encodings of entering entities.
    pub encodings_entering: Counter,
    /// Encodings against one baseline.
    pub encodings_one: Counter,
    /// Encodings against two baselines.
    pub encodings_two: Counter,
    /// Encodings of news that had to wait.
    pub encodings_late: Counter,
    /// Events told to sessions.
    pub events: Counter,
    /// Events that a game told beyond the cap of a tick, or that were too large.
    pub events_dropped: Counter,
    /// Rooms that ended because their game failed.
    pub room_panics: Counter,
    stages: [Histogram; Stage::ALL.len()],
    ends: Family<ReasonLabel, Counter>,
    refusals: Family<RefusalLabel, Counter>,
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("tickwire");
        let stages = Family::<StageLabel, Histogram>::new_with_constructor(|| Histogram::new(TIMES));
        let inputs = Family::<OutcomeLabel, Counter>::default();
        let skips = Family::<ReasonLabel, Counter>::default();
        let encodings = Family::<FormLabel, Counter>::default();
        let ends = Family::<ReasonLabel, Counter>::default();
        let refusals = Family::<RefusalLabel, Counter>::default();
        let sessions = Family::<StateLabel, Gauge>::default();
        let input = |outcome| inputs.get_or_create(&OutcomeLabel { outcome }).clone();
        let skip = |reason| skips.get_or_create(&ReasonLabel { reason }).clone();
        let encoding = |form| encodings.get_or_create(&FormLabel { form }).clone();
        let session = |state| sessions.get_or_create(&StateLabel { state }).clone();
        for row in SESSION_ENDS {
            drop(ends.get_or_create(&ReasonLabel { reason: row.name }));
        }
        let histogram = || Histogram::new(TIMES);
        let metrics = Metrics {
            connections: Gauge::default(),
            rooms: Gauge::default(),
            sessions_active: session("active"),
            sessions_detached: session("detached"),
            ticks: Counter::default(),
            late_ticks: Counter::default(),
            slipped_ticks: Counter::default(),
            thinned_ticks: Counter::default(),
            lateness: histogram(),
            tick_done: histogram(),
            round_trip: histogram(),
            inputs_accepted: input("accepted"),
            inputs_early: input("early"),
            inputs_late: input("late"),
            inputs_missing: input("missing"),
            inputs_duplicate: input("duplicate"),
            inputs_rejected: input("rejected"),
            inbox_full: Counter::default(),
            snapshots: Counter::default(),
            snapshot_bytes: Counter::default(),
            skips_unacknowledged: skip("unacknowledged"),
            skips_unwritten: skip("unwritten"),
            encodings_entering: encoding("entering"),
            encodings_one: encoding("one_baseline"),
            encodings_two: encoding("two_baselines"),
            encodings_late: encoding("late"),
            events: Counter::default(),
            events_dropped: Counter::default(),
            room_panics: Counter::default(),
            stages: Stage::ALL.map(|(_, stage)| stages.get_or_create(&StageLabel { stage }).clone()),
            ends: ends.clone(),
            refusals: refusals.clone(),
            registry: Mutex::new(Registry::default()),
        };
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("ticks", "Ticks", &metrics.ticks);
        counter("late_ticks", "Ticks that started more than half a period late", &metrics.late_ticks);
        counter("slipped_ticks", "Periods added to a clock that fell behind", &metrics.slipped_ticks);
        counter("thinned_ticks", "Ticks without snapshots for want of time", &metrics.thinned_ticks);
        counter("inbox_full", "Times that an inbox was full", &metrics.inbox_full);
        counter("snapshots", "Snapshots sent", &metrics.snapshots);
        counter("snapshot_payload_bytes", "Bytes of snapshots sent", &metrics.snapshot_bytes);
        counter("events", "Events told to sessions", &metrics.events);
        counter("events_dropped", "Events that could not be told", &metrics.events_dropped);
        counter("room_panics", "Rooms whose game failed", &metrics.room_panics);
        registry.register("inputs", "Inputs by what became of them", inputs.clone());
        registry.register("snapshots_skipped", "Snapshots not sent, by reason", skips.clone());
        registry.register("encodings", "Encodings of entities, by form", encodings.clone());
        registry.register("session_ends", "Sessions that ended or were refused, by reason", ends);
        let help = "What players asked for that cannot be, by the game's reason";
        registry.register("refusals", help, refusals);
        registry.register("sessions", "Sessions by state", sessions.clone());
        registry.register("connections", "Connections", metrics.connections.clone());
        registry.register("rooms", "Rooms", metrics.rooms.clone());
        let mut times = |name: &str, help: &str, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        times("tick_lateness", "How late ticks start", &metrics.lateness);
        times("tick_done", "From when a tick was due to its last write", &metrics.tick_done);
        times("round_trip", "Round-trip times of sessions", &metrics.round_trip);
        registry.register_with_unit("tick_stage", "Time per stage of a tick", Unit::Seconds, stages.clone());
        *metrics.registry.lock() = registry;
        metrics
    }

    /// Takes note of how long a stage took.
    pub fn stage(&self, stage: Stage, took: Micros) {
        self.stages[stage as usize].observe(took.as_secs_f64());
    }

    /// Counts the end of a session.
    pub fn end(&self, end: SessionEnd) {
        self.ends.get_or_create(&ReasonLabel { reason: end.name() }).inc();
    }

    /// Counts what a game refused. Its reasons are part of the program, so that no client can add one.
    pub fn refusals(&self, game: &str, reason: &'static str, count: u64) {
        let label = RefusalLabel { game: game.to_owned(), reason };
        self.refusals.get_or_create(&label).inc_by(count);
    }

    /// Everything as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry.lock());
        text
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

/// Upper ends of the ranges in which times are counted, in seconds.
const TIMES: [f64; 34] = [
    1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 8e-3, 10e-3, 12e-3,
    14e-3, 16e-3, 18e-3, 20e-3, 22e-3, 24e-3, 25e-3, 26e-3, 28e-3, 30e-3, 33e-3, 40e-3, 50e-3, 75e-3, 0.1,
    0.25, 1.0, 5.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_what_was_counted() {
        let metrics = Metrics::new();
        metrics.ticks.inc_by(7);
        metrics.stage(Stage::Send, Micros(1_700));
        metrics.end(SessionEnd::SlowReader);
        metrics.sessions_active.set(3);
        let text = metrics.to_text();
        for line in [
            "tickwire_ticks_total 7",
            "tickwire_tick_stage_seconds_bucket{le=\"0.002\",stage=\"send\"} 1",
            "tickwire_session_ends_total{reason=\"slow-reader\"} 1",
            "tickwire_session_ends_total{reason=\"kicked\"} 0",
            "tickwire_sessions{state=\"active\"} 3",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }
}
