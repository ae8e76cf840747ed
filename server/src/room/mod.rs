//! A room: one match, the sessions in it, and what each of them is told.
//!
//! [`Room::tick`] is the list of the stages of a tick. Everything of a room happens on its thread; what comes
//! from elsewhere is an [`Admission`], or in the inbox of a connection.

mod admit;
mod directory;
mod game;
mod pace;
mod play;
mod receive;
mod seat;
mod serve;
mod tell;

pub use admit::Admission;
pub use directory::{Directory, PlaceTaken, RoomCard};
pub use game::{GameEntry, GameError};
pub use pace::{Begun, Pace};

use crate::assemble::Assembler;
use crate::clock::Clock;
use crate::config::{Config, micros};
use crate::history::History;
use crate::interest::Interest;
use crate::metrics::{Metrics, Stage};
use crate::net::limit::LogLimit;
use crate::outbox::Outbox;
use crate::session::{SendTimes, Session, SessionKey, Sessions};
use play::Play;
use rand_chacha::ChaCha20Rng;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use tickwire_protocol::end::{ComeBack, SessionEnd};
use tickwire_protocol::game::Departure;
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::message::{Notice, NoticeKind, RoomId, ServerMessage, SessionState};
use tickwire_protocol::time::{Micros, Tick};

/// One match and everybody in it.
pub struct Room {
    card: Arc<RoomCard>,
    services: RoomServices,
    game: Arc<GameEntry>,
    play: Box<dyn Play>,
    pace: Pace,
    history: History,
    assembler: Assembler,
    interest: Interest,
    /// Memory for what is left of a view when the game hides a part of it.
    unveiled: Vec<EntityIndex>,
    /// How far players see, of which the interest's cells are made.
    sight: f32,
    sessions: Sessions,
    places: HashMap<PlayerId, PlaceTaken>,
    ids: PlayerIds,
    arrivals: VecDeque<Admission>,
    /// Sessions that end in this tick, and why.
    ending: Vec<(SessionKey, SessionEnd)>,
    random: ChaCha20Rng,
    send_times: SendTimes,
    level_epoch: u32,
    empty_since: Option<Micros>,
    is_permanent: bool,
    /// The sessions with and without a connection, as the gauges have them.
    counted: [i64; 2],
}

/// What the rooms of a server share.
#[derive(Clone)]
pub struct RoomServices {
    /// The settings.
    pub config: Arc<Config>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The list of rooms.
    pub directory: Arc<Directory>,
    /// What is logged of peers that misbehave.
    pub log_limit: Arc<LogLimit>,
}

impl RoomServices {
    /// The services of a server with these settings: nothing counted, no rooms.
    #[must_use]
    pub fn new(config: Config) -> RoomServices {
        RoomServices {
            config: Arc::new(config),
            metrics: Arc::new(Metrics::new()),
            directory: Arc::new(Directory::default()),
            log_limit: Arc::new(LogLimit::new()),
        }
    }

    /// Logs the end of a session: at length where the peer is to blame, though not more often than the limit
    /// allows.
    pub(crate) fn log_end(
        &self,
        peer: Option<SocketAddr>,
        end: SessionEnd,
        room: Option<RoomId>,
        now: Micros,
    ) {
        let (room, reason) = (room.map(|room| room.0), end.name());
        if matches!(end, SessionEnd::Left | SessionEnd::ServerClosing | SessionEnd::Replaced) {
            tracing::debug!(?peer, room, reason, "a session ended");
        } else if let Some(suppressed) = self.log_limit.allow(now) {
            tracing::warn!(?peer, room, reason, suppressed, "a session ended");
        }
    }
}

/// The ids of players. One that is given back rests before it is given out again, so that news of a player
/// who left are not taken for news of another.
#[derive(Debug, Default)]
struct PlayerIds {
    opened: u32,
    resting: VecDeque<PlayerId>,
}

/// Ids that rest.
const RESTING_IDS: usize = 64;

impl PlayerIds {
    fn take(&mut self) -> Option<PlayerId> {
        let is_last = self.opened > u32::from(u16::MAX);
        if self.resting.len() > RESTING_IDS || is_last {
            return self.resting.pop_front();
        }
        self.opened += 1;
        u16::try_from(self.opened - 1).ok().map(PlayerId)
    }

    fn give_back(&mut self, player: PlayerId) {
        self.resting.push_back(player);
    }
}

impl Room {
    /// A new room whose first tick is due at `first`.
    ///
    /// # Errors
    /// [`GameError`] when the game has no level to begin with.
    pub fn open(
        card: Arc<RoomCard>,
        game: Arc<GameEntry>,
        services: RoomServices,
        seed: [u8; 32],
        first: Micros,
    ) -> Result<Room, GameError> {
        let period = services.config.period();
        let mut random = <ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::from_seed(seed);
        let game_seed =
            services.config.seed.unwrap_or_else(|| rand_chacha::rand_core::Rng::next_u64(&mut random));
        let play = game.begin(game_seed)?;
        let (level_epoch, content) = play.level();
        let history = History::new(Arc::clone(&game.codec), game.capacity as usize);
        services.metrics.rooms.inc();
        let mut room = Room {
            pace: Pace::new(period, first),
            history,
            play,
            assembler: Assembler::new(),
            interest: Interest::new(),
            unveiled: Vec::new(),
            sight: 0.0,
            sessions: Sessions::new(),
            places: HashMap::new(),
            ids: PlayerIds::default(),
            arrivals: VecDeque::new(),
            ending: Vec::new(),
            random,
            send_times: SendTimes::default(),
            level_epoch,
            empty_since: Some(first),
            is_permanent: false,
            counted: [0; 2],
            card,
            services,
            game,
        };
        room.publish_level(content);
        // All reasons are there from the beginning, at zero.
        let metrics = &room.services.metrics;
        room.play.drain_refusals(&mut |reason, _| metrics.refusals(&room.game.name, reason, 0));
        Ok(room)
    }

    /// The same room, to stay when nobody is in it.
    #[must_use]
    pub fn permanent(mut self) -> Room {
        self.is_permanent = true;
        self
    }

    /// Its card in the directory.
    #[must_use]
    pub fn card(&self) -> &Arc<RoomCard> {
        &self.card
    }

    /// When the next tick is due.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.pace.due()
    }

    /// The number of sessions, those without a connection included.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many entities are within a session's interest, on average; its own, and those that the game hides
    /// from it, are among them.
    #[must_use]
    pub fn mean_visible(&self) -> f64 {
        let visible: usize = self.sessions.iter().map(|(_, session)| session.view.visible().len()).sum();
        visible as f64 / self.sessions.len().max(1) as f64
    }

    /// The tick that comes next.
    #[must_use]
    pub fn next_tick(&self) -> Tick {
        self.play.next_tick()
    }

    /// The hash of the game's state.
    ///
    /// # Errors
    /// Text about a value without a portable hash.
    pub fn state_hash(&self) -> Result<u64, String> {
        self.play.state_hash()
    }

    /// Takes in somebody who wants to enter. The next tick sees to it.
    pub fn handle_admission(&mut self, admission: Admission) {
        self.arrivals.push_back(admission);
    }

    /// Whether it has been empty for so long that it closes; it takes nobody in then.
    pub fn poll_reaped(&mut self, now: Micros) -> bool {
        let Some(since) = self.empty_since.filter(|_| !self.is_permanent && self.arrivals.is_empty()) else {
            return false;
        };
        let grace = micros(self.services.config.empty_room_grace);
        now.saturating_since(since) >= grace && self.card.close_if_empty()
    }

    /// Runs the tick that is due: the stages in their order.
    pub fn tick(&mut self, now: Micros, clock: &dyn Clock, outbox: &mut Outbox) {
        outbox.clear();
        let due = self.pace.due();
        let begun = self.pace.begin(now);
        self.count_start(&begun);
        let started = clock.now();
        let mut watch = Stopwatch { clock, last: started, took: [Micros(0); Stage::ALL.len()] };

        self.receive(now, outbox);
        self.end_sessions(now, outbox);
        self.admit(now, outbox);
        watch.lap(Stage::Drain);

        let tick = self.play.tick(&self.history);
        watch.lap(Stage::Game);

        self.capture();
        watch.lap(Stage::Capture);

        self.tell_events();
        self.count_refusals();
        self.tell_room(&begun, outbox);
        if self.pace.sends(tick) {
            self.serve(tick, now, outbox, &mut watch);
        } else {
            self.services.metrics.thinned_ticks.inc();
            self.sessions.blocks().for_each(|block| self.flush(block, outbox));
        }
        self.end_sessions(now, outbox);
        watch.lap(Stage::Send);

        watch.report(&self.services.metrics);
        self.services.metrics.tick_done.observe(watch.last.saturating_since(due).as_secs_f64());
        self.services.metrics.ticks.inc();
        if self.pace.end(tick, watch.last.saturating_since(started)) {
            self.tell_all(NoticeKind::Rate(self.pace.rate()), outbox);
        }
        self.note_emptiness(now);
    }

    /// Ends every session: the room closes. Each client is told why and, if there is more to say than the
    /// table, whether to come back.
    pub fn end_all(&mut self, end: SessionEnd, outbox: &mut Outbox) {
        self.card.close();
        let keys: Vec<_> = self.sessions.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(session) = self.sessions.remove(key) {
                self.close(session, end, outbox);
            }
        }
        for admission in std::mem::take(&mut self.arrivals) {
            admission.refuse(end, outbox);
        }
        self.count_sessions();
    }

    fn count_start(&self, begun: &Begun) {
        let metrics = &self.services.metrics;
        metrics.lateness.observe(begun.lateness.as_secs_f64());
        if begun.lateness.0 * 2 > self.services.config.period().0 {
            metrics.late_ticks.inc();
        }
        if begun.slipped > 0 {
            metrics.slipped_ticks.inc_by(u64::from(begun.slipped));
            tracing::warn!(room = self.card.id.0, ticks = begun.slipped, "the room's clock slipped");
        }
    }

    fn count_refusals(&mut self) {
        let (metrics, game) = (&self.services.metrics, &self.game.name);
        self.play.drain_refusals(&mut |reason, count| {
            if count > 0 {
                metrics.refusals(game, reason, count);
            }
        });
    }

    fn capture(&mut self) {
        match self.play.capture(&mut self.history) {
            Ok(0) => {}
            Ok(refused) => tracing::debug!(room = self.card.id.0, refused, "entities were not published"),
            // The game broke the contract of its frame: that is as good as a panic of its own.
            Err(error) => panic!("the game's frame cannot be published: {error}"),
        }
    }

    /// Ends the sessions that are to end.
    fn end_sessions(&mut self, now: Micros, outbox: &mut Outbox) {
        if self.ending.is_empty() {
            return;
        }
        for (key, end) in std::mem::take(&mut self.ending) {
            let Some(session) = self.sessions.get_mut(key) else { continue };
            if matches!(end, SessionEnd::ConnectionLost | SessionEnd::TimedOut) && !is_over(session) {
                self.detach(key, end, now, outbox);
                continue;
            }
            if let Some(session) = self.sessions.remove(key) {
                let why = match end {
                    SessionEnd::Left => Departure::Left,
                    SessionEnd::ConnectionLost | SessionEnd::TimedOut => Departure::Lost,
                    _ => Departure::Removed,
                };
                self.play.leave(session.player, why);
                self.close(session, end, outbox);
            }
        }
        self.count_sessions();
    }

    /// A connection is gone, and its player stays for the grace time.
    fn detach(&mut self, key: SessionKey, end: SessionEnd, now: Micros, outbox: &mut Outbox) {
        let Some(session) = self.sessions.get_mut(key) else { return };
        let Some(mut wire) = session.wire.take() else { return };
        session.conversation.handle_disconnected();
        session.detached_since = now;
        tracing::debug!(room = self.card.id.0, player = session.player.0, reason = end.name(), "detached");
        if end != SessionEnd::ConnectionLost {
            say_goodbye(&mut wire, end, outbox);
        }
        wire.link.close(end);
    }

    /// The last of a session that is out of the table already.
    fn close(&mut self, mut session: Session, end: SessionEnd, outbox: &mut Outbox) {
        session.conversation.handle_end(end);
        self.services.metrics.end(end);
        let peer = session.wire.as_ref().and_then(|wire| wire.link.peer());
        self.services.log_end(peer, end, Some(self.card.id), self.pace.due());
        for token in [Some(session.token), session.token_before].into_iter().flatten() {
            self.services.directory.forget_token(&token);
        }
        self.places.remove(&session.player);
        self.ids.give_back(session.player);
        if let Some(mut wire) = session.wire.take() {
            say_goodbye(&mut wire, end, outbox);
            wire.link.close(end);
        }
    }

    fn publish_level(&self, content: Arc<[u8]>) {
        *self.card.level.lock() = (tickwire_protocol::game::LevelId::of(&content).0, content);
    }

    fn count_sessions(&mut self) {
        let active = self.sessions.iter().filter(|(_, session)| session.wire.is_some()).count() as i64;
        self.set_gauges([active, self.sessions.len() as i64 - active]);
    }

    fn set_gauges(&mut self, counts: [i64; 2]) {
        let metrics = &self.services.metrics;
        for (place, gauge) in [&metrics.sessions_active, &metrics.sessions_detached].into_iter().enumerate() {
            gauge.inc_by(counts[place] - self.counted[place]);
        }
        self.counted = counts;
    }

    fn note_emptiness(&mut self, now: Micros) {
        let is_empty = self.sessions.is_empty() && self.arrivals.is_empty();
        self.empty_since = is_empty.then(|| self.empty_since.unwrap_or(now));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.set_gauges([0; 2]);
        self.services.metrics.rooms.dec();
        self.services.directory.remove(self.card.id);
    }
}

/// Tells a client that its session ends, if it can be told.
fn say_goodbye(wire: &mut crate::session::Wire, end: SessionEnd, outbox: &mut Outbox) {
    let come_back: ComeBack = end.come_back();
    let notice = Notice::from(NoticeKind::GoingAway { code: end.code(), come_back });
    let (_, message) = outbox.message(|out| ServerMessage::Notice(notice).encode(out));
    if let Some(message) = message.filter(|_| end != SessionEnd::Left) {
        wire.send(message);
    }
    // The connection may be gone, and then nobody is left to be told.
    let _ = wire.flush();
}

fn is_over(session: &Session) -> bool {
    matches!(session.conversation.state(), SessionState::Gone(_)) || session.wire.is_none()
}

/// Sends a message to a session, if it has a connection.
fn send_to(session: &mut Session, message: &[u8]) {
    if let Some(wire) = &mut session.wire {
        wire.send(message);
    }
}

/// Measures the stages of a tick, each of which may come in several pieces.
struct Stopwatch<'a> {
    clock: &'a dyn Clock,
    last: Micros,
    took: [Micros; Stage::ALL.len()],
}

impl Stopwatch<'_> {
    /// What was done since the last lap belongs to this stage.
    fn lap(&mut self, stage: Stage) {
        let now = self.clock.now();
        let took = &mut self.took[stage as usize];
        *took = *took + now.saturating_since(self.last);
        self.last = now;
    }

    fn report(&self, metrics: &Metrics) {
        for ((stage, _), took) in Stage::ALL.into_iter().zip(self.took) {
            metrics.stage(stage, took);
        }
    }
}
