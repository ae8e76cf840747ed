//! A client's session against the server's half of the protocol: it follows the room, finds back after a
//! loss, goes on over another connection, and ends by name whatever the server does.

use std::sync::Arc;
use tickwire_protocol::client::{GameForm, Received, Session, SessionConfig};
use tickwire_protocol::delta::EntropyTables;
use tickwire_protocol::end::{ComeBack, SessionEnd};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::message::{
    BoundedText, ClientMessage, Conversation, EventQueue, Features, Hello, InputNumbering, LevelInfo,
    LevelSource, Notice, NoticeKind, Ping, Refusal, RefusalReason, ResumeToken, RoomId, RoomInfo,
    ServerMessage, SessionState, VERSION, Welcome, WelcomeBody,
};
use tickwire_protocol::snapshot::{Consumed, RateMode, StreamProfile};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::assemble::{Assembler, AvatarNews, Recipient, SnapshotRequest, Transport};
use tickwire_server::history::History;
use tickwire_tests::swarm::{Swarm, schema};

/// The server's half for one player, who looks with the eyes of walker 0.
struct Server {
    conversation: Conversation,
    swarm: Swarm,
    history: History,
    assembler: Assembler,
    recipient: Recipient,
    profile: StreamProfile,
    tick: Tick,
    hello: Option<Hello>,
    acknowledged_event: Option<u16>,
    pongs: u32,
}

impl Server {
    fn new(profile: StreamProfile) -> Server {
        let codec = tickwire_protocol::delta::DeltaCodec::new(&schema(), PERIOD);
        Server {
            conversation: Conversation::new(),
            swarm: Swarm::new(3, 80),
            history: History::new(Arc::new(codec), 128),
            assembler: Assembler::new(),
            recipient: Recipient::new(profile, Transport::Ordered),
            profile,
            tick: Tick(70_000),
            hello: None,
            acknowledged_event: None,
            pongs: 0,
        }
    }

    /// Takes in a message of the client's, which must be an honest one.
    fn hear(&mut self, bytes: &[u8]) {
        let message = ClientMessage::decode(bytes).expect("a client writes what can be read");
        self.conversation.handle_client(&message).expect("an honest client");
        match message {
            ClientMessage::Hello(hello) => self.hello = Some(*hello),
            ClientMessage::Pong(_) => self.pongs += 1,
            ClientMessage::Input(input) => {
                self.acknowledged_event = input.header().next_event.or(self.acknowledged_event);
                match input.header().newest_snapshot_near(self.tick) {
                    Some(tick) => self.recipient.handle_ack(tick).expect("it was sent"),
                    // Who has nothing any more is told anew.
                    None if self.recipient.acknowledged().is_some() => self.recipient.restart(),
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn welcome(&self, resumed: bool) -> Welcome {
        let game = tickwire_form();
        let tables_id = EntropyTables::defaults(&schema()).id();
        let hello = self.hello.as_ref().expect("there was a hello");
        let body = WelcomeBody {
            version: VERSION,
            features: hello.body.features.and(Features::KNOWN),
            room: RoomInfo { id: RoomId(1), code: None, name: BoundedText::cut("yard") },
            player: PlayerId(0),
            resume_token: ResumeToken::new([5; 16]).expect("it is not empty"),
            resumed,
            tick: self.tick,
            tick_period: PERIOD,
            epoch: 0,
            rate: RateMode::EveryTick,
            profile: self.profile,
            history: 64,
            grace: Micros(30_000_000),
            fingerprint: game.fingerprint(),
            tables_id,
            tables_follow: hello.body.tables_id != Some(tables_id),
            schema_follows: false,
            level: LevelInfo {
                epoch: 0,
                content_hash: 0,
                source: LevelSource::BuiltIn(BoundedText::cut("")),
            },
            next_event: hello.body.resume.map_or(1, |resume| resume.next_event),
            next_command: 1,
            inputs: InputNumbering::Sequence,
            rewind_limit: Micros(0),
        };
        Welcome { body, software: None }
    }

    /// A message of the server's, as its bytes.
    fn say(&mut self, message: &ServerMessage<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).expect("it is within its limits");
        self.conversation.handle_server(message).expect("it is its turn");
        bytes
    }

    /// A tick: its snapshot, and the check of what the client knows then.
    fn tick(&mut self, avatar: &AvatarNews<'_>) -> (Vec<u8>, Vec<u8>) {
        self.tick = self.tick.next();
        self.swarm.step();
        self.swarm.capture(self.tick, &mut self.history);
        self.assembler.begin(&self.history);
        let request = SnapshotRequest {
            visible: &self.swarm.visible[0],
            center: self.swarm.position(0),
            budget_bytes: 1200,
            epoch: 0,
            rate: RateMode::EveryTick,
            lead: None,
        };
        let mut body = Vec::new();
        self.assembler.write(&self.history, &mut self.recipient, &request, avatar.clone(), &mut body);
        let snapshot = self.say(&ServerMessage::Snapshot(&body));
        self.conversation.handle_snapshot(self.tick).expect("ticks ascend");
        let check = self.recipient.check(&self.history, self.tick, avatar.avatar);
        let check = check.expect("it was just written");
        let check = self.say(&ServerMessage::Notice(NoticeKind::Check { tick: self.tick, check }.into()));
        (snapshot, check)
    }

    fn plain_tick(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.tick(&AvatarNews::default())
    }
}

const PERIOD: Micros = Micros::period_of(30);
const NOW: Micros = Micros(5_000_000);
const PLAIN: StreamProfile = StreamProfile { has_avatar: false, predicts: false, capacity: 128 };

fn tickwire_form() -> GameForm {
    GameForm::of::<tickwire_swarm::Swarm>().expect("the swarm is a game")
}

fn session(features: Features) -> Session {
    let config = SessionConfig::new(Arc::new(tickwire_form()), "Ann");
    Session::new(SessionConfig { features, ..config })
}

/// Both ends after the welcome.
fn connected(profile: StreamProfile, features: Features) -> (Server, Session) {
    let (mut server, mut session) = (Server::new(profile), session(features));
    connect(&mut server, &mut session);
    (server, session)
}

fn connect(server: &mut Server, session: &mut Session) {
    let mut hello = Vec::new();
    session.poll_hello(&mut hello).expect("it is the first");
    assert_eq!(session.poll_hello(&mut hello), Err(SessionEnd::OutOfOrder), "one is under way");
    server.hear(&hello);
    let resumed = server.hello.as_ref().expect("there was a hello").body.resume.is_some();
    let welcome = ServerMessage::Welcome(Box::new(server.welcome(resumed)));
    let welcome = server.say(&welcome);
    assert_eq!(session.handle_message(&welcome, NOW), Ok(Received::Welcome));
    assert_eq!(session.state(), SessionState::Active);
}

/// The client takes a snapshot and its check in, and acknowledges.
fn follow(server: &mut Server, session: &mut Session, (snapshot, check): (Vec<u8>, Vec<u8>)) {
    let received = session.handle_message(&snapshot, NOW).expect("an honest server");
    assert!(matches!(received, Received::Snapshot(applied) if applied.tick == server.tick), "{received:?}");
    let agrees = Received::Check { tick: server.tick, agrees: Some(true) };
    assert_eq!(session.handle_message(&check, NOW), Ok(agrees));
    let mut bytes = Vec::new();
    let row = vec![0; session_lanes()];
    session.encode_inputs(session.next_input(), &row, None, &mut bytes);
    server.hear(&bytes);
}

fn session_lanes() -> usize {
    tickwire_form().inputs().lanes()
}

#[test]
fn a_session_knows_what_the_server_thinks_it_knows() {
    let (mut server, mut session) = connected(PLAIN, Features::WANTS_CHECKS);
    for _ in 0..300 {
        let tick = server.plain_tick();
        follow(&mut server, &mut session, tick);
    }
    assert_eq!(server.recipient.acknowledged(), Some(server.tick));
    assert_eq!(session.next_input(), 301);
    assert_eq!(session.view().unwrap().entries().len(), server.swarm.visible[0].len());
    assert!(session.view().unwrap().entry(EntityIndex(0)).is_some(), "it sees itself");
    assert_eq!(session.restarts(), 0);
}

#[test]
fn a_lost_snapshot_is_made_good() {
    let (mut server, mut session) = connected(PLAIN, Features::WANTS_CHECKS);
    for round in 0..5 {
        for _ in 0..20 {
            let tick = server.plain_tick();
            follow(&mut server, &mut session, tick);
        }
        server.plain_tick();
        // Two more are under way before the server hears of it.
        let mut bytes = Vec::new();
        for _ in 0..2 {
            let (snapshot, check) = server.plain_tick();
            assert_eq!(session.handle_message(&snapshot, NOW), Ok(Received::Missed));
            let nothing = Received::Check { tick: server.tick, agrees: None };
            assert_eq!(session.handle_message(&check, NOW), Ok(nothing));
        }
        assert!(session.poll_message(NOW, &mut bytes), "the server is to know");
        assert!(!session.poll_message(NOW, &mut bytes), "once");
        server.hear(&bytes);
        assert_eq!(session.restarts(), round + 1);
    }
    let tick = server.plain_tick();
    follow(&mut server, &mut session, tick);
}

#[test]
fn a_client_that_predicts_says_what_it_expects() {
    let profile = StreamProfile { has_avatar: true, predicts: true, ..PLAIN };
    let (mut server, mut session) = connected(profile, Features::PREDICTS);
    // The avatar is a number that each tick raises by one, or by `leap` where the client cannot know it.
    let mut avatar = 0u32;
    let mut mistakes = 0;
    for round in 0..100 {
        let leap = if round == 50 { 100 } else { 1 };
        let pair = server.recipient.newest_sent().filter(|_| server.recipient.entities() > 0);
        let before = avatar.to_le_bytes();
        let expected = (avatar + 1).to_le_bytes();
        avatar += leap;
        let now = avatar.to_le_bytes();
        let news = AvatarNews {
            avatar: Some(&now),
            // A server that was wrong about the client says "as expected", and the check tells.
            expected: pair.map(|_| if leap == 1 { &expected[..] } else { &now[..] }),
            whole: false,
            consumed: if pair.is_some() { vec![Consumed::Own] } else { Vec::new() },
        };
        let (snapshot, _) = server.tick(&news);
        let received = session.handle_message_with(&snapshot, NOW, |header, baseline, expected| {
            assert_eq!(header.newer.is_some(), baseline.is_some());
            let Some(baseline) = baseline else { return false };
            let mut number = [0; 4];
            number.copy_from_slice(baseline);
            let next = u32::from_le_bytes(number) + header.consumed.len() as u32;
            expected.extend(next.to_le_bytes());
            true
        });
        let Ok(Received::Snapshot(applied)) = received else { panic!("{received:?}") };
        assert!(before != now);
        if applied.desync {
            mistakes += 1;
            assert_eq!(session.view(), None, "all is told anew");
        }
        let mut bytes = Vec::new();
        session.encode_acknowledgement(&mut bytes);
        server.hear(&bytes);
        if applied.desync {
            server.recipient.restart();
        }
    }
    assert_eq!(mistakes, 1);
    assert_eq!(session.view().unwrap().avatar.as_deref(), Some(&avatar.to_le_bytes()[..]));
}

#[test]
fn events_and_pings_are_answered() {
    let (mut server, mut session) = connected(PLAIN, Features::default());
    let mut queue = EventQueue::new(1);
    for tick in [70_001, 70_003] {
        queue.push(Tick(tick), vec![7].into()).unwrap();
    }
    let mut bytes = Vec::new();
    queue.poll_message(&mut bytes);
    let message = ServerMessage::decode(&bytes).unwrap();
    let bytes = server.say(&message);
    assert_eq!(session.handle_message(&bytes, NOW), Ok(Received::Events(2)));
    assert_eq!(session.handle_message(&bytes, NOW), Ok(Received::Events(0)), "what came is no news");
    assert_eq!(session.poll_event(Tick(70_002)), Some((Tick(70_001), vec![7])));
    assert_eq!(session.poll_event(Tick(70_002)), None);
    let mut bytes = Vec::new();
    session.encode_acknowledgement(&mut bytes);
    server.hear(&bytes);
    assert_eq!(server.acknowledged_event.take(), Some(3));
    bytes.clear();
    session.encode_acknowledgement(&mut bytes);
    server.hear(&bytes);
    assert_eq!(server.acknowledged_event, None, "it was said");

    let ping = server.say(&ServerMessage::Ping(Ping { nonce: 9, sent: Micros(1) }));
    assert_eq!(session.handle_message(&ping, NOW), Ok(Received::Ping));
    bytes.clear();
    assert!(session.poll_message(Micros(NOW.0 + 300), &mut bytes));
    let pong = ClientMessage::decode(&bytes).unwrap();
    assert!(matches!(pong, ClientMessage::Pong(pong) if (pong.nonce, pong.waited_micros) == (9, 300)));
    server.hear(&bytes);
    assert_eq!(server.pongs, 1);

    bytes.clear();
    session.encode_ping(NOW, &mut bytes).unwrap();
    server.hear(&bytes);
    let ClientMessage::Ping(ping) = ClientMessage::decode(&bytes).unwrap() else { panic!("no ping") };
    let pong = server.say(&ServerMessage::Pong(ping.answer(Micros(2_000))));
    assert_eq!(session.handle_message(&pong, Micros(NOW.0 + 9_000)), Ok(Received::Pong(Micros(7_000))));
    assert_eq!(session.round_trip().smoothed(), Some(Micros(7_000)));
    for _ in 0..16 {
        session.encode_ping(NOW, &mut Vec::new()).unwrap();
    }
    assert_eq!(session.encode_ping(NOW, &mut Vec::new()), Err(SessionEnd::TooMany));
    assert_eq!(session.state(), SessionState::Active, "it was not sent");
}

#[test]
fn a_session_goes_on_over_another_connection() {
    let (mut server, mut session) = connected(PLAIN, Features::WANTS_CHECKS);
    for _ in 0..10 {
        let tick = server.plain_tick();
        follow(&mut server, &mut session, tick);
    }
    server.conversation.handle_disconnected();
    session.handle_disconnected();
    assert_eq!((session.state(), session.view()), (SessionState::Detached, None));
    assert!(!session.poll_message(NOW, &mut Vec::new()));
    connect(&mut server, &mut session);
    let resume = server.hello.as_ref().unwrap().body.resume.unwrap();
    assert_eq!((resume.token.bytes(), resume.next_event), (&[5; 16], 1));
    server.recipient = Recipient::new(PLAIN, Transport::Ordered);
    for _ in 0..10 {
        let tick = server.plain_tick();
        follow(&mut server, &mut session, tick);
    }
    assert_eq!(session.next_input(), 21, "inputs go on where they were");

    let mut leave = Vec::new();
    session.encode_leave(&mut leave).unwrap();
    server.hear(&leave);
    assert_eq!(session.state(), SessionState::Gone(SessionEnd::Left));
    assert_eq!(session.poll_hello(&mut leave), Err(SessionEnd::Left));
}

#[test]
fn tables_that_follow_are_taken_in() {
    let (mut server, mut session) = (Server::new(PLAIN), session(Features::WANTS_CHECKS));
    let mut hello = Vec::new();
    session.poll_hello(&mut hello).unwrap();
    server.hear(&hello);
    let mut welcome = server.welcome(false);
    welcome.body.tables_follow = true;
    let welcome = server.say(&ServerMessage::Welcome(Box::new(welcome)));
    session.handle_message(&welcome, NOW).unwrap();
    let bytes = EntropyTables::defaults(&schema()).to_bytes();
    let tables = server.say(&ServerMessage::Tables(&bytes));
    assert_eq!(session.handle_message(&tables, NOW), Ok(Received::Tables));
    let tick = server.plain_tick();
    follow(&mut server, &mut session, tick);
}

#[test]
fn what_breaks_the_protocol_ends_the_session_by_name() {
    let (snapshot, _) = connected(PLAIN, Features::default()).0.plain_tick();
    let ended = |messages: &[&[u8]]| {
        let (mut server, mut session) = connected(PLAIN, Features::default());
        let (snapshot, _) = server.plain_tick();
        session.handle_message(&snapshot, NOW).unwrap();
        let last = messages.iter().map(|bytes| session.handle_message(bytes, NOW)).last().unwrap();
        let end = last.unwrap_err();
        assert_eq!(session.state(), SessionState::Gone(end));
        assert_eq!(session.handle_message(&snapshot, NOW), Err(end), "it is over");
        end
    };
    assert_eq!(ended(&[&[]]), SessionEnd::Malformed);
    assert_eq!(ended(&[&[0x06]]), SessionEnd::WrongSide);
    assert_eq!(ended(&[&snapshot]), SessionEnd::OutOfOrder);
    assert_eq!(ended(&[&[0x83]]), SessionEnd::Malformed);
    // Of a tick soon to come, without a baseline, and without the state of the room.
    let soon = (70_009u32 & 0xffff) << 1;
    assert_eq!(ended(&[&[0x83, soon as u8, (soon >> 8) as u8, 0]]), SessionEnd::Malformed);
    assert_eq!(ended(&[&[0x88, 1, 2]]), SessionEnd::OutOfOrder);

    let welcomed = |change: fn(&mut WelcomeBody)| {
        let (mut server, mut session) = (Server::new(PLAIN), session(Features::default()));
        let mut hello = Vec::new();
        session.poll_hello(&mut hello).unwrap();
        server.hear(&hello);
        let mut welcome = server.welcome(false);
        change(&mut welcome.body);
        let mut bytes = Vec::new();
        ServerMessage::Welcome(Box::new(welcome)).encode(&mut bytes).unwrap();
        session.handle_message(&bytes, NOW).unwrap_err()
    };
    assert_eq!(welcomed(|body| body.fingerprint += 1), SessionEnd::WrongSchema);
    assert_eq!(welcomed(|body| body.features = Features::PREDICTS), SessionEnd::Malformed);
    assert_eq!(welcomed(|body| body.profile.predicts = true), SessionEnd::Malformed);
    assert_eq!(welcomed(|body| body.tables_id += 1), SessionEnd::Malformed);
    assert_eq!(welcomed(|body| body.version.major = 2), SessionEnd::WrongVersion);
    assert_eq!(welcomed(|body| body.resumed = true), SessionEnd::OutOfOrder);
}

#[test]
fn who_is_sent_away_is_told_why() {
    let (mut server, mut turned_away) = (Server::new(PLAIN), session(Features::default()));
    let mut hello = Vec::new();
    turned_away.poll_hello(&mut hello).unwrap();
    server.hear(&hello);
    let refusal = Refusal::new(RefusalReason::End(SessionEnd::RoomFull));
    let bytes = server.say(&ServerMessage::Refusal(refusal.clone()));
    assert_eq!(turned_away.handle_message(&bytes, NOW), Ok(Received::Refusal(refusal)));
    assert_eq!(turned_away.state(), SessionState::Gone(SessionEnd::RoomFull));

    let (mut server, mut session) = connected(PLAIN, Features::default());
    let going = NoticeKind::GoingAway { code: SessionEnd::Kicked.code(), come_back: ComeBack::Never };
    let bytes = server.say(&ServerMessage::Notice(going.clone().into()));
    assert_eq!(session.handle_message(&bytes, NOW), Ok(Received::Notice(Notice::from(going))));
    assert_eq!(session.state(), SessionState::Gone(SessionEnd::Kicked));
    assert_eq!(session.encode_leave(&mut Vec::new()), Err(SessionEnd::Kicked));
}
