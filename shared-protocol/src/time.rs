//! Time as the simulation counts it: ticks, and microseconds for everything between them.

use serde::{Deserialize, Serialize};

/// The number of a simulation step. A room's ticks are consecutive; at 60 Hz a `u32` lasts for two years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick(pub u32);

impl Tick {
    /// The ticks from `earlier` to `self`, or `None` when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Tick) -> Option<u32> {
        self.0.checked_sub(earlier.0)
    }

    /// The tick `ticks` later, or `None` past the last one.
    #[must_use]
    pub fn after(self, ticks: u32) -> Option<Tick> {
        self.0.checked_add(ticks).map(Tick)
    }

    /// The tick `ticks` earlier, or `None` before the first one.
    #[must_use]
    pub fn before(self, ticks: u32) -> Option<Tick> {
        self.0.checked_sub(ticks).map(Tick)
    }

    /// The step that follows this one.
    ///
    /// # Panics
    /// After the last tick (two years at 60 Hz), where no consecutive number is left.
    #[must_use]
    pub fn next(self) -> Tick {
        self.after(1).expect("a room ends long before 2^32 ticks")
    }
}

impl std::fmt::Display for Tick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tick {}", self.0)
    }
}

/// The tick nearest to `near` whose low 16 bits are these. That is the tick that was meant if it is within
/// 32,767 ticks of `near`, nine minutes at 60 Hz. `None` when the nearest one is before the first tick or
/// after the last.
#[must_use]
pub fn expand_tick(low: u16, near: Tick) -> Option<Tick> {
    expand_low_16(low, near.0).map(Tick)
}

/// The number nearest to `near` whose low 16 bits are these, for sequence numbers as for ticks: see
/// [`expand_tick`].
#[must_use]
pub fn expand_low_16(low: u16, near: u32) -> Option<u32> {
    // The difference of the low bits as a signed number is the shortest way; of two as long, the one back.
    let way = low.wrapping_sub(near as u16) as i16;
    near.checked_add_signed(i32::from(way))
}

/// A duration or a point on a monotonic clock, in microseconds. The core never reads a clock: time is an
/// argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Micros(pub u64);

impl Micros {
    /// The period of a tick rate, rounded to the nearest microsecond.
    ///
    /// # Panics
    /// For a rate of zero.
    #[must_use]
    pub const fn period_of(hertz: u32) -> Micros {
        assert!(hertz > 0, "a tick rate is at least 1 Hz");
        Micros((1_000_000 + hertz as u64 / 2) / hertz as u64)
    }

    /// Seconds, for the arithmetic of a simulation step.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The time from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub fn saturating_since(self, earlier: Micros) -> Micros {
        Micros(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add for Micros {
    type Output = Micros;

    fn add(self, other: Micros) -> Micros {
        Micros(self.0 + other.0)
    }
}

/// A set of ticks of which none is more than 63 before the newest: what is older falls out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentTicks {
    newest: Tick,
    /// Bit n: the tick n before the newest.
    bits: u64,
}

impl RecentTicks {
    /// Puts in a tick that is later than all that were put in before; false, and nothing happens, when it is
    /// not.
    pub fn push(&mut self, tick: Tick) -> bool {
        if self.bits != 0 && tick <= self.newest {
            return false;
        }
        let ticks = tick.0.saturating_sub(self.newest.0);
        self.bits = self.bits.checked_shl(ticks).unwrap_or(0) | 1;
        self.newest = tick;
        true
    }

    /// Takes out a tick and all before it.
    pub fn remove_through(&mut self, tick: Tick) {
        match self.newest.since(tick) {
            // Bits from this place on are of ticks that are as old or older.
            Some(place) if place < u64::BITS => self.bits &= (1 << place) - 1,
            Some(_) => {}
            None => self.bits = 0,
        }
    }

    /// Whether a tick is in it.
    #[must_use]
    pub fn contains(&self, tick: Tick) -> bool {
        let place = self.newest.since(tick).filter(|place| *place < u64::BITS);
        place.is_some_and(|place| self.bits >> place & 1 == 1)
    }

    /// The newest one that is in it.
    #[must_use]
    pub fn newest(&self) -> Option<Tick> {
        (self.bits != 0).then(|| Tick(self.newest.0 - self.bits.trailing_zeros()))
    }

    /// The oldest one that is in it.
    #[must_use]
    pub fn oldest(&self) -> Option<Tick> {
        (self.bits != 0).then(|| Tick(self.newest.0 - self.bits.ilog2()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits == 0
    }

    /// The number of ticks in it.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.bits.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_round_to_the_nearest_microsecond() {
        assert_eq!(Micros::period_of(30), Micros(33_333));
        assert_eq!(Micros::period_of(60), Micros(16_667));
        assert_eq!(Micros::period_of(50), Micros(20_000));
    }

    #[test]
    fn low_bits_become_the_nearest_tick() {
        let expanded = |low, near| expand_tick(low, Tick(near)).map(|tick| tick.0);
        assert_eq!(expanded(7, 7), Some(7));
        assert_eq!(expanded(0xffff, 0x1_0000), Some(0xffff));
        assert_eq!(expanded(0x0001, 0x1_ffff), Some(0x2_0001));
        assert_eq!(expanded(0x7fff, 0x5_0000), Some(0x5_7fff));
        assert_eq!(expanded(0x8000, 0x5_0000), Some(0x4_8000));
        assert_eq!(expanded(0x8001, 0x5_0000), Some(0x4_8001));
        assert_eq!(expanded(0xffff, 5), None);
        assert_eq!(expanded(0xfff0, u32::MAX), Some(0xffff_fff0));
        assert_eq!(expanded(0, u32::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn a_tick_survives_within_half_the_range(near: u32, way in -0x8000i32..0x8000) {
            if let Some(tick) = near.checked_add_signed(way) {
                proptest::prop_assert_eq!(expand_tick(tick as u16, Tick(near)), Some(Tick(tick)));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn recent_ticks_are_a_set(steps in proptest::collection::vec((0u32..90, 0u32..100), 0..60)) {
            let (mut recent, mut set) = (RecentTicks::default(), std::collections::BTreeSet::new());
            let mut tick = 0;
            for (step, acknowledged) in steps {
                tick += step;
                if recent.push(Tick(tick)) {
                    set.insert(tick);
                    set.retain(|old| tick - old < 64);
                } else {
                    proptest::prop_assert!(set.last() >= Some(&tick));
                }
                if let Some(acknowledged) = tick.checked_sub(acknowledged) {
                    recent.remove_through(Tick(acknowledged));
                    set.retain(|old| *old > acknowledged);
                }
                proptest::prop_assert_eq!(recent.newest().map(|tick| tick.0), set.last().copied());
                proptest::prop_assert_eq!(recent.oldest().map(|tick| tick.0), set.first().copied());
                proptest::prop_assert_eq!(recent.len() as usize, set.len());
                proptest::prop_assert_eq!(recent.is_empty(), set.is_empty());
                for old in tick.saturating_sub(130)..tick + 2 {
                    proptest::prop_assert_eq!(recent.contains(Tick(old)), set.contains(&old));
                }
            }
        }
    }

    #[test]
    fn ticks_do_not_wrap() {
        assert_eq!(Tick(3).since(Tick(5)), None);
        assert_eq!(Tick(5).since(Tick(3)), Some(2));
        assert_eq!(Tick(u32::MAX).after(1), None);
        assert_eq!(Tick(0).before(1), None);
    }
}
