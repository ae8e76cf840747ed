//! The welcome: the server's answer to a hello, with all that a client must know before the first snapshot.

use super::MessageError;
use super::bounded::BoundedText;
use super::control::{self, CLAIM};
use super::extension::{Extensions, write_extension};
use super::hello::{SOFTWARE, text_extension};
use super::room::RoomInfo;
use super::token::ResumeToken;
use super::version::{Features, Version};
use crate::id::PlayerId;
use crate::limits::{MAX_LEVEL_PATH_BYTES, MAX_SOFTWARE_BYTES, MAX_TICK_PERIOD, MAX_WELCOME_BYTES};
use crate::snapshot::{RateMode, StreamProfile};
use crate::time::{Micros, Tick};
use serde::{Deserialize, Serialize};

/// What a client is told when it is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// All that is told.
    pub body: WelcomeBody,
    /// Extension 1: the program and its version, for the client's log.
    pub software: Option<BoundedText<MAX_SOFTWARE_BYTES>>,
}

/// The bincode struct of a welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WelcomeBody {
    /// The version in force: the smaller minor version of the two.
    pub version: Version,
    /// The features in force: those of both.
    pub features: Features,
    /// The room.
    pub room: RoomInfo,
    /// The player, public.
    pub player: PlayerId,
    /// The token for the next resume. The one before stays valid until the client has sent a message.
    pub resume_token: ResumeToken,
    /// Whether an earlier session goes on.
    pub resumed: bool,
    /// The room's tick now.
    pub tick: Tick,
    /// The time from tick to tick, from 1 µs to 1 s.
    pub tick_period: Micros,
    /// How many times the room's clock has slipped.
    pub epoch: u16,
    /// How often snapshots come.
    pub rate: RateMode,
    /// What the snapshots of this player look like.
    pub profile: StreamProfile,
    /// For how many ticks the client keeps snapshots as baselines, at least one.
    pub history: u8,
    /// How long the player stays in the world without a connection.
    pub grace: Micros,
    /// The fingerprint of the room's game:
    /// [`Simulation::fingerprint`](crate::game::Simulation::fingerprint).
    pub fingerprint: u64,
    /// The id of the entropy tables.
    pub tables_id: u64,
    /// Whether the tables come in a message of their own, because the client does not hold them.
    pub tables_follow: bool,
    /// Whether the schema comes in a message of its own, because the client wants it.
    pub schema_follows: bool,
    /// The level.
    pub level: LevelInfo,
    /// The number of the next event.
    pub next_event: u32,
    /// The number of the next command that the server takes.
    pub next_command: u32,
    /// How inputs are numbered.
    pub inputs: InputNumbering,
    /// How far back lag compensation goes at most; zero for a game without.
    pub rewind_limit: Micros,
}

/// A level by its content, and where it is to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelInfo {
    /// How many levels the room had before: it tells one change of level from another.
    pub epoch: u16,
    /// The hash of the content: XXH64 with seed 0. A level that the client holds needs not be fetched.
    pub content_hash: u64,
    /// Where it is.
    pub source: LevelSource,
}

/// Where a level is to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LevelSource {
    /// In the game itself, by name.
    BuiltIn(BoundedText<MAX_LEVEL_PATH_BYTES>),
    /// At a path of the server that the client is connected to, or at a URL.
    Fetch(BoundedText<MAX_LEVEL_PATH_BYTES>),
}

/// How the inputs of a game are numbered, which is its input policy as far as the wire has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputNumbering {
    /// Each input is for a tick: exactly one per player and tick.
    Ticks,
    /// Each input has a number of its own: all of them in order, as they come.
    Sequence,
}

impl Welcome {
    pub(super) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        self.body.check()?;
        control::encode(&self.body, MAX_WELCOME_BYTES, out)?;
        if let Some(software) = &self.software {
            write_extension(SOFTWARE, software.as_str().as_bytes(), out)?;
        }
        Ok(())
    }

    pub(super) fn decode_body(bytes: &[u8]) -> Result<Welcome, MessageError> {
        let (body, rest) = control::decode_prefix::<WelcomeBody, { MAX_WELCOME_BYTES * CLAIM }>(bytes)?;
        body.check()?;
        let software = text_extension(Extensions::parse(rest)?, SOFTWARE)?;
        Ok(Welcome { body, software })
    }
}

impl WelcomeBody {
    /// Whether the numbers are such that a client can work with them.
    fn check(&self) -> Result<(), MessageError> {
        let wrong = |field| Err(MessageError::Field { message: "welcome", field });
        if self.tick_period == Micros(0) || self.tick_period > MAX_TICK_PERIOD {
            return wrong("tick_period");
        }
        if self.profile.capacity == 0 || self.profile.capacity > 1 << 16 {
            return wrong("profile.capacity");
        }
        if self.history == 0 {
            return wrong("history");
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::ServerMessage;
    use super::super::room::{RoomCode, RoomId};
    use super::super::version::VERSION;
    use super::*;
    use crate::limits::MAX_ROOM_NAME_BYTES;

    pub(in super::super) fn welcome() -> Welcome {
        let body = WelcomeBody {
            version: VERSION,
            features: Features::PREDICTS,
            room: RoomInfo { id: RoomId(7), code: None, name: BoundedText::new("room 7").unwrap() },
            player: PlayerId(3),
            resume_token: ResumeToken::new(std::array::from_fn(|place| place as u8)).unwrap(),
            resumed: false,
            tick: Tick(1000),
            tick_period: Micros::period_of(60),
            epoch: 0,
            rate: RateMode::EveryTick,
            profile: StreamProfile { has_avatar: true, predicts: true, capacity: 256 },
            history: 64,
            grace: Micros(30_000_000),
            fingerprint: 0x0123_4567_89ab_cdef,
            tables_id: 5,
            tables_follow: false,
            schema_follows: false,
            level: LevelInfo {
                epoch: 0,
                content_hash: 9,
                source: LevelSource::Fetch(BoundedText::new("/levels/yard").unwrap()),
            },
            next_event: 1,
            next_command: 1,
            inputs: InputNumbering::Ticks,
            rewind_limit: Micros(250_000),
        };
        Welcome { body, software: None }
    }

    fn round_trip(welcome: &Welcome) -> Result<usize, MessageError> {
        let mut bytes = Vec::new();
        let message = ServerMessage::Welcome(Box::new(welcome.clone()));
        message.encode(&mut bytes)?;
        assert_eq!(ServerMessage::decode(&bytes)?, message);
        Ok(bytes.len())
    }

    #[test]
    fn the_fullest_welcome_fits() {
        let mut full = welcome();
        let body = &mut full.body;
        body.features = Features(u64::MAX);
        let name = BoundedText::new("r".repeat(MAX_ROOM_NAME_BYTES)).unwrap();
        body.room = RoomInfo { id: RoomId(u32::MAX), code: Some(RoomCode::from_bits(u64::MAX)), name };
        (body.tick, body.epoch, body.grace) = (Tick(u32::MAX), u16::MAX, Micros(u64::MAX));
        (body.tables_id, body.next_event, body.next_command) = (u64::MAX, u32::MAX, u32::MAX);
        let path = BoundedText::new("p".repeat(MAX_LEVEL_PATH_BYTES)).unwrap();
        body.level =
            LevelInfo { epoch: u16::MAX, content_hash: u64::MAX, source: LevelSource::BuiltIn(path) };
        full.software = Some(BoundedText::new("s".repeat(MAX_SOFTWARE_BYTES)).unwrap());
        assert!(round_trip(&full).unwrap() <= MAX_WELCOME_BYTES);
        assert!(round_trip(&welcome()).unwrap() < 120);
    }

    #[test]
    fn numbers_that_no_client_can_work_with_are_refused() {
        let refused = |change: fn(&mut WelcomeBody)| {
            let mut changed = welcome();
            change(&mut changed.body);
            let error = round_trip(&changed).unwrap_err();
            let mut bytes = Vec::new();
            control::encode(&changed.body, MAX_WELCOME_BYTES, &mut bytes).unwrap();
            assert_eq!(Welcome::decode_body(&bytes), Err(error.clone()));
            match error {
                MessageError::Field { message: "welcome", field } => field,
                other => panic!("{other}"),
            }
        };
        assert_eq!(refused(|body| body.tick_period = Micros(0)), "tick_period");
        assert_eq!(refused(|body| body.tick_period = Micros(1_000_001)), "tick_period");
        assert_eq!(refused(|body| body.profile.capacity = 0), "profile.capacity");
        assert_eq!(refused(|body| body.profile.capacity = 65_537), "profile.capacity");
        assert_eq!(refused(|body| body.history = 0), "history");
    }
}
