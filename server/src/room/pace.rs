//! The pace of a room: when its ticks are due, and what gives way when there is not enough time.
//!
//! A deadline is the origin plus n periods, so nothing drifts, however late single ticks are. A room that has
//! fallen behind by whole periods *slips*: they are added to the origin, and clients are told. Missed ticks
//! are never caught up with in a burst, which would make the next ones late too. Before it comes to that, a
//! room whose ticks take nearly all of the time there is sends every second snapshot only.

use tickwire_protocol::game::TickSchedule;
use tickwire_protocol::snapshot::RateMode;
use tickwire_protocol::time::{Micros, Tick};

/// When ticks are due.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    period: Micros,
    /// When the next tick is due.
    due: Micros,
    /// How many times the clock has slipped.
    epoch: u16,
    rate: RateMode,
    /// How long ticks take that send snapshots, smoothed, in microseconds.
    load: u64,
}

/// How a tick began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// How late it is.
    pub lateness: Micros,
    /// By how many periods the clock has slipped just now.
    pub slipped: u32,
}

impl Pace {
    /// The first tick is due at this time.
    #[must_use]
    pub fn new(period: Micros, first: Micros) -> Pace {
        Pace { period, due: first, epoch: 0, rate: RateMode::EveryTick, load: 0 }
    }

    /// When the next tick is due.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.due
    }

    /// How many times the clock has slipped.
    #[must_use]
    pub fn epoch(&self) -> u16 {
        self.epoch
    }

    /// How often snapshots are sent.
    #[must_use]
    pub fn rate(&self) -> RateMode {
        self.rate
    }

    /// When ticks take their inputs, given that `tick` is the next.
    #[must_use]
    pub fn schedule(&self, tick: Tick) -> TickSchedule {
        TickSchedule { tick, due: self.due, period: self.period }
    }

    /// Begins the tick that is due. It slips if the whole period of the tick is over.
    pub fn begin(&mut self, now: Micros) -> Begun {
        let lateness = now.saturating_since(self.due);
        let slipped = u32::try_from(lateness.0 / self.period.0).unwrap_or(u32::MAX);
        if slipped > 0 {
            self.due = self.due + Micros(u64::from(slipped) * self.period.0);
            self.epoch = self.epoch.wrapping_add(1);
        }
        Begun { lateness, slipped }
    }

    /// Ends a tick, which took so long; the next is due a period later. True when the rate changed.
    pub fn end(&mut self, tick: Tick, took: Micros) -> bool {
        self.due = self.due + self.period;
        // A tick that sends takes as long when all of them do: what it took says at either rate whether there
        // is time for that. So a room that was short of time once, while many came in, gets back.
        if self.sends(tick) {
            self.load = (self.load * (LOAD_MEMORY - 1) + took.0) / LOAD_MEMORY;
        }
        let before = self.rate;
        self.rate = match before {
            RateMode::EveryTick if self.load * 100 > self.period.0 * 90 => RateMode::EverySecondTick,
            RateMode::EverySecondTick if self.load * 100 < self.period.0 * 82 => RateMode::EveryTick,
            same => same,
        };
        self.rate != before
    }

    /// Whether snapshots are sent after this tick.
    #[must_use]
    pub fn sends(&self, tick: Tick) -> bool {
        self.rate == RateMode::EveryTick || tick.0.is_multiple_of(2)
    }
}

/// Ticks that send over which the load is smoothed, about.
const LOAD_MEMORY: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Micros = Micros(10_000);

    #[test]
    fn deadlines_do_not_drift() {
        let mut pace = Pace::new(PERIOD, Micros(500));
        for tick in 0..1000_u64 {
            let begun = pace.begin(Micros(500 + tick * 10_000 + tick % 9_999));
            assert_eq!(begun.slipped, 0);
            pace.end(Tick(0), Micros(100));
        }
        assert_eq!(pace.due(), Micros(500 + 1000 * 10_000));
    }

    #[test]
    fn whole_periods_are_given_up_and_counted() {
        let mut pace = Pace::new(PERIOD, Micros(0));
        pace.begin(Micros(0));
        pace.end(Tick(0), Micros(45_000));
        assert_eq!(pace.begin(Micros(45_000)), Begun { lateness: Micros(35_000), slipped: 3 });
        assert_eq!((pace.epoch(), pace.due()), (1, Micros(40_000)));
        pace.end(Tick(1), Micros(100));
        assert_eq!(pace.begin(Micros(50_100)), Begun { lateness: Micros(100), slipped: 0 });
    }

    #[test]
    fn a_room_short_of_time_sends_every_second_snapshot() {
        let mut pace = Pace::new(PERIOD, Micros(0));
        let mut changes = Vec::new();
        // Who sends nothing needs hardly any time, and that says nothing of those who do.
        let loads = [(100, 9_500), (100, 8_500), (100, 8_000)];
        let takes = loads.into_iter().flat_map(|(ticks, took)| std::iter::repeat_n(took, ticks));
        for (tick, took) in (0..).zip(takes) {
            let took = if pace.sends(Tick(tick)) { took } else { 300 };
            if pace.end(Tick(tick), Micros(took)) {
                changes.push((tick, pace.rate()));
            }
        }
        assert_eq!(changes.len(), 2);
        assert!(changes[0].0 > 20 && changes[0].0 < 100 && changes[0].1 == RateMode::EverySecondTick);
        assert!(changes[1].0 > 210 && changes[1].1 == RateMode::EveryTick);
        assert!(pace.sends(Tick(3)));
    }
}
