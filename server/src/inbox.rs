//! The inbox of a connection: a lock-free ring from whoever reads the socket to the tick that drains it.
//!
//! All that a client sends goes through it in the order in which it came, because what a message may say
//! depends on those before it. When the ring is full the socket is read no further (the policy is called
//! *back-pressure*): nothing is lost, the peer's own sending stalls, and the counter says so.

use bytes::Bytes;
use std::hint::black_box;
use tickwire_protocol::time::Micros;

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When it was read from the socket.
    pub at: Micros,
    /// The message.
    pub bytes: Bytes,
}

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
    /// Begins to fetch it into the cache.
    pub fn prefetch(&self) {
        black_box(self.0.slots());
    }

    /// Takes the oldest message out.
    pub fn pop(&mut self) -> Option<Received> {
        self.0.pop().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_gives_the_message_back() {
        let (mut writer, mut reader) = inbox();
        let message = |number: u8| Received { at: Micros(0), bytes: vec![number].into() };
        for number in 0..INBOX_MESSAGES as u8 {
            assert_eq!(writer.push(message(number)), Ok(()));
        }
        assert!(writer.is_full());
        assert_eq!(writer.push(message(99)), Err(message(99)));
        assert_eq!(reader.pop(), Some(message(0)));
        assert_eq!(writer.push(message(99)), Ok(()));
        let rest: Vec<u8> = std::iter::from_fn(|| reader.pop()).map(|received| received.bytes[0]).collect();
        assert_eq!((rest.len(), rest[0], rest[rest.len() - 1]), (INBOX_MESSAGES, 1, 99));
    }
}
