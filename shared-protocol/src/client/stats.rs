//! What a net graph shows of a client.

use crate::time::Micros;

/// How a client fares. Counters go on over connections and sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientStats {
    /// The round-trip time, smoothed as in RFC 6298. It includes how long a ping waits for the server's
    /// tick, half a tick on average; `None` before the first pong.
    pub rtt_micros: Option<u64>,
    /// The smoothed deviation of the round-trip time.
    pub rtt_variance_micros: Option<u64>,
    /// The variation of the way to the server: what one in some thousand inputs takes longer than the usual
    /// one, over the last minute.
    pub input_jitter_micros: u64,
    /// How early the usual input comes, as far as the server tells: the buffer that covers the variation.
    pub input_margin_micros: i64,
    /// How early the newest input came, in milliseconds, as the server told; negative when it was too late.
    pub input_lead_millis: Option<i16>,
    /// The variation of the way from the server, as it counts for what is shown.
    pub arrival_jitter_micros: u64,
    /// How far others are shown behind the newest that could be known of them.
    pub interpolation_delay_micros: u64,
    /// The time between snapshots, smoothed.
    pub snapshot_interval_micros: u64,
    /// The bytes of a snapshot, smoothed.
    pub snapshot_bytes: u32,
    /// Snapshots that were taken in.
    pub snapshots: u64,
    /// Bytes of all messages that came.
    pub bytes_received: u64,
    /// Bytes of all messages that were sent.
    pub bytes_sent: u64,
    /// Inputs that were made.
    pub inputs: u64,
    /// Ticks that took the own input.
    pub inputs_taken: u64,
    /// Ticks that took the held input instead, because the own one came late or not at all.
    pub inputs_held: u64,
    /// Ticks that took the neutral input instead.
    pub inputs_neutral: u64,
    /// Confirmed avatars that had been predicted.
    pub predicted: u64,
    /// Those of them that were predicted otherwise: after a substituted input, or after a silence so long
    /// that all is told anew, what was taken meanwhile not among it, or because the game's rules
    /// interfered.
    pub corrections: u64,
    /// Corrections though each tick took the own input: the game's rules interfered.
    pub interfered: u64,
    /// Avatars that were not as both ends expected, by their check. Each is a mistake of one of them.
    pub mismatches: u64,
    /// How many times the server was asked to tell everything anew.
    pub restarts: u64,
    /// How many times the input clock jumped.
    pub clock_snaps: u64,
    /// Moments at which others stood still, for nothing was known of them for long.
    pub held_frames: u64,
    /// Connections that were lost or given up.
    pub connections_lost: u64,
    /// Sessions that were gone on with over another connection.
    pub resumes: u64,
    /// Inputs of a stream and commands that were dropped, because there was no connection.
    pub dropped: u64,
}

/// A value as it is on average over the last sixteen or so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Smoothed(Option<u64>);

impl Smoothed {
    /// Takes in a value. It is kept in sixteenths, so that small ones are not lost to rounding.
    pub(super) fn handle_sample(&mut self, sample: u64) {
        let sample = sample.min(1 << 40);
        self.0 = Some(self.0.map_or(sample * 16, |sixteenths| sixteenths - sixteenths / 16 + sample));
    }

    pub(super) fn get(self) -> u64 {
        self.0.unwrap_or(0) / 16
    }
}

/// The time since an earlier event, for [`Smoothed`].
pub(super) fn since(earlier: &mut Option<Micros>, now: Micros) -> Option<u64> {
    earlier.replace(now).map(|earlier| now.saturating_since(earlier).0)
}
