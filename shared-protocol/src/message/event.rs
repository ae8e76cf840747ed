//! The events message: a run of consecutively numbered events, from the server.

use super::{MessageError, ServerType};
use crate::limits::{MAX_EVENTS_PER_MESSAGE, MAX_PAYLOAD_BYTES};

/// A run of events as it came; the bytes are known to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRun<'a> {
    first: u32,
    count: u8,
    list: &'a [u8],
}

/// One event. What it says is the game's: see [`decode_payload`](super::decode_payload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentEvent<'a> {
    /// Its number: consecutive within a session.
    pub sequence: u32,
    /// The low 16 bits of the tick in which it happened.
    pub tick_low: u16,
    /// The game's event.
    pub payload: &'a [u8],
}

impl<'a> EventRun<'a> {
    /// The number of the first event.
    #[must_use]
    pub fn first(self) -> u32 {
        self.first
    }

    /// The number of events, at least one.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::from(self.count)
    }

    /// The number after the last event's.
    #[must_use]
    pub fn next(self) -> u32 {
        self.first + u32::from(self.count)
    }

    /// The events in order.
    pub fn iter(self) -> impl Iterator<Item = SentEvent<'a>> {
        let (mut rest, mut sequence) = (self.list, self.first);
        std::iter::from_fn(move || {
            let (tick_low, payload, tail) = split(rest)?;
            let event = SentEvent { sequence, tick_low, payload };
            (rest, sequence) = (tail, sequence.wrapping_add(1));
            Some(event)
        })
    }

    pub(super) fn encode_body(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first.to_le_bytes());
        out.push(self.count);
        out.extend_from_slice(self.list);
    }

    pub(super) fn decode_body(body: &'a [u8]) -> Result<EventRun<'a>, MessageError> {
        let truncated = MessageError::Truncated(ServerType::Events as u8);
        let wrong = |field| MessageError::Field { message: "events", field };
        let (&first, rest) = body.split_first_chunk().ok_or(truncated.clone())?;
        let (&count, list) = rest.split_first().ok_or(truncated.clone())?;
        let first = u32::from_le_bytes(first);
        if count == 0 || usize::from(count) > MAX_EVENTS_PER_MESSAGE {
            return Err(wrong("count"));
        }
        if first.checked_add(u32::from(count)).is_none() {
            return Err(wrong("first"));
        }
        let mut rest = list;
        for _ in 0..count {
            let (_, payload, tail) = split(rest).ok_or(truncated.clone())?;
            if payload.len() > MAX_PAYLOAD_BYTES {
                return Err(wrong("length"));
            }
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(MessageError::Trailing { kind: ServerType::Events as u8, bytes: rest.len() });
        }
        Ok(EventRun { first, count, list })
    }
}

/// Starts a message at the end of `out`, type byte included, and returns where its count is.
pub(super) fn begin_message(first: u32, out: &mut Vec<u8>) -> usize {
    out.push(ServerType::Events as u8);
    out.extend_from_slice(&first.to_le_bytes());
    out.push(0);
    out.len() - 1
}

/// Appends an event to the message whose count is at `count`.
pub(super) fn append_event(tick_low: u16, payload: &[u8], count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&tick_low.to_le_bytes());
    out.extend_from_slice(&(payload.len() as u16).to_le_bytes());
    out.extend_from_slice(payload);
    out[count] += 1;
}

/// Bytes of a message without events.
pub(super) const HEADER_BYTES: usize = 6;

/// Bytes of an event without its payload.
pub(super) const EVENT_BYTES: usize = 4;

/// The first event's tick and payload, and what follows it.
fn split(list: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[tick_low, tick_high, low, high], rest) = list.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (payload, tail) = rest.split_at_checked(length)?;
    Some((u16::from_le_bytes([tick_low, tick_high]), payload, tail))
}

#[cfg(test)]
mod tests {
    use super::super::ServerMessage;
    use super::*;
    use proptest::prelude::*;

    fn message(first: u32, events: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let count = begin_message(first, &mut bytes);
        for (tick_low, payload) in events {
            append_event(*tick_low, payload, count, &mut bytes);
        }
        bytes
    }

    proptest! {
        #[test]
        fn runs_round_trip(
            first in 0u32..u32::MAX - 64,
            events in prop::collection::vec((any::<u16>(), prop::collection::vec(0u8.., 0..40)), 1..=64),
        ) {
            let bytes = message(first, &events);
            let decoded = ServerMessage::decode(&bytes).unwrap();
            let ServerMessage::Events(run) = decoded else { panic!("another message") };
            prop_assert_eq!((run.first(), run.next()), (first, first + events.len() as u32));
            let read: Vec<_> = run.iter().map(|event| (event.tick_low, event.payload.to_vec())).collect();
            prop_assert_eq!(read, events);
            prop_assert!(run.iter().map(|event| event.sequence).eq(first..run.next()));
            let mut again = Vec::new();
            decoded.encode(&mut again).unwrap();
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn any_bytes_are_events_or_an_error(body in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(events) = EventRun::decode_body(&body) {
                prop_assert_eq!(events.iter().count(), events.count() as usize);
            }
        }
    }

    #[test]
    fn broken_runs_are_named() {
        let whole = message(7, &[(1, vec![1, 2]), (2, vec![])]);
        for end in 1..whole.len() {
            let error = MessageError::Truncated(ServerType::Events as u8);
            assert_eq!(ServerMessage::decode(&whole[..end]), Err(error), "{end} bytes");
        }
        let refused = |bytes: &[u8]| ServerMessage::decode(bytes).unwrap_err();
        let field = |field| MessageError::Field { message: "events", field };
        assert_eq!(refused(&[&whole[..], &[0]].concat()), MessageError::Trailing { kind: 0x84, bytes: 1 });
        assert_eq!(refused(&message(7, &[])), field("count"));
        assert_eq!(refused(&message(7, &vec![(0, vec![]); 65])), field("count"));
        assert_eq!(refused(&message(u32::MAX, &[(0, vec![])])), field("first"));
        assert_eq!(refused(&message(7, &[(0, vec![0; MAX_PAYLOAD_BYTES + 1])])), field("length"));
    }
}
