//! What whoever runs a server may set. The defaults are for a public server on one machine.

use crate::net::tls::TlsFiles;
use std::time::Duration;
use thiserror::Error;
use tickwire_protocol::time::Micros;

/// The settings of a server. Times are real time; a room counts them by the clock that it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Ticks per second of every room, 1 to 240.
    pub tick_hz: u32,
    /// Threads that rooms run on; `None` is one per core less one, at least one.
    pub room_threads: Option<usize>,
    /// Rooms at a time. A wish for one more is refused as full.
    pub max_rooms: usize,
    /// Places in a room, for players and spectators together. A game may have fewer places for players.
    pub room_capacity: usize,
    /// How long a room that nobody is in stays.
    pub empty_room_grace: Duration,
    /// Connections at a time, those under way included.
    pub max_connections: usize,
    /// Connections at a time from one address.
    pub max_connections_per_address: usize,
    /// How long a client may take for the head of an HTTP request, and for the hello after the upgrade.
    pub handshake_timeout: Duration,
    /// How long a player without a connection stays in the world.
    pub grace: Duration,
    /// How long nothing at all may be heard from a client before its connection counts as lost.
    pub dead_peer_timeout: Duration,
    /// How long a player may send no input and no command; spectators may be silent. `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// How long a client may leave snapshots unacknowledged before its session ends.
    pub slow_reader_timeout: Duration,
    /// Bytes that the entities of one snapshot may take; what does not fit waits for its turn.
    pub snapshot_budget_bytes: usize,
    /// Bytes per second that a client may send for long. Bursts of [`BURST_SECONDS`] are taken.
    pub client_bytes_per_second: u32,
    /// Messages per second that a client may send for long, WebSocket control frames included.
    pub client_messages_per_second: u32,
    /// How far back lag compensation goes at most.
    pub rewind_limit: Duration,
    /// The certificate to serve https and wss with; `None` is plain http and ws.
    pub tls: Option<TlsFiles>,
    /// The seed of every room's random source, for tests and recordings; `None` takes one from the system.
    pub seed: Option<u64>,
}

/// After a network stall an honest client delivers everything at once: limits allow a burst of this long.
pub const BURST_SECONDS: u32 = 5;

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            tick_hz: 60,
            room_threads: None,
            max_rooms: 1000,
            room_capacity: 64,
            empty_room_grace: Duration::from_secs(10),
            max_connections: 16_000,
            max_connections_per_address: 64,
            handshake_timeout: Duration::from_secs(5),
            grace: Duration::from_secs(30),
            dead_peer_timeout: Duration::from_secs(10),
            idle_timeout: Some(Duration::from_secs(900)),
            slow_reader_timeout: Duration::from_secs(10),
            snapshot_budget_bytes: 1200,
            client_bytes_per_second: 16 << 10,
            client_messages_per_second: 250,
            rewind_limit: Duration::from_millis(250),
            tls: None,
            seed: None,
        }
    }
}

impl Config {
    /// The same settings, if they can be.
    ///
    /// # Errors
    /// [`ConfigError`] names the first that cannot.
    pub fn checked(self) -> Result<Config, ConfigError> {
        let within = |name, value: usize, low: usize, high: usize| {
            let problem = || format!("{value} is not within {low} and {high}");
            if (low..=high).contains(&value) { Ok(()) } else { Err(ConfigError { name, problem: problem() }) }
        };
        within("tick rate", self.tick_hz as usize, 1, 240)?;
        within("room threads", self.room_threads.unwrap_or(1), 1, 256)?;
        within("rooms", self.max_rooms, 1, 100_000)?;
        within("room capacity", self.room_capacity, 1, MAX_ROOM_CAPACITY)?;
        within("connections", self.max_connections, 1, 1_000_000)?;
        within("connections per address", self.max_connections_per_address, 1, 1_000_000)?;
        within("snapshot budget", self.snapshot_budget_bytes, 64, 32 << 10)?;
        within("bytes per second", self.client_bytes_per_second as usize, 1024, 1 << 24)?;
        within("messages per second", self.client_messages_per_second as usize, 10, 100_000)?;
        Ok(self)
    }

    /// The time from tick to tick.
    #[must_use]
    pub fn period(&self) -> Micros {
        Micros::period_of(self.tick_hz)
    }

    /// The number of threads that rooms run on.
    #[must_use]
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.room_threads.unwrap_or_else(|| (cores() - 1).max(1))
    }
}

/// A duration as the rooms count it.
pub(crate) fn micros(duration: Duration) -> Micros {
    Micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 2))
}

/// Player ids are 16 bits, and a part of them rests after each departure.
const MAX_ROOM_CAPACITY: usize = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        assert!(Config::default().checked().is_ok());
        let refused = Config { tick_hz: 0, ..Config::default() }.checked().map_err(|error| error.to_string());
        assert_eq!(refused, Err("tick rate: 0 is not within 1 and 240".to_owned()));
        let refused = Config { room_capacity: 1 << 20, ..Config::default() }.checked();
        assert_eq!(refused.map_err(|error| error.name), Err("room capacity"));
    }
}
