//! A client's session, from the hello to its end, over one connection after another.

use super::account::ByteAccount;
use super::commands::UnconfirmedCommands;
use super::form::{GameForm, Tables};
use crate::end::SessionEnd;
use crate::limits::{
    MAX_CREDENTIAL_BYTES, MAX_NAME_TEXT_BYTES, MAX_PAYLOAD_BYTES, MAX_PINGS_UNDER_WAY, MAX_SOFTWARE_BYTES,
};
use crate::message::{
    BoundedBytes, BoundedText, ClientMessage, Command, Conversation, EventInbox, Features, Hello, HelloBody,
    InputHeader, Notice, NoticeKind, Ping, Refusal, Resume, RoomWish, RoundTrip, ServerMessage, SessionState,
    VERSION, ViewBack, ViewTime, Welcome,
};
use crate::schema::Schema;
use crate::snapshot::{Applied, SnapshotDecoder, SnapshotError, SnapshotHeader, View};
use crate::time::{Micros, Tick};
use crate::wire::bits::BitWriter;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a client says of itself, and what it wishes.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The game.
    pub game: Arc<GameForm>,
    /// What the client can do or wants. A client with [`Features::PREDICTS`] has to say what it expects:
    /// [`Session::handle_message_with`].
    pub features: Features,
    /// The room.
    pub room: RoomWish,
    /// The player's name as typed.
    pub name: BoundedText<MAX_NAME_TEXT_BYTES>,
    /// What the server's operator asks for.
    pub credential: Option<BoundedBytes<MAX_CREDENTIAL_BYTES>>,
    /// Whether the client only watches.
    pub spectator: bool,
    /// The program and its version, for the server's log.
    pub software: Option<BoundedText<MAX_SOFTWARE_BYTES>>,
    /// Whether it is counted where the bytes of messages went: [`Session::drain_account`].
    pub counts_bytes: bool,
}

impl SessionConfig {
    /// A player of any room who asks for nothing in particular.
    #[must_use]
    pub fn new(game: Arc<GameForm>, name: &str) -> SessionConfig {
        SessionConfig {
            game,
            features: Features::default(),
            room: RoomWish::QuickPlay,
            name: BoundedText::cut(name),
            credential: None,
            spectator: false,
            software: None,
            counts_bytes: false,
        }
    }
}

/// A session as its client has it.
///
/// Whatever the server sends, it is taken in or ends the session by name. What is kept is bounded: the views
/// that may be baselines, the events that wait to be shown, the pings that wait for an answer.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    conversation: Conversation,
    welcome: Option<Box<Welcome>>,
    /// The tables that the client holds.
    tables: Tables,
    /// From the welcome, or from the tables that followed it, to the end of the connection.
    decoder: Option<SnapshotDecoder>,
    events: EventInbox,
    /// The first event of which the server was not told that it came.
    acknowledged_events: u32,
    next_input: u32,
    commands: UnconfirmedCommands,
    next_nonce: u32,
    round_trip: RoundTrip,
    /// Our own pings that wait for their answer.
    asked: usize,
    /// Pings that wait for our answer, and when they came.
    pings: VecDeque<(Ping, Micros)>,
    /// A hello waits for its answer.
    greeted: bool,
    /// No snapshot is held that the next could be coded against, and the server knows or will know.
    anew: bool,
    /// The server is to be told so.
    restart_due: bool,
    restarts: u64,
    heard: Micros,
    account: Option<Box<ByteAccount>>,
    scratch: BitWriter,
    expected: Vec<u8>,
}

/// What a message brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The client is let in: [`Session::welcome`].
    Welcome,
    /// The client is not let in. Unless it asked to go on, the session is over.
    Refusal(Refusal),
    /// The entropy tables, which have been taken in.
    Tables,
    /// The schema, for a client that wants it.
    Schema(Box<Schema>),
    /// A snapshot has been applied: [`Session::view`].
    Snapshot(Applied),
    /// A snapshot could not be read, because what it is coded against is not held. The server is asked to
    /// begin anew.
    Missed,
    /// Events have come, so many of them new: [`Session::poll_event`].
    Events(u32),
    /// The server asked for the time; [`Session::poll_message`] answers.
    Ping,
    /// The server answered: the round trip took so long.
    Pong(Micros),
    /// The server told what the client should know.
    Check {
        /// After the snapshot of this tick.
        tick: Tick,
        /// Whether it is what the client does know. `None` if that snapshot is not the newest that is held.
        agrees: Option<bool>,
    },
    /// Another notice.
    Notice(Notice),
}

impl Session {
    /// A session before its first connection.
    #[must_use]
    pub fn new(config: SessionConfig) -> Session {
        Session {
            tables: config.game.defaults().clone(),
            account: config.counts_bytes.then(Box::default),
            config,
            conversation: Conversation::new(),
            welcome: None,
            decoder: None,
            events: EventInbox::new(0),
            acknowledged_events: 0,
            next_input: 1,
            commands: UnconfirmedCommands::default(),
            next_nonce: 0,
            round_trip: RoundTrip::default(),
            asked: 0,
            pings: VecDeque::new(),
            greeted: false,
            anew: false,
            restart_due: false,
            restarts: 0,
            heard: Micros(0),
            scratch: BitWriter::new(),
            expected: Vec::new(),
        }
    }

    /// Where the session is.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.conversation.state()
    }

    /// What was agreed on, once the client has been let in.
    #[must_use]
    pub fn welcome(&self) -> Option<&Welcome> {
        self.welcome.as_deref()
    }

    /// What is known of the world after the newest snapshot of this connection.
    #[must_use]
    pub fn view(&self) -> Option<&View> {
        self.decoder.as_ref()?.newest()
    }

    /// The decoder, which holds some older views too.
    #[must_use]
    pub fn decoder(&self) -> Option<&SnapshotDecoder> {
        self.decoder.as_ref()
    }

    /// The round-trip time by the client's own pings.
    #[must_use]
    pub fn round_trip(&self) -> &RoundTrip {
        &self.round_trip
    }

    /// When the server's last message came.
    #[must_use]
    pub fn heard(&self) -> Micros {
        self.heard
    }

    /// The game that the client was built with.
    #[must_use]
    pub fn game(&self) -> &Arc<GameForm> {
        &self.config.game
    }

    /// How many times the server was asked to begin the snapshots anew.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Where the bytes went that came since this was asked before; `None` if that is not counted.
    pub fn drain_account(&mut self) -> Option<ByteAccount> {
        self.account.as_deref_mut().map(std::mem::take)
    }

    /// The number of the next input of a stream. Inputs that are for ticks have no number.
    #[must_use]
    pub fn next_input(&self) -> u32 {
        self.next_input
    }

    /// The next event, once the view has reached its tick.
    pub fn poll_event(&mut self, view: Tick) -> Option<(Tick, Vec<u8>)> {
        self.events.poll_event(view)
    }

    /// Appends the hello, the first message of a connection. After a connection was lost it asks to go on.
    ///
    /// # Errors
    /// The end of the session, if it is over, or [`SessionEnd::OutOfOrder`] when a hello was sent already.
    pub fn poll_hello(&mut self, out: &mut Vec<u8>) -> Result<(), SessionEnd> {
        match self.state() {
            SessionState::Gone(end) => return Err(end),
            SessionState::Handshaking | SessionState::Detached if !self.greeted => {}
            _ => return Err(SessionEnd::OutOfOrder),
        }
        self.greeted = true;
        let resume = self
            .welcome
            .as_ref()
            .map(|welcome| Resume { token: welcome.body.resume_token, next_event: self.events.next() });
        let config = &self.config;
        let mut hello = Hello::new(HelloBody {
            fingerprint: config.game.fingerprint(),
            tables_id: Some(self.tables.id),
            features: config.features,
            game: config.game.name().clone(),
            room: config.room,
            name: config.name.clone(),
            credential: config.credential.clone(),
            resume,
            spectator: config.spectator,
        });
        hello.software.clone_from(&config.software);
        let hello = ClientMessage::Hello(Box::new(hello));
        self.conversation.handle_client(&hello)?;
        hello.encode(out).expect("each part of a hello is bounded, and all of them fit");
        Ok(())
    }

    /// Takes in a message that came at `now`; for a client that does not predict.
    ///
    /// # Errors
    /// The end of the session when the server breaks the protocol; the connection is to be closed with it.
    pub fn handle_message(&mut self, bytes: &[u8], now: Micros) -> Result<Received, SessionEnd> {
        self.handle_message_with(bytes, now, |_, baseline, expected| {
            expected.extend_from_slice(baseline.unwrap_or_default());
            baseline.is_some()
        })
    }

    /// Takes in a message that came at `now`. If it is a snapshot, `expect` is shown its header and the
    /// avatar of the snapshot that it is coded against, if there is one; it appends the avatar that it
    /// expects and says that it does. This is where a prediction is confirmed, and where a clock learns how
    /// early inputs come.
    ///
    /// # Errors
    /// The end of the session when the server breaks the protocol; the connection is to be closed with it.
    pub fn handle_message_with(
        &mut self,
        bytes: &[u8],
        now: Micros,
        expect: impl FnOnce(&SnapshotHeader, Option<&[u8]>, &mut Vec<u8>) -> bool,
    ) -> Result<Received, SessionEnd> {
        let received = self.receive(bytes, now, expect);
        received.inspect_err(|end| self.conversation.handle_end(*end))
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        now: Micros,
        expect: impl FnOnce(&SnapshotHeader, Option<&[u8]>, &mut Vec<u8>) -> bool,
    ) -> Result<Received, SessionEnd> {
        if let Some(account) = &mut self.account {
            account.count_message(bytes);
        }
        let message = ServerMessage::decode(bytes).map_err(|error| error.end())?;
        self.conversation.handle_server(&message)?;
        self.heard = now;
        Ok(match message {
            ServerMessage::Welcome(welcome) => self.handle_welcome(welcome)?,
            ServerMessage::Refusal(refusal) => {
                self.greeted = false;
                Received::Refusal(refusal)
            }
            ServerMessage::Tables(bytes) => self.handle_tables(bytes)?,
            ServerMessage::Schema(schema) => Received::Schema(Box::new(schema)),
            ServerMessage::Snapshot(body) => self.handle_snapshot(body, expect)?,
            ServerMessage::Events(events) => {
                let near = self.newest().or(self.welcome.as_ref().map(|welcome| welcome.body.tick));
                let before = self.events.next();
                let taken = self.events.handle_message(events, near.unwrap_or_default());
                taken.map_err(|error| error.end())?;
                Received::Events(self.events.next() - before)
            }
            ServerMessage::Ping(ping) => {
                self.pings.push_back((ping, now));
                Received::Ping
            }
            ServerMessage::Pong(pong) => {
                self.asked = self.asked.saturating_sub(1);
                let sample = pong.round_trip(now);
                self.round_trip.handle_sample(sample);
                self.commands.handle_pong(pong.nonce);
                Received::Pong(sample)
            }
            ServerMessage::Notice(notice) => match notice.kind {
                NoticeKind::Check { tick, check } => {
                    let view = self.view().filter(|view| view.tick == tick);
                    Received::Check { tick, agrees: view.map(|view| view.check() == check) }
                }
                _ => Received::Notice(notice),
            },
        })
    }

    fn handle_welcome(&mut self, welcome: Box<Welcome>) -> Result<Received, SessionEnd> {
        self.greeted = false;
        let (body, config) = (&welcome.body, &self.config);
        if VERSION.in_force(body.version).is_none() {
            return Err(SessionEnd::WrongVersion);
        }
        if body.fingerprint != config.game.fingerprint() {
            return Err(SessionEnd::WrongSchema);
        }
        let predicts = config.features.has(Features::PREDICTS);
        let is_ours = config.features.has(body.features) && (predicts || !body.profile.predicts);
        let has_tables = body.tables_follow || body.tables_id == self.tables.id;
        if !is_ours || !has_tables {
            return Err(SessionEnd::Malformed);
        }
        if !body.resumed {
            self.events = EventInbox::new(body.next_event);
            self.acknowledged_events = body.next_event;
            self.commands.begin(body.next_command);
        } else if !self.commands.resume(body.next_command) {
            return Err(SessionEnd::OutOfOrder);
        }
        let tables_follow = body.tables_follow;
        self.welcome = Some(welcome);
        if !tables_follow {
            self.begin_snapshots()?;
        }
        Ok(Received::Welcome)
    }

    fn handle_tables(&mut self, bytes: &[u8]) -> Result<Received, SessionEnd> {
        let tables = self.config.game.read_tables(bytes).map_err(|_| SessionEnd::Malformed)?;
        if self.welcome.as_ref().is_none_or(|welcome| welcome.body.tables_id != tables.id) {
            return Err(SessionEnd::Malformed);
        }
        self.tables = tables;
        self.begin_snapshots()?;
        Ok(Received::Tables)
    }

    fn begin_snapshots(&mut self) -> Result<(), SessionEnd> {
        let body = &self.welcome.as_ref().ok_or(SessionEnd::OutOfOrder)?.body;
        let codec = self.config.game.codec(body.tick_period, &self.tables);
        let codec = codec.map_err(|_| SessionEnd::Malformed)?;
        self.decoder = Some(SnapshotDecoder::new(codec, body.profile, body.tick).in_order());
        Ok(())
    }

    fn handle_snapshot(
        &mut self,
        body: &[u8],
        expect: impl FnOnce(&SnapshotHeader, Option<&[u8]>, &mut Vec<u8>) -> bool,
    ) -> Result<Received, SessionEnd> {
        let decoder = self.decoder.as_mut().ok_or(SessionEnd::OutOfOrder)?;
        let (expected, account) = (&mut self.expected, &mut self.account);
        expected.clear();
        let applied = decoder.begin(body).and_then(|incoming| {
            let is_expected = expect(incoming.header(), incoming.baseline_avatar(), expected);
            let expected = is_expected.then_some(&expected[..]);
            match account {
                Some(account) => incoming.apply_counted(expected, &mut account.snapshots),
                None => incoming.apply(expected),
            }
        });
        match applied {
            Ok(applied) => {
                self.conversation.handle_snapshot(applied.tick)?;
                self.anew = false;
                if applied.desync {
                    self.restart();
                }
                Ok(Received::Snapshot(applied))
            }
            // What was under way when the server was asked to begin anew is of no use either.
            Err(SnapshotError::UnknownBaseline { .. } | SnapshotError::OutOfSequence) => {
                self.restart();
                Ok(Received::Missed)
            }
            Err(SnapshotError::NotNewer { .. }) => Err(SessionEnd::OutOfOrder),
            Err(_) => Err(SessionEnd::Malformed),
        }
    }

    /// Forgets all snapshots. Acknowledging none asks the server to begin anew.
    pub(super) fn restart(&mut self) {
        let Some(decoder) = &mut self.decoder else { return };
        decoder.restart();
        // To ask once is enough: on this transport the server will hear it.
        if !self.anew {
            (self.anew, self.restart_due) = (true, true);
            self.restarts += 1;
        }
    }

    /// Appends a message that is due at `now`, if there is one: an answer to a ping, a command that was lost
    /// with a connection, or the word that nothing is held. Whether it did.
    pub fn poll_message(&mut self, now: Micros, out: &mut Vec<u8>) -> bool {
        if self.state() != SessionState::Active {
            return false;
        }
        if let Some((ping, came)) = self.pings.pop_front() {
            let pong = ClientMessage::Pong(ping.answer(now.saturating_since(came)));
            return self.send(&pong, out).is_ok();
        }
        if self.restart_due {
            self.encode_acknowledgement(out);
            return true;
        }
        self.poll_command(out)
    }

    /// Appends the next command that has not been sent on this connection.
    fn poll_command(&mut self, out: &mut Vec<u8>) -> bool {
        let Some((sequence, payload)) = self.commands.unsent() else { return false };
        let command = ClientMessage::Command(Command { sequence, payload });
        let is_written = command.encode(out).is_ok() && self.conversation.handle_client(&command).is_ok();
        self.commands.handle_sent();
        is_written
    }

    /// Appends a message with inputs whose lanes stand in `rows`, one input after the other, and with what
    /// has been received. `first` is the tick of the first one or its number, as the welcome says; the number
    /// of the next one follows from it. `view` is what the player saw when it made the last one.
    ///
    /// # Panics
    /// When `rows` are not whole inputs, or more than [`MAX_INPUTS`](crate::limits::MAX_INPUTS), or a lane is
    /// out of its range.
    pub fn encode_inputs(&mut self, first: u32, rows: &[i32], view: Option<ViewTime>, out: &mut Vec<u8>) {
        let lanes = self.config.game.inputs().lanes().max(1);
        let count = rows.len() / lanes;
        self.next_input = first.wrapping_add(count as u32);
        let newest = self.newest();
        let header = InputHeader {
            newest_snapshot: newest.map(|tick| tick.0 as u16),
            view: newest.and_then(|newest| Some(ViewBack::between(newest, view?))),
            next_event: self.unacknowledged_event(),
            first: if count > 0 { first as u16 } else { 0 },
            count: count as u8,
        };
        header.encode(self.config.game.inputs(), rows, &mut self.scratch, out);
        self.restart_due = false;
    }

    /// Appends a message that says what has been received, and nothing else.
    pub fn encode_acknowledgement(&mut self, out: &mut Vec<u8>) {
        self.encode_inputs(self.next_input, &[], None, out);
    }

    fn unacknowledged_event(&mut self) -> Option<u16> {
        let next = self.events.next();
        let is_news = next != self.acknowledged_events;
        self.acknowledged_events = next;
        is_news.then_some(next as u16)
    }

    /// Appends a question for the time.
    ///
    /// # Errors
    /// The end of the session when it is over or was not begun, and [`SessionEnd::TooMany`] when
    /// [`MAX_PINGS_UNDER_WAY`] are under way; the session goes on then.
    pub fn encode_ping(&mut self, now: Micros, out: &mut Vec<u8>) -> Result<(), SessionEnd> {
        if self.asked == MAX_PINGS_UNDER_WAY {
            return Err(SessionEnd::TooMany);
        }
        self.next_nonce = self.next_nonce.wrapping_add(1);
        self.send(&ClientMessage::Ping(Ping { nonce: self.next_nonce, sent: now }), out)?;
        self.commands.handle_ping(self.next_nonce);
        self.asked += 1;
        Ok(())
    }

    /// Appends a command of the game, as [`encode_payload`](crate::message::encode_payload) writes it, and
    /// those that wait before it. It is kept until the server is known to have read it; after a resume
    /// [`Session::poll_message`] sends again what it has not taken.
    ///
    /// # Errors
    /// The end of the session when it is over or was not begun, and [`SessionEnd::TooLarge`] for a command of
    /// more than [`MAX_PAYLOAD_BYTES`]. In between two connections it is [`SessionEnd::OutOfOrder`]:
    /// [`Session::handle_command`] takes it then.
    pub fn encode_command(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), SessionEnd> {
        self.may_send()?;
        // One message at a time: what waits from before is sent first, or this one is not the next.
        if self.commands.unsent().is_some() {
            return Err(SessionEnd::OutOfOrder);
        }
        self.handle_command(payload)?;
        self.poll_command(out);
        Ok(())
    }

    /// Takes in a command of the game, for [`Session::poll_message`] to send: now, or after the resume.
    ///
    /// # Errors
    /// The end of the session when it is over or was not begun, and [`SessionEnd::TooLarge`] for a command of
    /// more than [`MAX_PAYLOAD_BYTES`].
    pub fn handle_command(&mut self, payload: &[u8]) -> Result<(), SessionEnd> {
        match self.state() {
            SessionState::Active | SessionState::Detached => {}
            SessionState::Gone(end) => return Err(end),
            SessionState::Handshaking => return Err(SessionEnd::OutOfOrder),
        }
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(SessionEnd::TooLarge);
        }
        self.commands.push(payload);
        Ok(())
    }

    /// Appends the word that the player leaves for good, which ends the session.
    ///
    /// # Errors
    /// The end of the session when it is over or was not begun.
    pub fn encode_leave(&mut self, out: &mut Vec<u8>) -> Result<(), SessionEnd> {
        self.send(&ClientMessage::Leave, out)
    }

    /// The connection is gone. A player may come back: [`Session::poll_hello`] for the next one.
    pub fn handle_disconnected(&mut self) {
        self.conversation.handle_disconnected();
        self.decoder = None;
        self.pings.clear();
        self.commands.handle_disconnected();
        (self.asked, self.greeted, self.anew, self.restart_due) = (0, false, false, false);
    }

    fn may_send(&self) -> Result<(), SessionEnd> {
        match self.state() {
            SessionState::Active => Ok(()),
            SessionState::Gone(end) => Err(end),
            SessionState::Handshaking | SessionState::Detached => Err(SessionEnd::OutOfOrder),
        }
    }

    fn newest(&self) -> Option<Tick> {
        self.view().map(|view| view.tick)
    }

    /// Appends a message, and says to the conversation that it is sent.
    fn send(&mut self, message: &ClientMessage<'_>, out: &mut Vec<u8>) -> Result<(), SessionEnd> {
        self.may_send()?;
        message.encode(out).map_err(|error| error.end())?;
        self.conversation.handle_client(message)
    }
}
