//! The figures of the net graph, as a row of numbers. Times are in milliseconds; what is unknown is NaN.

use tickwire_protocol::client::ClientStats;

/// The names of the figures, in their order.
pub(crate) const STATS: &[&str] = &[
    "rttMs",
    "rttVarianceMs",
    "inputJitterMs",
    "inputMarginMs",
    "inputLeadMs",
    "arrivalJitterMs",
    "interpolationDelayMs",
    "snapshotIntervalMs",
    "snapshotBytes",
    "snapshots",
    "bytesReceived",
    "bytesSent",
    "inputs",
    "inputsTaken",
    "inputsHeld",
    "inputsNeutral",
    "predicted",
    "corrections",
    "interfered",
    "mismatches",
    "restarts",
    "clockSnaps",
    "heldFrames",
    "connectionsLost",
    "resumes",
    "dropped",
];

/// Appends the figures.
pub(crate) fn figures(stats: &ClientStats, out: &mut Vec<f64>) {
    let time = |micros: u64| micros as f64 / 1000.0;
    let maybe = |micros: Option<u64>| micros.map_or(f64::NAN, time);
    out.extend([
        maybe(stats.rtt_micros),
        maybe(stats.rtt_variance_micros),
        time(stats.input_jitter_micros),
        stats.input_margin_micros as f64 / 1000.0,
        stats.input_lead_millis.map_or(f64::NAN, f64::from),
        time(stats.arrival_jitter_micros),
        time(stats.interpolation_delay_micros),
        time(stats.snapshot_interval_micros),
        f64::from(stats.snapshot_bytes),
    ]);
    let counters = [
        stats.snapshots,
        stats.bytes_received,
        stats.bytes_sent,
        stats.inputs,
        stats.inputs_taken,
        stats.inputs_held,
        stats.inputs_neutral,
        stats.predicted,
        stats.corrections,
        stats.interfered,
        stats.mismatches,
        stats.restarts,
        stats.clock_snaps,
        stats.held_frames,
        stats.connections_lost,
        stats.resumes,
        stats.dropped,
    ];
    out.extend(counters.map(|count| count as f64));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_a_name() {
        let mut out = Vec::new();
        figures(&ClientStats::default(), &mut out);
        assert_eq!(out.len(), STATS.len());
    }
}
