//! `docs/PROTOCOL.md` says what the code does: its examples are decoded and encoded, its tables compared.
//!
//! An example is a block fenced as `hex example=NAME`; everything after `#` in its lines is a remark.
//! Examples of snapshots stand in a section of their own and have a test of their own.

use std::collections::BTreeMap;
use std::path::Path;
use tickwire_protocol::end::{ComeBack, SESSION_ENDS};
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::message::{
    BoundedBytes, BoundedText, ClientMessage, ClientType, Command, EventQueue, Features, Hello, HelloBody,
    InputCodec, InputHeader, InputNumbering, LevelInfo, LevelSource, Notice, NoticeKind, Ping, Refusal,
    RefusalReason, Resume, ResumeToken, RoomCode, RoomId, RoomInfo, RoomWish, ServerMessage, ServerType,
    VERSION, Version, ViewBack, Welcome, WelcomeBody,
};
use tickwire_protocol::schema::{FieldSchema, KindSchema, Predictor, Quantization, Schema};
use tickwire_protocol::snapshot::{RateMode, StreamProfile};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::BitWriter;
use tickwire_protocol::wire::quantize::Axis;

#[test]
fn each_example_is_what_the_code_writes() {
    let written: BTreeMap<String, Vec<u8>> = examples(document_without_snapshots());
    let mut wrong = String::new();
    let expected = messages();
    for (name, bytes) in &expected {
        if written.get(*name) != Some(bytes) {
            wrong += &format!("\n```hex example={name}\n{}\n```\n", hex(bytes));
        }
    }
    assert!(wrong.is_empty(), "these examples are missing or wrong; they should be\n{wrong}");
    let surplus: Vec<_> = written.keys().filter(|name| !expected.contains_key(name.as_str())).collect();
    assert!(surplus.is_empty(), "no message of this test: {surplus:?}");
}

#[test]
fn each_example_decodes_and_encodes_to_itself() {
    for (name, bytes) in examples(document_without_snapshots()) {
        let mut again = Vec::new();
        if bytes[0] < 0x80 {
            ClientMessage::decode(&bytes).unwrap().encode(&mut again).unwrap();
        } else {
            ServerMessage::decode(&bytes).unwrap().encode(&mut again).unwrap();
        }
        assert_eq!(hex(&again), hex(&bytes), "{name}");
    }
}

#[test]
fn the_tables_of_types_are_those_of_the_code() {
    let client = ClientType::ALL.iter().map(|kind| (*kind as u8, format!("{kind:?}"), kind.limit()));
    let server = ServerType::ALL.iter().map(|kind| (*kind as u8, format!("{kind:?}"), kind.limit()));
    let expected: Vec<Vec<String>> = client
        .chain(server)
        .map(|(byte, name, limit)| vec![format!("`{byte:02x}`"), name.to_lowercase(), limit.to_string()])
        .collect();
    let rows: Vec<Vec<String>> = rows(&section("Messages"))
        .into_iter()
        .filter(|row| row[0].len() == 4 && u8::from_str_radix(&row[0][1..3], 16).is_ok())
        .map(|row| row[..3].to_vec())
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_table_of_ends_is_that_of_the_code() {
    let expected: Vec<Vec<String>> = SESSION_ENDS
        .iter()
        .map(|row| {
            let come_back = match row.come_back {
                ComeBack::Never => "never".to_owned(),
                ComeBack::Now => "now".to_owned(),
                ComeBack::After(time) => format!("after {} s", time.0 / 1_000_000),
                ComeBack::Resume => "resume".to_owned(),
            };
            vec![row.code.to_string(), format!("`{}`", row.name), come_back, row.text.to_owned()]
        })
        .collect();
    let rows: Vec<Vec<String>> =
        rows(&section("Session ends")).into_iter().filter(|row| row[0].parse::<u16>().is_ok()).collect();
    let lines: Vec<String> = expected.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
    assert!(rows == expected, "the table should be\n{}", lines.join("\n"));
}

/// The messages of the examples, as the code writes them.
fn messages() -> BTreeMap<&'static str, Vec<u8>> {
    let mut messages = BTreeMap::new();
    for (name, message) in client_messages() {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).expect("it is within its limits");
        assert_eq!(ClientMessage::decode(&bytes), Ok(message));
        messages.insert(name, bytes);
    }
    for (name, message) in server_messages() {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).expect("it is within its limits");
        assert_eq!(ServerMessage::decode(&bytes), Ok(message));
        messages.insert(name, bytes);
    }
    messages.insert("input", input());
    let acknowledgement = InputHeader { newest_snapshot: Some(1005), ..InputHeader::default() };
    messages.insert("acknowledgement", encoded(&acknowledgement, &[]));
    messages.insert("events", events());
    messages
}

fn client_messages() -> Vec<(&'static str, ClientMessage<'static>)> {
    let hello = Hello::new(HelloBody {
        fingerprint: 0x0123_4567_89ab_cdef,
        tables_id: None,
        features: Features::PREDICTS,
        game: BoundedText::cut("arena"),
        room: RoomWish::QuickPlay,
        name: BoundedText::cut("Zoë"),
        credential: None,
        resume: None,
        spectator: false,
    });
    let mut back = hello.clone();
    back.body.tables_id = Some(300);
    back.body.room = RoomWish::Code(RoomCode::parse("7KQ2-MX01").expect("the examples are valid"));
    back.body.credential = Some(BoundedBytes::new(*b"abc").expect("the examples are valid"));
    back.body.resume = Some(Resume { token: token(), next_event: 70_000 });
    back.software = Some(BoundedText::cut("bot 1.0"));
    let ping = Ping { nonce: 7, sent: Micros(1_000_000) };
    vec![
        ("hello", ClientMessage::Hello(Box::new(hello))),
        ("hello-resume", ClientMessage::Hello(Box::new(back))),
        ("client-ping", ClientMessage::Ping(ping)),
        ("client-pong", ClientMessage::Pong(ping.answer(Micros(8_000)))),
        ("command", ClientMessage::Command(Command { sequence: 1, payload: &[0, 2, b'h', b'i'] })),
        ("leave", ClientMessage::Leave),
    ]
}

fn server_messages() -> Vec<(&'static str, ServerMessage<'static>)> {
    let versions = RefusalReason::WrongVersion { lowest: VERSION, highest: Version { major: 1, minor: 300 } };
    let mut banned = Refusal::new(RefusalReason::End(tickwire_protocol::end::SessionEnd::Banned));
    banned.come_back = ComeBack::After(Micros(60_000_000));
    banned.text = BoundedText::cut("till noon");
    let going = Notice {
        kind: NoticeKind::GoingAway { code: 4000, come_back: ComeBack::Resume },
        text: Some(BoundedText::cut("Update")),
    };
    let ping = Ping { nonce: 8, sent: Micros(5) };
    vec![
        ("welcome", ServerMessage::Welcome(Box::new(welcome()))),
        ("refusal-wrong-version", ServerMessage::Refusal(Refusal::new(versions))),
        ("refusal-banned", ServerMessage::Refusal(banned)),
        ("server-ping", ServerMessage::Ping(ping)),
        ("server-pong", ServerMessage::Pong(ping.answer(Micros(0)))),
        ("notice-draining", notice(NoticeKind::Draining { within: Micros(30_000_000) })),
        ("notice-level", notice(NoticeKind::Level(level(1)))),
        ("notice-slip", notice(NoticeKind::Slip { epoch: 2, ticks: 12 })),
        ("notice-rate", notice(NoticeKind::Rate(RateMode::EverySecondTick))),
        ("notice-going-away", ServerMessage::Notice(going)),
        ("notice-check", notice(NoticeKind::Check { tick: Tick(1005), check: 0x35aa_c276 })),
        ("schema", ServerMessage::Schema(schema())),
    ]
}

fn notice(kind: NoticeKind) -> ServerMessage<'static> {
    ServerMessage::Notice(kind.into())
}

fn level(epoch: u16) -> LevelInfo {
    LevelInfo { epoch, content_hash: 0xfeed, source: LevelSource::Fetch(BoundedText::cut("/levels/yard")) }
}

fn token() -> ResumeToken {
    ResumeToken::new(std::array::from_fn(|place| 0xa0 + place as u8)).expect("the examples are valid")
}

fn welcome() -> Welcome {
    let body = WelcomeBody {
        version: VERSION,
        features: Features::PREDICTS,
        room: RoomInfo { id: RoomId(7), code: None, name: BoundedText::cut("Yard") },
        player: PlayerId(3),
        resume_token: token(),
        resumed: false,
        tick: Tick(1000),
        tick_period: Micros::period_of(60),
        epoch: 1,
        rate: RateMode::EveryTick,
        profile: StreamProfile { has_avatar: true, predicts: true, capacity: 256 },
        history: 64,
        grace: Micros(30_000_000),
        fingerprint: 0x0123_4567_89ab_cdef,
        tables_id: 300,
        tables_follow: true,
        schema_follows: false,
        level: level(0),
        next_event: 1,
        next_command: 1,
        inputs: InputNumbering::Ticks,
        rewind_limit: Micros(250_000),
    };
    Welcome { body, software: None }
}

fn schema() -> Schema {
    let plane = |max: f64| Quantization::Ranged(vec![Axis::covering(-max, max, 0.5); 2]);
    let mut fields = vec![
        FieldSchema::new("at", plane(100.0)),
        FieldSchema::new("way", plane(10.0)),
        FieldSchema::new("hp", Quantization::Int { min: -1, max: 100 }),
        FieldSchema::new("team", Quantization::Enum { variants: vec!["red".to_owned(), "blue".to_owned()] }),
    ];
    fields[0].predictor = Predictor::Segment { velocity: 1 };
    Schema::new(vec![KindSchema { name: "ship".to_owned(), fields }]).expect("the examples are valid")
}

fn encoded(header: &InputHeader, rows: &[i32]) -> Vec<u8> {
    let stick = Axis::covering(-1.0, 1.0, 1.0 / 127.0);
    let fields = vec![
        FieldSchema::new("stick", Quantization::Ranged(vec![stick; 2])),
        FieldSchema::new("dash", Quantization::Bool),
    ];
    let codec =
        InputCodec::new(&KindSchema { name: "input".to_owned(), fields }).expect("the examples are valid");
    let mut bytes = Vec::new();
    header.encode(&codec, rows, &mut BitWriter::new(), &mut bytes);
    let ClientMessage::Input(message) = ClientMessage::decode(&bytes).expect("the examples are valid") else {
        panic!("no input")
    };
    let mut read = Vec::new();
    message.read_inputs(&codec, &mut read).expect("the examples are valid");
    assert_eq!((message.header(), &read[..]), (header, rows));
    bytes
}

fn input() -> Vec<u8> {
    let header = InputHeader {
        newest_snapshot: Some(1005),
        view: Some(ViewBack(448)),
        next_event: None,
        first: 1009,
        count: 3,
    };
    encoded(&header, &[127, 254, 0, 127, 254, 0, 127, 254, 1])
}

fn events() -> Vec<u8> {
    let mut queue = EventQueue::new(1);
    queue.push(Tick(1003), vec![0, 5].into()).expect("the examples are valid");
    queue.push(Tick(1005), vec![].into()).expect("the examples are valid");
    let mut bytes = Vec::new();
    assert_eq!(queue.poll_message(&mut bytes), 2);
    bytes
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PROTOCOL.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text below a heading of the second level.
fn section(title: &str) -> String {
    let document = document();
    let (_, rest) = document.split_once(&format!("\n## {title}\n")).expect("the section is there");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

fn document_without_snapshots() -> String {
    document().replace(&section("Snapshots"), "")
}

fn examples(text: String) -> BTreeMap<String, Vec<u8>> {
    let mut examples = BTreeMap::new();
    for block in text.split("\n```hex example=").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a block has lines");
        let (lines, _) = rest.split_once("```").expect("a block ends");
        let digits = lines.lines().map(|line| line.split('#').next().unwrap_or_default());
        let digits: String = digits.collect::<String>().split_whitespace().collect();
        let byte = |place| u8::from_str_radix(&digits[place..place + 2], 16).expect("two digits a byte");
        let bytes = (0..digits.len()).step_by(2).map(byte).collect();
        assert_eq!(examples.insert(name.to_owned(), bytes), None, "{name} comes twice");
    }
    examples
}

/// The cells of the rows of all tables.
fn rows(text: &str) -> Vec<Vec<String>> {
    let tables = text.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    tables.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
