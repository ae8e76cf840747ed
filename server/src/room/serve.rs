//! Serving: what each player sees, its snapshot, and the writing of it.
//!
//! What belongs to a player is some kilobytes in many places, and that of thousands of players is more than
//! a core's cache. So the three stages do not each go through all players: they take turns with a block of
//! players, whose memory is fetched once.

use super::{Room, Stopwatch, send_to};
use crate::assemble::{AvatarNews, SnapshotRequest};
use crate::metrics::Stage;
use crate::net::link::LinkEnd;
use crate::outbox::Outbox;
use crate::session::{Session, Wire};
use std::ops::Range;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::Viewpoint;
use tickwire_protocol::message::{Notice, NoticeKind, ServerMessage, ServerType};
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
    /// Tells each player of `tick`.
    pub(super) fn serve(&mut self, tick: Tick, now: Micros, outbox: &mut Outbox, watch: &mut Stopwatch<'_>) {
        if self.history.newest().is_none() {
            return;
        }
        self.interest.begin(&self.history, self.sight);
        self.assembler.begin(&self.history);
        self.send_times.note(tick, now);
        self.sight = 0.0;
        let mut tally = Tally::default();
        for block in self.sessions.blocks() {
            self.sessions.each(block.clone(), |session| {
                session.prefetch();
                session.prefetch_more();
            });
            self.sessions.each(block.clone(), Session::prefetch_serving);
            self.look(block.clone());
            watch.lap(Stage::Interest);
            self.assemble(block.clone(), tick, now, outbox, &mut tally);
            watch.lap(Stage::Assemble);
            self.flush(block, outbox);
            watch.lap(Stage::Send);
        }
        self.count(&tally);
    }

    /// Works out who sees what.
    fn look(&mut self, block: Range<usize>) {
        for slot in block {
            let Some((_, session)) = self.sessions.in_slot(slot) else { continue };
            if !session.is_active() {
                continue;
            }
            let viewpoint = self.play.viewpoint(session.player);
            if let Viewpoint::Around { centre, enter, leave } = viewpoint {
                self.sight = self.sight.max(enter).max(leave);
                session.center = centre.to_array();
            }
            self.interest.look(slot, viewpoint, &mut session.view);
        }
    }

    /// Makes each player's messages and hands them to the links: events, and the snapshot of `tick`.
    fn assemble(
        &mut self,
        block: Range<usize>,
        tick: Tick,
        now: Micros,
        outbox: &mut Outbox,
        tally: &mut Tally,
    ) {
        let Room { assembler, history, play, sessions, services, pace, send_times, unveiled, .. } = self;
        for slot in block {
            let Some((_, session)) = sessions.in_slot(slot) else { continue };
            if !session.is_active() {
                continue;
            }
            if session.wire.as_ref().is_none_or(Wire::is_blocked) {
                tally.unwritten += 1;
                continue;
            }
            tell_session_events(session, outbox, tally);
            if !session.flow.may_send(tick, now, &session.round_trip, send_times) {
                tally.unacknowledged += 1;
                continue;
            }
            let predicts = session.recipient.profile().predicts;
            let visible = play.veil(session.player, predicts, session.view.visible(), unveiled);
            let write = |out: &mut Vec<u8>| {
                out.push(ServerType::Snapshot as u8);
                let mut avatar = AvatarNews::default();
                if session.recipient.profile().has_avatar {
                    let pair = assembler.baselines(history, &session.recipient);
                    avatar = play.avatar(session.player, tick, pair.map(|pair| pair.newer));
                }
                let request = SnapshotRequest {
                    visible,
                    center: session.center,
                    budget_bytes: services.config.snapshot_budget_bytes,
                    epoch: pace.epoch(),
                    rate: pace.rate(),
                    lead: session.lead.take(),
                };
                assembler.write(history, &mut session.recipient, &request, avatar, out);
            };
            // What goes out besides has to keep its place before or after it.
            let is_alone = session.wire.as_ref().is_some_and(Wire::is_clear) && !session.wants_checks;
            let bytes = if is_alone {
                outbox.hold(slot, write)
            } else {
                let (_, message) = outbox.message(write);
                let message = message.expect("a snapshot is never nothing");
                send_to(session, message);
                message.len()
            };
            tally.snapshots += 1;
            tally.bytes += bytes as u64;
            let allowed = session.conversation.handle_snapshot(tick);
            debug_assert_eq!(allowed, Ok(()), "the client has had what a snapshot needs");
            session.flow.handle_sent(tick, now);
            if session.wants_checks {
                let check = session.recipient.check(history, tick, play.avatar_bytes(session.player));
                tell_check(session, tick, check, outbox);
            }
        }
    }

    /// Writes what is held, and what the links have been handed.
    pub(super) fn flush(&mut self, block: Range<usize>, outbox: &mut Outbox) {
        for slot in block {
            let Some((key, session)) = self.sessions.in_slot(slot) else { continue };
            let Some(wire) = &mut session.wire else { continue };
            let flushed = match outbox.release(slot) {
                Some(bytes) => wire.send_alone(bytes),
                None => wire.flush(),
            };
            match flushed {
                Ok(()) => {}
                Err(LinkEnd::Lost) => self.ending.push((key, SessionEnd::ConnectionLost)),
                Err(LinkEnd::Broken(end)) => self.ending.push((key, end)),
            }
        }
        debug_assert!(outbox.is_released(), "who is served has a connection to be written to");
        outbox.clear();
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
        let inputs = self.play.drain_counters();
        metrics.inputs_accepted.inc_by(inputs.accepted);
        metrics.inputs_early.inc_by(inputs.early);
        metrics.inputs_late.inc_by(inputs.late);
        metrics.inputs_missing.inc_by(inputs.missing);
        metrics.inputs_duplicate.inc_by(inputs.duplicate);
        metrics.inputs_rejected.inc_by(inputs.rejected);
    }
}

fn tell_session_events(session: &mut Session, outbox: &mut Outbox, tally: &mut Tally) {
    for _ in 0..EVENT_MESSAGES {
        let (count, message) = outbox.message(|out| session.events.poll_message(out));
        let Some(message) = message else { return };
        tally.events += count as u64;
        if let Ok(told) = ServerMessage::decode(message) {
            let allowed = session.conversation.handle_server(&told);
            debug_assert_eq!(allowed, Ok(()), "the queue numbers its events one after another");
        }
        send_to(session, message);
    }
}

fn tell_check(session: &mut Session, tick: Tick, check: Option<u32>, outbox: &mut Outbox) {
    let Some(check) = check else { return };
    let notice = Notice::from(NoticeKind::Check { tick, check });
    let (_, message) = outbox.message(|out| ServerMessage::Notice(notice).encode(out));
    if let Some(message) = message {
        send_to(session, message);
    }
}
