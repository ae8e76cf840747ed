//! What clients are told: events, notices, and each player's snapshot.

use super::{Room, send_to};
use crate::assemble::SnapshotRequest;
use crate::net::link::LinkEnd;
use crate::outbox::Outbox;
use crate::session::{Session, Wire};
use std::sync::Arc;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{Audience, LevelId};
use tickwire_protocol::limits::MAX_LEVEL_PATH_BYTES;
use tickwire_protocol::message::{
    BoundedText, EventQueueError, LevelInfo, LevelSource, Notice, NoticeKind, ServerMessage, ServerType,
};
use tickwire_protocol::time::{Micros, Tick};

/// Messages of events per player and tick. What is beyond goes out in the next ones.
const EVENT_MESSAGES: usize = 4;

/// What was counted while snapshots were made.
#[derive(Default)]
struct Tally {
    snapshots: u64,
    bytes: u64,
    unacknowledged: u64,
    unwritten: u64,
    events: u64,
}

impl Room {
    /// Queues the events of the tick for those whom they concern.
    pub(super) fn tell_events(&mut self) {
        let tick = self.play.next_tick().before(1).unwrap_or_default();
        let mut told: Vec<(Audience, Arc<[u8]>)> = Vec::new();
        let mut lost = self.play.drain_events(&mut |audience, payload| told.push((*audience, payload)));
        for (key, session) in self.sessions.iter_mut() {
            for (audience, payload) in &told {
                if !self.play.concerns(audience, session.player) {
                    continue;
                }
                match session.events.push(tick, Arc::clone(payload)) {
                    Ok(_) => {}
                    Err(EventQueueError::Overflow) => {
                        self.ending.push((key, SessionEnd::EventOverflow));
                        break;
                    }
                    Err(EventQueueError::TooLarge(_)) => lost += 1,
                }
            }
        }
        self.services.metrics.events_dropped.inc_by(lost);
    }

    /// Tells everybody what happened to the room: that its clock slipped, or that the level is another one.
    pub(super) fn tell_room(&mut self, begun: &super::Begun, outbox: &mut Outbox) {
        if begun.slipped > 0 {
            let epoch = self.pace.epoch();
            self.tell_all(NoticeKind::Slip { epoch, ticks: begun.slipped }, outbox);
        }
        let (level_epoch, content) = self.play.level();
        if level_epoch != self.level_epoch {
            self.level_epoch = level_epoch;
            self.publish_level(content);
            self.tell_all(NoticeKind::Level(self.level_info()), outbox);
        }
    }

    pub(super) fn tell_all(&mut self, kind: NoticeKind, outbox: &mut Outbox) {
        let message = ServerMessage::Notice(Notice::from(kind));
        let (_, bytes) = outbox.message(|out| message.encode(out));
        let Some(bytes) = bytes else { return };
        for (_, session) in self.sessions.iter_mut().filter(|(_, session)| session.is_active()) {
            if session.conversation.handle_server(&message).is_ok() {
                send_to(session, &bytes);
            }
        }
    }

    /// The level, as a welcome and a notice tell it.
    pub(super) fn level_info(&self) -> LevelInfo {
        let (epoch, content) = self.play.level();
        let id = LevelId::of(&content);
        let source = if content.is_empty() {
            LevelSource::BuiltIn(BoundedText::default())
        } else {
            LevelSource::Fetch(BoundedText::<MAX_LEVEL_PATH_BYTES>::cut(&format!("/levels/{id}")))
        };
        LevelInfo { epoch: epoch as u16, content_hash: id.0, source }
    }

    /// Makes each player's messages and hands them to the links: events, and the snapshot of `tick`.
    pub(super) fn assemble(&mut self, tick: Tick, now: Micros, outbox: &mut Outbox) {
        let Room { assembler, history, play, sessions, services, pace, .. } = self;
        assembler.begin(history);
        let mut tally = Tally::default();
        for (_, session) in sessions.iter_mut().filter(|(_, session)| session.is_active()) {
            if session.wire.as_ref().is_none_or(Wire::is_blocked) {
                tally.unwritten += 1;
                continue;
            }
            tell_session_events(session, outbox, &mut tally);
            if !session.flow.may_send(now, &session.round_trip) {
                tally.unacknowledged += 1;
                continue;
            }
            let lead = play.poll_lead(session.player);
            let (_, message) = outbox.message(|out| {
                out.push(ServerType::Snapshot as u8);
                let pair = assembler.baselines(history, &session.recipient);
                let avatar = play.avatar(session.player, tick, pair.map(|pair| pair.newer));
                let request = SnapshotRequest {
                    visible: &session.visible,
                    center: session.center,
                    budget_bytes: services.config.snapshot_budget_bytes,
                    epoch: pace.epoch(),
                    rate: pace.rate(),
                    lead,
                };
                assembler.write(history, &mut session.recipient, &request, &avatar, out);
            });
            let Some(message) = message else { continue };
            tally.snapshots += 1;
            tally.bytes += message.len() as u64;
            let allowed = session.conversation.handle_snapshot(tick);
            debug_assert_eq!(allowed, Ok(()), "the client has had what a snapshot needs");
            session.flow.handle_sent(tick, now);
            send_to(session, &message);
            if session.wants_checks {
                let check = session.recipient.check(history, tick, play.avatar_bytes(session.player));
                tell_check(session, tick, check, outbox);
            }
        }
        self.count(&tally);
    }

    /// Writes what the links have been handed.
    pub(super) fn send(&mut self) {
        for (key, session) in self.sessions.iter_mut() {
            match session.wire.as_mut().map_or(Ok(()), Wire::flush) {
                Ok(()) => {}
                Err(LinkEnd::Lost) => self.ending.push((key, SessionEnd::ConnectionLost)),
                Err(LinkEnd::Broken(end)) => self.ending.push((key, end)),
            }
        }
    }

    fn count(&mut self, tally: &Tally) {
        let metrics = &self.services.metrics;
        metrics.snapshots.inc_by(tally.snapshots);
        metrics.snapshot_bytes.inc_by(tally.bytes);
        metrics.skips_unacknowledged.inc_by(tally.unacknowledged);
        metrics.skips_unwritten.inc_by(tally.unwritten);
        metrics.events.inc_by(tally.events);
        let built = self.assembler.encodings();
        metrics.encodings_entering.inc_by(built.entering as u64);
        metrics.encodings_one.inc_by(built.one as u64);
        metrics.encodings_two.inc_by(built.two as u64);
        metrics.encodings_late.inc_by(built.late as u64);
        let mut inputs = [0; 6];
        for (_, session) in self.sessions.iter() {
            let counters = self.play.drain_counters(session.player);
            inputs.iter_mut().zip(counters).for_each(|(sum, count)| *sum += count);
        }
        let counters = [
            &metrics.inputs_accepted,
            &metrics.inputs_early,
            &metrics.inputs_late,
            &metrics.inputs_missing,
            &metrics.inputs_duplicate,
            &metrics.inputs_rejected,
        ];
        counters.into_iter().zip(inputs).for_each(|(counter, count)| {
            counter.inc_by(count);
        });
    }
}

fn tell_session_events(session: &mut Session, outbox: &mut Outbox, tally: &mut Tally) {
    for _ in 0..EVENT_MESSAGES {
        let (count, message) = outbox.message(|out| session.events.poll_message(out));
        let Some(message) = message else { return };
        tally.events += count as u64;
        if let Ok(told) = ServerMessage::decode(&message) {
            let allowed = session.conversation.handle_server(&told);
            debug_assert_eq!(allowed, Ok(()), "the queue numbers its events one after another");
        }
        send_to(session, &message);
    }
}

fn tell_check(session: &mut Session, tick: Tick, check: Option<u32>, outbox: &mut Outbox) {
    let Some(check) = check else { return };
    let notice = Notice::from(NoticeKind::Check { tick, check });
    let (_, message) = outbox.message(|out| ServerMessage::Notice(notice).encode(out));
    if let Some(message) = message {
        send_to(session, &message);
    }
}
