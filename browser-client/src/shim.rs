//! The interface between a page and the client core.

use crate::describe::{Description, HEAD};
use crate::figures::{STATS, figures};
use crate::numbers::{flatten, names};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use std::sync::Arc;
use thiserror::Error;
use tickwire_protocol::client::{
    Client, ClientConfig, ClientEvent, ClientState, ConnectionId, ConnectionTask, GameForm, SessionConfig,
};
use tickwire_protocol::end::SESSION_ENDS;
use tickwire_protocol::game::{FingerprintError, LoadedLevel, Simulation};
use tickwire_protocol::limits::MAX_LEVEL_BYTES;
use tickwire_protocol::message::{LevelSource, NoticeKind, RoomCode, RoomId, RoomWish};
use tickwire_protocol::schema::Replicate;
use tickwire_protocol::time::Micros;
use wasm_bindgen::JsValue;

/// A client as a page sees it. Its functions are those of the class that [`export!`](crate::export) makes,
/// where they are described.
#[expect(missing_debug_implementations, reason = "the client's state is nothing to be printed")]
pub struct Shim<S: Simulation> {
    client: Client<S>,
    stride: usize,
    components: usize,
    received: Vec<u8>,
    message: Vec<u8>,
    /// What was polled last.
    polled: Result<JsValue, ShimError>,
    /// How things stood when the page last asked, and how often they had changed.
    stood: (ClientState, u32),
    /// When the page's timer goes off.
    timer: Option<Micros>,
    input: Vec<f64>,
    scene: Vec<f64>,
    scene_tick: f64,
    avatar: Vec<f64>,
    stats: Vec<f64>,
}

/// Why a page's wish cannot be.
#[derive(Debug, Error)]
pub enum ShimError {
    /// The game breaks a rule.
    #[error(transparent)]
    Game(#[from] FingerprintError),
    /// The name of a room is none.
    #[error("`{0}` is neither a room's number nor the code of a private room")]
    Room(String),
    /// The core does not take it.
    #[error("{0}")]
    Refused(String),
}

/// Bytes of a message that the page may put into memory; a level may be larger than any message.
const MAX_RECEIVED: usize = MAX_LEVEL_BYTES;

impl<S: Simulation> Shim<S> {
    /// A client that wants a connection.
    ///
    /// # Errors
    /// [`ShimError`] when the room is none, or the game breaks a rule.
    pub fn new(name: &str, room: &str, spectator: bool, seed: f64, now: f64) -> Result<Shim<S>, ShimError> {
        let description = Description::of::<S>()?;
        let mut session = SessionConfig::new(Arc::new(GameForm::of::<S>()?), name);
        session.room = wish(room)?;
        session.spectator = spectator;
        let config = ClientConfig::new(session, seed.to_bits());
        let client = Client::new(config, micros(now)).map_err(refused)?;
        let stood = (client.state(), 0);
        let components = S::Input::COMPONENTS;
        let mut input = vec![0.0; components];
        S::Input::default().write_components(&mut input);
        Ok(Shim {
            client,
            stride: description.stride,
            components,
            received: Vec::new(),
            message: Vec::with_capacity(4096),
            polled: Ok(JsValue::UNDEFINED),
            stood,
            timer: None,
            input,
            scene: Vec::with_capacity(description.stride * 256),
            scene_tick: 0.0,
            avatar: Vec::with_capacity(64),
            stats: vec![0.0; STATS.len()],
        })
    }

    /// The names of what comes as numbers.
    ///
    /// # Errors
    /// [`ShimError`] when the game breaks a rule.
    pub fn describe() -> Result<JsValue, ShimError> {
        to_js(&Description::of::<S>()?)
    }

    /// The table of session ends.
    ///
    /// # Errors
    /// None in practice.
    pub fn ends() -> Result<JsValue, ShimError> {
        #[derive(Serialize)]
        struct Row {
            code: u16,
            name: &'static str,
            text: &'static str,
        }
        let rows = SESSION_ENDS.iter().map(|row| Row { code: row.code, name: row.name, text: row.text });
        to_js(&rows.collect::<Vec<_>>())
    }

    /// The names of the avatar's numbers; undefined before there was one.
    ///
    /// # Errors
    /// None in practice.
    pub fn avatar_fields(&self) -> Result<JsValue, ShimError> {
        let Some(avatar) = self.client.avatar() else { return Ok(JsValue::UNDEFINED) };
        to_js(&names(avatar).into_iter().map(|named| (named.name, named.place)).collect::<Vec<_>>())
    }

    // What comes in.

    /// Where a message or a level of so many bytes is to be put.
    pub fn receive(&mut self, length: usize) -> *const u8 {
        self.received.clear();
        self.received.resize(length.min(MAX_RECEIVED), 0);
        self.received.as_ptr()
    }

    /// Takes in the message that was put there.
    pub fn handle_message(&mut self, connection: u32, now: f64) {
        self.client.handle_message(ConnectionId(connection), &self.received, micros(now));
    }

    /// Takes in the level that was put there.
    ///
    /// # Errors
    /// [`ShimError`] when it is no level of this game.
    pub fn handle_level(&mut self, now: f64) -> Result<(), ShimError> {
        let level = LoadedLevel::parse(self.received.as_slice()).map_err(refused)?;
        self.client.handle_level(level, micros(now));
        Ok(())
    }

    /// A connection is open.
    pub fn handle_opened(&mut self, connection: u32, now: f64) {
        self.client.handle_opened(ConnectionId(connection), micros(now));
    }

    /// A connection was closed.
    pub fn handle_closed(&mut self, connection: u32, code: u16, now: f64) {
        self.client.handle_closed(ConnectionId(connection), Some(code), micros(now));
    }

    /// Where the input's components are.
    #[must_use]
    pub fn input(&self) -> *const f64 {
        self.input.as_ptr()
    }

    /// The input's components are what the player wants from now on.
    pub fn handle_input(&mut self) -> bool {
        debug_assert_eq!(self.input.len(), self.components);
        self.client.handle_input(&S::Input::from_components(&self.input)).is_ok()
    }

    /// Takes in a command.
    ///
    /// # Errors
    /// [`ShimError`] when it is none, or cannot be said now.
    pub fn handle_command(&mut self, command: JsValue) -> Result<(), ShimError> {
        let command: S::Command = from_js(command)?;
        self.client.handle_command(&command).map_err(refused)
    }

    /// Nobody looks any more.
    pub fn handle_hidden(&mut self, now: f64) {
        self.client.handle_hidden(micros(now));
    }

    /// Somebody looks again.
    pub fn handle_shown(&mut self, now: f64) {
        self.client.handle_shown(micros(now));
    }

    /// The player leaves for good.
    pub fn handle_leave(&mut self, now: f64) {
        self.client.handle_leave(micros(now));
    }

    /// Lets time pass.
    pub fn handle_time(&mut self, now: f64) {
        self.client.handle_time(micros(now));
    }

    // What goes out.

    /// Writes the next message; over which connection it goes, or -1.
    pub fn poll_message(&mut self) -> f64 {
        self.message.clear();
        self.client.poll_message(&mut self.message).map_or(-1.0, |id| f64::from(id.0))
    }

    /// Where that message is.
    #[must_use]
    pub fn message(&self) -> *const u8 {
        self.message.as_ptr()
    }

    /// How long it is.
    #[must_use]
    pub fn message_length(&self) -> usize {
        self.message.len()
    }

    fn poll_connection(&mut self) -> Option<Polled> {
        #[derive(Serialize)]
        struct Task {
            connection: u32,
            open: bool,
            code: u16,
        }
        let task = match self.client.poll_connection()? {
            ConnectionTask::Open(id) => Task { connection: id.0, open: true, code: 0 },
            ConnectionTask::Close(id, end) => Task { connection: id.0, open: false, code: end.code() },
        };
        Some((What::Connection, to_js(&task)))
    }

    fn poll_level(&mut self) -> Option<Polled> {
        #[derive(Serialize)]
        struct Wanted {
            id: String,
            path: Option<String>,
        }
        let info = self.client.poll_level()?;
        let path = match &info.source {
            LevelSource::Fetch(path) => Some(path.as_str().to_owned()),
            LevelSource::BuiltIn(_) => None,
        };
        Some((What::Level, to_js(&Wanted { id: format!("{:016x}", info.content_hash), path })))
    }

    /// How often it has changed how things stand. A page asks in each turn, and needs no more than this
    /// number while it is the same.
    pub fn changes(&mut self) -> u32 {
        let state = self.client.state();
        if state != self.stood.0 {
            self.stood = (state, self.stood.1.wrapping_add(1));
        }
        self.stood.1
    }

    /// How things stand.
    #[must_use]
    pub fn state(&self) -> u32 {
        match self.client.state() {
            ClientState::Connecting => 0,
            ClientState::Loading => 1,
            ClientState::Playing => 2,
            ClientState::Reconnecting { .. } => 3,
            ClientState::Waiting { .. } => 4,
            ClientState::Ended(_) => 5,
        }
    }

    /// Since when or until when they stand so.
    #[must_use]
    pub fn state_time(&self) -> f64 {
        match self.client.state() {
            ClientState::Reconnecting { since } => millis(since),
            ClientState::Waiting { until, .. } => millis(until),
            _ => 0.0,
        }
    }

    /// The code of the end that they stand so after; 0 for none.
    #[must_use]
    pub fn state_end(&self) -> u16 {
        match self.client.state() {
            ClientState::Waiting { after, .. } | ClientState::Ended(after) => after.code(),
            _ => 0,
        }
    }

    /// For how many milliseconds the page is to set its timer, in place of the one that it has; -1 if that
    /// one is early enough, or nothing is due. They are whole ones, rounded up: a timer that is early
    /// would have to be set again.
    pub fn poll_timer(&mut self, now: f64) -> i32 {
        let Some(deadline) = self.client.poll_deadline() else { return -1 };
        if self.timer.is_some_and(|timer| timer <= deadline) {
            return -1;
        }
        self.timer = Some(deadline);
        let wait = deadline.saturating_since(micros(now)).0.div_ceil(1000);
        i32::try_from(wait).unwrap_or(i32::MAX)
    }

    /// The timer went off; there is none any more.
    pub fn handle_timer(&mut self) {
        self.timer = None;
    }

    // What is drawn.

    /// Works out what to draw; the number of rows of the scene.
    pub fn draw(&mut self, now: f64) -> usize {
        let scene = self.client.view(micros(now));
        self.avatar.clear();
        if let Some(avatar) = scene.avatar {
            flatten(avatar, &mut self.avatar);
        }
        self.scene.clear();
        self.scene_tick = f64::from(scene.time.tick.0) + f64::from(scene.time.fraction) / 256.0;
        for entity in scene.entities {
            let end = self.scene.len() + self.stride;
            self.scene.extend([f64::from(entity.index.0), f64::from(entity.kind.0)]);
            self.scene.extend_from_slice(entity.components);
            self.scene.resize(end, 0.0);
        }
        self.scene.len() / self.stride
    }

    /// Where the rows of the scene are.
    #[must_use]
    pub fn scene(&self) -> *const f64 {
        self.scene.as_ptr()
    }

    /// Where the time is that the scene shows, in ticks.
    #[must_use]
    pub fn scene_tick(&self) -> *const f64 {
        &raw const self.scene_tick
    }

    /// Where the own avatar's numbers are.
    #[must_use]
    pub fn avatar(&self) -> *const f64 {
        self.avatar.as_ptr()
    }

    /// How many they are.
    #[must_use]
    pub fn avatar_length(&self) -> usize {
        self.avatar.len()
    }

    /// Works out the figures of the net graph, and says where they are.
    pub fn stats(&mut self) -> *const f64 {
        self.stats.clear();
        figures(&self.client.stats(), &mut self.stats);
        self.stats.as_ptr()
    }
}

impl<S: Simulation<Avatar: DeserializeOwned>> Shim<S> {
    /// Works out what the newest snapshot says, in place of the scene and the avatar: nothing is predicted in
    /// it, nothing interpolated.
    pub fn draw_server(&mut self) -> usize {
        self.scene.clear();
        self.avatar.clear();
        let session = self.client.session();
        let Some((view, decoder)) = session.view().zip(session.decoder()) else { return 0 };
        let avatar = view.avatar.as_deref().map(tickwire_protocol::message::decode_payload::<S::Avatar>);
        if let Some(Ok(avatar)) = avatar {
            flatten(&avatar, &mut self.avatar);
        }
        self.scene_tick = f64::from(view.tick.0);
        for entry in view.entries() {
            let Some(kind) = decoder.codec().kind(entry.kind) else { continue };
            let first = self.scene.len();
            self.scene.extend([f64::from(entry.index.0), f64::from(entry.kind.0)]);
            self.scene.resize(first + self.stride, 0.0);
            let components = &mut self.scene[first + HEAD..][..kind.components()];
            kind.value(view.state(entry), view.tick, components);
        }
        self.scene.len() / self.stride
    }
}

impl<S: Simulation<Effect: Serialize>> Shim<S> {
    /// What is next to be done or known: 0 for nothing, else 1 for a level that is wanted, 2 for a
    /// connection, 3 for an event, 4 for an event of the game, 5 for an effect of the own avatar's step, and
    /// [`Shim::take`] has the thing itself. A number is no garbage, and mostly there is nothing.
    pub fn poll(&mut self) -> u32 {
        let polled = [Self::poll_level, Self::poll_connection, Self::poll_event, Self::poll_effect];
        polled.into_iter().find_map(|poll| poll(self)).map_or(0, |(what, told)| {
            self.polled = told;
            what as u32
        })
    }

    /// What was polled.
    ///
    /// # Errors
    /// None in practice.
    pub fn take(&mut self) -> Result<JsValue, ShimError> {
        std::mem::replace(&mut self.polled, Ok(JsValue::UNDEFINED))
    }

    fn poll_effect(&mut self) -> Option<Polled> {
        self.client.poll_effect().map(|effect| (What::Effect, to_js(&effect)))
    }
}

impl<S: Simulation> Shim<S> {
    /// What happened next: an object with a `type`, or an event of the game, which are many and have none.
    fn poll_event(&mut self) -> Option<Polled> {
        #[derive(Serialize)]
        struct Game<E> {
            tick: u32,
            event: E,
        }
        let event = self.client.poll_event()?;
        let told = match event {
            ClientEvent::Game(tick, event) => {
                return Some((What::GameEvent, to_js(&Game { tick: tick.0, event })));
            }
            ClientEvent::Welcomed { resumed } => self.welcomed(resumed),
            ClientEvent::Disconnected(end) => Told::Disconnected { code: end.code(), reason: end.name() },
            ClientEvent::Notice(notice) => Told::Notice {
                kind: notice_name(&notice.kind),
                within_ms: match notice.kind {
                    NoticeKind::Draining { within } => Some(millis(within)),
                    _ => None,
                },
                text: notice.text.as_ref().map(|text| text.as_str().to_owned()),
            },
            ClientEvent::Ended { end, text } => Told::Ended { code: end.code(), reason: end.name(), text },
        };
        Some((What::Event, to_js(&told)))
    }

    fn welcomed(&self, resumed: bool) -> Told {
        let welcome = self.client.session().welcome();
        let body = welcome.map(|welcome| &welcome.body);
        Told::Welcomed {
            resumed,
            player: body.map_or(0, |body| u32::from(body.player.0)),
            room: body.map_or(0, |body| body.room.id.0),
            code: body.and_then(|body| body.room.code.map(|code| code.to_string())),
            tick_ms: body.map_or(0.0, |body| millis(body.tick_period)),
            software: welcome
                .and_then(|welcome| welcome.software.as_ref())
                .map(|software| software.as_str().to_owned()),
        }
    }
}

/// What was polled, as a page is told it.
type Polled = (What, Result<JsValue, ShimError>);

/// What there is to be polled.
#[derive(Clone, Copy)]
enum What {
    Level = 1,
    Connection,
    Event,
    GameEvent,
    Effect,
}

/// What happened, for the page.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Told {
    Welcomed {
        resumed: bool,
        player: u32,
        room: u32,
        code: Option<String>,
        tick_ms: f64,
        software: Option<String>,
    },
    Disconnected {
        code: u16,
        reason: &'static str,
    },
    Notice {
        kind: &'static str,
        within_ms: Option<f64>,
        text: Option<String>,
    },
    Ended {
        code: u16,
        reason: &'static str,
        text: String,
    },
}

fn notice_name(kind: &NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Draining { .. } => "draining",
        NoticeKind::Level(_) => "level",
        NoticeKind::Slip { .. } => "slip",
        NoticeKind::Rate(_) => "rate",
        NoticeKind::GoingAway { .. } => "going-away",
        NoticeKind::Check { .. } => "check",
        NoticeKind::Unknown(_) => "unknown",
    }
}

fn wish(room: &str) -> Result<RoomWish, ShimError> {
    match room {
        "" => Ok(RoomWish::QuickPlay),
        "new" => Ok(RoomWish::Create { private: false }),
        "private" => Ok(RoomWish::Create { private: true }),
        // A code is eight characters, and a room's number is short: should one be as long, it is the code.
        _ => RoomCode::parse(room)
            .map(RoomWish::Code)
            .or_else(|_| room.parse().map(|id| RoomWish::Room(RoomId(id))))
            .map_err(|_| ShimError::Room(room.chars().take(32).collect())),
    }
}

/// Milliseconds of `performance.now()` as the core counts time. What is no time counts as none. It is rounded
/// to the nearest, so that a deadline that went out through [`millis`] has come when its time has.
fn micros(millis: f64) -> Micros {
    Micros((millis * 1000.0 + 0.5) as u64)
}

fn millis(micros: Micros) -> f64 {
    micros.0 as f64 / 1000.0
}

fn refused(error: impl std::fmt::Display) -> ShimError {
    ShimError::Refused(error.to_string())
}

fn to_js<T: Serialize>(value: &T) -> Result<JsValue, ShimError> {
    value.serialize(&Serializer::json_compatible()).map_err(refused)
}

fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, ShimError> {
    serde_wasm_bindgen::from_value(value).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_wished_for_by_text() {
        assert!(matches!(wish(""), Ok(RoomWish::QuickPlay)));
        assert!(matches!(wish("private"), Ok(RoomWish::Create { private: true })));
        assert!(matches!(wish("17"), Ok(RoomWish::Room(RoomId(17)))));
        assert!(matches!(wish("ABCD-1234"), Ok(RoomWish::Code(code)) if code.as_str() == "ABCD1234"));
        assert!(matches!(wish("12345678"), Ok(RoomWish::Code(_))));
        assert!(wish("no such room").is_err());
    }

    #[test]
    fn times_keep_their_microseconds() {
        assert_eq!(micros(12.345), Micros(12_345));
        assert_eq!(micros(f64::NAN), Micros(0));
        assert!((millis(micros(86_400_000.5)) - 86_400_000.5).abs() < 1e-9);
    }
}
