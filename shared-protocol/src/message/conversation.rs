//! Which message is allowed when: the states of a session, and what each side must not claim.
//!
//! Either end feeds it each message that it sends or receives, in that order, on an ordered transport. What
//! is not allowed ends the session by name. It is pure, holds no messages, and its size is fixed.

use super::{ClientMessage, Hello, InputHeader, Notice, NoticeKind, ServerMessage, Welcome};
use crate::end::{ComeBack, SessionEnd};
use crate::limits::{MAX_BASELINE_AGE, MAX_PINGS_UNDER_WAY};
use crate::time::{RecentTicks, Tick, expand_low_16, expand_tick};
use std::collections::VecDeque;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// A connection without a session: a hello and its answer are under way.
    Handshaking,
    /// A player with a connection.
    Active,
    /// A player without a connection, who may come back with the resume token.
    Detached,
    /// Over, and why.
    Gone(SessionEnd),
}

/// A session as both ends see it.
#[derive(Clone, Debug)]
pub struct Conversation {
    state: SessionState,
    /// The hello that waits for its answer.
    asked: Option<Asked>,
    spectator: bool,
    tables_due: bool,
    schema_due: bool,
    level_epoch: u16,
    next_event: u32,
    next_command: u32,
    /// The ticks of the last snapshots of this connection: all that can still be baselines.
    snapshots: RecentTicks,
    /// The tick of the connection's first snapshot.
    first_snapshot: Option<Tick>,
    client_pings: VecDeque<u32>,
    server_pings: VecDeque<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    resume: bool,
    spectator: bool,
}

impl Default for Conversation {
    fn default() -> Conversation {
        Conversation::new()
    }
}

impl Conversation {
    /// A new connection.
    #[must_use]
    pub fn new() -> Conversation {
        Conversation {
            state: SessionState::Handshaking,
            asked: None,
            spectator: false,
            tables_due: false,
            schema_due: false,
            level_epoch: 0,
            next_event: 0,
            next_command: 0,
            snapshots: RecentTicks::default(),
            first_snapshot: None,
            client_pings: VecDeque::new(),
            server_pings: VecDeque::new(),
        }
    }

    /// Where the session is.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// Pings of the server that were not answered yet.
    #[must_use]
    pub fn server_pings(&self) -> usize {
        self.server_pings.len()
    }

    /// Takes in a message from the client.
    ///
    /// # Errors
    /// The end of the session, when the message is not allowed or the session is over.
    pub fn handle_client(&mut self, message: &ClientMessage<'_>) -> Result<(), SessionEnd> {
        let checked = match (self.state, message) {
            (SessionState::Gone(end), _) => return Err(end),
            (SessionState::Active, ClientMessage::Leave) => {
                self.handle_end(SessionEnd::Left);
                return Ok(());
            }
            (SessionState::Handshaking | SessionState::Detached, ClientMessage::Hello(hello)) => {
                self.hello(hello)
            }
            (SessionState::Active, ClientMessage::Input(input)) => self.input(input.header()),
            (SessionState::Active, ClientMessage::Ping(ping)) => ask(&mut self.client_pings, ping.nonce),
            (SessionState::Active, ClientMessage::Pong(pong)) => answer(&mut self.server_pings, pong.nonce),
            (SessionState::Active, ClientMessage::Command(command)) => self.command(command.sequence),
            _ => Err(SessionEnd::OutOfOrder),
        };
        checked.inspect_err(|end| self.handle_end(*end))
    }

    /// Takes in a message from the server. For a snapshot, [`Conversation::handle_snapshot`] comes next.
    ///
    /// # Errors
    /// The end of the session, when the message is not allowed or the session is over.
    pub fn handle_server(&mut self, message: &ServerMessage<'_>) -> Result<(), SessionEnd> {
        let checked = match (self.state, message) {
            (SessionState::Gone(end), _) => return Err(end),
            (SessionState::Handshaking | SessionState::Detached, ServerMessage::Welcome(welcome)) => {
                self.welcome(welcome)
            }
            (SessionState::Handshaking | SessionState::Detached, ServerMessage::Refusal(refusal)) => {
                self.refusal(refusal.end());
                Ok(())
            }
            (SessionState::Active, ServerMessage::Snapshot(_)) => self.is_ready(),
            (SessionState::Active, ServerMessage::Events(events)) => {
                in_order(events.first() <= self.next_event).map(|()| {
                    self.next_event = self.next_event.max(events.next());
                })
            }
            (SessionState::Active, ServerMessage::Ping(ping)) => ask(&mut self.server_pings, ping.nonce),
            (SessionState::Active, ServerMessage::Pong(pong)) => answer(&mut self.client_pings, pong.nonce),
            (SessionState::Active, ServerMessage::Notice(notice)) => self.notice(notice),
            (SessionState::Active, ServerMessage::Tables(_)) => once(&mut self.tables_due),
            (SessionState::Active, ServerMessage::Schema(_)) => once(&mut self.schema_due),
            _ => Err(SessionEnd::OutOfOrder),
        };
        checked.inspect_err(|end| self.handle_end(*end))
    }

    /// Takes in the tick of a snapshot that was just sent or received, which its body tells.
    ///
    /// # Errors
    /// [`SessionEnd::OutOfOrder`] when it is not later than the one before, or when a snapshot is not
    /// allowed.
    pub fn handle_snapshot(&mut self, tick: Tick) -> Result<(), SessionEnd> {
        if let SessionState::Gone(end) = self.state {
            return Err(end);
        }
        let checked = in_order(self.state == SessionState::Active).and_then(|()| self.is_ready());
        let checked = checked.and_then(|()| in_order(self.snapshots.push(tick)));
        if let Err(end) = checked {
            self.handle_end(end);
            return Err(end);
        }
        self.first_snapshot.get_or_insert(tick);
        Ok(())
    }

    /// The connection is gone: a player stays, a hello without an answer is forgotten.
    pub fn handle_disconnected(&mut self) {
        self.forget_connection();
        self.state = match self.state {
            SessionState::Handshaking => SessionState::Gone(SessionEnd::ConnectionLost),
            SessionState::Active | SessionState::Detached => SessionState::Detached,
            SessionState::Gone(end) => SessionState::Gone(end),
        };
    }

    /// The session is over. The first end is the one that counts.
    pub fn handle_end(&mut self, end: SessionEnd) {
        if !matches!(self.state, SessionState::Gone(_)) {
            self.state = SessionState::Gone(end);
        }
    }

    fn hello(&mut self, hello: &Hello) -> Result<(), SessionEnd> {
        let resume = hello.body.resume.is_some();
        in_order(self.asked.is_none() && (resume || self.state == SessionState::Handshaking))?;
        self.asked = Some(Asked { resume, spectator: hello.body.spectator });
        Ok(())
    }

    fn welcome(&mut self, welcome: &Welcome) -> Result<(), SessionEnd> {
        let body = &welcome.body;
        let asked = self.asked.ok_or(SessionEnd::OutOfOrder)?;
        // Who asks for a session is not given another one: the client would not know what it lost.
        in_order(asked.resume == body.resumed)?;
        self.forget_connection();
        self.state = SessionState::Active;
        self.spectator = asked.spectator;
        (self.tables_due, self.schema_due) = (body.tables_follow, body.schema_follows);
        self.level_epoch = body.level.epoch;
        (self.next_event, self.next_command) = (body.next_event, body.next_command);
        Ok(())
    }

    /// A refused resume ends the session if the session is what was refused. It may come without a hello,
    /// from a server that cannot read or does not want one.
    fn refusal(&mut self, end: SessionEnd) {
        self.asked = None;
        if self.state == SessionState::Handshaking || end == SessionEnd::ResumeRefused {
            self.handle_end(end);
        }
    }

    fn input(&mut self, header: &InputHeader) -> Result<(), SessionEnd> {
        in_order(header.count == 0 || !self.spectator)?;
        let honest = |is: bool| if is { Ok(()) } else { Err(SessionEnd::FalseAcknowledgement) };
        if let Some(low) = header.newest_snapshot {
            let newest = self.snapshots.newest().ok_or(SessionEnd::FalseAcknowledgement)?;
            let tick = expand_tick(low, newest).ok_or(SessionEnd::FalseAcknowledgement)?;
            // Of ticks that are older than any baseline nobody knows any more which had one.
            let is_old = newest.since(tick).is_some_and(|age| age >= MAX_BASELINE_AGE);
            let was_sent = self.first_snapshot.is_some_and(|first| first <= tick) && is_old;
            honest(was_sent || self.snapshots.contains(tick))?;
        }
        if let Some(low) = header.next_event {
            honest(expand_low_16(low, self.next_event).is_some_and(|next| next <= self.next_event))?;
        }
        Ok(())
    }

    fn command(&mut self, sequence: u32) -> Result<(), SessionEnd> {
        in_order(sequence == self.next_command)?;
        self.next_command = sequence.checked_add(1).ok_or(SessionEnd::TooMany)?;
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) -> Result<(), SessionEnd> {
        match notice.going_away() {
            // The player stays and may come back: what is over is the connection.
            Some((_, ComeBack::Resume)) => self.handle_disconnected(),
            Some((end, _)) => self.handle_end(end),
            None => {}
        }
        if let NoticeKind::Level(level) = &notice.kind {
            in_order(level.epoch != self.level_epoch)?;
            self.level_epoch = level.epoch;
        }
        Ok(())
    }

    /// Whether the client has what it needs to read a snapshot.
    fn is_ready(&self) -> Result<(), SessionEnd> {
        in_order(!self.tables_due && !self.schema_due)
    }

    fn forget_connection(&mut self) {
        self.asked = None;
        (self.tables_due, self.schema_due) = (false, false);
        (self.snapshots, self.first_snapshot) = (RecentTicks::default(), None);
        self.client_pings.clear();
        self.server_pings.clear();
    }
}

fn in_order(is: bool) -> Result<(), SessionEnd> {
    if is { Ok(()) } else { Err(SessionEnd::OutOfOrder) }
}

/// Takes what is due.
fn once(due: &mut bool) -> Result<(), SessionEnd> {
    in_order(std::mem::take(due))
}

fn ask(under_way: &mut VecDeque<u32>, nonce: u32) -> Result<(), SessionEnd> {
    in_order(!under_way.contains(&nonce))?;
    if under_way.len() == MAX_PINGS_UNDER_WAY {
        return Err(SessionEnd::TooMany);
    }
    under_way.push_back(nonce);
    Ok(())
}

fn answer(under_way: &mut VecDeque<u32>, nonce: u32) -> Result<(), SessionEnd> {
    let place = under_way.iter().position(|asked| *asked == nonce).ok_or(SessionEnd::OutOfOrder)?;
    under_way.remove(place);
    Ok(())
}

const _: () = assert!(MAX_BASELINE_AGE == u64::BITS, "recent ticks are those that can be baselines");

#[cfg(test)]
mod tests {
    use super::super::hello::tests::hello;
    use super::super::input_codec::tests::kind;
    use super::super::welcome::tests::welcome;
    use super::super::{
        Command, EventQueue, InputCodec, LevelInfo, LevelSource, Ping, Refusal, RefusalReason, Resume,
        ResumeToken,
    };
    use super::*;
    use crate::time::Micros;
    use crate::wire::bits::BitWriter;

    fn client(hello: Hello) -> ClientMessage<'static> {
        ClientMessage::Hello(Box::new(hello))
    }

    fn server(change: impl FnOnce(&mut Welcome)) -> ServerMessage<'static> {
        let mut welcome = welcome();
        change(&mut welcome);
        ServerMessage::Welcome(Box::new(welcome))
    }

    fn resuming() -> Hello {
        let mut hello = hello();
        hello.body.resume = Some(Resume { token: ResumeToken::new([1; 16]).unwrap(), next_event: 1 });
        hello
    }

    fn active() -> Conversation {
        let mut conversation = Conversation::new();
        assert_eq!(conversation.handle_client(&client(hello())), Ok(()));
        assert_eq!(conversation.handle_server(&server(|_| {})), Ok(()));
        assert_eq!(conversation.state(), SessionState::Active);
        conversation
    }

    fn input(conversation: &mut Conversation, header: InputHeader) -> Result<(), SessionEnd> {
        let codec = InputCodec::new(&kind()).unwrap();
        let rows = vec![0; usize::from(header.count) * codec.lanes()];
        let mut bytes = Vec::new();
        header.encode(&codec, &rows, &mut BitWriter::new(), &mut bytes);
        conversation.handle_client(&ClientMessage::decode(&bytes).unwrap())
    }

    fn acknowledged(conversation: &mut Conversation, low: u16) -> Result<(), SessionEnd> {
        input(conversation, InputHeader { newest_snapshot: Some(low), ..InputHeader::default() })
    }

    fn refused(reason: SessionEnd) -> ServerMessage<'static> {
        ServerMessage::Refusal(Refusal::new(RefusalReason::End(reason)))
    }

    const OUT_OF_ORDER: Result<(), SessionEnd> = Err(SessionEnd::OutOfOrder);
    const FALSE: Result<(), SessionEnd> = Err(SessionEnd::FalseAcknowledgement);

    #[test]
    fn nothing_comes_before_the_hello_and_its_answer() {
        let ping = Ping { nonce: 1, sent: Micros(0) };
        let early = [
            ClientMessage::Ping(ping),
            ClientMessage::Pong(ping.answer(Micros(0))),
            ClientMessage::Command(Command { sequence: 1, payload: &[] }),
            ClientMessage::Leave,
        ];
        for message in early {
            let mut conversation = Conversation::new();
            assert_eq!(conversation.handle_client(&message), OUT_OF_ORDER, "{message:?}");
            assert_eq!(conversation.handle_client(&client(hello())), OUT_OF_ORDER, "it is over");
        }
        let mut conversation = Conversation::new();
        assert_eq!(input(&mut conversation, InputHeader::default()), OUT_OF_ORDER);
        let early = [server(|_| {}), ServerMessage::Snapshot(&[]), ServerMessage::Tables(&[])];
        for message in early {
            assert_eq!(Conversation::new().handle_server(&message), OUT_OF_ORDER, "{message:?}");
        }
        let mut conversation = Conversation::new();
        conversation.handle_client(&client(hello())).unwrap();
        assert_eq!(conversation.handle_snapshot(Tick(1)), OUT_OF_ORDER);
    }

    #[test]
    fn a_hello_and_its_answer_come_once() {
        let mut conversation = Conversation::new();
        conversation.handle_client(&client(hello())).unwrap();
        assert_eq!(conversation.clone().handle_client(&client(hello())), OUT_OF_ORDER);
        assert_eq!(active().handle_client(&client(hello())), OUT_OF_ORDER);
        assert_eq!(active().handle_server(&server(|_| {})), OUT_OF_ORDER);
        assert_eq!(active().handle_server(&refused(SessionEnd::Banned)), OUT_OF_ORDER);
        assert_eq!(conversation.handle_server(&refused(SessionEnd::Banned)), Ok(()));
        assert_eq!(conversation.state(), SessionState::Gone(SessionEnd::Banned));
        // A server may refuse what it has not read.
        let mut unread = Conversation::new();
        assert_eq!(unread.handle_server(&refused(SessionEnd::RateLimited)), Ok(()));
    }

    #[test]
    fn tables_and_schema_come_once_and_before_the_first_snapshot() {
        assert_eq!(active().handle_server(&ServerMessage::Tables(&[])), OUT_OF_ORDER);
        let mut conversation = Conversation::new();
        conversation.handle_client(&client(hello())).unwrap();
        conversation.handle_server(&server(|welcome| welcome.body.tables_follow = true)).unwrap();
        assert_eq!(conversation.clone().handle_server(&ServerMessage::Snapshot(&[])), OUT_OF_ORDER);
        assert_eq!(conversation.clone().handle_snapshot(Tick(1)), OUT_OF_ORDER);
        assert_eq!(conversation.handle_server(&ServerMessage::Tables(&[])), Ok(()));
        assert_eq!(conversation.handle_server(&ServerMessage::Snapshot(&[])), Ok(()));
        assert_eq!(conversation.handle_server(&ServerMessage::Tables(&[])), OUT_OF_ORDER);
    }

    #[test]
    fn only_what_was_sent_is_acknowledged() {
        let mut conversation = active();
        assert_eq!(acknowledged(&mut conversation.clone(), 1000), FALSE);
        for tick in [65_530, 65_533, 65_537] {
            conversation.handle_snapshot(Tick(tick)).unwrap();
        }
        assert_eq!(acknowledged(&mut conversation, 65_533), Ok(()));
        assert_eq!(acknowledged(&mut conversation, 1), Ok(()));
        assert_eq!(acknowledged(&mut conversation, 65_530), Ok(()), "an old one is no news");
        for never in [2, 0, 65_529, 65_534] {
            assert_eq!(acknowledged(&mut conversation.clone(), never), FALSE, "{never}");
        }
        for tick in 0..64 {
            conversation.handle_snapshot(Tick(70_000 + tick)).unwrap();
        }
        assert_eq!(acknowledged(&mut conversation, 65_530), Ok(()), "nobody knows any more");
        assert_eq!(conversation.handle_snapshot(Tick(70_063)), OUT_OF_ORDER);
    }

    #[test]
    fn events_are_consecutive_and_acknowledged_when_sent() {
        let next = |next| InputHeader { next_event: Some(next), ..InputHeader::default() };
        let message = |first: u32, conversation: &mut Conversation| {
            let mut queue = EventQueue::new(first);
            queue.push(Tick(1), vec![0].into()).unwrap();
            let mut bytes = Vec::new();
            queue.poll_message(&mut bytes);
            conversation.handle_server(&ServerMessage::decode(&bytes).unwrap())
        };
        let mut conversation = active();
        assert_eq!(input(&mut conversation.clone(), next(2)), FALSE);
        assert_eq!(input(&mut conversation, next(1)), Ok(()));
        assert_eq!(message(1, &mut conversation), Ok(()));
        assert_eq!(message(1, &mut conversation), Ok(()), "the client drops duplicates");
        assert_eq!(input(&mut conversation, next(2)), Ok(()));
        assert_eq!(message(3, &mut conversation), OUT_OF_ORDER);
    }

    #[test]
    fn commands_are_consecutive() {
        let command = |sequence| ClientMessage::Command(Command { sequence, payload: &[] });
        let mut conversation = active();
        assert_eq!(conversation.handle_client(&command(1)), Ok(()));
        assert_eq!(conversation.clone().handle_client(&command(1)), OUT_OF_ORDER);
        assert_eq!(conversation.clone().handle_client(&command(3)), OUT_OF_ORDER);
        assert_eq!(conversation.handle_client(&command(2)), Ok(()));
    }

    #[test]
    fn pongs_answer_pings() {
        let ping = |nonce| Ping { nonce, sent: Micros(5) };
        let pong = |nonce| ping(nonce).answer(Micros(0));
        let mut conversation = active();
        conversation.handle_client(&ClientMessage::Ping(ping(1))).unwrap();
        conversation.handle_server(&ServerMessage::Ping(ping(1))).unwrap();
        assert_eq!(conversation.clone().handle_client(&ClientMessage::Ping(ping(1))), OUT_OF_ORDER);
        assert_eq!(conversation.handle_server(&ServerMessage::Pong(pong(1))), Ok(()));
        assert_eq!(conversation.clone().handle_server(&ServerMessage::Pong(pong(1))), OUT_OF_ORDER);
        assert_eq!(conversation.handle_client(&ClientMessage::Pong(pong(1))), Ok(()));
        for nonce in 0..MAX_PINGS_UNDER_WAY as u32 {
            conversation.handle_client(&ClientMessage::Ping(ping(nonce))).unwrap();
        }
        let one_more = conversation.handle_client(&ClientMessage::Ping(ping(99)));
        assert_eq!(one_more, Err(SessionEnd::TooMany));
    }

    #[test]
    fn spectators_acknowledge_and_do_nothing() {
        let mut watching = hello();
        watching.body.spectator = true;
        let mut conversation = Conversation::new();
        conversation.handle_client(&client(watching)).unwrap();
        conversation.handle_server(&server(|_| {})).unwrap();
        assert_eq!(input(&mut conversation, InputHeader::default()), Ok(()));
        assert_eq!(
            input(&mut conversation, InputHeader { count: 1, ..InputHeader::default() }),
            OUT_OF_ORDER
        );
    }

    #[test]
    fn a_session_survives_its_connection_and_comes_back_with_its_token() {
        let mut conversation = active();
        conversation.handle_snapshot(Tick(50)).unwrap();
        conversation.handle_disconnected();
        assert_eq!(conversation.state(), SessionState::Detached);
        assert_eq!(conversation.clone().handle_client(&client(hello())), OUT_OF_ORDER);
        assert_eq!(conversation.clone().handle_client(&ClientMessage::Leave), OUT_OF_ORDER);
        conversation.handle_client(&client(resuming())).unwrap();
        // Not now, says the server; the session is still there.
        conversation.handle_server(&refused(SessionEnd::RateLimited)).unwrap();
        assert_eq!(conversation.state(), SessionState::Detached);
        conversation.handle_client(&client(resuming())).unwrap();
        assert_eq!(conversation.clone().handle_server(&server(|_| {})), OUT_OF_ORDER);
        let mut lost = conversation.clone();
        lost.handle_server(&refused(SessionEnd::ResumeRefused)).unwrap();
        assert_eq!(lost.state(), SessionState::Gone(SessionEnd::ResumeRefused));
        conversation.handle_server(&server(|welcome| welcome.body.resumed = true)).unwrap();
        assert_eq!(conversation.state(), SessionState::Active);
        assert_eq!(acknowledged(&mut conversation, 50), FALSE, "the view is told anew");
    }

    #[test]
    fn a_session_ends_once() {
        let mut conversation = active();
        assert_eq!(conversation.handle_client(&ClientMessage::Leave), Ok(()));
        conversation.handle_end(SessionEnd::Kicked);
        conversation.handle_disconnected();
        assert_eq!(conversation.state(), SessionState::Gone(SessionEnd::Left));
        assert_eq!(conversation.handle_server(&ServerMessage::Snapshot(&[])), Err(SessionEnd::Left));

        let mut conversation = active();
        let going = NoticeKind::GoingAway { code: 4002, come_back: ComeBack::Never };
        assert_eq!(conversation.handle_server(&ServerMessage::Notice(going.into())), Ok(()));
        assert_eq!(conversation.state(), SessionState::Gone(SessionEnd::RoomClosed));

        let mut conversation = active();
        let going = NoticeKind::GoingAway { code: 4005, come_back: ComeBack::Resume };
        assert_eq!(conversation.handle_server(&ServerMessage::Notice(going.into())), Ok(()));
        assert_eq!(conversation.state(), SessionState::Detached);

        let mut unanswered = Conversation::new();
        unanswered.handle_disconnected();
        assert_eq!(unanswered.state(), SessionState::Gone(SessionEnd::ConnectionLost));
    }

    #[test]
    fn a_change_of_level_is_a_change() {
        let level = |epoch| {
            let source = LevelSource::BuiltIn(super::super::BoundedText::cut("yard"));
            let level = LevelInfo { epoch, content_hash: 1, source };
            ServerMessage::Notice(NoticeKind::Level(level).into())
        };
        let mut conversation = active();
        assert_eq!(conversation.handle_server(&level(1)), Ok(()));
        assert_eq!(conversation.handle_server(&level(1)), OUT_OF_ORDER);
    }
}
