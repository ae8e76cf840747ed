//! The client core as a state machine: whatever comes in whatever order, it stays in a state that has a name.

use crate::duel::{Duel, DuelCommand, DuelConfig, Stick};
use crate::party::{Party, Play};
use crate::playable::Playable;
use glam::Vec2;
use std::sync::{Arc, OnceLock};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::client::{
    Client, ClientConfig, ClientEvent, ClientState, ConnectionId, ConnectionTask, GameForm, SessionConfig,
};
use tickwire_protocol::game::LevelId;
use tickwire_protocol::time::Micros;

/// What a real room sent to a client: over its first connection, and over the one by which it resumed.
struct Recording {
    form: Arc<GameForm>,
    connections: Vec<Vec<Vec<u8>>>,
}

fn recording() -> &'static Recording {
    static RECORDING: OnceLock<Recording> = OnceLock::new();
    RECORDING.get_or_init(|| {
        let mut party: Party<Duel> = Party::new(30, DuelConfig::default(), 5);
        let ann = party.join("Ann", Conditions::LAN, Play::Wild(Stick::default()));
        party.join("Bob", Conditions::LAN, Play::Wild(Stick::default()));
        party.members[ann].records = true;
        party.run(Micros(2_000_000));
        party.members[ann].cut(false);
        party.run(Micros(1_000_000));
        let connections = std::mem::take(&mut party.members[ann].recorded);
        let form = Arc::new(GameForm::of::<Duel>().expect("the game has a form"));
        Recording { form, connections: connections.into_values().collect() }
    })
}

/// A client and what is around it.
struct Bench {
    client: Client<Duel>,
    now: Micros,
    opening: Vec<ConnectionId>,
    open: Option<ConnectionId>,
    /// Which recording is played, and how far it is.
    track: usize,
    place: usize,
    gives_levels: bool,
}

/// Takes the bytes as what happens to a client: each step has a byte (what) and a byte (how much).
///
/// # Panics
/// When the client panics, does something that it must not, or would have its owner turn without end.
pub fn client(data: &[u8]) {
    let recording = recording();
    let config = ClientConfig::new(SessionConfig::new(Arc::clone(&recording.form), "Ann"), 1);
    let start = Micros(1_000);
    let mut bench = Bench {
        client: Client::new(config, start).expect("the game has inputs"),
        now: start,
        opening: Vec::new(),
        open: None,
        track: 0,
        place: 0,
        gives_levels: data.first().is_none_or(|first| first & 1 == 0),
    };
    let mut rest = data;
    while let Some((&[what, how], tail)) = rest.split_first_chunk() {
        rest = bench.step(recording, what, how, tail);
        bench.check();
    }
}

impl Bench {
    fn step<'a>(&mut self, recording: &Recording, what: u8, how: u8, tail: &'a [u8]) -> &'a [u8] {
        let (now, amount) = (self.now, u64::from(how));
        match what % 20 {
            0..=5 => (0..=how % 16).for_each(|_| self.play(recording, None)),
            6 => self.play(recording, Some((how, tail.first().copied().unwrap_or(1)))),
            7 => self.place += usize::from(how % 8),
            8 => self.place = self.place.saturating_sub(usize::from(how % 8)),
            9 => self.now = Micros(now.0 + amount * 1_000),
            10 => self.now = Micros(now.0 + amount * amount * 1_000),
            11 => self.now = Micros(now.0.saturating_sub(amount * 100_000)),
            12 => self.open_next(recording, how),
            13 => {
                let id = self.open.take().or_else(|| self.opening.pop());
                let code = [None, Some(1006), Some(4004), Some(4000), Some(1001), Some(4100)];
                if let Some(id) = id {
                    self.client.handle_closed(id, code[usize::from(how) % code.len()], now);
                }
            }
            14 => {
                let (message, after) = tail.split_at(usize::from(how).min(tail.len()));
                if let Some(id) = self.open {
                    self.client.handle_message(id, message, now);
                }
                return after;
            }
            15 => {
                let way = f32::from(how) / 100.0 - 1.0;
                let stick = Stick { way: Vec2::new(way, -way), dash: how & 1 == 1, mark: how };
                let is_taken = self.client.handle_input(&stick).is_ok();
                assert_eq!(is_taken, (-1.0..=1.0).contains(&way));
            }
            16 => drop(self.client.handle_command(&DuelCommand::SayAll("x".repeat(amount as usize * 8)))),
            17 if how & 1 == 0 => self.client.handle_hidden(now),
            17 => self.client.handle_shown(now),
            18 if how == 255 => self.client.handle_leave(now),
            _ => {
                let scene = self.client.view(self.now);
                assert!(scene.entities.clone().count() <= scene.entities.len());
                for entity in scene.entities {
                    assert!(entity.components.iter().all(|component| component.is_finite()));
                    let _ = Duel::shown(&entity);
                }
            }
        }
        tail
    }

    /// Hands in the next message of the recording, perhaps with a byte changed.
    fn play(&mut self, recording: &Recording, change: Option<(u8, u8)>) {
        let track = &recording.connections[self.track % recording.connections.len()];
        let (Some(id), Some(message)) = (self.open, track.get(self.place)) else { return };
        self.place += 1;
        self.now = Micros(self.now.0 + 33_333);
        let mut message = message.clone();
        if let Some((place, bits)) = change {
            let length = message.len().max(1);
            if let Some(byte) = message.get_mut(usize::from(place) % length) {
                *byte ^= bits;
            }
        }
        self.client.handle_message(id, &message, self.now);
    }

    fn open_next(&mut self, recording: &Recording, how: u8) {
        if self.opening.is_empty() {
            return;
        }
        let id = self.opening.remove(usize::from(how) % self.opening.len());
        self.client.handle_opened(id, self.now);
        let resumes = self.client.session().welcome().is_some();
        (self.open, self.place) = (Some(id), 0);
        self.track = usize::from(resumes).min(recording.connections.len() - 1) ^ usize::from(how > 250);
    }

    /// Does what an owner does, and looks whether all is as it must be.
    fn check(&mut self) {
        let client = &mut self.client;
        client.handle_time(self.now);
        while let Some(info) = client.poll_level().filter(|_| self.gives_levels) {
            if let Some(level) = Duel::level(LevelId(info.content_hash)) {
                client.handle_level(level, self.now);
            }
        }
        let mut message = Vec::new();
        let mut messages = 0;
        while client.poll_message(&mut message).is_some() {
            assert!(!message.is_empty());
            message.clear();
            messages += 1;
            assert!(messages < 5_000, "it does not stop to talk");
        }
        while let Some(task) = client.poll_connection() {
            match task {
                ConnectionTask::Open(id) => self.opening.push(id),
                ConnectionTask::Close(id, _) => {
                    self.opening.retain(|opening| *opening != id);
                    self.open.take_if(|open| *open == id);
                }
            }
        }
        assert!(self.opening.len() <= 8);
        while let Some(event) = client.poll_event() {
            assert!(
                !matches!(event, ClientEvent::Ended { .. })
                    || matches!(client.state(), ClientState::Ended(_))
            );
        }
        match (client.state(), client.poll_deadline()) {
            (ClientState::Ended(_), deadline) => {
                assert_eq!(deadline, None);
                assert!(client.poll_message(&mut message).is_none() && client.poll_event().is_none());
            }
            (_, Some(deadline)) => {
                client.handle_time(deadline);
                self.now = self.now.max(deadline.min(Micros(self.now.0 + 1_000)));
            }
            (_, None) => {}
        }
    }
}
