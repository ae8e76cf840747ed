//! The messages between client and server: one binary WebSocket message each, a type byte and a body.
//!
//! Control messages (hello, welcome, refusal, notice, schema) are structs in the encoding of `control`,
//! with skippable [extensions](extension) behind them. What is sent many times a second (input, snapshot,
//! events, command, ping, pong) has a layout of its own and is neither copied nor allocated when it is read.
//! Each message has a file.
//!
//! Decoding is total: any bytes are a message or a [`MessageError`], and each error is a [`SessionEnd`].
//! Which message is allowed when is the matter of [`Conversation`]. `docs/PROTOCOL.md` has it all byte by
//! byte.

mod bounded;
mod command;
mod control;
mod conversation;
mod event;
mod event_inbox;
mod event_queue;
pub mod extension;
mod hello;
mod input;
mod input_codec;
mod name;
mod notice;
mod ping;
mod refusal;
mod room;
mod round_trip;
mod token;
mod version;
mod welcome;

pub use bounded::{BoundedBytes, BoundedText, TooLong};
pub use command::Command;
pub use control::{ControlError, decode_payload, encode_payload};
pub use conversation::{Conversation, SessionState};
pub use event::{EventRun, SentEvent};
pub use event_inbox::{EventInbox, EventInboxError};
pub use event_queue::{EventQueue, EventQueueError};
pub use hello::{Hello, HelloBody, Resume};
pub use input::{InputHeader, InputMessage, ViewBack, ViewTime};
pub use input_codec::{InputCodec, InputError, InputKindError};
pub use name::{NameError, PlayerName, visible_text};
pub use notice::{Notice, NoticeKind};
pub use ping::{Ping, Pong};
pub use refusal::{Refusal, RefusalReason};
pub use room::{RoomCode, RoomCodeError, RoomId, RoomInfo, RoomWish};
pub use round_trip::RoundTrip;
pub use token::{EmptyToken, ResumeToken};
pub use version::{Features, SUBPROTOCOL, VERSION, Version};
pub use welcome::{InputNumbering, LevelInfo, LevelSource, Welcome, WelcomeBody};

use crate::end::SessionEnd;
use crate::limits::{
    MAX_COMMAND_MESSAGE_BYTES, MAX_EVENTS_MESSAGE_BYTES, MAX_HELLO_BYTES, MAX_INPUT_MESSAGE_BYTES,
    MAX_NOTICE_BYTES, MAX_REFUSAL_BYTES, MAX_SCHEMA_BYTES, MAX_SNAPSHOT_BYTES, MAX_TABLES_BYTES,
    MAX_WELCOME_BYTES,
};
use crate::schema::Schema;
use crate::wire::bits::{OutOfBits, TrailingBits};
use control::CLAIM;
use extension::{ExtensionError, Extensions};
use thiserror::Error;

/// Makes the enum of one direction's type bytes, and its table with the longest message of each type in
/// bytes, the type byte included.
macro_rules! message_types {
    ($(#[$doc:meta])* $types:ident $($(#[$each:meta])* $kind:ident $byte:literal $limit:expr;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $types {
            $($(#[$each])* $kind = $byte,)*
        }

        impl $types {
            /// All types, by their bytes.
            pub const ALL: &[$types] = &[$($types::$kind,)*];

            /// The type with this byte.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<$types> {
                match byte {
                    $($byte => Some($types::$kind),)*
                    _ => None,
                }
            }

            /// The longest message of this type in bytes, the type byte included.
            #[must_use]
            pub const fn limit(self) -> usize {
                match self {
                    $($types::$kind => $limit,)*
                }
            }
        }
    };
}

message_types! {
    /// The first byte of a message from the client.
    ClientType
    /// [`Hello`].
    Hello 0x01 MAX_HELLO_BYTES;
    /// [`InputMessage`].
    Input 0x02 MAX_INPUT_MESSAGE_BYTES;
    /// [`Ping`].
    Ping 0x03 1 + 12;
    /// [`Pong`].
    Pong 0x04 1 + 16;
    /// [`Command`].
    Command 0x05 MAX_COMMAND_MESSAGE_BYTES;
    /// The player leaves: nothing but the type byte.
    Leave 0x06 1;
}

message_types! {
    /// The first byte of a message from the server.
    ServerType
    /// [`Welcome`].
    Welcome 0x81 MAX_WELCOME_BYTES;
    /// [`Refusal`].
    Refusal 0x82 MAX_REFUSAL_BYTES;
    /// A snapshot.
    Snapshot 0x83 MAX_SNAPSHOT_BYTES;
    /// [`EventRun`].
    Events 0x84 MAX_EVENTS_MESSAGE_BYTES;
    /// [`Ping`].
    Ping 0x85 1 + 12;
    /// [`Pong`].
    Pong 0x86 1 + 16;
    /// [`Notice`].
    Notice 0x87 MAX_NOTICE_BYTES;
    /// Entropy tables.
    Tables 0x88 1 + MAX_TABLES_BYTES;
    /// The schema.
    Schema 0x89 MAX_SCHEMA_BYTES;
}

/// A message from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    /// The first message of a connection.
    Hello(Box<Hello>),
    /// Inputs and acknowledgements.
    Input(InputMessage<'a>),
    /// A question for the time.
    Ping(Ping),
    /// The answer to the server's question.
    Pong(Pong),
    /// A command of the game.
    Command(Command<'a>),
    /// The player leaves for good.
    Leave,
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage<'a> {
    /// The client is let in.
    Welcome(Box<Welcome>),
    /// The client is not let in.
    Refusal(Refusal),
    /// The body of a snapshot, which [`snapshot`](crate::snapshot) reads.
    Snapshot(&'a [u8]),
    /// Events of the game.
    Events(EventRun<'a>),
    /// A question for the time.
    Ping(Ping),
    /// The answer to the client's question.
    Pong(Pong),
    /// A notice.
    Notice(Notice),
    /// Entropy tables, which [`EntropyTables`](crate::delta::EntropyTables) reads with the schema.
    Tables(&'a [u8]),
    /// The schema.
    Schema(Schema),
}

/// Why bytes are no message, or a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    /// There is not even a type byte.
    #[error("an empty message")]
    Empty,
    /// No message has this type byte.
    #[error("no message has type {0:#04x}")]
    UnknownType(u8),
    /// The message is one that only the other side sends.
    #[error("a message of type {0:#04x} comes from the other side")]
    WrongSide(u8),
    /// The message is longer than its type allows.
    #[error("a message of type {kind:#04x} has {length} bytes, more than {limit}")]
    TooLong {
        /// The type byte.
        kind: u8,
        /// Bytes of the message.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The message ends early.
    #[error("a message of type {0:#04x} is cut off")]
    Truncated(u8),
    /// Something follows the message.
    #[error("{bytes} bytes follow a message of type {kind:#04x}")]
    Trailing {
        /// The type byte.
        kind: u8,
        /// Bytes that follow.
        bytes: usize,
    },
    /// A hello of another major version, whose rest cannot be read.
    #[error("version {0} of the protocol, and this is {VERSION}")]
    Version(Version),
    /// The struct of a control message is broken.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The extensions of a control message are broken.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// A bit-packed message ends early.
    #[error(transparent)]
    Bits(#[from] OutOfBits),
    /// Something follows a bit-packed message.
    #[error(transparent)]
    TrailingBits(#[from] TrailingBits),
    /// An input is broken.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A field has a value that it cannot have.
    #[error("the {field} of a message ({message}) cannot be so")]
    Field {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
}

impl MessageError {
    /// The end of the session in which such bytes come.
    #[must_use]
    pub fn end(&self) -> SessionEnd {
        match self {
            MessageError::WrongSide(_) => SessionEnd::WrongSide,
            MessageError::TooLong { .. } => SessionEnd::TooLarge,
            MessageError::Version(_) => SessionEnd::WrongVersion,
            _ => SessionEnd::Malformed,
        }
    }
}

impl<'a> ClientMessage<'a> {
    /// The message that is all of `bytes`. The inputs of an [`InputMessage`] are read separately, with the
    /// game's codec.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong with the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<ClientMessage<'a>, MessageError> {
        let (&byte, body) = bytes.split_first().ok_or(MessageError::Empty)?;
        let Some(kind) = ClientType::from_byte(byte) else {
            return Err(match ServerType::from_byte(byte) {
                Some(_) => MessageError::WrongSide(byte),
                None => MessageError::UnknownType(byte),
            });
        };
        check_length(byte, bytes.len(), kind.limit())?;
        Ok(match kind {
            ClientType::Hello => ClientMessage::Hello(Box::new(Hello::decode_body(body)?)),
            ClientType::Input => ClientMessage::Input(InputMessage::decode_body(body)?),
            ClientType::Ping => ClientMessage::Ping(Ping::decode_body(byte, body)?),
            ClientType::Pong => ClientMessage::Pong(Pong::decode_body(byte, body)?),
            ClientType::Command => ClientMessage::Command(Command::decode_body(body)?),
            ClientType::Leave => ClientMessage::Leave,
        })
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> ClientType {
        match self {
            ClientMessage::Hello(_) => ClientType::Hello,
            ClientMessage::Input(_) => ClientType::Input,
            ClientMessage::Ping(_) => ClientType::Ping,
            ClientMessage::Pong(_) => ClientType::Pong,
            ClientMessage::Command(_) => ClientType::Command,
            ClientMessage::Leave => ClientType::Leave,
        }
    }

    /// Appends the message, type byte included.
    ///
    /// # Errors
    /// [`MessageError`] when the other side would refuse it; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        append(self.kind() as u8, self.kind().limit(), out, |out| {
            match self {
                ClientMessage::Hello(hello) => hello.encode_body(out)?,
                ClientMessage::Input(input) => input.encode_body(out),
                ClientMessage::Ping(ping) => ping.encode_body(out),
                ClientMessage::Pong(pong) => pong.encode_body(out),
                ClientMessage::Command(command) => command.encode_body(out),
                ClientMessage::Leave => {}
            }
            Ok(())
        })
    }
}

impl<'a> ServerMessage<'a> {
    /// The message that is all of `bytes`.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong with the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<ServerMessage<'a>, MessageError> {
        let (&byte, body) = bytes.split_first().ok_or(MessageError::Empty)?;
        let Some(kind) = ServerType::from_byte(byte) else {
            return Err(match ClientType::from_byte(byte) {
                Some(_) => MessageError::WrongSide(byte),
                None => MessageError::UnknownType(byte),
            });
        };
        check_length(byte, bytes.len(), kind.limit())?;
        Ok(match kind {
            ServerType::Welcome => ServerMessage::Welcome(Box::new(Welcome::decode_body(body)?)),
            ServerType::Refusal => ServerMessage::Refusal(Refusal::decode_body(body)?),
            ServerType::Snapshot => ServerMessage::Snapshot(body),
            ServerType::Events => ServerMessage::Events(EventRun::decode_body(body)?),
            ServerType::Ping => ServerMessage::Ping(Ping::decode_body(byte, body)?),
            ServerType::Pong => ServerMessage::Pong(Pong::decode_body(byte, body)?),
            ServerType::Notice => ServerMessage::Notice(Notice::decode_body(body)?),
            ServerType::Tables => ServerMessage::Tables(body),
            ServerType::Schema => {
                let (schema, rest) = control::decode_prefix::<Schema, { MAX_SCHEMA_BYTES * CLAIM }>(body)?;
                Extensions::parse(rest)?;
                ServerMessage::Schema(schema)
            }
        })
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> ServerType {
        match self {
            ServerMessage::Welcome(_) => ServerType::Welcome,
            ServerMessage::Refusal(_) => ServerType::Refusal,
            ServerMessage::Snapshot(_) => ServerType::Snapshot,
            ServerMessage::Events(_) => ServerType::Events,
            ServerMessage::Ping(_) => ServerType::Ping,
            ServerMessage::Pong(_) => ServerType::Pong,
            ServerMessage::Notice(_) => ServerType::Notice,
            ServerMessage::Tables(_) => ServerType::Tables,
            ServerMessage::Schema(_) => ServerType::Schema,
        }
    }

    /// Appends the message, type byte included.
    ///
    /// # Errors
    /// [`MessageError`] when the other side would refuse it; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        append(self.kind() as u8, self.kind().limit(), out, |out| {
            match self {
                ServerMessage::Welcome(welcome) => welcome.encode_body(out)?,
                ServerMessage::Refusal(refusal) => refusal.encode_body(out)?,
                ServerMessage::Snapshot(body) | ServerMessage::Tables(body) => out.extend_from_slice(body),
                ServerMessage::Events(events) => events.encode_body(out),
                ServerMessage::Ping(ping) => ping.encode_body(out),
                ServerMessage::Pong(pong) => pong.encode_body(out),
                ServerMessage::Notice(notice) => notice.encode_body(out)?,
                ServerMessage::Schema(schema) => control::encode(schema, MAX_SCHEMA_BYTES, out)?,
            }
            Ok(())
        })
    }
}

fn check_length(kind: u8, length: usize, limit: usize) -> Result<(), MessageError> {
    if length > limit { Err(MessageError::TooLong { kind, length, limit }) } else { Ok(()) }
}

/// Appends a type byte and the body that `body` writes, or nothing.
fn append(
    kind: u8,
    limit: usize,
    out: &mut Vec<u8>,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), MessageError>,
) -> Result<(), MessageError> {
    let start = out.len();
    out.push(kind);
    let written = body(out).and_then(|()| check_length(kind, out.len() - start, limit));
    if written.is_err() {
        out.truncate(start);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_CLIENT_MESSAGE_BYTES, MAX_SERVER_MESSAGE_BYTES};
    use proptest::prelude::*;

    #[test]
    fn each_byte_is_a_type_of_one_side_or_of_none() {
        for byte in 0..=u8::MAX {
            let (client, server) = (ClientType::from_byte(byte), ServerType::from_byte(byte));
            assert_eq!(ClientType::ALL.iter().copied().find(|kind| *kind as u8 == byte), client);
            assert_eq!(ServerType::ALL.iter().copied().find(|kind| *kind as u8 == byte), server);
            assert!(client.is_none() || server.is_none());
            let bytes = [byte];
            let (from_client, from_server) = (ClientMessage::decode(&bytes), ServerMessage::decode(&bytes));
            let unknown = MessageError::UnknownType(byte);
            assert_eq!(from_client == Err(unknown.clone()), client.is_none() && server.is_none());
            assert_eq!(from_server == Err(unknown), client.is_none() && server.is_none());
            assert_eq!(from_client == Err(MessageError::WrongSide(byte)), server.is_some());
            assert_eq!(from_server == Err(MessageError::WrongSide(byte)), client.is_some());
        }
        assert_eq!(ClientMessage::decode(&[]), Err(MessageError::Empty));
        assert_eq!(ServerMessage::decode(&[]), Err(MessageError::Empty));
    }

    #[test]
    fn each_type_has_its_longest_message() {
        let client = ClientType::ALL.iter().map(|kind| (*kind as u8, kind.limit(), true));
        let server = ServerType::ALL.iter().map(|kind| (*kind as u8, kind.limit(), false));
        for (kind, limit, from_client) in client.chain(server) {
            let mut bytes = vec![0; limit + 1];
            bytes[0] = kind;
            let error = if from_client {
                assert!(limit <= MAX_CLIENT_MESSAGE_BYTES);
                ClientMessage::decode(&bytes).unwrap_err()
            } else {
                assert!(limit <= MAX_SERVER_MESSAGE_BYTES);
                ServerMessage::decode(&bytes).unwrap_err()
            };
            assert_eq!(error, MessageError::TooLong { kind, length: limit + 1, limit });
            assert_eq!(error.end(), SessionEnd::TooLarge);
        }
    }

    #[test]
    fn opaque_bodies_and_the_schema_round_trip() {
        let schema = Schema::new(vec![input_codec::tests::kind()]).unwrap();
        let bodies =
            [ServerMessage::Snapshot(&[1, 2, 3]), ServerMessage::Tables(&[4]), ServerMessage::Schema(schema)];
        for message in bodies {
            let mut bytes = Vec::new();
            message.encode(&mut bytes).unwrap();
            assert_eq!(ServerMessage::decode(&bytes), Ok(message));
        }
        let long = vec![0; MAX_SNAPSHOT_BYTES];
        assert!(ServerMessage::Snapshot(&long).encode(&mut Vec::new()).is_err());
        assert!(ServerMessage::Snapshot(&long[1..]).encode(&mut Vec::new()).is_ok());
        let mut bytes = Vec::new();
        ClientMessage::Leave.encode(&mut bytes).unwrap();
        assert_eq!(ClientMessage::decode(&bytes), Ok(ClientMessage::Leave));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(
            kind in prop_oneof![1u8..=6, 0x81u8..=0x89],
            body in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(1)], 0..200),
        ) {
            let bytes = [&[kind][..], &body].concat();
            let mut again = Vec::new();
            if let Ok(message) = ClientMessage::decode(&bytes) {
                message.encode(&mut again).unwrap();
                prop_assert_eq!(ClientMessage::decode(&again), Ok(message));
            }
            again.clear();
            if let Ok(message) = ServerMessage::decode(&bytes) {
                message.encode(&mut again).unwrap();
                prop_assert_eq!(ServerMessage::decode(&again), Ok(message));
            }
        }
    }
}
