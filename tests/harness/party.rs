//! A real room and real clients, the whole client core, on conditioned links in virtual time.

use crate::net::SimClock;
use crate::playable::Playable;
use bytes::Bytes;
use glam::Vec2;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use tickwire_bot::conditioner::{Conditioner, Conditions};
use tickwire_protocol::client::{
    Client, ClientConfig, ClientEvent, ClientState, ConnectionId, ConnectionTask, GameForm, SessionConfig,
};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{LevelId, LoadedLevel, Simulation, ViewTime};
use tickwire_protocol::message::{ClientMessage, PlayerName, RoomId, ServerType, decode_payload};
use tickwire_protocol::time::{Micros, Tick, expand_tick};
use tickwire_server::Config;
use tickwire_server::clock::Clock;
use tickwire_server::inbox::{Inbox, InboxWriter, Received, inbox};
use tickwire_server::net::link::{Link, LinkEnd, Polled};
use tickwire_server::outbox::Outbox;
use tickwire_server::room::{Admission, GameEntry, Room, RoomCard, RoomServices};

/// A room, its clients and the time.
pub struct Party<G: Playable> {
    /// The time.
    pub clock: SimClock,
    /// The room.
    pub room: Room,
    /// What it shares with other rooms.
    pub services: RoomServices,
    /// Who takes part.
    pub members: Vec<Member<G>>,
    /// Until then the server's thread is held up, and the room does not tick.
    pub held_until: Micros,
    form: Arc<GameForm>,
    outbox: Outbox,
    random: SimRng,
}

/// A client with its player, its display and its network.
pub struct Member<G: Playable> {
    /// The client core.
    pub client: Client<G>,
    /// What it does.
    pub play: Play<G>,
    /// What its network is like.
    pub conditions: Conditions,
    /// Until then its network is away.
    pub away_until: Micros,
    /// Until then nothing of its program runs, and what comes waits.
    pub frozen_until: Micros,
    /// How long it takes to fetch a level.
    pub level_time: Micros,
    /// Whether it draws: a frame each sixtieth of a second.
    pub draws: bool,
    /// What was seen of it.
    pub log: Log,
    /// Whether it keeps what the server sends.
    pub records: bool,
    /// That, by connection; without pongs, which are answers to one's own pings.
    pub recorded: BTreeMap<ConnectionId, Vec<Vec<u8>>>,
    /// What the game told it.
    pub heard: Vec<(Tick, G::Event)>,
    lines: Vec<Line>,
    /// Levels under way, and when they are there.
    levels: Vec<(Micros, LoadedLevel<G::Level>)>,
    next_frame: Micros,
    random: SimRng,
}

/// What a player does.
pub enum Play<G: Playable> {
    /// Nothing.
    Idle,
    /// Whatever comes to mind.
    Wild(G::Input),
    /// Back and forth in a straight line, turning after so many ticks.
    Straight(u32),
    /// What it decides with each frame, by what it sees.
    Own(Box<Decide<G>>),
}

/// A player's mind.
pub type Decide<G> = dyn FnMut(&mut Client<G>, Micros) -> Option<<G as Simulation>::Input>;

/// What was seen of a member.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The avatar's places as the server confirmed them.
    pub confirmed: BTreeMap<Tick, Vec2>,
    /// How early inputs came, in microseconds, by when they came.
    pub leads: Vec<(Micros, i64)>,
    /// What was drawn of the first other player: when, the time that was shown, and where it was shown.
    pub frames: Vec<(Micros, ViewTime, Vec2)>,
    /// What was drawn of the own avatar.
    pub own_frames: Vec<(Micros, Vec2)>,
    /// When the client was welcomed, and whether it was by a resume.
    pub welcomes: Vec<(Micros, bool)>,
    /// Connections that were asked for.
    pub opened: u32,
    /// Ends that were told.
    pub ends: Vec<SessionEnd>,
    /// Events of the game: the tick of each, and the time on show when it came out.
    pub events: Vec<(Tick, ViewTime)>,
}

/// A connection as its network has it.
struct Line {
    id: ConnectionId,
    stage: Stage,
    wire: Arc<Mutex<Wire>>,
}

enum Stage {
    /// A packet to open it goes out at this time, and again after this one.
    Knocking { next: Micros, wait: Micros },
    /// It is open at this time.
    Opening(Micros),
    /// It is open and the hello is under way; the server's end waits for it.
    Open(Option<(WireLink, Inbox)>),
}

/// What is between the two ends of a connection.
struct Wire {
    between: Conditioner<Bytes, Down>,
    is_silent: bool,
    is_lost: bool,
    /// Input messages that came, and when.
    inputs: Vec<(Micros, Bytes)>,
}

enum Down {
    Message(Bytes),
    Closed(Option<SessionEnd>),
}

/// The server's end.
struct WireLink {
    wire: Arc<Mutex<Wire>>,
    clock: SimClock,
    inbox: InboxWriter,
    unsent: VecDeque<Bytes>,
    is_closed: bool,
}

/// Bytes that a connection takes before its sender has to wait.
const WINDOW: usize = 64 << 10;
/// Time moves on by so much at once.
const STEP: Micros = Micros(1000);
/// Time between frames.
const FRAME: Micros = Micros(16_667);
/// After its network is back, an old connection takes so long to try again.
const RETRANSMISSION: Micros = Micros(1_500_000);

impl Wire {
    fn passes(&self, now: Micros) -> bool {
        !self.is_silent && !self.between.is_cut(now)
    }
}

impl WireLink {
    fn put_down(&self, item: Down, bytes: usize) {
        let now = self.clock.now();
        self.wire.lock().between.down.handle_item(item, bytes, now);
    }
}

impl Link for WireLink {
    fn poll_receive(&mut self, now: Micros) -> Result<Polled, LinkEnd> {
        let mut wire = self.wire.lock();
        if wire.is_lost {
            return Err(LinkEnd::Lost);
        }
        while !self.inbox.is_full() {
            let item = if wire.passes(now) { wire.between.up.poll_item(now) } else { None };
            let Some((arrival, bytes)) = item else { return Ok(Polled::Drained) };
            wire.inputs.push((arrival, bytes.clone()));
            let pushed = self.inbox.push(Received::new(now, &bytes));
            pushed.expect("the inbox is not full, and nobody else writes");
        }
        Ok(Polled::Full)
    }

    fn send(&mut self, message: &[u8]) {
        self.unsent.push_back(Bytes::copy_from_slice(message));
    }

    fn poll_flush(&mut self) -> Result<bool, LinkEnd> {
        while let Some(message) = self.unsent.front() {
            if self.wire.lock().between.down.bytes_under_way() + message.len() > WINDOW {
                return Ok(false);
            }
            if let Some(message) = self.unsent.pop_front() {
                let bytes = message.len();
                self.put_down(Down::Message(message), bytes);
            }
        }
        Ok(true)
    }

    fn close(mut self: Box<Self>, end: SessionEnd) {
        while let Some(message) = self.unsent.pop_front() {
            let bytes = message.len();
            self.put_down(Down::Message(message), bytes);
        }
        self.put_down(Down::Closed(Some(end)), 4);
        self.is_closed = true;
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }
}

impl Drop for WireLink {
    fn drop(&mut self) {
        if !self.is_closed {
            self.put_down(Down::Closed(None), 0);
        }
    }
}

impl<G: Playable> Party<G> {
    /// A room without anybody in it, whose game has these settings.
    ///
    /// # Panics
    /// When the game cannot be hosted.
    #[must_use]
    pub fn new(tick_hz: u32, game: G::Config, seed: u64) -> Party<G> {
        Party::with(Config { tick_hz, seed: Some(seed), ..Config::default() }, game, seed)
    }

    /// The same, with all settings of the server.
    ///
    /// # Panics
    /// When the game cannot be hosted.
    #[must_use]
    pub fn with(config: Config, game: G::Config, seed: u64) -> Party<G> {
        let config = config.checked().expect("tests have settings that can be");
        let clock = SimClock::default();
        let entry = GameEntry::new::<G>(G::NAME, game, config.period());
        let entry = Arc::new(entry.expect("the game can be hosted"));
        let card = RoomCard::new(RoomId(1), 0, None, 0, config.room_capacity);
        let services = RoomServices::new(config);
        let first = clock.now() + services.config.period();
        let room = Room::open(card, entry, services.clone(), [seed as u8; 32], first);
        Party {
            clock,
            room: room.expect("its game has a level to begin with"),
            services,
            members: Vec::new(),
            held_until: Micros(0),
            form: Arc::new(GameForm::of::<G>().expect("the game has a form")),
            outbox: Outbox::default(),
            random: SimRng::from_u64(seed),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Adds a client. Returns its place.
    ///
    /// # Panics
    /// When the game has no inputs.
    pub fn join(&mut self, name: &str, conditions: Conditions, play: Play<G>) -> usize {
        let session =
            SessionConfig { counts_bytes: true, ..SessionConfig::new(Arc::clone(&self.form), name) };
        let config = ClientConfig::new(session, self.random.next_u64());
        self.members.push(Member {
            client: Client::new(config, self.now()).expect("the game has inputs"),
            play,
            conditions,
            away_until: Micros(0),
            frozen_until: Micros(0),
            level_time: Micros(0),
            draws: true,
            log: Log::default(),
            records: false,
            recorded: BTreeMap::new(),
            heard: Vec::new(),
            lines: Vec::new(),
            levels: Vec::new(),
            next_frame: self.now(),
            random: SimRng::from_u64(self.random.next_u64()),
        });
        self.members.len() - 1
    }

    /// A moment.
    pub fn step(&mut self) {
        self.clock.advance(STEP);
        let now = self.now();
        let (due, next) = (self.room.due(), self.room.next_tick());
        if due <= now && self.held_until <= now {
            for place in 0..self.members.len() {
                self.admit(place, now);
            }
            self.room.tick(now, &self.clock.clone(), &mut self.outbox);
            let period = self.services.config.period();
            for member in &mut self.members {
                member.note_inputs(due, next, period);
            }
        }
        let clock = self.clock.clone();
        self.members.iter_mut().for_each(|member| member.step(&clock));
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

    /// Does at the door what the server's handshake does, for each hello that has come.
    fn admit(&mut self, place: usize, now: Micros) {
        for line in &mut self.members[place].lines {
            let Stage::Open(waiting) = &mut line.stage else { continue };
            let mut wire = line.wire.lock();
            if waiting.is_none() || !wire.passes(now) {
                continue;
            }
            let Some((_, hello)) = wire.between.up.poll_item(now) else { continue };
            drop(wire);
            let Ok(ClientMessage::Hello(hello)) = ClientMessage::decode(&hello) else {
                panic!("what a connection begins with is a hello");
            };
            let Some((link, inbox)) = waiting.take() else { continue };
            let name = PlayerName::new(hello.body.name.as_str()).expect("a name that can be shown");
            let place = if hello.body.resume.is_none() { self.room.card().take_place() } else { None };
            self.room.handle_admission(Admission { link: Box::new(link), inbox, hello: *hello, name, place });
        }
    }
}

impl<G: Playable> Member<G> {
    /// The network is away until then; connections that were open before take longer to notice that it is
    /// back.
    pub fn black_out(&mut self, now: Micros, until: Micros) {
        self.away_until = until;
        for line in &self.lines {
            let mut wire = line.wire.lock();
            wire.between.up.stall_until(until + RETRANSMISSION);
            wire.between.down.stall_until(until + RETRANSMISSION);
        }
        assert!(now < until, "it is away for some time");
    }

    /// Cuts the connections that are open. `silently`: neither end is told.
    pub fn cut(&mut self, silently: bool) {
        for line in &self.lines {
            let mut wire = line.wire.lock();
            (wire.is_silent, wire.is_lost) = (silently, !silently);
        }
    }

    /// Whether it plays.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.client.state() == ClientState::Playing
    }

    fn note_inputs(&mut self, due: Micros, next: Tick, period: Micros) {
        for line in &self.lines {
            for (at, bytes) in line.wire.lock().inputs.drain(..) {
                let Ok(ClientMessage::Input(input)) = ClientMessage::decode(&bytes) else { continue };
                let header = input.header();
                let Some(first) = expand_tick(header.first, next).filter(|_| header.count > 0) else {
                    continue;
                };
                for tick in first.0..first.0 + u32::from(header.count) {
                    let ticks = i64::from(tick) - i64::from(next.0);
                    let lead = due.0 as i64 + ticks * period.0 as i64 - at.0 as i64;
                    self.log.leads.push((at, lead));
                }
            }
        }
    }

    fn step(&mut self, clock: &SimClock) {
        let now = clock.now();
        self.connect(clock);
        if now < self.frozen_until {
            return;
        }
        self.read(now);
        if self.draws && self.next_frame <= now {
            self.next_frame = now + FRAME;
            self.frame(now);
        } else if self.client.poll_deadline().is_some_and(|deadline| deadline <= now) {
            self.client.handle_time(now);
        }
        self.write(clock);
    }

    fn connect(&mut self, clock: &SimClock) {
        let now = clock.now();
        let way = self.conditions.delay.1;
        for line in &mut self.lines {
            match &mut line.stage {
                Stage::Knocking { next, wait } if *next <= now => {
                    if self.away_until <= now {
                        // A round trip for TCP, and another one for the WebSocket.
                        line.stage = Stage::Opening(now + Micros(4 * way.0));
                    } else {
                        (*next, *wait) = (now + *wait, Micros(wait.0 * 2));
                    }
                }
                Stage::Opening(at) if *at <= now && now >= self.frozen_until => {
                    let (writer, reader) = inbox();
                    let link = WireLink {
                        wire: Arc::clone(&line.wire),
                        clock: clock.clone(),
                        inbox: writer,
                        unsent: VecDeque::new(),
                        is_closed: false,
                    };
                    line.stage = Stage::Open(Some((link, reader)));
                    self.client.handle_opened(line.id, now);
                }
                _ => {}
            }
        }
    }

    fn read(&mut self, now: Micros) {
        let mut place = 0;
        while place < self.lines.len() {
            let id = self.lines[place].id;
            let item = {
                let mut wire = self.lines[place].wire.lock();
                if wire.is_lost {
                    Some(Down::Closed(None))
                } else if wire.passes(now) {
                    wire.between.down.poll_item(now).map(|(_, item)| item)
                } else {
                    None
                }
            };
            match item {
                None => place += 1,
                Some(Down::Message(bytes)) => {
                    if self.records && bytes.first() != Some(&(ServerType::Pong as u8)) {
                        self.recorded.entry(id).or_default().push(bytes.to_vec());
                    }
                    self.client.handle_message(id, &bytes, now);
                    self.note_confirmed();
                }
                Some(Down::Closed(end)) => {
                    self.lines.remove(place);
                    self.client.handle_closed(id, end.map(SessionEnd::code), now);
                }
            }
        }
    }

    fn note_confirmed(&mut self) {
        let Some(view) = self.client.session().view() else { return };
        if self.log.confirmed.last_key_value().is_some_and(|(tick, _)| *tick >= view.tick) {
            return;
        }
        let avatar = view.avatar.as_deref().and_then(|bytes| decode_payload::<G::Avatar>(bytes).ok());
        if let Some(avatar) = avatar {
            self.log.confirmed.insert(view.tick, G::position(&avatar));
        }
    }

    fn frame(&mut self, now: Micros) {
        let tick = self.client.input_tick().map_or(0, |tick| tick.0);
        let input = match &mut self.play {
            Play::Idle => None,
            Play::Wild(input) => {
                *input = G::whim(input, &mut self.random);
                Some(input.clone())
            }
            Play::Straight(ticks) => {
                let sign = if (tick / *ticks).is_multiple_of(2) { 1.0 } else { -1.0 };
                Some(G::walk(Vec2::new(sign, 0.0)))
            }
            Play::Own(decide) => decide(&mut self.client, now),
        };
        if let Some(input) = input {
            self.client.handle_input(&input).expect("an input within its ranges");
        }
        self.client.handle_time(now);
        let scene = self.client.view(now);
        let time = scene.time;
        let other = scene.entities.clone().find_map(|entity| G::shown(&entity));
        self.log.frames.extend(other.map(|place| (now, time, place)));
        self.log.own_frames.extend(scene.avatar.map(|avatar| (now, G::position(avatar))));
    }

    fn write(&mut self, clock: &SimClock) {
        let now = clock.now();
        while let Some(info) = self.client.poll_level() {
            let level = G::level(LevelId(info.content_hash)).expect("a level of the game");
            self.levels.push((now + self.level_time, level));
        }
        for (_, level) in self.levels.extract_if(.., |(at, _)| *at <= now) {
            self.client.handle_level(level, now);
        }
        let mut message = Vec::new();
        while let Some(id) = self.client.poll_message(&mut message) {
            let bytes = Bytes::from(std::mem::take(&mut message));
            let Some(line) = self.lines.iter().find(|line| line.id == id) else { continue };
            let length = bytes.len();
            line.wire.lock().between.up.handle_item(bytes, length, now);
        }
        while let Some(task) = self.client.poll_connection() {
            match task {
                ConnectionTask::Open(id) => {
                    self.log.opened += 1;
                    let wire = Wire {
                        between: Conditioner::new(&self.conditions, self.random.next_u64(), now),
                        is_silent: false,
                        is_lost: false,
                        inputs: Vec::new(),
                    };
                    let stage = Stage::Knocking { next: now, wait: Micros(1_000_000) };
                    self.lines.push(Line { id, stage, wire: Arc::new(Mutex::new(wire)) });
                }
                ConnectionTask::Close(id, _) => {
                    let Some(place) = self.lines.iter().position(|line| line.id == id) else { continue };
                    // The server notices when the network is there to tell it.
                    let line = self.lines.remove(place);
                    let mut wire = line.wire.lock();
                    wire.is_lost = wire.passes(now) && self.away_until <= now;
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Welcomed { resumed } => self.log.welcomes.push((now, resumed)),
                ClientEvent::Disconnected(end) | ClientEvent::Ended { end, .. } => self.log.ends.push(end),
                ClientEvent::Game(tick, event) => {
                    let shown = self.client.view(now).time;
                    self.log.events.push((tick, shown));
                    self.heard.push((tick, event));
                }
                ClientEvent::Notice(_) => {}
            }
        }
    }
}
