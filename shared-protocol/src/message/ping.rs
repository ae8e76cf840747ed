//! Ping and pong: the round-trip time as the session sees it, measured by either side.

use super::MessageError;
use crate::time::Micros;

/// A question that the other side answers with a [`Pong`] as soon as it reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// A number that tells this ping from others under way.
    pub nonce: u32,
    /// The sender's clock, which means nothing to the other side.
    pub sent: Micros,
}

/// The answer to a [`Ping`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong {
    /// The ping's number.
    pub nonce: u32,
    /// The ping's time.
    pub sent: Micros,
    /// How long the ping waited for its answer, to be taken off the round-trip time.
    pub waited_micros: u32,
}

impl Ping {
    /// The answer to this ping after a time.
    #[must_use]
    pub fn answer(self, waited: Micros) -> Pong {
        let waited_micros = u32::try_from(waited.0).unwrap_or(u32::MAX);
        Pong { nonce: self.nonce, sent: self.sent, waited_micros }
    }

    pub(super) fn encode_body(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.nonce.to_le_bytes());
        out.extend_from_slice(&self.sent.0.to_le_bytes());
    }

    pub(super) fn decode_body(kind: u8, body: &[u8]) -> Result<Ping, MessageError> {
        let (&nonce, rest) = body.split_first_chunk().ok_or(MessageError::Truncated(kind))?;
        let (&sent, rest) = rest.split_first_chunk().ok_or(MessageError::Truncated(kind))?;
        if !rest.is_empty() {
            return Err(MessageError::Trailing { kind, bytes: rest.len() });
        }
        Ok(Ping { nonce: u32::from_le_bytes(nonce), sent: Micros(u64::from_le_bytes(sent)) })
    }
}

impl Pong {
    /// The round-trip time when this pong comes at `now` on the clock of who asked: the time since, less the
    /// wait.
    #[must_use]
    pub fn round_trip(self, now: Micros) -> Micros {
        Micros(now.saturating_since(self.sent).0.saturating_sub(u64::from(self.waited_micros)))
    }

    pub(super) fn encode_body(self, out: &mut Vec<u8>) {
        Ping { nonce: self.nonce, sent: self.sent }.encode_body(out);
        out.extend_from_slice(&self.waited_micros.to_le_bytes());
    }

    pub(super) fn decode_body(kind: u8, body: &[u8]) -> Result<Pong, MessageError> {
        let (ping, &waited) = body.split_last_chunk().ok_or(MessageError::Truncated(kind))?;
        let Ping { nonce, sent } = Ping::decode_body(kind, ping)?;
        Ok(Pong { nonce, sent, waited_micros: u32::from_le_bytes(waited) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ClientMessage, ClientType, ServerMessage, ServerType};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_round_trip_in_both_directions(nonce: u32, sent: u64, waited: u64) {
            let ping = Ping { nonce, sent: Micros(sent) };
            let pong = ping.answer(Micros(waited));
            let mut bytes = Vec::new();
            for message in [ClientMessage::Ping(ping), ClientMessage::Pong(pong)] {
                bytes.clear();
                message.encode(&mut bytes).unwrap();
                prop_assert_eq!(ClientMessage::decode(&bytes), Ok(message));
            }
            for message in [ServerMessage::Ping(ping), ServerMessage::Pong(pong)] {
                bytes.clear();
                message.encode(&mut bytes).unwrap();
                prop_assert_eq!(ServerMessage::decode(&bytes), Ok(message));
            }
        }
    }

    #[test]
    fn the_wait_is_taken_off() {
        let pong = Ping { nonce: 1, sent: Micros(1_000) }.answer(Micros(400));
        assert_eq!(pong.round_trip(Micros(2_000)), Micros(600));
        assert_eq!(pong.round_trip(Micros(1_100)), Micros(0));
        assert_eq!(pong.round_trip(Micros(0)), Micros(0));
    }

    #[test]
    fn other_lengths_are_refused() {
        for (kind, length) in [(ClientType::Ping as u8, 12), (ClientType::Pong as u8, 16)] {
            let bytes = |length: usize| [vec![kind], vec![0; length]].concat();
            assert!(ClientMessage::decode(&bytes(length)).is_ok());
            assert_eq!(ClientMessage::decode(&bytes(length - 1)), Err(MessageError::Truncated(kind)));
            let error = MessageError::TooLong { kind, length: length + 2, limit: length + 1 };
            assert_eq!(ClientMessage::decode(&bytes(length + 1)), Err(error));
        }
        let kind = ServerType::Ping as u8;
        assert_eq!(ServerMessage::decode(&[kind]), Err(MessageError::Truncated(kind)));
        assert_eq!(Ping::decode_body(kind, &[0; 13]), Err(MessageError::Trailing { kind, bytes: 1 }));
    }
}
