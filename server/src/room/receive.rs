//! What comes from clients: read from the links into the inboxes, and drained from there.

use super::play::Play;
use super::{Room, send_to};
use crate::config::micros;
use crate::inbox::{Inbox, Received};
use crate::net::link::{LinkEnd, Polled};
use crate::outbox::Outbox;
use crate::session::{SendTimes, Session, Sessions};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{Role, TickSchedule, ViewTime};
use tickwire_protocol::message::{ClientMessage, InputMessage, Ping, ServerMessage, SessionState};
use tickwire_protocol::time::{Micros, Tick, expand_tick};

/// What draining a session's inbox works with.
struct Drain<'a> {
    play: &'a mut dyn Play,
    services: &'a super::RoomServices,
    schedule: TickSchedule,
    send_times: &'a SendTimes,
    now: Micros,
    outbox: &'a mut Outbox,
}

/// Rounds of reading and draining a connection per tick. What is beyond is read in the next ones.
const ROUNDS: usize = 16;

/// Time between two pings to a client.
const PING_INTERVAL: Micros = Micros(1_000_000);

impl Room {
    /// Reads and acts on what has come from everybody, and finds those who are silent for too long.
    pub(super) fn receive(&mut self, now: Micros, outbox: &mut Outbox) {
        let oldest = self.oldest_view();
        let schedule = self.pace.schedule(self.play.next_tick());
        let Room { play, services, send_times, .. } = self;
        let mut drain = Drain { play: &mut **play, services, schedule, send_times, now, outbox };
        for block in self.sessions.blocks() {
            self.sessions.each(block.clone(), Session::prefetch);
            for slot in block.clone() {
                let Some((_, session)) = self.sessions.in_slot(slot) else { continue };
                session.prefetch_receiving();
                drain.play.prefetch(session.player);
            }
            // All are read before the first is drained: the system's code and ours push each other out of the
            // caches less often.
            let mut polled = [Ok(Polled::Drained); Sessions::BLOCK];
            for (slot, polled) in block.clone().zip(&mut polled) {
                let wire = self.sessions.in_slot(slot).and_then(|(_, session)| session.wire.as_mut());
                if let Some(wire) = wire {
                    *polled = wire.link.poll_receive(now);
                }
            }
            for (slot, polled) in block.zip(polled) {
                let Some((key, session)) = self.sessions.in_slot(slot) else { continue };
                let end = drain.session(session, polled).err().or_else(|| drain.silence(session));
                if let Some(end) = end {
                    self.ending.push((key, end));
                } else if session.wire.is_some() && session.next_ping <= now {
                    drain.ping(session);
                }
                // Those who end have been in the world until now; and they may only lose their connection.
                take_inputs(drain.play, session, oldest);
            }
        }
    }

    /// The oldest time that a player may see back to in the next tick.
    pub(super) fn oldest_view(&self) -> ViewTime {
        let ticks = micros(self.services.config.rewind_limit).0 / self.services.config.period().0;
        ViewTime { tick: Tick(self.play.next_tick().0.saturating_sub(ticks as u32)), fraction: 0 }
    }
}

/// Takes from a player what the next tick takes.
pub(super) fn take_inputs(play: &mut dyn Play, session: &mut Session, oldest: ViewTime) {
    let newest = ViewTime { tick: session.newest_known().unwrap_or(oldest.tick), fraction: 0 };
    let lead = play.take_inputs(session.player, (oldest, newest.max(oldest)));
    session.lead = lead.or(session.lead);
}

impl Drain<'_> {
    /// Drains the inbox of a session whose link has been read, and if it was full, reads on.
    fn session(&mut self, session: &mut Session, polled: Result<Polled, LinkEnd>) -> Result<(), SessionEnd> {
        // It is taken out meanwhile, so that messages are read where they stand, and need not be moved.
        let Some(wire) = &mut session.wire else { return Ok(()) };
        let mut inbox = wire.inbox.take().expect("it is put back whenever it has been drained");
        let drained = self.inbox(session, &mut inbox, polled);
        if let Some(wire) = &mut session.wire {
            wire.inbox = Some(inbox);
        }
        drained
    }

    #[inline]
    fn inbox(
        &mut self,
        session: &mut Session,
        inbox: &mut Inbox,
        mut polled: Result<Polled, LinkEnd>,
    ) -> Result<(), SessionEnd> {
        for round in 0..ROUNDS {
            if round > 0 {
                let Some(wire) = &mut session.wire else { return Ok(()) };
                polled = wire.link.poll_receive(self.now);
            }
            while let Some(acted) = inbox.next_with(|received| self.message(session, received)) {
                acted?;
            }
            match polled {
                Ok(Polled::Drained) => return Ok(()),
                Ok(Polled::Full) => {
                    self.services.metrics.inbox_full.inc();
                }
                Err(LinkEnd::Lost) => return Err(SessionEnd::ConnectionLost),
                Err(LinkEnd::Broken(end)) => return Err(end),
            }
        }
        Ok(())
    }

    fn message(&mut self, session: &mut Session, received: &Received) -> Result<(), SessionEnd> {
        let message = ClientMessage::decode(&received.bytes).map_err(|error| {
            tracing::debug!(player = session.player.0, %error, "a message that is none");
            error.end()
        })?;
        session.conversation.handle_client(&message)?;
        session.last_heard = received.at;
        // The token of before has done its work: the client is here with the new one.
        if let Some(before) = session.token_before.take() {
            self.services.directory.forget_token(&before);
        }
        match message {
            ClientMessage::Input(input) => self.input(session, &input, received.at),
            ClientMessage::Ping(ping) => {
                let pong = ServerMessage::Pong(ping.answer(self.now.saturating_since(received.at)));
                session.conversation.handle_server(&pong)?;
                let (_, bytes) = self.outbox.message(|out| pong.encode(out));
                if let Some(bytes) = bytes {
                    send_to(session, bytes);
                }
                Ok(())
            }
            ClientMessage::Pong(pong) => {
                let sample = pong.round_trip(received.at);
                session.round_trip.handle_sample(sample);
                self.services.metrics.round_trip.observe(sample.as_secs_f64());
                Ok(())
            }
            ClientMessage::Command(command) => {
                session.last_active = received.at;
                session.next_command = command.sequence + 1;
                if session.role == Role::Spectator {
                    return Err(SessionEnd::OutOfOrder);
                }
                self.play.handle_command(session.player, command.payload)
            }
            ClientMessage::Leave => Err(SessionEnd::Left),
            ClientMessage::Hello(_) => Err(SessionEnd::OutOfOrder),
        }
    }

    fn input(
        &mut self,
        session: &mut Session,
        input: &InputMessage<'_>,
        at: Micros,
    ) -> Result<(), SessionEnd> {
        let (header, now) = (input.header(), self.now);
        let newest = session.recipient.newest_sent();
        match (header.newest_snapshot, newest) {
            (Some(low), Some(newest)) => self.acknowledgement(session, low, newest)?,
            // It has been sent snapshots and says that it has none: it cannot go on from what it knows.
            (None, _)
                if session.has_acknowledged
                    || session.flow.is_overdue(now, &session.round_trip, self.send_times) =>
            {
                session.recipient.restart();
                session.flow.restart();
                session.has_acknowledged = false;
            }
            _ => {}
        }
        if let Some(low) = header.next_event {
            session.events.handle_acknowledged(low)?;
        }
        if header.count > 0 {
            session.last_active = at;
            self.play.handle_input(session.player, input, newest, at, &self.schedule)?;
        }
        Ok(())
    }

    fn acknowledgement(&self, session: &mut Session, low: u16, newest: Tick) -> Result<(), SessionEnd> {
        let tick = expand_tick(low, newest).ok_or(SessionEnd::FalseAcknowledgement)?;
        session.recipient.handle_ack(tick).map_err(|_| SessionEnd::FalseAcknowledgement)?;
        session.flow.handle_acknowledged(tick, self.now);
        session.has_acknowledged = true;
        Ok(())
    }

    fn ping(&mut self, session: &mut Session) {
        session.next_ping = self.now + PING_INTERVAL;
        session.nonce = session.nonce.wrapping_add(1);
        let ping = ServerMessage::Ping(Ping { nonce: session.nonce, sent: self.now });
        // A client that leaves its pings unanswered gets no more; its silence is what ends it.
        if session.conversation.state() != SessionState::Active
            || session.conversation.server_pings() >= MAX_UNANSWERED
        {
            return;
        }
        if session.conversation.handle_server(&ping).is_err() {
            return;
        }
        let (_, bytes) = self.outbox.message(|out| ping.encode(out));
        if let Some(bytes) = bytes {
            send_to(session, bytes);
        }
    }

    /// Why a silent session ends, if it does.
    fn silence(&self, session: &Session) -> Option<SessionEnd> {
        let config = &self.services.config;
        let since = |time: Micros| self.now.saturating_since(time);
        if session.wire.is_none() {
            let is_over = since(session.detached_since) >= micros(config.grace);
            return is_over.then_some(SessionEnd::ConnectionLost);
        }
        if since(session.last_heard) >= micros(config.dead_peer_timeout) {
            return Some(SessionEnd::TimedOut);
        }
        // Who is not heard does not acknowledge either: then it is the connection that is lost. Who is heard
        // all the time and acknowledges nothing does not read.
        let patience = micros(config.slow_reader_timeout);
        let is_heard = since(session.last_heard) < Micros(patience.0 / 2);
        if is_heard && session.flow.waiting_for(self.now) >= patience {
            return Some(SessionEnd::SlowReader);
        }
        let is_idle = config.idle_timeout.is_some_and(|limit| since(session.last_active) >= micros(limit));
        (is_idle && session.role == Role::Player).then_some(SessionEnd::Kicked)
    }
}

/// Pings that may be unanswered before no more are sent; more of them under way would end the session.
const MAX_UNANSWERED: usize = 8;
