//! The outbox: where messages are made on their way from a tick to the sockets.
//!
//! Each is made in the same memory, and copied from there by the link that sends it. It is some twenty bytes
//! most of the time: to count who still needs them would cost more than the copy.
//!
//! A snapshot goes to one player alone, and mostly nothing else does in its tick. Those of a block of players
//! are held here, one behind the other, until they are written, each with room for its header: what each link
//! would keep them in is fetched from far away, for each of thousands.

use std::ops::Range;

/// Where the messages of a thread's rooms are made.
#[derive(Debug, Default)]
pub struct Outbox {
    scratch: Vec<u8>,
    /// The held messages, each behind its headroom.
    bytes: Vec<u8>,
    /// Whose they are, ascending, and where they stand with their headroom.
    held: Vec<(usize, Range<usize>)>,
    /// How many of them are released.
    released: usize,
}

/// The bytes in front of a held message: as many as the longest header that a link puts before a short one.
pub const HEADROOM: usize = 4;

impl Outbox {
    /// The message that `write` makes, or none when it makes nothing.
    pub fn message<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (T, Option<&[u8]>) {
        self.scratch.clear();
        let result = write(&mut self.scratch);
        (result, (!self.scratch.is_empty()).then_some(&self.scratch[..]))
    }

    /// Holds the message that `write` makes, for the session in a slot above those of all that are held. Says
    /// how long it is.
    pub(crate) fn hold(&mut self, slot: usize, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        debug_assert!(self.held.last().is_none_or(|(last, _)| *last < slot), "one for each, in their order");
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEADROOM]);
        write(&mut self.bytes);
        self.held.push((slot, start..self.bytes.len()));
        self.bytes.len() - start - HEADROOM
    }

    /// What is held for the session in a slot, with its headroom. To be asked for one slot after another.
    pub(crate) fn release(&mut self, slot: usize) -> Option<&mut [u8]> {
        let (_, place) = self.held.get(self.released).filter(|(whose, _)| *whose == slot)?;
        self.released += 1;
        Some(&mut self.bytes[place.clone()])
    }

    /// Whether all that was held has been given out.
    pub(crate) fn is_released(&self) -> bool {
        self.released == self.held.len()
    }

    /// Holds nothing any more: after a block, and before a tick, because the room before may have ended in
    /// the middle of one, by a panic of its game.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.held.clear();
        self.released = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_released_once() {
        let mut outbox = Outbox::default();
        for round in 0..2 {
            for slot in [2, 5, 6] {
                let length = outbox.hold(slot, |out| out.extend_from_slice(&[slot as u8; 9][round..slot]));
                assert_eq!(length, slot - round);
            }
            for slot in 0..9 {
                let released = outbox.release(slot).map(|bytes| bytes[HEADROOM..].to_vec());
                assert_eq!(released, [2, 5, 6].contains(&slot).then(|| vec![slot as u8; slot - round]));
                assert_eq!(outbox.release(slot), None);
            }
            outbox.clear();
        }
    }

    #[test]
    fn nothing_makes_no_message() {
        let mut outbox = Outbox::default();
        let (number, message) = outbox.message(|out| {
            out.extend_from_slice(b"one");
            7
        });
        assert_eq!((number, message), (7, Some(&b"one"[..])));
        assert_eq!(outbox.message(|_| ()).1, None, "what was made before is gone");
    }
}
