//! The server's side of events: a queue per session, kept until the client has said that it received them.
//!
//! Nothing that may be replaced carries an event. Each is numbered, sent once in order, and kept for a client
//! that comes back on a new connection and says where it stopped. The queue is bounded. A client that neither
//! acknowledges nor leaves would fill it, and then its session ends by name.

use std::collections::VecDeque;
use std::sync::Arc;

use super::event::{EVENT_BYTES, HEADER_BYTES, append_event, begin_message};
use crate::end::SessionEnd;
use crate::limits::{
    MAX_EVENTS_MESSAGE_BYTES, MAX_EVENTS_PER_MESSAGE, MAX_PAYLOAD_BYTES, MAX_QUEUED_EVENT_BYTES,
    MAX_QUEUED_EVENTS,
};
use crate::time::{Tick, expand_low_16};
use thiserror::Error;

/// The events of one session that its client has not acknowledged.
#[derive(Clone, Debug)]
pub struct EventQueue {
    events: VecDeque<Queued>,
    /// The number of the first event that is kept.
    first: u32,
    /// The number of the first event that was not sent on this connection.
    unsent: u32,
    /// The payload bytes of all that is kept.
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Queued {
    tick: Tick,
    payload: Arc<[u8]>,
}

/// Why an event was not queued. The queue is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EventQueueError {
    /// The client acknowledges too slowly: the session ends.
    #[error("more events wait than a session may keep")]
    Overflow,
    /// The event is larger than [`MAX_PAYLOAD_BYTES`], which is the game's fault and ends no session.
    #[error("an event of {0} bytes, more than {MAX_PAYLOAD_BYTES}")]
    TooLarge(usize),
}

impl EventQueue {
    /// A queue whose first event will have this number.
    #[must_use]
    pub fn new(first: u32) -> EventQueue {
        EventQueue { events: VecDeque::new(), first, unsent: first, bytes: 0 }
    }

    /// Queues an event and returns its number. Sessions that are told of the same event share its payload.
    ///
    /// # Errors
    /// [`EventQueueError::Overflow`] past [`MAX_QUEUED_EVENTS`] or [`MAX_QUEUED_EVENT_BYTES`], or past the
    /// last number; [`EventQueueError::TooLarge`] for a payload that no message could carry.
    pub fn push(&mut self, tick: Tick, payload: Arc<[u8]>) -> Result<u32, EventQueueError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(EventQueueError::TooLarge(payload.len()));
        }
        let sequence = self.next();
        let bytes = self.bytes + payload.len();
        if self.events.len() >= MAX_QUEUED_EVENTS || bytes > MAX_QUEUED_EVENT_BYTES || sequence == u32::MAX {
            return Err(EventQueueError::Overflow);
        }
        self.bytes = bytes;
        self.events.push_back(Queued { tick, payload });
        Ok(sequence)
    }

    /// The number that the next event gets.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.first + self.events.len() as u32
    }

    /// The number of events that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether each event was acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Appends a message with the next unsent events, as many as fit, type byte included. Returns how many
    /// there are; with none, nothing is appended.
    pub fn poll_message(&mut self, out: &mut Vec<u8>) -> usize {
        let skipped = (self.unsent - self.first) as usize;
        if skipped == self.events.len() {
            return 0;
        }
        let count = begin_message(self.unsent, out);
        let (mut length, mut sent) = (HEADER_BYTES, 0);
        for event in self.events.iter().skip(skipped).take(MAX_EVENTS_PER_MESSAGE) {
            length += EVENT_BYTES + event.payload.len();
            if length > MAX_EVENTS_MESSAGE_BYTES {
                break;
            }
            append_event(event.tick.0 as u16, &event.payload, count, out);
            sent += 1;
        }
        self.unsent += sent as u32;
        sent
    }

    /// Forgets the events before the one that the client wants next, given the low 16 bits of its number.
    ///
    /// # Errors
    /// [`SessionEnd::FalseAcknowledgement`] for an event that was not sent. An old acknowledgement is no
    /// error.
    pub fn handle_acknowledged(&mut self, next_low: u16) -> Result<(), SessionEnd> {
        // At most MAX_QUEUED_EVENTS numbers are in doubt, far fewer than 16 bits tell apart.
        let next = expand_low_16(next_low, self.unsent).ok_or(SessionEnd::FalseAcknowledgement)?;
        if next > self.unsent {
            return Err(SessionEnd::FalseAcknowledgement);
        }
        self.forget_before(next);
        Ok(())
    }

    /// Goes on with a client that came back and wants this event next: what it has is forgotten, what it has
    /// not is sent again.
    ///
    /// # Errors
    /// [`SessionEnd::ResumeRefused`] for an event that is not kept any more or was never sent; the queue is
    /// then as it was.
    pub fn handle_resume(&mut self, next: u32) -> Result<(), SessionEnd> {
        if next < self.first || next > self.unsent {
            return Err(SessionEnd::ResumeRefused);
        }
        self.forget_before(next);
        self.unsent = next;
        Ok(())
    }

    fn forget_before(&mut self, next: u32) {
        while self.first < next {
            let Some(event) = self.events.pop_front() else { break };
            self.bytes -= event.payload.len();
            self.first += 1;
        }
    }
}

const _: () = assert!(MAX_QUEUED_EVENTS < 1 << 15);

#[cfg(test)]
mod tests {
    use super::super::ServerMessage;
    use super::*;

    fn payload(length: usize) -> Arc<[u8]> {
        vec![1; length].into()
    }

    /// The numbers in the next message.
    fn polled(queue: &mut EventQueue) -> std::ops::Range<u32> {
        let mut bytes = Vec::new();
        if queue.poll_message(&mut bytes) == 0 {
            assert!(bytes.is_empty());
            return 0..0;
        }
        match ServerMessage::decode(&bytes).unwrap() {
            ServerMessage::Events(events) => events.first()..events.next(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn events_are_sent_once_and_kept_until_acknowledged() {
        let mut queue = EventQueue::new(1);
        assert_eq!(polled(&mut queue), 0..0);
        for number in 1..=3 {
            assert_eq!(queue.push(Tick(9), payload(2)), Ok(number));
        }
        assert_eq!(polled(&mut queue), 1..4);
        assert_eq!(polled(&mut queue), 0..0);
        assert_eq!(queue.handle_acknowledged(3), Ok(()));
        assert_eq!((queue.len(), queue.next()), (1, 4));
        assert_eq!(queue.handle_acknowledged(2), Ok(()), "an old one is no news");
        assert_eq!(queue.handle_acknowledged(4), Ok(()));
        assert!(queue.is_empty());
        assert_eq!(queue.handle_acknowledged(5), Err(SessionEnd::FalseAcknowledgement));
        assert_eq!(queue.handle_acknowledged(0x8004), Err(SessionEnd::FalseAcknowledgement));
    }

    #[test]
    fn what_was_queued_but_not_sent_cannot_be_acknowledged() {
        let mut queue = EventQueue::new(1);
        queue.push(Tick(1), payload(0)).unwrap();
        assert_eq!(queue.handle_acknowledged(2), Err(SessionEnd::FalseAcknowledgement));
        assert_eq!(queue.handle_resume(2), Err(SessionEnd::ResumeRefused));
        assert_eq!(polled(&mut queue), 1..2);
    }

    #[test]
    fn who_comes_back_is_sent_what_it_missed() {
        let mut queue = EventQueue::new(60_000);
        for _ in 0..6 {
            queue.push(Tick(1), payload(3)).unwrap();
        }
        assert_eq!(polled(&mut queue), 60_000..60_006);
        queue.handle_acknowledged(60_002).unwrap();
        assert_eq!(queue.handle_resume(60_001), Err(SessionEnd::ResumeRefused));
        assert_eq!(queue.handle_resume(60_007), Err(SessionEnd::ResumeRefused));
        assert_eq!(queue.handle_resume(60_004), Ok(()));
        assert_eq!(polled(&mut queue), 60_004..60_006);
    }

    #[test]
    fn messages_are_bounded_by_count_and_by_bytes() {
        let mut queue = EventQueue::new(0);
        for _ in 0..MAX_EVENTS_PER_MESSAGE + 1 {
            queue.push(Tick(1), payload(1)).unwrap();
        }
        assert_eq!(polled(&mut queue), 0..MAX_EVENTS_PER_MESSAGE as u32);
        assert_eq!(polled(&mut queue).count(), 1);
        let fit = (MAX_EVENTS_MESSAGE_BYTES - HEADER_BYTES) / (MAX_PAYLOAD_BYTES + EVENT_BYTES);
        for _ in 0..fit + 1 {
            queue.push(Tick(1), payload(MAX_PAYLOAD_BYTES)).unwrap();
        }
        assert_eq!(polled(&mut queue).count(), fit);
        assert_eq!(polled(&mut queue).count(), 1);
    }

    #[test]
    fn an_overflow_is_named_and_changes_nothing() {
        let mut queue = EventQueue::new(0);
        for _ in 0..MAX_QUEUED_EVENTS {
            queue.push(Tick(1), payload(1)).unwrap();
        }
        assert_eq!(queue.push(Tick(1), payload(0)), Err(EventQueueError::Overflow));
        assert_eq!(queue.len(), MAX_QUEUED_EVENTS);

        let mut queue = EventQueue::new(0);
        for _ in 0..MAX_QUEUED_EVENT_BYTES / MAX_PAYLOAD_BYTES {
            queue.push(Tick(1), payload(MAX_PAYLOAD_BYTES)).unwrap();
        }
        assert_eq!(queue.push(Tick(1), payload(MAX_PAYLOAD_BYTES)), Err(EventQueueError::Overflow));
        let large = MAX_PAYLOAD_BYTES + 1;
        assert_eq!(queue.push(Tick(1), payload(large)), Err(EventQueueError::TooLarge(large)));
        assert!(polled(&mut queue).count() > 0);
        queue.handle_acknowledged(1).unwrap();
        assert!(queue.push(Tick(1), payload(MAX_PAYLOAD_BYTES)).is_ok());

        let mut last = EventQueue::new(u32::MAX);
        assert_eq!(last.push(Tick(1), payload(0)), Err(EventQueueError::Overflow));
    }
}
