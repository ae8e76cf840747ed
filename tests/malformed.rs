//! Each kind of bad message ends the session that sent it by name, and nobody else notices.

use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::limits::MAX_COMMAND_MESSAGE_BYTES;
use tickwire_protocol::message::{ClientMessage, ClientType, Command, Ping, Pong, ServerType, SessionState};
use tickwire_protocol::time::Micros;
use tickwire_tests::duel::{DuelCommand, DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

/// Lets Eve send messages in a room with others, and says how her session ended.
fn ended_by(messages: impl FnOnce(&mut World<Duelist>, usize) -> Vec<Vec<u8>>) -> Option<SessionEnd> {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 20);
    let others = [world.join("Ann", Path::FAIR), world.join("Bob", Path::FAIR)];
    let eve = world.join("Eve", Path::FAIR);
    world.run_ticks(40);
    world.clients[eve].acts = false;
    for message in messages(&mut world, eve) {
        world.clients[eve].send(message);
    }
    let before: Vec<u32> = others.iter().map(|place| world.clients[*place].heard.snapshots).collect();
    world.run_ticks(30);
    for (place, before) in others.into_iter().zip(before) {
        let client = &world.clients[place];
        client.assert_sound();
        assert!(client.is_active() && client.heard.closed.is_empty());
        assert!(client.heard.snapshots - before >= 28, "each tick is told");
        assert_eq!((client.brain.corrected, client.heard.notices.len()), (0, 0));
    }
    let client = &world.clients[eve];
    let Some(end) = client.ended() else {
        assert_eq!((world.room.sessions(), world.services.metrics.sessions_active.get()), (3, 3));
        return None;
    };
    assert_eq!(client.session.state(), SessionState::Gone(end), "the notice has the same end as the close");
    assert_eq!(world.room.sessions(), 2);
    let left = events(&world.clients[0].heard);
    assert!(matches!(left.last(), Some(DuelEvent::Left(_, name)) if name == "Eve"), "others are told");
    let line = format!("session_ends_total{{reason=\"{}\"}} 1", end.name());
    assert!(world.services.metrics.to_text().contains(&line), "{line}");
    Some(end)
}

fn bytes_of(message: &ClientMessage<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("it is within its limits");
    bytes
}

fn input(world: &mut World<Duelist>, eve: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let tick = world.room.next_tick().0 + 4;
    world.clients[eve].session.encode_inputs(tick, &[127, 127, 0, 7], None, &mut bytes);
    bytes
}

#[test]
fn what_is_in_order_ends_nothing() {
    let good = |world: &mut World<Duelist>, eve: usize| vec![input(world, eve), input(world, eve)];
    assert_eq!(ended_by(good), None);
}

#[test]
fn what_cannot_be_read_is_malformed() {
    let cut = |world: &mut World<Duelist>, eve: usize| {
        let mut bytes = input(world, eve);
        bytes.truncate(bytes.len() - 1);
        vec![bytes]
    };
    assert_eq!(ended_by(cut), Some(SessionEnd::Malformed));
    let longer = |world: &mut World<Duelist>, eve: usize| {
        let mut bytes = input(world, eve);
        bytes.push(0);
        vec![bytes]
    };
    assert_eq!(ended_by(longer), Some(SessionEnd::Malformed));
    for bytes in [
        vec![],
        vec![0x00],
        vec![0x07],
        vec![0x7f, 1, 2, 3],
        vec![0xff],
        vec![ClientType::Input as u8],
        vec![ClientType::Input as u8, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![ClientType::Ping as u8, 1, 2, 3],
        vec![ClientType::Pong as u8; 12],
    ] {
        assert_eq!(ended_by(|_, _| vec![bytes.clone()]), Some(SessionEnd::Malformed), "{bytes:02x?}");
    }
}

#[test]
fn what_the_game_cannot_read_is_malformed() {
    let command = |payload: &'static [u8]| {
        move |_: &mut World<Duelist>, _: usize| {
            vec![bytes_of(&ClientMessage::Command(Command { sequence: 0, payload }))]
        }
    };
    assert_eq!(ended_by(command(&[99])), Some(SessionEnd::Malformed));
    assert_eq!(ended_by(command(&[])), Some(SessionEnd::Malformed));
    // A command and something behind it.
    assert_eq!(ended_by(command(&[4, 9, 9])), Some(SessionEnd::Malformed));
    // A text that claims to be longer than any memory.
    assert_eq!(
        ended_by(command(&[0, 0xfd, 255, 255, 255, 255, 255, 255, 255, 127])),
        Some(SessionEnd::Malformed)
    );
}

#[test]
fn each_side_says_its_own() {
    for kind in [ServerType::Welcome, ServerType::Snapshot, ServerType::Notice, ServerType::Tables] {
        assert_eq!(ended_by(|_, _| vec![vec![kind as u8, 0]]), Some(SessionEnd::WrongSide), "{kind:?}");
    }
}

#[test]
fn a_message_has_a_largest_size() {
    let mut command = vec![0; MAX_COMMAND_MESSAGE_BYTES + 1];
    command[0] = ClientType::Command as u8;
    assert_eq!(ended_by(|_, _| vec![command]), Some(SessionEnd::TooLarge));
    let mut input = vec![0; 2101];
    input[0] = ClientType::Input as u8;
    assert_eq!(ended_by(|_, _| vec![input]), Some(SessionEnd::TooLarge));
    assert_eq!(ended_by(|_, _| vec![vec![ClientType::Ping as u8; 14]]), Some(SessionEnd::TooLarge));
    assert_eq!(ended_by(|_, _| vec![vec![ClientType::Leave as u8, 0]]), Some(SessionEnd::TooLarge));
}

#[test]
fn a_second_hello_is_out_of_order() {
    let hello = |world: &mut World<Duelist>, _: usize| {
        let mut session = tickwire_protocol::client::Session::new(world.session_config("Eve"));
        let mut bytes = Vec::new();
        session.poll_hello(&mut bytes).expect("a new session");
        vec![bytes]
    };
    assert_eq!(ended_by(hello), Some(SessionEnd::OutOfOrder));
}

#[test]
fn commands_come_one_after_another() {
    let mut payload = Vec::new();
    let cloak = DuelCommand::Cloak(true);
    tickwire_protocol::message::encode_payload(&cloak, &mut payload).expect("it is short");
    let command = |sequence| bytes_of(&ClientMessage::Command(Command { sequence, payload: &payload }));
    assert_eq!(ended_by(|_, _| vec![command(0), command(1)]), None);
    assert_eq!(ended_by(|_, _| vec![command(1)]), Some(SessionEnd::OutOfOrder));
    assert_eq!(ended_by(|_, _| vec![command(0), command(0)]), Some(SessionEnd::OutOfOrder));
    assert_eq!(ended_by(|_, _| vec![command(u32::MAX)]), Some(SessionEnd::OutOfOrder));
}

#[test]
fn pings_and_pongs_belong_together() {
    let ping = |nonce| bytes_of(&ClientMessage::Ping(Ping { nonce, sent: Micros(0) }));
    // An unasked answer.
    let pong = bytes_of(&ClientMessage::Pong(Pong { nonce: 77, sent: Micros(0), waited_micros: 0 }));
    assert_eq!(ended_by(|_, _| vec![pong]), Some(SessionEnd::OutOfOrder));
    // All of them come in one tick, and are answered one after another.
    assert_eq!(ended_by(|_, _| (0..40).map(ping).collect()), None);
}

#[test]
fn what_was_never_sent_cannot_be_acknowledged() {
    let acknowledge = |tick: u32, event: Option<u16>| {
        let header = tickwire_protocol::message::InputHeader {
            newest_snapshot: Some(tick as u16),
            next_event: event,
            ..Default::default()
        };
        let kind = tickwire_protocol::game::InputForm::<tickwire_tests::duel::Stick>::new();
        let mut bytes = Vec::new();
        let mut scratch = tickwire_protocol::wire::bits::BitWriter::new();
        header.encode(kind.expect("a stick has a form").codec(), &[], &mut scratch, &mut bytes);
        bytes
    };
    let newest = |world: &World<Duelist>, eve: usize| world.clients[eve].heard.newest.expect("snapshots").0;
    let end = ended_by(|world, eve| vec![acknowledge(newest(world, eve), None)]);
    assert_eq!(end, None);
    let end = ended_by(|world, eve| vec![acknowledge(newest(world, eve) + 20, None)]);
    assert_eq!(end, Some(SessionEnd::FalseAcknowledgement));
    let end = ended_by(|world, eve| vec![acknowledge(newest(world, eve), Some(500))]);
    assert_eq!(end, Some(SessionEnd::FalseAcknowledgement));
    // Before the first tick.
    let end = ended_by(|_, _| vec![acknowledge(60_000, None)]);
    assert_eq!(end, Some(SessionEnd::FalseAcknowledgement));
}

#[test]
fn commands_of_a_tick_have_an_end() {
    let mut payload = Vec::new();
    let cloak = DuelCommand::Cloak(false);
    tickwire_protocol::message::encode_payload(&cloak, &mut payload).expect("it is short");
    // More than a connection delivers in a tick are taken in several.
    let many = |_: &mut World<Duelist>, _: usize| {
        (0..2000)
            .map(|sequence| bytes_of(&ClientMessage::Command(Command { sequence, payload: &payload })))
            .collect()
    };
    assert_eq!(ended_by(many), None);
}

#[test]
fn random_bytes_never_hurt_others() {
    let mut random = tickwire_protocol::determinism::SimRng::from_u64(21);
    for _ in 0..12 {
        let length = random.u32_up_to(40) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| random.next_u32() as u8).collect();
        if let Some(first) = bytes.first_mut() {
            *first = *first % 6 + 1;
        }
        // Whatever it is, the session goes on or ends; the rest is asserted inside.
        let _ = ended_by(|_, _| vec![bytes.clone()]);
    }
}
