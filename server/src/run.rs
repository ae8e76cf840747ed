//! A server, put together: games, threads, network, and how it ends.

use crate::clock::{Clock, MonotonicClock};
use crate::config::{Config, ConfigError};
use crate::http;
use crate::net::limit::ConnectionCaps;
use crate::net::link::Closer;
use crate::net::tls::{self, TlsError};
use crate::net::{Listening, listen, run_closer};
use crate::outbox::Outbox;
use crate::room::{Admission, GameEntry, GameError, RoomCard, RoomServices};
use crate::tick::{OpenRoom, Order, RoomThread};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::Game;
use tickwire_protocol::message::RoomCode;
use tickwire_protocol::time::Micros;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

/// A server that hosts games: its games and settings, before it runs.
///
/// ```no_run
/// # async fn example<MyGame: tickwire_protocol::game::Game>() -> Result<(), tickwire_server::ServerError> {
/// use tickwire_server::{Config, Server};
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:7777").await?;
/// let server = Server::builder(Config::default()).game::<MyGame>("my-game").build()?;
/// server.run(listener, async { drop(tokio::signal::ctrl_c().await) }).await
/// # }
/// ```
pub struct Server {
    games: Vec<Arc<GameEntry>>,
    permanent: Vec<usize>,
    config: Config,
    tls: Option<TlsAcceptor>,
}

/// Collects the games of a server.
pub struct ServerBuilder {
    config: Config,
    games: Vec<Result<GameEntry, GameError>>,
    permanent: Vec<usize>,
}

/// Why a server does not run.
#[derive(Debug, Error)]
pub enum ServerError {
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A game cannot be hosted.
    #[error(transparent)]
    Game(#[from] GameError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no game, or two of one name.
    #[error("{0}")]
    Games(&'static str),
    /// The system refuses something.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// What connections find their way by.
pub(crate) struct Lobby {
    pub(crate) services: RoomServices,
    pub(crate) clock: MonotonicClock,
    pub(crate) closer: Closer,
    pub(crate) caps: Arc<ConnectionCaps>,
    pub(crate) games: Vec<Arc<GameEntry>>,
    /// Held by who opens a room because there was no place in any.
    pub(crate) opening: Mutex<()>,
    threads: Mutex<Vec<RoomThread>>,
    is_draining: AtomicBool,
}

impl Server {
    /// A server with these settings and no game yet.
    #[must_use]
    pub fn builder(config: Config) -> ServerBuilder {
        ServerBuilder { config, games: Vec::new(), permanent: Vec::new() }
    }

    /// Runs until `shutdown` is there; then every session is told that the server closes.
    ///
    /// # Errors
    /// [`ServerError::System`] when threads cannot be started.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServerError> {
        let clock = MonotonicClock::start();
        let services = RoomServices::new(self.config);
        let config = Arc::clone(&services.config);
        let (closer, closing) = mpsc::unbounded_channel();
        let closing = tokio::spawn(run_closer(closing));
        let threads = (0..config.threads())
            .map(|number| RoomThread::start(number, services.clone(), clock))
            .collect::<Result<Vec<_>, _>>()?;
        let lobby = Arc::new(Lobby {
            services,
            clock,
            closer,
            caps: ConnectionCaps::new(config.max_connections, config.max_connections_per_address),
            games: self.games,
            threads: Mutex::new(threads),
            opening: Mutex::new(()),
            is_draining: AtomicBool::new(false),
        });
        for game in self.permanent {
            lobby.open_room(game, false, true).map_err(|_| ServerError::Games("a room cannot be opened"))?;
        }
        let (closed, is_closed) = watch::channel(false);
        let how = Listening {
            router: http::router(Arc::clone(&lobby)),
            caps: Arc::clone(&lobby.caps),
            head_timeout: config.handshake_timeout,
            tls: self.tls,
        };
        let listening = tokio::spawn(listen(listener, how, is_closed));
        let watchdog = tokio::spawn(watch_threads(Arc::clone(&lobby)));
        shutdown.await;
        tracing::info!("closing");
        lobby.is_draining.store(true, Ordering::SeqCst);
        // Nobody listens any more when this fails, which is what it asks for.
        let _ = closed.send(true);
        let _ = listening.await;
        watchdog.abort();
        let stopping = Arc::clone(&lobby);
        let stopped = tokio::task::spawn_blocking(move || stopping.stop_threads()).await;
        if let Err(error) = stopped {
            tracing::error!(%error, "room threads could not be stopped");
        }
        drop(lobby);
        // Each connection has its own limit; what holds one longer is dropped with the runtime.
        let _ = tokio::time::timeout(CLOSING_TIME, closing).await;
        Ok(())
    }
}

/// How long connections may take to close when the server ends.
const CLOSING_TIME: Duration = Duration::from_secs(3);

impl ServerBuilder {
    /// Hosts a game under a name, with its default settings. The first game is the one that clients get who
    /// name none.
    #[must_use]
    pub fn game<G: Game>(self, name: &str) -> ServerBuilder {
        self.game_with::<G>(name, G::Config::default())
    }

    /// Hosts a game under a name, with settings.
    #[must_use]
    pub fn game_with<G: Game>(mut self, name: &str, config: G::Config) -> ServerBuilder {
        self.games.push(GameEntry::new::<G>(name, config, self.config.period()));
        self
    }

    /// Opens a room of the game named last when the server starts, which stays when nobody is in it.
    #[must_use]
    pub fn with_permanent_room(mut self) -> ServerBuilder {
        self.permanent.push(self.games.len().saturating_sub(1));
        self
    }

    /// Whether it will speak TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.config.tls.is_some()
    }

    /// The server, if settings and games are in order.
    ///
    /// # Errors
    /// [`ServerError`] says what is not.
    pub fn build(self) -> Result<Server, ServerError> {
        let config = self.config.checked()?;
        let games = self.games.into_iter().map(|game| game.map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        if games.is_empty() {
            return Err(ServerError::Games("a server hosts at least one game"));
        }
        let is_double = |place: usize| games[..place].iter().any(|other| other.name == games[place].name);
        if (0..games.len()).any(is_double) {
            return Err(ServerError::Games("two games have the same name"));
        }
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        Ok(Server { games, permanent: self.permanent, config, tls })
    }
}

impl Lobby {
    /// Whether nobody is let in any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    /// A game by its name, or the first for an empty one, and its place in the list.
    pub(crate) fn game(&self, name: &str) -> Option<(usize, &Arc<GameEntry>)> {
        self.games.iter().enumerate().find(|(_, game)| name.is_empty() || game.name == name)
    }

    /// Opens a room on the thread that has the fewest.
    pub(crate) fn open_room(
        &self,
        game: usize,
        private: bool,
        is_permanent: bool,
    ) -> Result<Arc<RoomCard>, SessionEnd> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| SessionEnd::Internal)?;
        let mut code = [0; 8];
        getrandom::fill(&mut code).map_err(|_| SessionEnd::Internal)?;
        let code = private.then(|| RoomCode::from_bits(u64::from_le_bytes(code)));
        let config = &self.services.config;
        let directory = &self.services.directory;
        let threads = self.threads.lock();
        let rooms = directory.rooms();
        let load = |thread: usize| rooms.iter().filter(|card| card.thread == thread).count();
        let thread =
            (0..threads.len()).min_by_key(|thread| load(*thread)).ok_or(SessionEnd::ServerClosing)?;
        let make = |id| RoomCard::new(id, game, code, thread, config.room_capacity);
        let card = directory.insert(config.max_rooms, make).ok_or(SessionEnd::RoomFull)?;
        let open =
            OpenRoom { card: Arc::clone(&card), game: Arc::clone(&self.games[game]), seed, is_permanent };
        if threads[thread].order(Order::Open(Box::new(open))).is_err() {
            directory.remove(card.id);
            return Err(SessionEnd::RateLimited);
        }
        tracing::info!(room = card.id.0, game = self.games[game].name, private, "a room opens");
        Ok(card)
    }

    /// Sends somebody to the thread of a room.
    pub(crate) fn admit(&self, card: &RoomCard, admission: Admission) {
        let threads = self.threads.lock();
        let order = Order::Admit(card.id, Box::new(admission));
        let refused = match threads.get(card.thread) {
            Some(thread) => thread.order(order).err(),
            None => Some(order),
        };
        drop(threads);
        if let Some(Order::Admit(_, admission)) = refused {
            admission.refuse(SessionEnd::RateLimited, &mut Outbox::default());
        }
    }

    fn stop_threads(&self) {
        let threads = std::mem::take(&mut *self.threads.lock());
        for mut thread in threads {
            thread.stop(SessionEnd::ServerClosing);
        }
    }
}

/// Names a room whose tick does not return.
async fn watch_threads(lobby: Arc<Lobby>) {
    let mut interval = tokio::time::interval(WATCH_INTERVAL);
    loop {
        interval.tick().await;
        lobby.services.metrics.connections.set(lobby.caps.total() as i64);
        for thread in lobby.threads.lock().iter() {
            if let Some((room, running)) = thread.heartbeat().stuck(lobby.clock.now(), STUCK) {
                let seconds = running.as_secs_f64();
                tracing::error!(room = room.0, seconds, "the tick of a room does not return");
            }
        }
    }
}

const WATCH_INTERVAL: Duration = Duration::from_secs(1);
const STUCK: Micros = Micros(2_000_000);
