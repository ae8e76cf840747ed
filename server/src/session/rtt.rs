//! The round-trip time of a session, smoothed.

use tickwire_protocol::time::Micros;

/// The smoothed round-trip time and its variation, as RFC 6298 (section 2) computes them: with the first
/// sample R, `srtt = R` and `variation = R / 2`; with each further one `variation = 3/4 variation +
/// 1/4 |srtt - R|` and then `srtt = 7/8 srtt + 1/8 R`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrip {
    smoothed: Option<Micros>,
    variation: Micros,
}

impl RoundTrip {
    /// Takes in a sample.
    pub fn handle_sample(&mut self, sample: Micros) {
        let Some(Micros(smoothed)) = self.smoothed else {
            *self = RoundTrip { smoothed: Some(sample), variation: Micros(sample.0 / 2) };
            return;
        };
        let difference = smoothed.abs_diff(sample.0);
        self.variation = Micros((3 * self.variation.0 + difference) / 4);
        self.smoothed = Some(Micros((7 * smoothed + sample.0) / 8));
    }

    /// The smoothed time, once there is a sample.
    #[must_use]
    pub fn smoothed(&self) -> Option<Micros> {
        self.smoothed
    }

    /// How much the samples vary.
    #[must_use]
    pub fn variation(&self) -> Micros {
        self.variation
    }

    /// How long an acknowledgement may take before something is wrong: the round trip, four times its
    /// variation, and 100 ms for clients that acknowledge with their next input; at most a second.
    #[must_use]
    pub fn patience(&self) -> Micros {
        let Some(Micros(smoothed)) = self.smoothed else { return MAX_PATIENCE };
        Micros(smoothed + 4 * self.variation.0 + 100_000).min(MAX_PATIENCE)
    }
}

const MAX_PATIENCE: Micros = Micros(1_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_smoothed_as_the_rfc_says() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.patience(), MAX_PATIENCE);
        round_trip.handle_sample(Micros(80_000));
        assert_eq!((round_trip.smoothed(), round_trip.variation()), (Some(Micros(80_000)), Micros(40_000)));
        round_trip.handle_sample(Micros(40_000));
        assert_eq!((round_trip.smoothed(), round_trip.variation()), (Some(Micros(75_000)), Micros(40_000)));
        assert_eq!(round_trip.patience(), Micros(75_000 + 160_000 + 100_000));
        (0..100).for_each(|_| round_trip.handle_sample(Micros(5_000_000)));
        assert_eq!(round_trip.patience(), MAX_PATIENCE);
    }
}
