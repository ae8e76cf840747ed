//! A real room and real client sessions on the simulated network.

use crate::net::{BusyClock, FarEnd, FromServer, Path, SimClock, SimLink, connect};
use std::sync::Arc;
use tickwire_protocol::client::{GameForm, Received, Session, SessionConfig};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{Game, Simulation};
use tickwire_protocol::message::{
    ClientMessage, Features, Notice, PlayerName, Refusal, RefusalReason, Resume, ResumeToken, RoomId,
    ServerMessage, SessionState, encode_payload,
};
use tickwire_protocol::snapshot::Applied;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::Config;
use tickwire_server::clock::Clock;
use tickwire_server::inbox::Inbox;
use tickwire_server::net::link::Link;
use tickwire_server::outbox::Outbox;
use tickwire_server::room::{Admission, GameEntry, Room, RoomCard, RoomServices};

/// What makes a client of a game play.
pub trait Brain: Sized {
    /// The game.
    type Game: Game;
    /// What the client says that it can do, besides wanting checks.
    const FEATURES: Features;

    /// A brain whose will follows from a seed.
    fn new(seed: u64) -> Self;

    /// A new connection has been opened: nothing that came over the one before counts any more.
    fn handle_connected(&mut self, path: &Path);

    /// Takes in a message from the server.
    ///
    /// # Errors
    /// Those of [`Session::handle_message`].
    fn handle_message(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        now: Micros,
    ) -> Result<Received, SessionEnd>;

    /// Writes the messages that are due, and hands each of them to `send`.
    fn poll(&mut self, session: &mut Session, now: Micros, send: &mut dyn FnMut(Vec<u8>));
}

/// A client: its session, its brain and its connection.
pub struct Client<B> {
    /// What it is called.
    pub name: String,
    /// Whether it asked to be told the check of what it should know after each snapshot.
    pub wants_checks: bool,
    /// The session.
    pub session: Session,
    /// What plays.
    pub brain: B,
    /// The connection, if there is one.
    pub far: Option<FarEnd>,
    /// Whether it reads what comes.
    pub reads: bool,
    /// Whether it sends anything by its own will.
    pub acts: bool,
    /// Whether it answers pings.
    pub pongs: bool,
    /// What it heard so far.
    pub heard: Heard,
}

/// What a client heard.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Snapshots that were applied, over all connections.
    pub snapshots: u32,
    /// The tick of the last one.
    pub newest: Option<Tick>,
    /// The tick and the time of arrival of each snapshot of this connection.
    pub arrivals: Vec<(Tick, Micros)>,
    /// Bytes of all messages.
    pub bytes: usize,
    /// Snapshots that could not be read for want of their baseline.
    pub missed: u32,
    /// Snapshots whose avatar was not the expected one, though there was one.
    pub desyncs: u32,
    /// State checks that agreed.
    pub agreed: u32,
    /// State checks that did not.
    pub disagreed: u32,
    /// State checks of snapshots that are not held.
    pub unheld: u32,
    /// Notices, but checks.
    pub notices: Vec<Notice>,
    /// Events, with their ticks.
    pub events: Vec<(Tick, Vec<u8>)>,
    /// Welcomes.
    pub welcomes: u32,
    /// Refusals.
    pub refusals: Vec<Refusal>,
    /// How each connection ended.
    pub closed: Vec<FromServer>,
    /// What the server did wrong.
    pub error: Option<SessionEnd>,
}

/// Somebody whose hello is under way.
struct Arrival {
    at: Micros,
    link: SimLink,
    inbox: Inbox,
    hello: Vec<u8>,
}

/// A room, its clients and the time.
pub struct World<B: Brain> {
    /// The time.
    pub clock: SimClock,
    /// The room.
    pub room: Room,
    /// What it shares with other rooms.
    pub services: RoomServices,
    /// The clients.
    pub clients: Vec<Client<B>>,
    /// How long ticks take.
    pub tick_cost: Micros,
    game: Arc<GameForm>,
    outbox: Outbox,
    arrivals: Vec<Arrival>,
    random: SimRng,
}

/// Time moves on by so much at once.
pub const STEP: Micros = Micros(1000);

/// Settings for simulations: 30 ticks a second, and a seed.
#[must_use]
pub fn config() -> Config {
    Config { tick_hz: 30, seed: Some(7), ..Config::default() }
}

impl<B: Brain> World<B> {
    /// A room without anybody in it, whose game has these settings.
    ///
    /// # Panics
    /// When the game cannot be hosted.
    #[must_use]
    pub fn new(config: Config, game: <B::Game as Game>::Config, seed: u64) -> World<B> {
        let config = config.checked().expect("tests have settings that can be");
        let clock = SimClock::default();
        let entry = GameEntry::new::<B::Game>(B::Game::NAME, game, config.period());
        let entry = Arc::new(entry.expect("the game can be hosted"));
        let card = RoomCard::new(RoomId(1), 0, None, 0, config.room_capacity);
        let services = RoomServices::new(config);
        let first = clock.now() + services.config.period();
        let room = Room::open(card, entry, services.clone(), [seed as u8; 32], first);
        World {
            clock,
            room: room.expect("its game has a level to begin with"),
            services,
            clients: Vec::new(),
            tick_cost: Micros(0),
            game: Arc::new(GameForm::of::<B::Game>().expect("the game has a form")),
            outbox: Outbox::default(),
            arrivals: Vec::new(),
            random: SimRng::from_u64(seed),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// What a client of this name says of itself.
    #[must_use]
    pub fn session_config(&self, name: &str) -> SessionConfig {
        let features = Features(B::FEATURES.0 | Features::WANTS_CHECKS.0);
        SessionConfig { features, ..SessionConfig::new(Arc::clone(&self.game), name) }
    }

    /// Adds a client of this name and opens its connection. Returns its place.
    pub fn join(&mut self, name: &str, path: Path) -> usize {
        let config = self.session_config(name);
        self.join_as(config, path)
    }

    /// Adds so many clients, who are called by this name and their place. Every second one is without checks:
    /// its snapshots go out alone, as most do.
    pub fn join_all(&mut self, count: usize, name: &str, path: Path) {
        for _ in 0..count {
            let mut config = self.session_config(&format!("{name} {}", self.clients.len()));
            if self.clients.len() % 2 == 1 {
                config.features = B::FEATURES;
            }
            self.join_as(config, path);
        }
    }

    /// Adds a client and opens its connection. Returns its place.
    pub fn join_as(&mut self, config: SessionConfig, path: Path) -> usize {
        self.clients.push(Client {
            name: config.name.as_str().to_owned(),
            wants_checks: config.features.and(Features::WANTS_CHECKS) == Features::WANTS_CHECKS,
            session: Session::new(config),
            brain: B::new(self.random.next_u64()),
            far: None,
            reads: true,
            acts: true,
            pongs: true,
            heard: Heard::default(),
        });
        let place = self.clients.len() - 1;
        self.connect(place, path);
        place
    }

    /// Opens a new connection for a client and says hello on it. What was left of the one before is dropped,
    /// without a word to the server.
    ///
    /// # Panics
    /// When the client's session is over.
    pub fn connect(&mut self, place: usize, path: Path) {
        let client = &mut self.clients[place];
        if client.far.take().is_some_and(|far| {
            far.cut_silently();
            true
        }) {
            client.session.handle_disconnected();
        }
        let mut hello = Vec::new();
        client.session.poll_hello(&mut hello).expect("the session goes on");
        client.heard.arrivals.clear();
        client.brain.handle_connected(&path);
        self.connect_with(place, path, hello);
    }

    /// Opens a connection with a hello of the test's own making.
    pub fn connect_with(&mut self, place: usize, path: Path, hello: Vec<u8>) {
        let clock = Arc::new(self.clock.clone());
        let (link, inbox, far) = connect(path, self.random.next_u64(), clock);
        self.clients[place].far = Some(far);
        self.arrivals.push(Arrival { at: self.now() + path.delay, link, inbox, hello });
    }

    /// A hello that asks to go on with the session of this token, from this event on.
    ///
    /// # Panics
    /// Never: a new session says hello, and it is short.
    #[must_use]
    pub fn resuming(&self, token: ResumeToken, next_event: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        Session::new(self.session_config("Ann")).poll_hello(&mut bytes).expect("a new session");
        let Ok(ClientMessage::Hello(mut hello)) = ClientMessage::decode(&bytes) else {
            unreachable!("it was just written")
        };
        hello.body.resume = Some(Resume { token, next_event });
        bytes.clear();
        ClientMessage::Hello(hello).encode(&mut bytes).expect("it is short");
        bytes
    }

    /// A moment of the simulation.
    pub fn step(&mut self) {
        self.clock.advance(STEP);
        let now = self.now();
        let is_due = |arrival: &mut Arrival| arrival.at <= now;
        for arrival in self.arrivals.extract_if(.., is_due).collect::<Vec<_>>() {
            self.admit(arrival);
        }
        if self.room.due() <= now {
            let busy = BusyClock::new(&self.clock, self.tick_cost);
            self.room.tick(now, &busy, &mut self.outbox);
        }
        let now = self.now();
        self.clients.iter_mut().for_each(|client| client.step(now));
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Micros) {
        let end = self.now() + time;
        while self.now() < end {
            self.step();
        }
    }

    /// Lets so many ticks pass.
    pub fn run_ticks(&mut self, ticks: u32) {
        let end = self.room.next_tick().0 + ticks;
        while self.room.next_tick().0 < end {
            self.step();
        }
    }

    /// Lets time pass until something is so.
    ///
    /// # Panics
    /// When it is not so after a minute.
    pub fn run_until(&mut self, what: &str, mut is_so: impl FnMut(&World<B>) -> bool) {
        let end = self.now() + Micros(60_000_000);
        while !is_so(self) {
            assert!(self.now() < end, "{what}: not within a minute");
            self.step();
        }
    }

    /// Sends a command of the game.
    ///
    /// # Panics
    /// When the client is not in the room.
    pub fn command(&mut self, place: usize, command: &<B::Game as Simulation>::Command) {
        let client = &mut self.clients[place];
        let (mut payload, mut message) = (Vec::new(), Vec::new());
        encode_payload(command, &mut payload).expect("commands of tests are short");
        client.session.encode_command(&payload, &mut message).expect("the client is in the room");
        client.send(message);
    }

    /// Does at the door what the server's handshake does.
    fn admit(&mut self, arrival: Arrival) {
        let Arrival { mut link, inbox, hello, .. } = arrival;
        let Ok(ClientMessage::Hello(hello)) = ClientMessage::decode(&hello) else {
            panic!("what a connection begins with is a hello");
        };
        let place = self.room.card().take_place();
        let name = PlayerName::new(hello.body.name.as_str()).expect("tests have names that can be shown");
        if place.is_none() && hello.body.resume.is_none() {
            let refusal = Refusal::new(RefusalReason::End(SessionEnd::RoomFull));
            let mut bytes = Vec::new();
            ServerMessage::Refusal(refusal).encode(&mut bytes).expect("a refusal without words");
            link.send(&bytes);
            Box::new(link).close(SessionEnd::RoomFull);
            return;
        }
        let place = place.filter(|_| hello.body.resume.is_none());
        self.room.handle_admission(Admission { link: Box::new(link), inbox, hello: *hello, name, place });
    }

    /// Checks that nobody's knowledge was other than the server thought, and nobody found a mistake in what
    /// the server said.
    ///
    /// # Panics
    /// When it was so, or when checks are missing.
    pub fn assert_sound(&self) {
        self.clients.iter().for_each(Client::assert_sound);
    }
}

impl<B: Brain> Client<B> {
    /// Sends a message as it is.
    pub fn send(&self, message: Vec<u8>) {
        if let Some(far) = &self.far {
            far.send(message);
        }
    }

    /// Checks that what the client knows was what the server thought after each snapshot, and that it found
    /// no mistake in what the server said.
    ///
    /// # Panics
    /// When it was not so, or when checks are missing.
    pub fn assert_sound(&self) {
        let (heard, name) = (&self.heard, &self.name);
        assert_eq!(heard.error, None, "{name} found a mistake of the server");
        assert_eq!(heard.disagreed, 0, "{name} knows something else");
        assert_eq!((heard.missed, heard.unheld), (0, 0), "{name} lacked a baseline");
        // A check is a message of its own, which may be under way, or lost with each connection.
        let missing = if self.wants_checks { heard.snapshots - heard.agreed } else { 0 };
        assert!(missing <= heard.welcomes, "{name} lacks {missing} checks of {}", heard.snapshots);
    }

    /// Whether the session is active.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.session.state() == SessionState::Active
    }

    /// How the last connection ended.
    #[must_use]
    pub fn ended(&self) -> Option<SessionEnd> {
        match self.heard.closed.last()? {
            FromServer::Closed(end) => Some(*end),
            _ => Some(SessionEnd::ConnectionLost),
        }
    }

    /// Says goodbye for good.
    ///
    /// # Panics
    /// When the client is not in the room.
    pub fn leave(&mut self) {
        let mut message = Vec::new();
        self.session.encode_leave(&mut message).expect("the client is in the room");
        self.send(message);
    }

    fn step(&mut self, now: Micros) {
        while let Some(item) = self.far.as_ref().filter(|_| self.reads).and_then(|far| far.poll(now)) {
            match item {
                FromServer::Message(bytes) => self.handle_message(&bytes, now),
                ended => {
                    self.heard.closed.push(ended);
                    self.session.handle_disconnected();
                    self.far = None;
                }
            }
        }
        let Some(far) = self.far.as_ref().filter(|_| self.acts) else { return };
        let mut message = Vec::new();
        while self.reads && self.pongs && self.session.poll_message(now, &mut message) {
            far.send(std::mem::take(&mut message));
        }
        self.brain.poll(&mut self.session, now, &mut |message| far.send(message));
    }

    fn handle_message(&mut self, bytes: &[u8], now: Micros) {
        let heard = &mut self.heard;
        heard.bytes += bytes.len();
        // After the last word nothing counts but the end of the connection.
        if matches!(self.session.state(), SessionState::Gone(_)) {
            return;
        }
        match self.brain.handle_message(&mut self.session, bytes, now) {
            Ok(Received::Snapshot(Applied { tick, desync, .. })) => {
                heard.snapshots += 1;
                heard.newest = Some(tick);
                heard.arrivals.push((tick, now));
                heard.desyncs += u32::from(desync);
            }
            Ok(Received::Check { agrees: Some(true), .. }) => heard.agreed += 1,
            Ok(Received::Check { agrees: Some(false), .. }) => heard.disagreed += 1,
            Ok(Received::Check { agrees: None, .. }) => heard.unheld += 1,
            Ok(Received::Missed) => heard.missed += 1,
            Ok(Received::Notice(notice)) => heard.notices.push(notice),
            Ok(Received::Welcome) => heard.welcomes += 1,
            Ok(Received::Refusal(refusal)) => heard.refusals.push(refusal),
            Ok(_) => {}
            Err(end) => heard.error = Some(end),
        }
        while let Some(event) = self.session.poll_event(Tick(u32::MAX)) {
            self.heard.events.push(event);
        }
    }
}
