//! The outbox: messages on their way from a tick to the sockets.
//!
//! A message is handed over as counted bytes. To make one costs no allocation: all messages of a tick are
//! parts of one block of memory, which is used again when the last of them is written.

use bytes::{Bytes, BytesMut};

/// Where the messages of a thread's rooms are made.
#[derive(Debug, Default)]
pub struct Outbox {
    block: BytesMut,
    scratch: Vec<u8>,
}

/// Bytes of a new block: enough for the snapshots of a tick of a few hundred players.
const BLOCK_BYTES: usize = 64 << 10;

impl Outbox {
    /// The message that `write` makes, or none when it makes nothing.
    pub fn message<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (T, Option<Bytes>) {
        self.scratch.clear();
        let result = write(&mut self.scratch);
        if self.scratch.is_empty() {
            return (result, None);
        }
        if self.block.capacity() < self.scratch.len() {
            self.block.reserve(BLOCK_BYTES.max(self.scratch.len()));
        }
        self.block.extend_from_slice(&self.scratch);
        (result, Some(self.block.split().freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_parts_of_one_block() {
        let mut outbox = Outbox::default();
        let (_, one) = outbox.message(|out| out.extend_from_slice(b"one"));
        let (number, other) = outbox.message(|out| {
            out.extend_from_slice(b"other");
            7
        });
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!((&one[..], &other[..], number), (&b"one"[..], &b"other"[..], 7));
        assert_eq!(one.as_ptr() as usize + one.len(), other.as_ptr() as usize);
        assert!(outbox.message(|_| ()).1.is_none());
    }
}
