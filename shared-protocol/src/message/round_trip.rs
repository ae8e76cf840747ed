//! The round-trip time as samples of it come in, smoothed as TCP does it.

use crate::time::Micros;

/// The smoothed round-trip time and how much it varies (RFC 6298, section 2, with α = ⅛ and β = ¼).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrip {
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Estimate {
    /// Eight times the smoothed time in microseconds, so that no sample is lost to rounding.
    smoothed_eighths: u64,
    /// Four times the smoothed deviation in microseconds.
    variance_quarters: u64,
}

impl RoundTrip {
    /// Takes in a measurement. One above an hour counts as an hour.
    pub fn handle_sample(&mut self, sample: Micros) {
        let sample = sample.0.min(HOUR);
        self.estimate = Some(match self.estimate {
            None => Estimate { smoothed_eighths: 8 * sample, variance_quarters: 2 * sample },
            Some(Estimate { smoothed_eighths, variance_quarters }) => {
                let deviation = (smoothed_eighths / 8).abs_diff(sample);
                Estimate {
                    smoothed_eighths: smoothed_eighths - smoothed_eighths / 8 + sample,
                    variance_quarters: variance_quarters - variance_quarters / 4 + deviation,
                }
            }
        });
    }

    /// The smoothed time (SRTT), or `None` before the first sample.
    #[must_use]
    pub fn smoothed(&self) -> Option<Micros> {
        self.estimate.map(|estimate| Micros(estimate.smoothed_eighths / 8))
    }

    /// The smoothed deviation (RTTVAR): half of the first sample at first.
    #[must_use]
    pub fn variance(&self) -> Option<Micros> {
        self.estimate.map(|estimate| Micros(estimate.variance_quarters / 4))
    }
}

const HOUR: u64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(samples: &[u64]) -> (u64, u64) {
        let mut round_trip = RoundTrip::default();
        samples.iter().for_each(|sample| round_trip.handle_sample(Micros(*sample)));
        (round_trip.smoothed().unwrap().0, round_trip.variance().unwrap().0)
    }

    #[test]
    fn samples_are_smoothed_as_the_standard_says() {
        assert_eq!(RoundTrip::default().smoothed(), None);
        assert_eq!(after(&[80_000]), (80_000, 40_000));
        // SRTT = 7/8 · 80 + 1/8 · 160; RTTVAR = 3/4 · 40 + 1/4 · |80 − 160|.
        assert_eq!(after(&[80_000, 160_000]), (90_000, 50_000));
        let (smoothed, variance) = after(&[20_000; 200]);
        assert_eq!(smoothed, 20_000);
        assert!(variance < 10, "{variance}");
        let (smoothed, _) = after(&[u64::MAX; 3]);
        assert_eq!(smoothed, HOUR);
    }
}
