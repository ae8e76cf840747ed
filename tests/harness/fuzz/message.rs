//! Messages from either side, and any sequence of them.

use std::sync::LazyLock;

use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::{
    ClientMessage, Conversation, EventInbox, Features, InputCodec, PlayerName, ServerMessage, SessionState,
    decode_payload,
};
use tickwire_protocol::time::Tick;
use tickwire_protocol::wire::bits::BitWriter;

use super::kinds::DOOR;

/// Takes the bytes as a message from a client, and reads all that is in it.
pub fn client_message(data: &[u8]) {
    let Ok(message) = ClientMessage::decode(data) else { return };
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("what was read can be written");
    assert_eq!(ClientMessage::decode(&bytes).as_ref(), Ok(&message));
    match message {
        ClientMessage::Hello(hello) => {
            if let Ok(name) = PlayerName::new(hello.body.name.as_str()) {
                assert_eq!(PlayerName::new(name.as_str()), Ok(name));
            }
            let _ = hello.body.features.and(Features::KNOWN);
        }
        ClientMessage::Input(input) => {
            let mut rows = vec![-1];
            if input.read_inputs(&INPUTS, &mut rows).is_err() {
                assert_eq!(rows, [-1], "an error leaves the inputs as they were");
                return;
            }
            let (mut again, mut value) = (Vec::new(), vec![f64::NAN; INPUTS.components()]);
            input.header().encode(&INPUTS, &rows[1..], &mut BitWriter::new(), &mut again);
            let ClientMessage::Input(read) = ClientMessage::decode(&again).expect("it was written") else {
                panic!("an input became something else");
            };
            let mut second = vec![-1];
            read.read_inputs(&INPUTS, &mut second).expect("it was written");
            assert_eq!((read.header(), second), (input.header(), rows.clone()));
            for row in rows[1..].chunks(INPUTS.lanes()) {
                INPUTS.value(row, &mut value);
                let mut lanes = row.to_vec();
                INPUTS.quantize(&value, &mut lanes).expect("a lane has a value of its range");
                assert_eq!(lanes, row);
            }
        }
        ClientMessage::Command(command) => {
            let _ = decode_payload::<Payload>(command.payload);
        }
        ClientMessage::Ping(_) | ClientMessage::Pong(_) | ClientMessage::Leave => {}
    }
}

/// Takes the bytes as a message from a server, and reads all that is in it.
pub fn server_message(data: &[u8]) {
    let Ok(message) = ServerMessage::decode(data) else { return };
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("what was read can be written");
    assert_eq!(ServerMessage::decode(&bytes).as_ref(), Ok(&message));
    match message {
        ServerMessage::Events(events) => {
            let mut inbox = EventInbox::new(events.first());
            if inbox.handle_message(events, Tick(1 << 20)).is_ok() {
                assert_eq!(inbox.next(), events.next());
                inbox.handle_message(events, Tick(1 << 20)).expect("duplicates are dropped");
                let mut count = 0;
                while let Some((_, payload)) = inbox.poll_event(Tick(u32::MAX)) {
                    let _ = decode_payload::<Payload>(&payload);
                    count += 1;
                }
                assert_eq!(count, events.count());
            }
        }
        ServerMessage::Schema(schema) => {
            let _ = schema.structural_hash();
        }
        _ => {}
    }
}

/// Takes the bytes as what happens to a session: each step has a byte (what), two (a length) and that many
/// bytes.
pub fn conversation(data: &[u8]) {
    let mut conversation = Conversation::new();
    let mut rest = data;
    while let Some((&[what, low, high], tail)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let (body, tail) = tail.split_at(length.min(tail.len()));
        rest = tail;
        let before = conversation.state();
        let result = match what % 5 {
            0 => match ClientMessage::decode(body) {
                Ok(message) => conversation.handle_client(&message),
                Err(error) => broken(&mut conversation, error.end()),
            },
            1 => match ServerMessage::decode(body) {
                Ok(message) => conversation.handle_server(&message),
                Err(error) => broken(&mut conversation, error.end()),
            },
            2 => {
                let tick = body.first_chunk().map_or(u32::from(low), |four| u32::from_le_bytes(*four));
                conversation.handle_snapshot(Tick(tick))
            }
            3 => {
                conversation.handle_disconnected();
                Ok(())
            }
            _ => {
                if let Some(end) = SessionEnd::from_code(u16::from_le_bytes([low, high])) {
                    conversation.handle_end(end);
                }
                Ok(())
            }
        };
        let after = conversation.state();
        if let SessionState::Gone(end) = before {
            assert_eq!(after, before, "what is over stays over");
            assert!(result.is_ok() || result == Err(end));
        }
        if let Err(end) = result {
            assert_eq!(after, SessionState::Gone(end), "a fault ends the session");
        }
        if after == SessionState::Active && before != SessionState::Active {
            assert_eq!((what % 5, result), (1, Ok(())), "only a welcome opens a session");
        }
        if after == SessionState::Handshaking {
            assert_eq!(before, SessionState::Handshaking, "nobody goes back to the handshake");
        }
    }
}

fn broken(conversation: &mut Conversation, end: SessionEnd) -> Result<(), SessionEnd> {
    conversation.handle_end(end);
    match conversation.state() {
        SessionState::Gone(end) => Err(end),
        _ => Ok(()),
    }
}

/// A payload with everything in it that asks for memory.
type Payload = (Option<String>, Vec<(u32, String)>, std::collections::BTreeMap<u16, Vec<u8>>);

static INPUTS: LazyLock<InputCodec> =
    LazyLock::new(|| InputCodec::new(&DOOR.kinds()[0]).expect("a door could be an input"));
