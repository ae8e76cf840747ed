//! Commands: what a player asks of the game besides inputs (chat, a choice of team), each once and in order.

use super::{ClientType, MessageError};

/// A command as it came. What it says is the game's: see [`decode_payload`](super::decode_payload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Its number: consecutive within a session, from the welcome's `next_command` on.
    pub sequence: u32,
    /// The game's command.
    pub payload: &'a [u8],
}

impl<'a> Command<'a> {
    pub(super) fn encode_body(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(self.payload);
    }

    pub(super) fn decode_body(body: &'a [u8]) -> Result<Command<'a>, MessageError> {
        let truncated = MessageError::Truncated(ClientType::Command as u8);
        let (&sequence, payload) = body.split_first_chunk().ok_or(truncated)?;
        Ok(Command { sequence: u32::from_le_bytes(sequence), payload })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClientMessage;
    use super::*;
    use crate::limits::{MAX_COMMAND_MESSAGE_BYTES, MAX_PAYLOAD_BYTES};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn commands_round_trip(
            sequence: u32,
            payload in prop::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD_BYTES),
        ) {
            let message = ClientMessage::Command(Command { sequence, payload: &payload });
            let mut bytes = Vec::new();
            message.encode(&mut bytes).unwrap();
            prop_assert_eq!(ClientMessage::decode(&bytes), Ok(message));
        }
    }

    #[test]
    fn a_command_has_a_number_and_a_cap() {
        let kind = ClientType::Command as u8;
        assert_eq!(ClientMessage::decode(&[kind, 1, 2, 3]), Err(MessageError::Truncated(kind)));
        let payload = [0; MAX_PAYLOAD_BYTES + 1];
        let message = ClientMessage::Command(Command { sequence: 0, payload: &payload });
        let (length, limit) = (MAX_COMMAND_MESSAGE_BYTES + 1, MAX_COMMAND_MESSAGE_BYTES);
        let mut bytes = vec![7];
        assert_eq!(message.encode(&mut bytes), Err(MessageError::TooLong { kind, length, limit }));
        assert_eq!(bytes, [7], "nothing is appended");
    }
}
