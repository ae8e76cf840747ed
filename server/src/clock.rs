//! The monotonic clock that a server counts by.

use std::time::{Duration, Instant};
use tickwire_protocol::time::Micros;

/// Microseconds since the server began. Rooms are told the time and never look at a clock; what measures how
/// long a stage took is handed one.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> MonotonicClock {
        MonotonicClock { origin: Instant::now() }
    }

    /// Sleeps until a time; not at all if that is over.
    pub fn sleep_until(&self, time: Micros) {
        let ahead = time.saturating_since(self.now());
        if ahead > Micros(0) {
            std::thread::sleep(Duration::from_micros(ahead.0));
        }
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Micros {
        Micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}
