//! Limits on what a peer may do: a token bucket for bytes and messages, and caps on connections.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use thiserror::Error;
use tickwire_protocol::time::Micros;

/// A token bucket: so much per second for long, and a burst of so many seconds of it.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    per_second: u64,
    /// Millionths of a token.
    tokens: u64,
    capacity: u64,
    updated: Micros,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub fn new(per_second: u32, burst_seconds: u32, now: Micros) -> TokenBucket {
        let per_second = u64::from(per_second);
        let capacity = per_second * u64::from(burst_seconds) * 1_000_000;
        TokenBucket { per_second, tokens: capacity, capacity, updated: now }
    }

    /// Takes tokens out; false when there are not so many, and then none are taken.
    pub fn take(&mut self, tokens: usize, now: Micros) -> bool {
        let elapsed = now.saturating_since(self.updated).0;
        self.updated = self.updated.max(now);
        // A token per second is a millionth of one per microsecond.
        self.tokens = self.tokens.saturating_add(elapsed.saturating_mul(self.per_second)).min(self.capacity);
        let wanted = (tokens as u64).saturating_mul(1_000_000);
        let has = self.tokens >= wanted;
        if has {
            self.tokens -= wanted;
        }
        has
    }
}

/// A limit on what is logged of peers: whoever misbehaves must not fill the disk.
#[derive(Debug)]
pub struct LogLimit(Mutex<(TokenBucket, u64)>);

/// Lines per second that are logged of misbehaving peers for long.
const LOG_LINES_PER_SECOND: u32 = 10;

impl LogLimit {
    /// A limit that nothing counts against yet.
    #[must_use]
    pub fn new() -> LogLimit {
        let bucket = TokenBucket::new(LOG_LINES_PER_SECOND, crate::config::BURST_SECONDS, Micros(0));
        LogLimit(Mutex::new((bucket, 0)))
    }

    /// Whether a line may be logged now: how many have not been since the last.
    pub fn allow(&self, now: Micros) -> Option<u64> {
        let (bucket, suppressed) = &mut *self.0.lock();
        if bucket.take(1, now) {
            return Some(std::mem::take(suppressed));
        }
        *suppressed += 1;
        None
    }
}

impl Default for LogLimit {
    fn default() -> LogLimit {
        LogLimit::new()
    }
}

/// The connections that there are, in total and by address.
#[derive(Debug)]
pub struct ConnectionCaps {
    total: usize,
    per_address: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    addresses: HashMap<IpAddr, usize>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    caps: Arc<ConnectionCaps>,
    address: IpAddr,
}

/// There are too many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooManyConnections {
    /// In total.
    #[error("the server has as many connections as it may have")]
    Total,
    /// From this address.
    #[error("this address has as many connections as it may have")]
    Address,
}

impl ConnectionCaps {
    /// Caps that nobody counts against yet.
    #[must_use]
    pub fn new(total: usize, per_address: usize) -> Arc<ConnectionCaps> {
        Arc::new(ConnectionCaps { total, per_address, counts: Mutex::default() })
    }

    /// Counts a connection.
    ///
    /// # Errors
    /// [`TooManyConnections`] at a cap.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<ConnectionPermit, TooManyConnections> {
        let address = counted_address(address);
        let mut counts = self.counts.lock();
        if counts.total >= self.total {
            return Err(TooManyConnections::Total);
        }
        let count = counts.addresses.entry(address).or_default();
        if *count >= self.per_address {
            return Err(TooManyConnections::Address);
        }
        *count += 1;
        counts.total += 1;
        Ok(ConnectionPermit { caps: Arc::clone(self), address })
    }

    /// The number of connections.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.lock().total
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut counts = self.caps.counts.lock();
        counts.total -= 1;
        if let Some(count) = counts.addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.addresses.remove(&self.address);
            }
        }
    }
}

/// What connections are counted by: an IPv4 address, or the /64 network of an IPv6 one, which is what one
/// customer has.
fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_a_burst_and_then_its_rate() {
        let mut bucket = TokenBucket::new(60, 5, Micros(0));
        assert!(bucket.take(300, Micros(0)));
        assert!(!bucket.take(1, Micros(0)));
        assert!(!bucket.take(1, Micros(16_000)));
        assert!(bucket.take(1, Micros(17_000)));
        assert!(bucket.take(300, Micros(60_000_000)));
        assert!(!bucket.take(1, Micros(60_000_000)), "no more than the burst is saved up");
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let limit = LogLimit::new();
        let logged = (0..70).filter(|_| limit.allow(Micros(0)).is_some()).count();
        assert_eq!(logged, 50);
        assert_eq!(limit.allow(Micros(100_000)), Some(20));
    }

    #[test]
    fn connections_are_counted_until_they_end() {
        let caps = ConnectionCaps::new(3, 2);
        let [ann, bob]: [IpAddr; 2] = ["10.0.0.1", "::ffff:10.0.0.2"].map(|text| text.parse().unwrap());
        let first = caps.enter(ann).unwrap();
        let _second = caps.enter(ann).unwrap();
        assert_eq!(caps.enter(ann).unwrap_err(), TooManyConnections::Address);
        let _third = caps.enter(bob).unwrap();
        assert_eq!(caps.enter(bob).unwrap_err(), TooManyConnections::Total);
        drop(first);
        let _fourth = caps.enter(ann).unwrap();
        assert_eq!(caps.total(), 3);
    }

    #[test]
    fn a_network_of_version_six_counts_as_one() {
        let caps = ConnectionCaps::new(9, 1);
        let _one = caps.enter("2001:db8:1:2::1".parse().unwrap()).unwrap();
        assert!(caps.enter("2001:db8:1:2:ffff::9".parse().unwrap()).is_err());
        assert!(caps.enter("2001:db8:1:3::1".parse().unwrap()).is_ok());
    }
}
