//! The inbox of a connection: a lock-free ring from whoever reads the socket to the tick that drains it.
//!
//! All that a client sends goes through it in the order in which it came, because what a message may say
//! depends on those before it. When the ring is full the socket is read no further (the policy is called
//! *back-pressure*): nothing is lost, the peer's own sending stalls, and the counter says so.

use smallvec::SmallVec;
use std::hint::black_box;
use tickwire_protocol::time::Micros;

/// A message as it came, in a cache line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Received {
    /// When it was read from the socket.
    pub at: Micros,
    /// The message. Nearly all are short and stand in the ring itself.
    pub bytes: SmallVec<[u8; SHORT_BYTES]>,
}

impl Received {
    /// A message that was read at a time.
    #[must_use]
    pub fn new(at: Micros, message: &[u8]) -> Received {
        Received { at, bytes: SmallVec::from_slice(message) }
    }
}

/// The longest message that stands in the ring: with it a place is as long as a cache line.
pub const SHORT_BYTES: usize = 48;

/// The end of the ring that messages are put into.
#[derive(Debug)]
pub struct InboxWriter(rtrb::Producer<Received>);

/// The end of the ring that the tick drains.
#[derive(Debug)]
pub struct Inbox(rtrb::Consumer<Received>);

/// Messages that a ring holds: what a client sends in one tick, and then some. Each place is memory that
/// every idle connection costs, and a burst of more is read in several rounds.
pub const INBOX_MESSAGES: usize = 16;

/// A new ring.
#[must_use]
pub fn inbox() -> (InboxWriter, Inbox) {
    let (writer, reader) = rtrb::RingBuffer::new(INBOX_MESSAGES);
    (InboxWriter(writer), Inbox(reader))
}

impl InboxWriter {
    /// Whether there is no room for another message.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Puts a message into the ring.
    ///
    /// # Errors
    /// The message itself, when the ring is full.
    pub fn push(&mut self, received: Received) -> Result<(), Received> {
        self.0.push(received).map_err(|rtrb::PushError::Full(received)| received)
    }
}

impl Inbox {
    /// Begins to fetch it into the cache, with the oldest message, which another thread may have put there.
    pub fn prefetch(&self) {
        black_box(self.0.peek().map(|received| received.at).ok());
    }

    /// Takes the oldest message out, after `act` has seen it where it stands.
    pub fn next_with<T>(&mut self, act: impl FnOnce(&Received) -> T) -> Option<T> {
        let acted = act(self.0.peek().ok()?);
        self.0.pop().expect("it was there just now");
        Some(acted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_gives_the_message_back() {
        let (mut writer, mut reader) = inbox();
        let message = |number: u8| {
            // Short ones and long ones.
            Received::new(Micros(0), &vec![number; usize::from(number) * 10])
        };
        for number in 1..=INBOX_MESSAGES as u8 {
            assert_eq!(writer.push(message(number)), Ok(()));
        }
        assert!(writer.is_full());
        assert_eq!(writer.push(message(99)), Err(message(99)));
        assert_eq!(reader.next_with(Received::clone), Some(message(1)));
        assert_eq!(writer.push(message(99)), Ok(()));
        let rest: Vec<_> = std::iter::from_fn(|| reader.next_with(Received::clone)).collect();
        let expected: Vec<_> = (2..=INBOX_MESSAGES as u8).chain([99]).map(message).collect();
        assert_eq!(rest, expected);
    }

    #[test]
    fn a_place_is_as_long_as_a_cache_line() {
        assert_eq!((size_of::<Received>(), align_of::<Received>()), (64, 64));
    }
}
