//! What the clients of a thread share, and where they put what they measure.

use crate::measure::{Measures, Times};
use crate::run::Shared;
use crate::series::{Point, Series};
use crate::target::Target;
use std::time::Instant;
use tickwire_protocol::time::Micros;

/// What the clients of a thread share.
pub(crate) struct Env {
    pub(crate) target: Target,
    start: Instant,
    pub(crate) measures: Measures,
    pub(crate) series: Series,
    /// Whether what happens now counts.
    is_measured: bool,
    recent: Recent,
    published: Micros,
    /// A message that is being written.
    pub(crate) buffer: Vec<u8>,
}

/// What happened lately, measured or not, for who watches the run.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    pub(crate) intervals: Times,
    pub(crate) snapshots: u64,
    pub(crate) payload_bytes: u64,
    pub(crate) faults: u64,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent { intervals: Times::coarse(), snapshots: 0, payload_bytes: 0, faults: 0 }
    }
}

impl Recent {
    fn add(&mut self, other: &Recent) {
        self.intervals.add(&other.intervals);
        self.snapshots += other.snapshots;
        self.payload_bytes += other.payload_bytes;
        self.faults += other.faults;
    }

    fn clear(&mut self) {
        self.intervals.clear();
        (self.snapshots, self.payload_bytes, self.faults) = (0, 0, 0);
    }
}

impl Env {
    /// `step` is the time that a point of the series is of.
    pub(crate) fn new(target: Target, start: Instant, step: Micros) -> Env {
        Env {
            target,
            start,
            measures: Measures::new(),
            series: Series::new(step),
            is_measured: false,
            recent: Recent::default(),
            published: Micros(0),
            buffer: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Micros {
        Micros(self.start.elapsed().as_micros() as u64)
    }

    /// The measured time begins.
    pub(crate) fn begin_measuring(&mut self, now: Micros) {
        self.is_measured = true;
        self.series.begin(now);
    }

    pub(crate) fn is_measured(&self) -> bool {
        self.is_measured
    }

    /// Puts something into the sums and the series, if it counts.
    pub(crate) fn record(&mut self, now: Micros, put: impl FnOnce(&mut Measures, &mut Point)) {
        if self.is_measured {
            put(&mut self.measures, self.series.point(now));
        }
    }

    /// A message of the server came.
    pub(crate) fn handle_payload(&mut self, bytes: usize, now: Micros) {
        self.recent.payload_bytes += bytes as u64;
        self.record(now, |sums, point| {
            sums.payload_bytes += bytes as u64;
            point.payload_bytes += bytes as u64;
        });
    }

    /// A snapshot was taken in; that before it came at `before`.
    pub(crate) fn handle_snapshot(&mut self, before: Option<Micros>, now: Micros) {
        let interval = before.map(|before| now.saturating_since(before));
        self.recent.snapshots += 1;
        if let Some(interval) = interval {
            self.recent.intervals.record(interval);
        }
        self.record(now, |sums, point| {
            sums.snapshots += 1;
            point.snapshots += 1;
            if let Some(interval) = interval {
                sums.intervals.record(interval);
                point.intervals.record(interval);
            }
        });
    }

    /// An effect was seen so long after its cause.
    pub(crate) fn handle_latency(&mut self, latency: Micros, now: Micros) {
        self.record(now, |sums, point| {
            sums.latencies.record(latency);
            point.latencies.record(latency);
        });
    }

    /// The server broke the protocol.
    pub(crate) fn handle_fault(&mut self) {
        self.recent.faults += 1;
        self.measures.protocol_errors += 1;
    }

    /// Tells who watches the run, now and then.
    pub(crate) fn publish(&mut self, now: Micros, shared: &Shared) {
        if now.saturating_since(self.published) >= PUBLISH_INTERVAL {
            self.published = now;
            shared.with_recent(|recent| recent.add(&self.recent));
            self.recent.clear();
        }
    }
}

const PUBLISH_INTERVAL: Micros = Micros(500_000);
