//! A quantile of times over the last minute, in a kilobyte: what both clocks of a client stand on.
//!
//! The problem: both clocks ask "how late do things come, but for one in so many?". A mean with a deviation
//! (RFC 6298) answers for bell curves; delays of a network are none, they have one sharp edge (nothing comes
//! earlier than the path allows) and a long tail. Keeping all samples of a minute would take 16 KB per clock,
//! and a sort for each answer.
//!
//! The idea is that of adaptive audio buffers (WebRTC's NetEQ and its delay histogram): count samples in bins
//! of 2 ms, and let the past fade by making each new sample weigh a little more than the one before, which is
//! the same as multiplying all bins by less than one and costs nothing. What is far from the middle is no
//! jitter but an interruption; it is not counted, unless it lasts: then it is the new middle.

/// Delays, or whatever else is in microseconds, as a histogram that forgets.
#[derive(Clone, Debug)]
pub(super) struct DelayWindow {
    /// The lower edge of the first bin, in microseconds.
    base: i64,
    bins: [f32; BINS],
    total: f32,
    /// What the next sample weighs.
    weight: f32,
    /// What a sample weighs more than the one before.
    growth: f32,
    /// Samples in a row that were too far off to count.
    strangers: u32,
}

/// Bins. With their width they span half a second, a quarter to either side of the middle.
const BINS: usize = 256;
/// How fine quantiles are.
pub(super) const RESOLUTION_MICROS: u64 = BIN_MICROS as u64;
/// Microseconds of a bin.
const BIN_MICROS: i64 = 2_000;
/// Weights are brought back to one before they leave the exact range of an `f32`.
const MAX_WEIGHT: f32 = 1024.0;
/// So many strangers in a row are the new normal.
const MAX_STRANGERS: u32 = 40;
/// When the middle is so many bins from the centre, the bins move.
const OFF_CENTRE: usize = 48;

impl DelayWindow {
    /// A window without samples whose memory is about so many of them.
    pub(super) fn new(memory: u32) -> DelayWindow {
        let growth = 1.0 + 1.0 / memory.max(1) as f32;
        DelayWindow { base: 0, bins: [0.0; BINS], total: 0.0, weight: 1.0, growth, strangers: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total <= 0.0
    }

    /// Forgets all samples.
    pub(super) fn clear(&mut self) {
        (self.bins, self.total, self.weight, self.strangers) = ([0.0; BINS], 0.0, 1.0, 0);
    }

    /// All samples were so much later than they were said to be.
    pub(super) fn shift(&mut self, micros: i64) {
        self.base = self.base.saturating_add(micros);
    }

    /// Takes in a sample. False when it was too far from the others to count.
    pub(super) fn handle_sample(&mut self, micros: i64) -> bool {
        if self.is_empty() {
            self.base = micros.saturating_sub(BINS as i64 / 2 * BIN_MICROS);
        }
        let Some(bin) = self.bin(micros) else {
            self.strangers += 1;
            if self.strangers < MAX_STRANGERS {
                return false;
            }
            self.clear();
            return self.handle_sample(micros);
        };
        self.strangers = 0;
        if self.weight > MAX_WEIGHT {
            self.bins.iter_mut().for_each(|weight| *weight /= MAX_WEIGHT);
            (self.total, self.weight) = (self.total / MAX_WEIGHT, self.weight / MAX_WEIGHT);
        }
        self.bins[bin] += self.weight;
        self.total += self.weight;
        self.weight *= self.growth;
        let middle = self.bin_of_share(0.5);
        if middle.abs_diff(BINS / 2) > OFF_CENTRE {
            self.recentre(middle);
        }
        true
    }

    /// The time below which this share (0 to 1) of the samples is, to a bin; `None` without samples.
    pub(super) fn quantile(&self, share: f32) -> Option<i64> {
        let bin = || self.bin_of_share(share) as i64;
        (!self.is_empty()).then(|| self.base + bin() * BIN_MICROS + BIN_MICROS / 2)
    }

    fn bin(&self, micros: i64) -> Option<usize> {
        let bin = micros.saturating_sub(self.base).div_euclid(BIN_MICROS);
        usize::try_from(bin).ok().filter(|bin| *bin < BINS)
    }

    /// Counts from the nearer end: rounding must not lose the few samples of a tail.
    fn bin_of_share(&self, share: f32) -> usize {
        if share < 0.5 {
            let mut rest = self.total * share;
            let found = self.bins.iter().position(|weight| {
                rest -= weight;
                *weight > 0.0 && rest <= 0.0
            });
            return found.unwrap_or(BINS - 1);
        }
        let mut rest = self.total * (1.0 - share);
        let found = self.bins.iter().rposition(|weight| {
            rest -= weight;
            *weight > 0.0 && rest <= 0.0
        });
        found.unwrap_or(0)
    }

    /// Moves the bins so that this one is in the centre. What falls off an end is added to the last one
    /// there.
    fn recentre(&mut self, middle: usize) {
        let by = middle as i64 - BINS as i64 / 2;
        let mut moved = [0.0; BINS];
        for (bin, weight) in self.bins.iter().enumerate() {
            let place = (bin as i64 - by).clamp(0, BINS as i64 - 1);
            moved[place as usize] += weight;
        }
        self.bins = moved;
        self.base += by * BIN_MICROS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_samples_to_a_bin() {
        let mut window = DelayWindow::new(4000);
        assert_eq!(window.quantile(0.5), None);
        for sample in 0..2000_i64 {
            // From 0 to 100 ms, in an order that is none.
            assert!(window.handle_sample(1_000_000 + sample * 7919 % 2000 * 50));
        }
        for share in [0.01, 0.1, 0.5, 0.9, 0.99] {
            let quantile = window.quantile(share).unwrap() - 1_000_000;
            assert!((quantile as f32 - share * 100_000.0).abs() < 6_000.0, "{share}: {quantile}");
        }
    }

    #[test]
    fn one_in_a_thousand_is_found_and_fades() {
        let mut window = DelayWindow::new(1000);
        (0..500).for_each(|_| assert!(window.handle_sample(0)));
        window.handle_sample(100_000);
        assert!(window.quantile(0.9995).unwrap() > 90_000);
        assert!(window.quantile(0.99).unwrap() < 4_000);
        (0..5000).for_each(|_| assert!(window.handle_sample(0)));
        assert!(window.quantile(0.9995).unwrap() < 4_000, "it is five memories ago");
        assert!(window.weight.is_finite());
    }

    #[test]
    fn an_interruption_does_not_count_and_a_new_path_does() {
        let mut window = DelayWindow::new(1000);
        (0..500).for_each(|_| assert!(window.handle_sample(10_000)));
        (0..MAX_STRANGERS as i64 - 1).for_each(|sample| assert!(!window.handle_sample(900_000 - sample)));
        assert!(window.handle_sample(10_000));
        assert!(window.quantile(1.0).unwrap() < 20_000);
        let taken = (0..MAX_STRANGERS).filter(|_| window.handle_sample(900_000)).count();
        assert_eq!(taken, 1);
        assert!(window.quantile(0.0).unwrap() > 890_000, "it lasts");
        window.shift(-900_000);
        assert!(window.quantile(0.5).unwrap().abs() < 2_000);
        window.handle_sample(i64::MAX);
        window.handle_sample(i64::MIN);
    }

    #[test]
    fn the_bins_follow_a_drift() {
        let mut window = DelayWindow::new(300);
        for sample in 0..20_000 {
            assert!(window.handle_sample(sample * 100), "a tenth of a millisecond each");
        }
        let middle = window.quantile(0.5).unwrap();
        assert!((2_000_000 - middle) < 60_000, "{middle}");
    }
}
