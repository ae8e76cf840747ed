//! The client's side of events: each once, in order, and not before the view has reached its tick.

use std::collections::VecDeque;

use super::event::EventRun;
use crate::end::SessionEnd;
use crate::limits::{MAX_QUEUED_EVENT_BYTES, MAX_QUEUED_EVENTS};
use crate::time::{Tick, expand_tick};
use thiserror::Error;

/// The events that a client has received and not shown yet.
#[derive(Clone, Debug)]
pub struct EventInbox {
    waiting: VecDeque<(Tick, Vec<u8>)>,
    next: u32,
    bytes: usize,
}

/// Why events are refused. The inbox is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EventInboxError {
    /// Events are missing, though they come in order.
    #[error("event {first} came where {next} is the next")]
    Gap {
        /// The first that came.
        first: u32,
        /// The first that is missing.
        next: u32,
    },
    /// An event's tick is before the first or after the last there is.
    #[error("an event's tick is no tick")]
    Tick,
    /// More than [`MAX_QUEUED_EVENTS`] or [`MAX_QUEUED_EVENT_BYTES`] wait to be shown.
    #[error("more events wait to be shown than a client may keep")]
    Overflow,
}

impl EventInboxError {
    /// The end of the session in which such events come.
    #[must_use]
    pub fn end(self) -> SessionEnd {
        match self {
            EventInboxError::Gap { .. } => SessionEnd::OutOfOrder,
            EventInboxError::Tick => SessionEnd::Malformed,
            EventInboxError::Overflow => SessionEnd::EventOverflow,
        }
    }
}

impl EventInbox {
    /// An inbox whose first event has this number: the welcome's `next_event`.
    #[must_use]
    pub fn new(next: u32) -> EventInbox {
        EventInbox { waiting: VecDeque::new(), next, bytes: 0 }
    }

    /// The number of the first event that has not come: what the client acknowledges, and where it resumes.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Takes in a message, whole or not at all; what came before is dropped. `near` is the newest tick that
    /// the client knows of.
    ///
    /// # Errors
    /// [`EventInboxError`] says what is wrong with the message, or that too much waits.
    pub fn handle_message(&mut self, events: EventRun<'_>, near: Tick) -> Result<(), EventInboxError> {
        if events.first() > self.next {
            return Err(EventInboxError::Gap { first: events.first(), next: self.next });
        }
        let next = self.next;
        let fresh = || events.iter().filter(move |event| event.sequence >= next);
        let (mut count, mut bytes) = (self.waiting.len(), self.bytes);
        for event in fresh() {
            expand_tick(event.tick_low, near).ok_or(EventInboxError::Tick)?;
            (count, bytes) = (count + 1, bytes + event.payload.len());
        }
        if count > MAX_QUEUED_EVENTS || bytes > MAX_QUEUED_EVENT_BYTES {
            return Err(EventInboxError::Overflow);
        }
        let dated =
            fresh().filter_map(|event| Some((expand_tick(event.tick_low, near)?, event.payload.to_vec())));
        self.waiting.extend(dated);
        self.bytes = bytes;
        self.next = self.next.max(events.next());
        Ok(())
    }

    /// The next event, once the view has reached its tick.
    pub fn poll_event(&mut self, view: Tick) -> Option<(Tick, Vec<u8>)> {
        let (tick, payload) = self.waiting.pop_front_if(|(tick, _)| *tick <= view)?;
        self.bytes -= payload.len();
        Some((tick, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ServerMessage;
    use super::super::event_queue::EventQueue;
    use super::*;
    use crate::limits::MAX_PAYLOAD_BYTES;
    use proptest::prelude::*;

    fn take(inbox: &mut EventInbox, bytes: &[u8], near: u32) -> Result<(), EventInboxError> {
        match ServerMessage::decode(bytes).unwrap() {
            ServerMessage::Events(events) => inbox.handle_message(events, Tick(near)),
            other => panic!("{other:?}"),
        }
    }

    /// A message with one event per tick, numbered from `first`.
    fn message(first: u32, ticks: impl IntoIterator<Item = u32>) -> Vec<u8> {
        let mut queue = EventQueue::new(first);
        for tick in ticks {
            queue.push(Tick(tick), vec![tick as u8].into()).unwrap();
        }
        let mut bytes = Vec::new();
        queue.poll_message(&mut bytes);
        bytes
    }

    #[test]
    fn events_wait_for_the_view() {
        let mut inbox = EventInbox::new(5);
        take(&mut inbox, &message(5, [65_530, 65_540]), 65_541).unwrap();
        assert_eq!(inbox.poll_event(Tick(65_529)), None);
        assert_eq!(inbox.poll_event(Tick(65_530)), Some((Tick(65_530), vec![250])));
        assert_eq!(inbox.poll_event(Tick(65_539)), None);
        assert_eq!(inbox.poll_event(Tick(70_000)), Some((Tick(65_540), vec![4])));
        assert_eq!((inbox.next(), inbox.bytes), (7, 0));
    }

    #[test]
    fn duplicates_are_dropped_and_gaps_are_refused() {
        let mut inbox = EventInbox::new(1);
        take(&mut inbox, &message(1, [1, 2, 3]), 3).unwrap();
        take(&mut inbox, &message(1, [1, 2]), 3).unwrap();
        take(&mut inbox, &message(2, [2, 3, 4]), 3).unwrap();
        assert_eq!(inbox.next(), 5);
        let gap = EventInboxError::Gap { first: 6, next: 5 };
        assert_eq!(take(&mut inbox, &message(6, [9]), 3), Err(gap));
        let ticks: Vec<u32> =
            std::iter::from_fn(|| inbox.poll_event(Tick(99))).map(|event| event.0.0).collect();
        assert_eq!(ticks, [1, 2, 3, 4]);
    }

    #[test]
    fn a_tick_before_the_first_is_refused_whole() {
        let mut inbox = EventInbox::new(1);
        assert_eq!(take(&mut inbox, &message(1, [1, 65_535]), 0), Err(EventInboxError::Tick));
        assert_eq!((inbox.next(), inbox.poll_event(Tick(9))), (1, None));
    }

    #[test]
    fn an_inbox_that_nobody_empties_overflows() {
        let mut inbox = EventInbox::new(0);
        let mut queue = EventQueue::new(0);
        let mut refused = None;
        while refused.is_none() {
            queue.push(Tick(1), vec![0; MAX_PAYLOAD_BYTES].into()).unwrap();
            let mut bytes = Vec::new();
            queue.poll_message(&mut bytes);
            queue.handle_acknowledged(queue.next() as u16).unwrap();
            refused = take(&mut inbox, &bytes, 1).err();
        }
        assert_eq!(refused, Some(EventInboxError::Overflow));
        assert_eq!(inbox.next() as usize, MAX_QUEUED_EVENT_BYTES / MAX_PAYLOAD_BYTES);
    }

    proptest! {
        #[test]
        fn each_event_arrives_once_across_resumes(steps in prop::collection::vec(0u8..6, 0..200)) {
            let (mut queue, mut inbox) = (EventQueue::new(65_500), EventInbox::new(65_500));
            let (mut wire, mut shown) = (VecDeque::new(), Vec::new());
            let mut show = |inbox: &mut EventInbox| {
                shown.extend(std::iter::from_fn(|| inbox.poll_event(Tick(u32::MAX))).map(|event| event.0.0));
            };
            for (tick, step) in (0u32..).zip(steps) {
                match step {
                    0 | 1 => drop(queue.push(Tick(tick), vec![0].into())),
                    2 => {
                        let mut bytes = Vec::new();
                        if queue.poll_message(&mut bytes) > 0 {
                            wire.push_back(bytes);
                        }
                    }
                    3 => {
                        if let Some(bytes) = wire.pop_front() {
                            prop_assert_eq!(take(&mut inbox, &bytes, tick), Ok(()));
                        }
                    }
                    4 => prop_assert_eq!(queue.handle_acknowledged(inbox.next() as u16), Ok(())),
                    // The connection breaks, and what was under way is lost.
                    _ => {
                        wire.clear();
                        prop_assert_eq!(queue.handle_resume(inbox.next()), Ok(()));
                    }
                }
                show(&mut inbox);
            }
            prop_assert!(shown.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(shown.len() as u32, inbox.next() - 65_500);
        }
    }
}
