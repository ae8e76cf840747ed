//! The client: all parts put together.

use super::account::ByteAccount;
use super::clock::TickClock;
use super::connect::{ConnectionId, ConnectionTask, Connector};
use super::input::{InputHistory, Wish};
use super::interpolate::Playback;
use super::predict::Predictor;
use super::scene::{ClientEvent, ClientState, Scene};
use super::session::{Session, SessionConfig};
use super::stats::{ClientStats, Smoothed};
use crate::end::SessionEnd;
use crate::game::{InputForm, InputPolicy, LevelId, LoadedLevel, Simulation};
use crate::id::{EntityIndex, KindId};
use crate::message::{
    Features, InputError, InputKindError, LevelInfo, SessionState, decode_payload, encode_payload,
};
use crate::time::{Micros, Tick};
use std::collections::VecDeque;
use thiserror::Error;

/// What a client is made with.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// What it says of itself, and what it wishes. Whether it predicts follows from the game.
    pub session: SessionConfig,
    /// Where its randomness comes from: when it tries to connect again.
    pub seed: u64,
    /// Whether others are to be shown. A bot that does not look saves itself the trouble; events are then
    /// released at once.
    pub shows_others: bool,
}

impl ClientConfig {
    /// The settings of a client that shows what it sees.
    #[must_use]
    pub fn new(session: SessionConfig, seed: u64) -> ClientConfig {
        ClientConfig { session, seed, shows_others: true }
    }
}

/// A client of a game, without sockets and without a clock of its own. The module's page has the contract.
pub struct Client<S: Simulation> {
    pub(super) config: ClientConfig,
    pub(super) now: Micros,
    pub(super) session: Session,
    pub(super) connector: Connector,
    /// When the hello was sent, and how long the answer took.
    pub(super) hello_at: Micros,
    pub(super) handshake: Micros,
    /// From when on silence counts: the last message, or when the owner was back after a pause.
    pub(super) listened_since: Micros,
    pub(super) trouble_since: Option<Micros>,
    /// When a connection was last given up for another one.
    pub(super) gave_up: Option<Micros>,
    /// What the server said of the end of the connection.
    pub(super) told: Option<(SessionEnd, crate::end::ComeBack)>,
    pub(super) waiting: Option<(Micros, SessionEnd)>,
    pub(super) ended: Option<SessionEnd>,
    pub(super) clock: TickClock,
    pub(super) wish: Wish<S::Input>,
    pub(super) history: InputHistory<S::Input>,
    pub(super) next_input: Option<Tick>,
    pub(super) is_hidden: bool,
    pub(super) predictor: Predictor<S>,
    /// The avatar of a client that does not predict.
    pub(super) told_avatar: Option<S::Avatar>,
    pub(super) playback: Playback,
    pub(super) epoch: u16,
    pub(super) newest: Option<Tick>,
    /// The levels that were there before.
    levels: Vec<LoadedLevel<S::Level>>,
    wanted_level: Option<LevelInfo>,
    is_level_asked: bool,
    /// Snapshots that came before the level, and when.
    pub(super) withheld: VecDeque<(Vec<u8>, Micros)>,
    pub(super) unacknowledged_since: Option<Micros>,
    pub(super) next_ping: Option<Micros>,
    pub(super) pings: u32,
    pub(super) outgoing: VecDeque<(ConnectionId, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    pub(super) rows: Vec<i32>,
    pub(super) events: VecDeque<ClientEvent<S::Event>>,
    pub(super) effects: VecDeque<S::Effect>,
    drawn: Option<S::Avatar>,
    /// When the owner should have looked again.
    pub(super) expected_at: Option<Micros>,
    pub(super) counted: ClientStats,
    pub(super) interval: Smoothed,
    pub(super) snapshot_bytes: Smoothed,
    pub(super) snapshot_at: Option<Micros>,
}

/// Why a command is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// There is no session yet, or none any more.
    #[error("there is no session to say it in")]
    NotPlaying,
    /// It takes more than [`MAX_PAYLOAD_BYTES`](crate::limits::MAX_PAYLOAD_BYTES).
    #[error("the command is too large")]
    TooLarge,
}

/// Status events that wait to be polled; notices beyond are dropped.
const MAX_STATUS_EVENTS: usize = 256;
/// Levels that are kept, the one in use included.
const MAX_LEVELS: usize = 4;

impl<S: Simulation> Client<S> {
    /// A client that wants a connection.
    ///
    /// # Errors
    /// [`InputKindError`] when the game's input breaks a rule.
    pub fn new(mut config: ClientConfig, now: Micros) -> Result<Client<S>, InputKindError> {
        let is_predictable = matches!(S::INPUT_POLICY, InputPolicy::PerTick(_));
        let features = config.session.features.0 & !Features::PREDICTS.0;
        let predicts = is_predictable && !config.session.spectator;
        config.session.features = Features(features | if predicts { Features::PREDICTS.0 } else { 0 });
        let mut connector = Connector::new(config.seed);
        connector.want(now);
        Ok(Client {
            session: Session::new(config.session.clone()),
            config,
            now,
            connector,
            hello_at: now,
            handshake: Micros(100_000),
            listened_since: now,
            trouble_since: None,
            gave_up: None,
            told: None,
            waiting: None,
            ended: None,
            clock: TickClock::new(Micros(1)),
            wish: Wish::new(InputForm::new()?),
            history: InputHistory::new(),
            next_input: None,
            is_hidden: false,
            predictor: Predictor::new(),
            told_avatar: None,
            playback: Playback::new(),
            epoch: 0,
            newest: None,
            levels: Vec::new(),
            wanted_level: None,
            is_level_asked: false,
            withheld: VecDeque::new(),
            unacknowledged_since: None,
            next_ping: None,
            pings: 0,
            outgoing: VecDeque::new(),
            spare: Vec::new(),
            rows: Vec::new(),
            events: VecDeque::new(),
            effects: VecDeque::new(),
            drawn: None,
            expected_at: None,
            counted: ClientStats::default(),
            interval: Smoothed::default(),
            snapshot_bytes: Smoothed::default(),
            snapshot_at: None,
        })
    }

    /// How things stand.
    #[must_use]
    pub fn state(&self) -> ClientState {
        if let Some(end) = self.ended {
            return ClientState::Ended(end);
        }
        if let Some((until, after)) = self.waiting {
            return ClientState::Waiting { until, after };
        }
        match (self.session.state(), self.trouble_since) {
            (SessionState::Handshaking | SessionState::Gone(_), _) => ClientState::Connecting,
            (SessionState::Active, None) if self.is_withholding() => ClientState::Loading,
            (SessionState::Active, None) => ClientState::Playing,
            (_, since) => ClientState::Reconnecting { since: since.unwrap_or(self.listened_since) },
        }
    }

    /// The session: the welcome, what is known of the world, the round-trip time.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Where the bytes went that came since this was asked before; `None` if the session does not count.
    pub fn drain_account(&mut self) -> Option<ByteAccount> {
        self.session.drain_account()
    }

    /// The level, once it is there.
    #[must_use]
    pub fn level(&self) -> Option<&LoadedLevel<S::Level>> {
        self.predictor.level()
    }

    /// The own avatar after the newest tick whose input was made, without any smoothing: for bots and tests.
    #[must_use]
    pub fn avatar(&self) -> Option<&S::Avatar> {
        self.predictor.predicted().or(self.told_avatar.as_ref())
    }

    /// The newest tick for which an input was made, and which [`Client::avatar`] is after.
    #[must_use]
    pub fn input_tick(&self) -> Option<Tick> {
        self.history.newest()
    }

    /// The figures of a net graph.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        let round_trip = self.session.round_trip();
        let prediction = &self.predictor.counters;
        ClientStats {
            rtt_micros: round_trip.smoothed().map(|time| time.0),
            rtt_variance_micros: round_trip.variance().map(|time| time.0),
            input_jitter_micros: self.clock.jitter().0,
            input_margin_micros: self.clock.margin(),
            input_lead_millis: self.clock.last_lead().map(|lead| lead.millis),
            arrival_jitter_micros: self.playback.jitter().0,
            interpolation_delay_micros: self.playback.delay().0,
            snapshot_interval_micros: self.interval.get(),
            snapshot_bytes: self.snapshot_bytes.get() as u32,
            inputs_taken: prediction.own,
            inputs_held: prediction.held,
            inputs_neutral: prediction.neutral,
            predicted: prediction.predicted,
            corrections: prediction.corrections,
            interfered: prediction.interfered,
            clock_snaps: self.clock.snaps(),
            held_frames: self.playback.held_frames,
            ..self.counted
        }
    }

    /// Whether a correction of the own avatar is still fading.
    #[must_use]
    pub fn is_correcting(&self) -> bool {
        self.predictor.is_correcting(self.now)
    }

    // What the player wants.

    /// Takes in what the player wants from now on. With an input per tick it may come as often as one likes,
    /// and each tick takes the newest; of a stream, each call is an input of its own, which is sent at once.
    ///
    /// # Errors
    /// [`InputError`] for a value that is not finite or outside its range; nothing is changed then.
    pub fn handle_input(&mut self, input: &S::Input) -> Result<(), InputError> {
        if !self.is_stream() {
            return match self.is_hidden {
                true => self.wish.form().canonical(input).map(drop),
                false => self.wish.handle_input(input),
            };
        }
        let form = self.wish.form();
        self.rows.clear();
        self.rows.resize(form.codec().lanes(), 0);
        form.quantize(input, &mut self.rows)?;
        if !self.may_send_inputs() {
            self.counted.dropped += 1;
            return Ok(());
        }
        let (first, rows) = (self.session.next_input(), std::mem::take(&mut self.rows));
        self.send_inputs(first, &rows);
        self.rows = rows;
        Ok(())
    }

    /// Takes in a command of the game. It is sent at once, or after the resume, and again if it was lost with
    /// a connection.
    ///
    /// # Errors
    /// [`CommandError`] when it cannot be said.
    pub fn handle_command(&mut self, command: &S::Command) -> Result<(), CommandError> {
        let mut payload = self.buffer();
        let encoded = encode_payload(command, &mut payload);
        let taken = match encoded {
            Err(_) => Err(CommandError::TooLarge),
            Ok(_) if self.ended.is_some() => Err(CommandError::NotPlaying),
            Ok(_) => self.session.handle_command(&payload).map_err(|end| match end {
                SessionEnd::TooLarge => CommandError::TooLarge,
                _ => CommandError::NotPlaying,
            }),
        };
        self.recycle(payload);
        taken
    }

    /// Nobody looks any more (a tab in the background): the player wants nothing until
    /// [`Client::handle_shown`]. The owner goes on to hand in messages if it can.
    pub fn handle_hidden(&mut self, now: Micros) {
        self.pass(now);
        self.wish.clear();
        if !self.is_hidden && !self.is_stream() && self.may_send_inputs() {
            // The server repeats the last input for a while when none comes: let that be this one.
            let unmade = self.history.newest().and_then(|newest| newest.after(1));
            if let Some(next) = self.next_input.or(unmade) {
                self.make_input(next, next);
            }
        }
        self.is_hidden = true;
    }

    /// Somebody looks again.
    pub fn handle_shown(&mut self, now: Micros) {
        self.pass(now);
        self.is_hidden = false;
        self.listened_since = self.now;
        self.next_input = None;
    }

    /// The player leaves for good.
    pub fn handle_leave(&mut self, now: Micros) {
        self.pass(now);
        if let Some(id) = self.connector.current() {
            let mut message = self.buffer();
            if self.session.encode_leave(&mut message).is_ok() {
                self.outgoing.push_back((id, message));
            }
        }
        self.end(SessionEnd::Left, String::new());
    }

    // Levels.

    /// The level that is wanted and not there, once: its owner fetches or finds it, and hands it to
    /// [`Client::handle_level`].
    pub fn poll_level(&mut self) -> Option<LevelInfo> {
        let wanted = self.wanted_level.as_ref().filter(|_| !self.is_level_asked)?;
        self.is_level_asked = true;
        Some(wanted.clone())
    }

    /// Takes in a level. One that is not the wanted one is kept for later: a room may come back to it.
    pub fn handle_level(&mut self, level: LoadedLevel<S::Level>, now: Micros) {
        self.pass(now);
        let wanted = self.wanted_level.as_ref().is_some_and(|wanted| wanted.content_hash == level.id().0);
        self.levels.retain(|known| known.id() != level.id());
        if self.levels.len() >= MAX_LEVELS {
            self.levels.remove(0);
        }
        self.levels.push(level.clone());
        if !wanted {
            return;
        }
        self.wanted_level = None;
        self.predictor.set_level(Some(level));
        while let Some((bytes, at)) = self.withheld.pop_front() {
            self.receive(&bytes, at);
            self.recycle(bytes);
            if self.is_withholding() {
                break;
            }
        }
    }

    /// The room has this level from now on.
    pub(super) fn want_level(&mut self, info: &LevelInfo) {
        let id = LevelId(info.content_hash);
        if self.predictor.level().is_some_and(|level| level.id() == id) {
            self.wanted_level = None;
            return;
        }
        let known = self.levels.iter().find(|level| level.id() == id).cloned();
        let empty = || LoadedLevel::<S::Level>::parse(Vec::new()).ok().filter(|level| level.id() == id);
        let level = known.or_else(empty);
        (self.wanted_level, self.is_level_asked) = (level.is_none().then(|| info.clone()), false);
        self.predictor.set_level(level);
    }

    /// Whether snapshots wait for the level, without which no avatar can be predicted.
    pub(super) fn is_withholding(&self) -> bool {
        let predicts = self.session.welcome().is_some_and(|welcome| welcome.body.profile.predicts);
        predicts && self.wanted_level.is_some()
    }

    // What goes out.

    /// Appends the next message to `out`, and says over which connection it goes.
    pub fn poll_message(&mut self, out: &mut Vec<u8>) -> Option<ConnectionId> {
        if let Some((id, message)) = self.outgoing.pop_front() {
            out.extend_from_slice(&message);
            self.counted.bytes_sent += message.len() as u64;
            self.recycle(message);
            return Some(id);
        }
        let id = self.connector.current().filter(|_| self.ended.is_none())?;
        let before = out.len();
        let is_written = self.session.poll_message(self.now, out);
        self.counted.bytes_sent += (out.len() - before) as u64;
        is_written.then_some(id)
    }

    /// What is to be done with connections next. Messages are to be polled before.
    pub fn poll_connection(&mut self) -> Option<ConnectionTask> {
        self.connector.poll_task()
    }

    /// What happened next: with others on show, events of the game wait until their tick is.
    pub fn poll_event(&mut self) -> Option<ClientEvent<S::Event>> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if self.ended.is_some() {
            return None;
        }
        let reached = if self.config.shows_others { self.playback.time().tick } else { Tick(u32::MAX) };
        let (tick, payload) = self.session.poll_event(reached)?;
        match decode_payload(&payload) {
            Ok(event) => Some(ClientEvent::Game(tick, event)),
            Err(_) => {
                self.fail(SessionEnd::Malformed);
                self.events.pop_front()
            }
        }
    }

    /// The next effect of a step of the own avatar: each once, when it is first predicted. When nobody takes
    /// them out, the oldest of more than [`MAX_EFFECTS`](crate::limits::MAX_EFFECTS) are dropped.
    pub fn poll_effect(&mut self) -> Option<S::Effect> {
        self.effects.pop_front()
    }

    /// What to draw now. Nothing is allocated when it is called again and again, as far as the game's avatar
    /// does without.
    pub fn view(&mut self, now: Micros) -> Scene<'_, S> {
        self.view_of(now, |_, _| true)
    }

    /// The same, with those others alone that are wanted, by index and kind: who looks at a few saves itself
    /// working out the rest.
    pub fn view_of(&mut self, now: Micros, wants: impl FnMut(EntityIndex, KindId) -> bool) -> Scene<'_, S> {
        self.pass(now);
        self.clock.advance(self.now);
        self.predictor.reconcile(&self.history, self.history.newest(), self.now);
        let tick = self.predictor.predicted_tick();
        let share = tick.and_then(|tick| self.clock.share_of(tick, self.now)).unwrap_or(0.0);
        let predicted = self.predictor.show(self.wish.wish(), share, self.now);
        self.drawn = predicted.or_else(|| self.told_avatar.clone());
        self.playback.advance(self.now);
        self.playback.draw(wants);
        Scene {
            avatar: self.drawn.as_ref(),
            entities: self.playback.entities(),
            time: self.playback.time(),
            state: self.state(),
        }
    }

    /// Tells the owner something. Notices are dropped when it does not listen.
    pub(super) fn tell(&mut self, event: ClientEvent<S::Event>) {
        if self.events.len() < MAX_STATUS_EVENTS || !matches!(event, ClientEvent::Notice(_)) {
            self.events.push_back(event);
        }
    }

    /// A buffer to write a message in.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < 4 && buffer.capacity() <= 4096 {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    pub(super) fn push_message(&mut self, id: ConnectionId, message: Vec<u8>) {
        self.outgoing.push_back((id, message));
    }

    pub(super) fn drop_messages(&mut self) {
        self.outgoing.clear();
    }
}
