//! What is measured over time: a point for each second or so, for the plots.

use crate::measure::Times;
use serde::Serialize;
use tickwire_protocol::time::Micros;

/// The points of a thread.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    step: Micros,
    begun: Micros,
    points: Vec<Point>,
}

/// The sums of the time from one point to the next.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) snapshots: u64,
    pub(crate) payload_bytes: u64,
    pub(crate) intervals: Times,
    pub(crate) latencies: Times,
    pub(crate) corrections: u64,
    /// Ticks that took another input than the player's own.
    pub(crate) substituted: u64,
    /// How early inputs came, in microseconds, and how many were told of.
    pub(crate) lead_sum: i64,
    pub(crate) leads: u64,
}

/// A point, as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SeriesPoint {
    /// Seconds since measuring began, at the point's start.
    pub second: f64,
    /// Snapshots per client and second.
    pub snapshot_hz: f64,
    /// Bytes of the server's messages per client and second.
    pub payload_bytes: f64,
    /// Milliseconds between two snapshots: the median.
    pub interval_p50_ms: f64,
    /// Milliseconds between two snapshots: 99 of 100 were at most this.
    pub interval_p99_ms: f64,
    /// Milliseconds from input to effect: the median.
    pub latency_p50_ms: f64,
    /// Milliseconds from input to effect: 99 of 100 were at most this.
    pub latency_p99_ms: f64,
    /// Corrections of all clients.
    pub corrections: u64,
    /// Ticks of all clients that took another input than the player's own.
    pub substituted_inputs: u64,
    /// Milliseconds by which inputs came before their tick, on average; `None` where the server tells none.
    pub input_lead_ms: Option<f64>,
}

/// Points that a run has at most: longer ones get wider steps.
const MAX_POINTS: u64 = 300;

impl Series {
    /// The step of a run of this length: a second, or more for a long run.
    pub(crate) fn step_of(measured: Micros) -> Micros {
        Micros(1_000_000 * measured.0.div_ceil(1_000_000 * MAX_POINTS).max(1))
    }

    pub(crate) fn new(step: Micros) -> Series {
        Series { step, begun: Micros(0), points: Vec::new() }
    }

    pub(crate) fn begin(&mut self, now: Micros) {
        self.begun = now;
    }

    /// The point of a time.
    pub(crate) fn point(&mut self, now: Micros) -> &mut Point {
        let place = now.saturating_since(self.begun).0 / self.step.0;
        let place = place.min(MAX_POINTS) as usize;
        if self.points.len() <= place {
            self.points.resize_with(place + 1, Point::new);
        }
        &mut self.points[place]
    }

    /// Adds what another thread has measured.
    pub(crate) fn add(&mut self, other: &Series) {
        if self.points.len() < other.points.len() {
            self.points.resize_with(other.points.len(), Point::new);
        }
        self.points.iter_mut().zip(&other.points).for_each(|(point, other)| point.add(other));
    }

    /// The points of a run of so many clients and seconds, as far as they are whole.
    pub(crate) fn told(&self, clients: u32, seconds: f64) -> Vec<SeriesPoint> {
        let step = self.step.as_secs_f64();
        let whole = (seconds / step).floor() as usize;
        let points = self.points.iter().take(whole).enumerate();
        points.map(|(place, point)| point.told(place as f64 * step, f64::from(clients) * step)).collect()
    }
}

impl Point {
    fn new() -> Point {
        Point {
            snapshots: 0,
            payload_bytes: 0,
            intervals: Times::coarse(),
            latencies: Times::coarse(),
            corrections: 0,
            substituted: 0,
            lead_sum: 0,
            leads: 0,
        }
    }

    fn add(&mut self, other: &Point) {
        self.snapshots += other.snapshots;
        self.payload_bytes += other.payload_bytes;
        self.intervals.add(&other.intervals);
        self.latencies.add(&other.latencies);
        self.corrections += other.corrections;
        self.substituted += other.substituted;
        self.lead_sum += other.lead_sum;
        self.leads += other.leads;
    }

    fn told(&self, second: f64, client_seconds: f64) -> SeriesPoint {
        let rate = |count: u64| count as f64 / client_seconds.max(f64::MIN_POSITIVE);
        SeriesPoint {
            second,
            snapshot_hz: rate(self.snapshots),
            payload_bytes: rate(self.payload_bytes),
            interval_p50_ms: self.intervals.millis_at(0.5),
            interval_p99_ms: self.intervals.millis_at(0.99),
            latency_p50_ms: self.latencies.millis_at(0.5),
            latency_p99_ms: self.latencies.millis_at(0.99),
            corrections: self.corrections,
            substituted_inputs: self.substituted,
            input_lead_ms: (self.leads > 0).then(|| self.lead_sum as f64 / self.leads as f64 / 1e3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_of_their_time_and_threads_add_up() {
        assert_eq!(Series::step_of(Micros(20_000_000)), Micros(1_000_000));
        assert_eq!(Series::step_of(Micros(601_000_000)), Micros(3_000_000));
        let mut one = Series::new(Micros(1_000_000));
        let mut other = one.clone();
        one.begin(Micros(500_000));
        other.begin(Micros(500_000));
        one.point(Micros(1_400_000)).snapshots += 30;
        other.point(Micros(1_600_000)).snapshots += 60;
        other.point(Micros(2_600_000)).snapshots += 1;
        other.point(Micros(1_600_000)).intervals.record(Micros(33_000));
        one.add(&other);
        let told = one.told(2, 2.1);
        assert_eq!(told.len(), 2, "the last one is not whole");
        assert_eq!((told[0].snapshot_hz, told[1].snapshot_hz), (15.0, 30.0));
        assert!((told[1].interval_p50_ms - 33.0).abs() < 0.5);
        assert_eq!(told[1].input_lead_ms, None);
    }
}
