//! The hello: the first message of a connection, from the client.

use super::bounded::{BoundedBytes, BoundedText};
use super::control::{self, CLAIM};
use super::extension::{ExtensionError, Extensions, write_extension};
use super::room::RoomWish;
use super::token::ResumeToken;
use super::version::{Features, VERSION, Version};
use super::{ClientType, MessageError};
use crate::limits::{
    MAX_CREDENTIAL_BYTES, MAX_HELLO_BYTES, MAX_NAME_BYTES, MAX_NAME_TEXT_BYTES, MAX_SOFTWARE_BYTES,
};
use serde::{Deserialize, Serialize};

/// What a client says of itself, and what it wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version that the client speaks. It is told before all else, so that it can be read by every
    /// server.
    pub version: Version,
    /// The wishes and the player.
    pub body: HelloBody,
    /// Extension 1: the program and its version, for the server's log.
    pub software: Option<BoundedText<MAX_SOFTWARE_BYTES>>,
}

/// The bincode struct of a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloBody {
    /// The fingerprint of the game that the client was built with
    /// ([`Simulation::fingerprint`](crate::game::Simulation::fingerprint)); zero from a client that was built
    /// with none and wants to be sent the schema.
    pub fingerprint: u64,
    /// The id of the entropy tables that the client holds.
    pub tables_id: Option<u64>,
    /// What the client can do or wants.
    pub features: Features,
    /// The game, by its name on the server; empty for the server's first.
    pub game: BoundedText<MAX_NAME_BYTES>,
    /// The room.
    pub room: RoomWish,
    /// The player's name as typed. The server makes a [`PlayerName`](super::PlayerName) of it or refuses it.
    pub name: BoundedText<MAX_NAME_TEXT_BYTES>,
    /// What the server's operator asks for, such as a signed token; a text is its UTF-8.
    pub credential: Option<BoundedBytes<MAX_CREDENTIAL_BYTES>>,
    /// The session to go on with.
    pub resume: Option<Resume>,
    /// Whether the client only watches.
    pub spectator: bool,
}

/// The session that a client goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// Its token.
    pub token: ResumeToken,
    /// The number of the first event that the client has not seen.
    pub next_event: u32,
}

impl Hello {
    /// A hello of this crate's version.
    #[must_use]
    pub fn new(body: HelloBody) -> Hello {
        Hello { version: VERSION, body, software: None }
    }

    pub(super) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        out.extend_from_slice(&self.version.major.to_le_bytes());
        out.extend_from_slice(&self.version.minor.to_le_bytes());
        control::encode(&self.body, MAX_HELLO_BYTES, out)?;
        if let Some(software) = &self.software {
            write_extension(SOFTWARE, software.as_str().as_bytes(), out)?;
        }
        Ok(())
    }

    pub(super) fn decode_body(bytes: &[u8]) -> Result<Hello, MessageError> {
        let truncated = MessageError::Truncated(ClientType::Hello as u8);
        let (&[major_low, major_high, low, high], rest) = bytes.split_first_chunk().ok_or(truncated)?;
        let major = u16::from_le_bytes([major_low, major_high]);
        let version = Version { major, minor: u16::from_le_bytes([low, high]) };
        if version.in_force(VERSION).is_none() {
            return Err(MessageError::Version(version));
        }
        let (body, rest) = control::decode_prefix::<HelloBody, { MAX_HELLO_BYTES * CLAIM }>(rest)?;
        let software = text_extension(Extensions::parse(rest)?, SOFTWARE)?;
        Ok(Hello { version, body, software })
    }
}

/// The text in an extension, if the message has it.
pub(super) fn text_extension<const MAX: usize>(
    extensions: Extensions<'_>,
    id: u16,
) -> Result<Option<BoundedText<MAX>>, ExtensionError> {
    let text = |bytes| BoundedText::new(std::str::from_utf8(bytes).ok()?).ok();
    extensions.get(id).map(|bytes| text(bytes).ok_or(ExtensionError::Content { id })).transpose()
}

/// The extension of hello and welcome with the program that speaks.
pub(super) const SOFTWARE: u16 = 1;

#[cfg(test)]
pub(super) mod tests {
    use super::super::{ClientMessage, EmptyToken};
    use super::*;

    pub(in super::super) fn hello() -> Hello {
        Hello::new(HelloBody {
            fingerprint: 0x0123_4567_89ab_cdef,
            tables_id: None,
            features: Features::PREDICTS,
            game: BoundedText::new("arena").unwrap(),
            room: RoomWish::QuickPlay,
            name: BoundedText::new("Ada").unwrap(),
            credential: None,
            resume: None,
            spectator: false,
        })
    }

    fn bytes(hello: &Hello) -> Vec<u8> {
        let mut bytes = Vec::new();
        ClientMessage::Hello(Box::new(hello.clone())).encode(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_fullest_hello_fits() {
        let mut full = hello();
        full.body.tables_id = Some(u64::MAX);
        full.body.features = Features(u64::MAX);
        full.body.game = BoundedText::new("g".repeat(MAX_NAME_BYTES)).unwrap();
        full.body.name = BoundedText::new("n".repeat(MAX_NAME_TEXT_BYTES)).unwrap();
        full.body.credential = Some(BoundedBytes::new([7; MAX_CREDENTIAL_BYTES]).unwrap());
        full.body.resume = Some(Resume { token: ResumeToken::new([1; 16]).unwrap(), next_event: u32::MAX });
        full.software = Some(BoundedText::new("s".repeat(MAX_SOFTWARE_BYTES)).unwrap());
        let bytes = bytes(&full);
        assert!(bytes.len() <= MAX_HELLO_BYTES, "{}", bytes.len());
        assert_eq!(ClientMessage::decode(&bytes), Ok(ClientMessage::Hello(Box::new(full))));
    }

    #[test]
    fn an_empty_token_is_refused_by_name() {
        let mut resuming = hello();
        resuming.body.resume = Some(Resume { token: ResumeToken::new([9; 16]).unwrap(), next_event: 3 });
        let mut bytes = bytes(&resuming);
        bytes.iter_mut().filter(|byte| **byte == 9).for_each(|byte| *byte = 0);
        let error = ClientMessage::decode(&bytes).unwrap_err();
        assert!(error.to_string().contains(&EmptyToken.to_string()), "{error}");
    }

    #[test]
    fn another_major_version_is_refused_whatever_follows() {
        let foreign = [ClientType::Hello as u8, 2, 0, 7, 0, 0xff, 0xff];
        let version = Version { major: 2, minor: 7 };
        assert_eq!(ClientMessage::decode(&foreign), Err(MessageError::Version(version)));
        let error = ClientMessage::decode(&foreign[..4]).unwrap_err();
        assert_eq!(error, MessageError::Truncated(ClientType::Hello as u8));
    }

    #[test]
    fn each_part_of_a_hello_is_needed() {
        let whole = bytes(&hello());
        for end in 0..whole.len() {
            assert!(ClientMessage::decode(&whole[..end]).is_err(), "{end} bytes");
        }
        let padded = [&whole[..], &[0, 0, 0, 0]].concat();
        let error = MessageError::Extension(ExtensionError::Order { id: 0, before: 0 });
        assert_eq!(ClientMessage::decode(&padded), Err(error));
        let mut odd = whole;
        write_extension(SOFTWARE, &[0xff], &mut odd).unwrap();
        let error = MessageError::Extension(ExtensionError::Content { id: SOFTWARE });
        assert_eq!(ClientMessage::decode(&odd), Err(error));
    }
}
