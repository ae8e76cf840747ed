//! A neighbour one minor version later, which knows a feature, extensions, a notice and a reason that we do
//! not: both directions still talk. A neighbour of the next major version is refused by name.

use tickwire_protocol::end::{ComeBack, SessionEnd};
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::message::extension::write_extension;
use tickwire_protocol::message::{
    BoundedText, ClientMessage, ClientType, Conversation, Features, Hello, HelloBody, InputNumbering,
    LevelInfo, LevelSource, MessageError, Notice, NoticeKind, Refusal, RefusalReason, ResumeToken, RoomId,
    RoomInfo, RoomWish, ServerMessage, ServerType, SessionState, VERSION, Version, Welcome, WelcomeBody,
};
use tickwire_protocol::snapshot::{RateMode, StreamProfile};
use tickwire_protocol::time::{Micros, Tick};

/// What the neighbour knows besides.
const LATER_FEATURE: Features = Features(1 << 40);
const LATER_EXTENSION: u16 = 77;
const LATER: Version = Version { major: VERSION.major, minor: VERSION.minor + 1 };

fn hello(version: Version, features: Features) -> Hello {
    let body = HelloBody {
        fingerprint: 1,
        tables_id: Some(2),
        features,
        game: BoundedText::cut("arena"),
        room: RoomWish::QuickPlay,
        name: BoundedText::cut("Ada"),
        credential: None,
        resume: None,
        spectator: false,
    };
    Hello { version, body, software: Some(BoundedText::cut("neighbour")) }
}

fn welcome(version: Version, features: Features) -> Welcome {
    let body = WelcomeBody {
        version,
        features,
        room: RoomInfo { id: RoomId(1), code: None, name: BoundedText::cut("yard") },
        player: PlayerId(1),
        resume_token: ResumeToken::new([1; 16]).expect("the token is not empty"),
        resumed: false,
        tick: Tick(1),
        tick_period: Micros::period_of(30),
        epoch: 0,
        rate: RateMode::EveryTick,
        profile: StreamProfile { has_avatar: true, predicts: true, capacity: 16 },
        history: 64,
        grace: Micros(30_000_000),
        fingerprint: 1,
        tables_id: 2,
        tables_follow: false,
        schema_follows: false,
        level: LevelInfo {
            epoch: 0,
            content_hash: 3,
            source: LevelSource::BuiltIn(BoundedText::cut("yard")),
        },
        next_event: 0,
        next_command: 0,
        inputs: InputNumbering::Ticks,
        rewind_limit: Micros(0),
    };
    Welcome { body, software: None }
}

fn client_bytes(message: &ClientMessage<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("the message is within its limits");
    bytes
}

fn server_bytes(message: &ServerMessage<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("the message is within its limits");
    bytes
}

/// What the neighbour adds to a control message of ours.
fn extended(mut bytes: Vec<u8>) -> Vec<u8> {
    write_extension(LATER_EXTENSION, b"what we cannot know", &mut bytes).expect("it is short");
    bytes
}

#[test]
fn a_later_client_is_understood_and_told_what_is_in_force() {
    let theirs = hello(LATER, Features::PREDICTS.or(LATER_FEATURE));
    let bytes = extended(client_bytes(&ClientMessage::Hello(Box::new(theirs.clone()))));
    let message = ClientMessage::decode(&bytes).unwrap();
    let ClientMessage::Hello(read) = &message else { panic!("another message") };
    assert_eq!(**read, theirs, "all that we know is read");

    let version = VERSION.in_force(read.version).unwrap();
    let features = read.body.features.and(Features::KNOWN);
    assert_eq!((version, features), (VERSION, Features::PREDICTS));
    let mut conversation = Conversation::new();
    conversation.handle_client(&message).unwrap();
    let answer = server_bytes(&ServerMessage::Welcome(Box::new(welcome(version, features))));
    // The neighbour reads our structs as we do: within a major version they do not change.
    conversation.handle_server(&ServerMessage::decode(&answer).unwrap()).unwrap();
    assert_eq!(conversation.state(), SessionState::Active);
}

#[test]
fn a_later_server_is_understood() {
    let mut conversation = Conversation::new();
    conversation.handle_client(&ClientMessage::Hello(Box::new(hello(VERSION, Features::KNOWN)))).unwrap();
    // A bit that was not asked for means nothing, and neither does an extension.
    let theirs = welcome(VERSION, Features::PREDICTS.or(LATER_FEATURE));
    let bytes = extended(server_bytes(&ServerMessage::Welcome(Box::new(theirs.clone()))));
    let message = ServerMessage::decode(&bytes).unwrap();
    assert_eq!(message, ServerMessage::Welcome(Box::new(theirs)));
    conversation.handle_server(&message).unwrap();

    let known =
        Notice { kind: NoticeKind::Slip { epoch: 1, ticks: 2 }, text: Some(BoundedText::cut("late")) };
    let bytes = extended(server_bytes(&ServerMessage::Notice(known.clone())));
    let message = ServerMessage::decode(&bytes).unwrap();
    assert_eq!(message, ServerMessage::Notice(known));
    conversation.handle_server(&message).unwrap();

    let later = [ServerType::Notice as u8, 200, 1, 2, 3];
    let message = ServerMessage::decode(&later).unwrap();
    assert_eq!(message, ServerMessage::Notice(NoticeKind::Unknown(200).into()));
    assert_eq!(conversation.handle_server(&message), Ok(()), "it is skipped");
    assert_eq!(conversation.state(), SessionState::Active);
}

#[test]
fn a_later_reason_is_still_a_refusal() {
    let reason = RefusalReason::Unknown(4177);
    let theirs = Refusal { come_back: ComeBack::After(Micros(7)), ..Refusal::new(reason) };
    let bytes = extended(server_bytes(&ServerMessage::Refusal(theirs.clone())));
    assert_eq!(ServerMessage::decode(&bytes), Ok(ServerMessage::Refusal(theirs.clone())));
    let mut conversation = Conversation::new();
    conversation.handle_server(&ServerMessage::Refusal(theirs)).unwrap();
    assert!(matches!(conversation.state(), SessionState::Gone(_)));
}

#[test]
fn the_next_major_version_is_refused_by_name_and_can_read_why() {
    let foreign = Version { major: VERSION.major + 1, minor: 0 };
    // After its version, nothing of this hello is as we know it.
    let mut bytes = vec![ClientType::Hello as u8];
    bytes.extend(foreign.major.to_le_bytes());
    bytes.extend(foreign.minor.to_le_bytes());
    bytes.extend([0xff; 40]);
    let error = ClientMessage::decode(&bytes).unwrap_err();
    assert_eq!(error, MessageError::Version(foreign));
    assert_eq!(error.end(), SessionEnd::WrongVersion);

    let reason = RefusalReason::WrongVersion { lowest: VERSION, highest: VERSION };
    let answer = server_bytes(&ServerMessage::Refusal(Refusal::new(reason)));
    match ServerMessage::decode(&answer).unwrap() {
        ServerMessage::Refusal(refusal) => {
            assert_eq!(refusal.reason, reason);
            assert_eq!(refusal.come_back, ComeBack::Never);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broken_extension_is_no_unknown_one() {
    let hello = ClientMessage::Hello(Box::new(hello(LATER, Features::default())));
    let whole = extended(extended(client_bytes(&hello)));
    assert!(matches!(ClientMessage::decode(&whole), Err(MessageError::Extension(_))), "it comes twice");
    let cut = extended(client_bytes(&hello));
    assert!(matches!(ClientMessage::decode(&cut[..cut.len() - 1]), Err(MessageError::Extension(_))));
}
