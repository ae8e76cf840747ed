//! The outbox: where messages are made on their way from a tick to the sockets.
//!
//! Each is made in the same memory, and copied from there by the link that sends it. It is some twenty bytes
//! most of the time: to count who still needs them would cost more than the copy.

/// Where the messages of a thread's rooms are made.
#[derive(Debug, Default)]
pub struct Outbox {
    scratch: Vec<u8>,
}

impl Outbox {
    /// The message that `write` makes, or none when it makes nothing.
    pub fn message<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (T, Option<&[u8]>) {
        self.scratch.clear();
        let result = write(&mut self.scratch);
        (result, (!self.scratch.is_empty()).then_some(&self.scratch[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
