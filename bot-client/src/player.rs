//! One client of a game that predicts: the client core over sockets, under conditions if so wished.

use crate::attendance::{Attendant, Outcome};
use crate::conditioner::{Conditioner, Conditions};
use crate::env::Env;
use crate::level;
use crate::measure::PlayerSums;
use crate::pilot::Pilot;
use crate::socket::{Lost, Socket};
use mio::{Registry, Token};
use std::collections::{HashMap, VecDeque};
use tickwire_protocol::client::{Client, ClientConfig, ClientEvent, ConnectionId, ConnectionTask};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{LevelId, LoadedLevel, Simulation};
use tickwire_protocol::message::{LevelInfo, LevelSource};
use tickwire_protocol::time::{Micros, Tick};
use tungstenite::Bytes;

/// A client and its connections.
pub(crate) struct Player<S: Simulation, P> {
    number: u32,
    client: Client<S>,
    pilot: P,
    lines: Vec<Line>,
    conditions: Option<Conditions>,
    seed: u64,
    /// When it wants to be stepped next.
    deadline: Option<Micros>,
    /// When the inputs of the last ticks were made.
    made: VecDeque<(Tick, Micros)>,
    newest: Option<Tick>,
    snapshot_at: Option<Micros>,
    /// What has been counted of it already, and when.
    counted: PlayerSums,
    counted_at: Micros,
    is_in: bool,
    is_over: bool,
}

/// A connection of a player.
struct Line {
    id: ConnectionId,
    socket: Socket,
    conditioner: Option<Conditioner<Vec<u8>, Down>>,
}

/// What comes over a connection.
enum Down {
    Opened,
    Message(Bytes),
    Closed(Option<u16>),
}

/// What players are stepped with.
pub(crate) struct Surroundings<'a, S: Simulation> {
    pub(crate) env: &'a mut Env,
    pub(crate) registry: &'a Registry,
    pub(crate) levels: &'a mut Levels<S>,
    /// The player's place among those of the thread, which its tokens tell.
    pub(crate) place: usize,
    pub(crate) spread_sources: bool,
}

/// The levels that a thread's players share.
pub(crate) struct Levels<S: Simulation> {
    known: HashMap<u64, LoadedLevel<S::Level>>,
    runtime: tokio::runtime::Runtime,
}

/// Connections of a player that are told apart by their tokens: the core has fewer at a time.
const LINES: usize = 8;

/// What a client counts is asked for so often: it is worked out anew each time.
const COUNT_INTERVAL: Micros = Micros(250_000);

/// Inputs whose effect is waited for.
const MADE: usize = 256;

/// The player and the connection that a token means.
pub(crate) fn place_of(token: Token) -> (usize, usize) {
    (token.0 / LINES, token.0 % LINES)
}

impl<S: Simulation> Levels<S> {
    pub(crate) fn new() -> std::io::Result<Levels<S>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Levels { known: HashMap::new(), runtime })
    }

    /// The level, which is fetched when the first player wants it.
    fn get(&mut self, info: &LevelInfo, env: &Env) -> Result<LoadedLevel<S::Level>, String> {
        if let Some(level) = self.known.get(&info.content_hash) {
            return Ok(level.clone());
        }
        let LevelSource::Fetch(path) = &info.source else {
            return Err("the level is built into other clients than this".to_owned());
        };
        let content = self.runtime.block_on(level::fetch(&env.target, path.as_str()));
        let level = LoadedLevel::<S::Level>::parse(content.map_err(|error| error.to_string())?);
        let level = level.map_err(|error| error.to_string())?;
        if level.id() != LevelId(info.content_hash) {
            return Err("the server has sent another level than it named".to_owned());
        }
        self.known.insert(info.content_hash, level.clone());
        Ok(level)
    }
}

impl<S: Simulation, P: Pilot<S>> Player<S, P> {
    /// # Errors
    /// Text, when the game's input breaks a rule.
    pub(crate) fn new(
        number: u32,
        config: ClientConfig,
        pilot: P,
        conditions: Option<Conditions>,
        now: Micros,
    ) -> Result<Player<S, P>, String> {
        let seed = config.seed;
        Ok(Player {
            number,
            client: Client::new(config, now).map_err(|error| error.to_string())?,
            pilot,
            lines: Vec::new(),
            conditions,
            seed,
            deadline: Some(now),
            made: VecDeque::new(),
            newest: None,
            snapshot_at: None,
            counted: PlayerSums::default(),
            counted_at: now,
            is_in: false,
            is_over: false,
        })
    }

    /// When it is to be stepped next.
    pub(crate) fn deadline(&self) -> Option<Micros> {
        self.deadline.filter(|_| !self.is_over)
    }

    /// Takes in what a connection has, and goes on.
    pub(crate) fn handle_ready(
        &mut self,
        line: usize,
        is_closing: bool,
        around: &mut Surroundings<'_, S>,
    ) -> Outcome {
        let now = around.env.now();
        let Some(place) = self.lines.iter().position(|other| other.id.0 as usize % LINES == line) else {
            return Outcome::On;
        };
        self.lines[place].socket.handle_ready(is_closing);
        while let Some((id, down)) = self.read(place, around.env) {
            let is_closed = matches!(down, Down::Closed(_));
            self.arrive(place, id, down, now, around.env);
            if is_closed {
                break;
            }
        }
        self.step(now, around)
    }

    /// What comes next out of a connection's socket.
    fn read(&mut self, place: usize, env: &Env) -> Option<(ConnectionId, Down)> {
        let Line { id, socket, .. } = self.lines.get_mut(place)?;
        let come = if socket.is_open() {
            socket.poll_message().map(|message| message.map(Down::Message))
        } else {
            socket.poll_open(&env.target).map(|is_open| is_open.then_some(Down::Opened))
        };
        match come {
            Ok(down) => Some((*id, down?)),
            Err(Lost::Closed { code, .. }) => Some((*id, Down::Closed(code))),
            Err(Lost::Broken(_)) => Some((*id, Down::Closed(None))),
        }
    }

    /// Something has come out of a socket; under conditions it is still under way.
    fn arrive(&mut self, place: usize, id: ConnectionId, down: Down, now: Micros, env: &mut Env) {
        if let Down::Closed(_) = down {
            // There is nothing more to be had from it, and a poll would go on to say so.
            self.lines[place].socket = Socket::None;
        }
        match &mut self.lines[place].conditioner {
            Some(conditioner) if conditioner.is_cut(now) => {}
            Some(conditioner) => {
                let bytes = if let Down::Message(bytes) = &down { bytes.len() } else { 0 };
                conditioner.down.handle_item(down, bytes, now);
            }
            None => self.handle_down(id, down, now, env),
        }
    }

    fn handle_down(&mut self, id: ConnectionId, down: Down, now: Micros, env: &mut Env) {
        match down {
            Down::Opened => self.client.handle_opened(id, now),
            Down::Closed(code) => {
                self.lines.retain(|line| line.id != id);
                self.client.handle_closed(id, code, now);
            }
            Down::Message(bytes) => {
                env.handle_payload(bytes.len(), now);
                self.client.handle_message(id, &bytes, now);
                let newest = self.client.session().view().map(|view| view.tick);
                if newest.is_some() && newest != self.newest {
                    self.newest = newest;
                    self.handle_snapshot(now, env);
                }
            }
        }
    }

    /// A snapshot is there, and with it what the inputs up to its tick did.
    fn handle_snapshot(&mut self, now: Micros, env: &mut Env) {
        env.handle_snapshot(self.snapshot_at.replace(now), now);
        let Some(newest) = self.newest else { return };
        while let Some((tick, made)) = self.made.front().copied()
            && tick <= newest
        {
            self.made.pop_front();
            if tick == newest {
                env.handle_latency(now.saturating_since(made), now);
            }
        }
    }

    /// Lets time pass: what is due comes in, the pilot decides, and what is to go out goes.
    pub(crate) fn step(&mut self, now: Micros, around: &mut Surroundings<'_, S>) -> Outcome {
        if self.is_over {
            return Outcome::On;
        }
        let due = self.client.poll_deadline().filter(|due| *due <= now);
        let before = self.client.input_tick();
        self.receive_conditioned(now, around.env);
        // Other deadlines than that of an input need no will.
        if due.is_some() {
            let input = self.pilot.input(&mut self.client, now);
            // A pilot that wants what cannot be said wants what it wanted before.
            let _ = self.client.handle_input(&input);
        }
        self.client.handle_time(now);
        self.note_inputs(before, due, now, around.env);
        let outcome = self.pump(now, around);
        self.send_conditioned(now);
        if now.saturating_since(self.counted_at) >= COUNT_INTERVAL {
            self.count(now, around.env);
        }
        let ways =
            self.lines.iter().filter_map(|line| line.conditioner.as_ref()).filter(|way| !way.is_cut(now));
        let conditioned = ways.flat_map(|way| [way.up.poll_deadline(), way.down.poll_deadline()]);
        let deadline = conditioned.chain([self.client.poll_deadline()]).flatten().min();
        // Whoever asks to be stepped at once is stepped in the next turn.
        self.deadline = deadline.map(|deadline| deadline.max(now + Micros(1)));
        self.is_over = matches!(outcome, Outcome::Over(_));
        outcome
    }

    fn note_inputs(&mut self, before: Option<Tick>, due: Option<Micros>, now: Micros, env: &mut Env) {
        let newest = self.client.input_tick();
        let Some(newest) = newest.filter(|tick| Some(*tick) != before) else { return };
        let more = u64::from(before.and_then(|before| newest.since(before)).unwrap_or(1));
        if self.made.len() == MADE {
            self.made.pop_front();
        }
        self.made.push_back((newest, now));
        env.record(now, |sums, _| {
            sums.inputs += more;
            if let Some(due) = due {
                sums.lateness.record(now.saturating_since(due));
            }
        });
    }

    fn receive_conditioned(&mut self, now: Micros, env: &mut Env) {
        for place in (0..self.lines.len()).rev() {
            while let Some(line) = self.lines.get_mut(place) {
                let id = line.id;
                let Some(conditioner) = line.conditioner.as_mut().filter(|way| !way.is_cut(now)) else {
                    break;
                };
                let Some((at, down)) = conditioner.down.poll_item(now) else { break };
                self.handle_down(id, down, at, env);
            }
        }
    }

    fn send_conditioned(&mut self, now: Micros) {
        for Line { socket, conditioner, .. } in &mut self.lines {
            let Some(conditioner) = conditioner.as_mut().filter(|way| !way.is_cut(now)) else { continue };
            while let Some((_, message)) = conditioner.up.poll_item(now) {
                // What became of the connection is read from it.
                let _ = socket.send(&message);
            }
        }
    }

    /// Does what the client asks for.
    fn pump(&mut self, now: Micros, around: &mut Surroundings<'_, S>) -> Outcome {
        let mut outcome = Outcome::On;
        while let Some(info) = self.client.poll_level() {
            match around.levels.get(&info, around.env) {
                Ok(level) => self.client.handle_level(level, around.env.now()),
                Err(why) => return Outcome::Over(why),
            }
        }
        loop {
            around.env.buffer.clear();
            let Some(id) = self.client.poll_message(&mut around.env.buffer) else { break };
            let Some(line) = self.lines.iter_mut().find(|line| line.id == id) else { continue };
            match &mut line.conditioner {
                Some(conditioner) => {
                    let message = around.env.buffer.clone();
                    conditioner.up.handle_item(message, around.env.buffer.len(), now);
                }
                None => {
                    // What became of the connection is read from it.
                    let _ = line.socket.send(&around.env.buffer);
                }
            }
        }
        while let Some(task) = self.client.poll_connection() {
            match task {
                ConnectionTask::Open(id) => self.open(id, now, around),
                ConnectionTask::Close(id, end) => self.close(id, end),
            }
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Welcomed { .. } if !self.is_in => {
                    self.is_in = true;
                    outcome = Outcome::LetIn;
                }
                ClientEvent::Ended { end, text } => {
                    let more = if text.is_empty() { String::new() } else { format!(": {text}") };
                    return Outcome::Over(format!("{end} ({}{more})", end.name()));
                }
                _ => {}
            }
        }
        outcome
    }

    fn open(&mut self, id: ConnectionId, now: Micros, around: &mut Surroundings<'_, S>) {
        let source = if around.spread_sources { around.env.target.source(self.number) } else { None };
        let token = Token(around.place * LINES + id.0 as usize % LINES);
        match Socket::connect(&around.env.target, source, around.registry, token) {
            Ok(socket) => {
                let seed = self.seed.wrapping_add(u64::from(id.0) << 32);
                let conditioner = self.conditions.map(|conditions| Conditioner::new(&conditions, seed, now));
                self.lines.push(Line { id, socket, conditioner });
            }
            Err(_) => self.client.handle_closed(id, None, now),
        }
    }

    fn close(&mut self, id: ConnectionId, end: SessionEnd) {
        if let Some(place) = self.lines.iter().position(|line| line.id == id) {
            self.lines.swap_remove(place).socket.close(end);
        }
    }

    /// Puts what the client has counted since into the sums.
    fn count(&mut self, now: Micros, env: &mut Env) {
        self.counted_at = now;
        if !env.is_measured() {
            return;
        }
        let stats = self.client.stats();
        let sums = PlayerSums::of(&stats);
        let more = sums.since(&self.counted);
        self.counted = sums;
        let lead = stats.input_lead_millis.filter(|_| more.predicted > 0);
        env.record(now, |sums, point| {
            sums.players.add(&more);
            point.corrections += more.corrections;
            point.substituted += more.inputs_held + more.inputs_neutral;
            if let Some(millis) = lead {
                point.lead_sum += i64::from(millis) * 1000;
                point.leads += 1;
            }
        });
    }

    /// The measured time ends.
    pub(crate) fn end_measuring(&mut self, env: &mut Env) {
        self.count(env.now(), env);
        if let Some(account) = self.client.drain_account().filter(|_| env.is_measured()) {
            env.measures.account.add(&account);
        }
    }
}

impl<S: Simulation, P: Pilot<S>> Attendant for Player<S, P> {
    fn number(&self) -> u32 {
        self.number
    }

    fn begin_measuring(&mut self) {
        self.counted = PlayerSums::of(&self.client.stats());
        self.snapshot_at = None;
        self.made.clear();
        drop(self.client.drain_account());
    }

    fn leave(&mut self, env: &mut Env) -> bool {
        let now = env.now();
        self.is_over = true;
        self.client.handle_leave(now);
        env.buffer.clear();
        while let Some(id) = self.client.poll_message(&mut env.buffer) {
            if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
                let _ = line.socket.send(&env.buffer);
            }
            env.buffer.clear();
        }
        self.lines.iter().any(|line| line.socket.is_open())
    }

    fn drain(&mut self, is_closing: bool) -> bool {
        self.lines.retain_mut(|line| {
            line.socket.handle_ready(is_closing);
            loop {
                match line.socket.poll_message() {
                    Ok(Some(_)) => {}
                    Ok(None) => return line.socket.is_open(),
                    Err(_) => return false,
                }
            }
        });
        self.lines.is_empty()
    }
}
