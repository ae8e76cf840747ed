//! One client of the swarm: its session, its will, and what it sees.

use crate::attendance::{Attendant, Outcome};
use crate::env::Env;
use crate::measure::Measures;
use crate::run::{Behaviour, RunConfig};
use crate::socket::{Lost, Socket};
use crate::target::Target;
use mio::{Registry, Token};
use std::io;
use std::sync::Arc;
use tickwire_protocol::client::{GameForm, Received, Session, SessionConfig};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::InputForm;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::message::{BoundedText, Features, SessionState, decode_payload};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_swarm::{Intent, SwarmEvent, SwarmInput};

/// A client.
pub(crate) struct Bot {
    number: u32,
    socket: Socket,
    session: Session,
    /// What it wants, if it plays.
    intent: Option<Intent>,
    /// The lanes of an input.
    row: Vec<i32>,
    flags: u8,
    /// The entity that it moves.
    own: Option<EntityIndex>,
    /// The flags whose effect it waits to see, and when they were sent.
    awaited: Option<(u8, Micros)>,
    /// When the newest snapshot came.
    snapshot_at: Option<Micros>,
    is_stalled: bool,
    /// The server said that it ends the session, and how.
    told: Option<SessionEnd>,
}

impl Bot {
    pub(crate) fn new(number: u32, config: &RunConfig, game: &Arc<GameForm>, lanes: usize) -> Bot {
        let checks = config.verify_every > 0 && number.is_multiple_of(config.verify_every);
        let features = if checks { Features::WANTS_CHECKS } else { Features::default() };
        let software = Some(BoundedText::cut(concat!("tickwire-bots ", env!("CARGO_PKG_VERSION"))));
        let session = SessionConfig::new(Arc::clone(game), &format!("bot {number}"));
        let seed = config.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(number));
        Bot {
            number,
            socket: Socket::None,
            session: Session::new(SessionConfig {
                features,
                software,
                counts_bytes: config.accounts,
                ..session
            }),
            intent: (config.behaviour == Behaviour::Swarm).then(|| Intent::new(seed)),
            row: vec![0; lanes],
            flags: 0,
            own: None,
            awaited: None,
            snapshot_at: None,
            is_stalled: false,
            told: None,
        }
    }

    pub(crate) fn connect(
        &mut self,
        target: &Target,
        spread: bool,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        let source = if spread { target.source(self.number) } else { None };
        self.socket = Socket::connect(target, source, registry, token)?;
        Ok(())
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.session.state() == SessionState::Active && self.socket.is_open()
    }

    /// Reads nothing from now on.
    pub(crate) fn stall(&mut self) {
        self.is_stalled = true;
    }

    /// Takes in what has come.
    pub(crate) fn handle_ready(&mut self, is_closing: bool, env: &mut Env) -> Outcome {
        if self.is_stalled {
            return Outcome::On;
        }
        self.socket.handle_ready(is_closing);
        match self.receive(env) {
            Ok(progress) => progress,
            Err(lost) => self.handle_lost(&lost, env),
        }
    }

    fn receive(&mut self, env: &mut Env) -> Result<Outcome, Lost> {
        if !self.socket.is_open() {
            if !self.socket.poll_open(&env.target)? {
                return Ok(Outcome::On);
            }
            env.buffer.clear();
            if self.session.poll_hello(&mut env.buffer).is_ok() {
                self.socket.send(&env.buffer)?;
            }
        }
        let mut progress = Outcome::On;
        let now = env.now();
        while let Some(message) = self.socket.poll_message()? {
            match self.handle_message(&message, now, env) {
                Outcome::On => {}
                Outcome::LetIn => progress = Outcome::LetIn,
                over => return Ok(over),
            }
        }
        loop {
            env.buffer.clear();
            if !self.session.poll_message(now, &mut env.buffer) {
                return Ok(progress);
            }
            self.socket.send(&env.buffer)?;
        }
    }

    fn handle_message(&mut self, message: &[u8], now: Micros, env: &mut Env) -> Outcome {
        if self.told.is_some() {
            return Outcome::On;
        }
        env.handle_payload(message.len(), now);
        match self.session.handle_message(message, now) {
            Ok(Received::Welcome) => return Outcome::LetIn,
            Ok(Received::Refusal(refusal)) => {
                let more = refusal.text.as_str();
                let end = refusal.end();
                self.socket.close(SessionEnd::Left);
                let name = end.name();
                return Outcome::Over(if more.is_empty() {
                    format!("{end} ({name})")
                } else {
                    format!("{end} ({name}: {more})")
                });
            }
            Ok(Received::Snapshot(_)) => self.handle_snapshot(now, env),
            Ok(Received::Missed) => env.record(now, |sums, _| sums.missed += 1),
            Ok(Received::Events(_)) => {
                while let Some((_, payload)) = self.session.poll_event(Tick(u32::MAX)) {
                    match decode_payload::<SwarmEvent>(&payload) {
                        Ok(SwarmEvent::You { entity }) => self.own = Some(entity),
                        Err(_) => return self.handle_broken(SessionEnd::Malformed, env),
                    }
                }
            }
            Ok(Received::Check { agrees: Some(agrees), .. }) => {
                env.record(now, |sums, _| sums.checks += 1);
                // A wrong state is one at any time.
                env.measures.wrong_states += u64::from(!agrees);
            }
            Ok(Received::Notice(notice)) => self.told = notice.going_away().map(|(end, _)| end),
            Ok(_) => {}
            Err(end) => return self.handle_broken(end, env),
        }
        Outcome::On
    }

    fn handle_broken(&mut self, end: SessionEnd, env: &mut Env) -> Outcome {
        env.handle_fault();
        self.socket.close(end);
        Outcome::Over(format!("the server broke the protocol ({})", end.name()))
    }

    fn handle_lost(&mut self, lost: &Lost, env: &mut Env) -> Outcome {
        if let Lost::Broken(_) = lost {
            env.handle_fault();
        }
        self.socket = Socket::None;
        self.session.handle_disconnected();
        Outcome::Over(self.told.map_or_else(|| lost.to_string(), |end| end.name().to_owned()))
    }

    fn handle_snapshot(&mut self, now: Micros, env: &mut Env) {
        env.handle_snapshot(self.snapshot_at.replace(now), now);
        let Some((flags, sent)) = self.awaited else { return };
        if self.shown_flags().is_some_and(|shown| shown.wrapping_sub(flags) < 128) {
            self.awaited = None;
            env.handle_latency(now.saturating_since(sent), now);
        }
    }

    /// The flags of the own entity as the newest snapshot shows them.
    fn shown_flags(&self) -> Option<u8> {
        let view = self.session.view()?;
        // The flags are a walker's last field, and a number from zero up is its own lane.
        view.state(view.entry(self.own?)?).last().map(|lane| *lane as u8)
    }

    /// Sends what is due: an input that was to be sent at `due`, or an acknowledgement.
    pub(crate) fn send_due(&mut self, due: Micros, inputs: &InputForm<SwarmInput>, env: &mut Env) -> Outcome {
        if !self.is_playing() {
            return Outcome::On;
        }
        env.buffer.clear();
        let mut raised = false;
        match &mut self.intent {
            Some(intent) => {
                let input = intent.next_input();
                raised = input.flags != self.flags;
                self.flags = input.flags;
                inputs.quantize(&input, &mut self.row).expect("an intent stays within the ranges");
                let first = self.session.next_input();
                self.session.encode_inputs(first, &self.row, None, &mut env.buffer);
            }
            None => self.session.encode_acknowledgement(&mut env.buffer),
        }
        let now = env.now();
        if raised && self.awaited.is_none() && !self.is_stalled {
            self.awaited = Some((self.flags, now));
        }
        let is_input = u64::from(self.intent.is_some());
        env.record(now, |sums, _| {
            sums.inputs += is_input;
            sums.lateness.record(now.saturating_since(due));
        });
        match self.socket.send(&env.buffer) {
            Ok(_) => Outcome::On,
            Err(lost) => self.handle_lost(&lost, env),
        }
    }

    /// The measured time ends. A snapshot that has long not come is not to be forgotten because it did not
    /// come at all.
    pub(crate) fn end_measuring(&mut self, now: Micros, measures: &mut Measures) {
        let open = self.snapshot_at.map(|before| now.saturating_since(before));
        if let Some(open) = open.filter(|open| *open > OPEN_INTERVAL && !self.is_stalled) {
            measures.intervals.record(open);
        }
        if let Some(account) = self.session.drain_account() {
            measures.account.add(&account);
        }
    }
}

impl Attendant for Bot {
    fn number(&self) -> u32 {
        self.number
    }

    fn begin_measuring(&mut self) {
        (self.snapshot_at, self.awaited) = (None, None);
        drop(self.session.drain_account());
    }

    // To close a socket with something unread in it resets the connection, and what was said last is lost:
    // the server would keep the player for a while.
    fn leave(&mut self, env: &mut Env) -> bool {
        env.buffer.clear();
        let says = self.is_playing() && self.session.encode_leave(&mut env.buffer).is_ok();
        says && matches!(self.socket.send(&env.buffer), Ok(true))
    }

    fn drain(&mut self, is_closing: bool) -> bool {
        self.socket.handle_ready(is_closing);
        loop {
            match self.socket.poll_message() {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }
}

/// From here on an interval that has not ended is counted.
const OPEN_INTERVAL: Micros = Micros(100_000);
