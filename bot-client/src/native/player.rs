//! The player: the client core, its tasks, and what a game does with them.

use super::address::{Address, AddressError};
use super::connection::{Connection, Heard, LINGER, Report};
use super::dial::{ConnectError, Dialer};
use super::fetch::{LevelProblem, fetch_level};
use super::options::PlayerOptions;
use super::trust::TrustError;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tickwire_protocol::client::{
    Client, ClientEvent, ClientState, CommandError, ConnectionId, ConnectionTask, Scene,
};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{FingerprintError, LoadedLevel, Simulation};
use tickwire_protocol::message::{InputError, InputKindError};
use tickwire_protocol::time::Micros;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// A player in a room of a server, or on the way there.
///
/// It is used from one place, mostly a loop that waits for [`Player::next_event`] and for the next frame.
/// Each call takes in what came and sends what is due, so one of them is to be made for each tick at least;
/// who waits in `next_event` does. When it is dropped, its connections break at once, and the server keeps
/// the player for its grace time, as after any cut. [`Player::leave`] says goodbye.
pub struct Player<S: Simulation> {
    client: Client<S>,
    /// When its clock began.
    origin: Instant,
    dialer: Arc<Dialer>,
    runtime: Handle,
    /// All tasks. They are aborted with it.
    tasks: JoinSet<Option<u16>>,
    connections: BTreeMap<ConnectionId, Connection>,
    fetching: Option<AbortHandle>,
    reports: mpsc::Receiver<Heard<S::Level>>,
    /// What tasks get a clone of.
    reporter: mpsc::Sender<Heard<S::Level>>,
    troubles: VecDeque<Trouble>,
    message: Vec<u8>,
    has_ended: bool,
}

/// What a player hears.
#[derive(Debug)]
pub enum PlayerEvent<E> {
    /// Something happened in the session or in the game.
    Client(ClientEvent<E>),
    /// Something did not work, and is tried again.
    Trouble(Trouble),
}

/// What did not work. The player goes on trying; who does not want to wait leaves.
#[derive(Debug, Error)]
pub enum Trouble {
    /// A connection could not be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The level is not there yet.
    #[error(transparent)]
    Level(#[from] LevelProblem),
}

/// Why there is no player.
#[derive(Debug, Error)]
pub enum StartError {
    /// The URL is none of a server.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody can be trusted over TLS.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The game breaks a rule.
    #[error(transparent)]
    Game(#[from] FingerprintError),
    /// The game's input breaks a rule.
    #[error(transparent)]
    Input(#[from] InputKindError),
    /// There is no tokio runtime here.
    #[error(transparent)]
    Runtime(#[from] tokio::runtime::TryCurrentError),
    /// The system has no random numbers.
    #[error("random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// The server may not know that the player has left, and keeps it for its grace time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LeaveError {
    /// There was no connection to say it over.
    #[error("there is no connection to say goodbye over")]
    NotConnected,
    /// The server did not answer in time, or did not say that the player has left.
    #[error("the server did not confirm that the player left")]
    NotConfirmed,
}

/// What tasks have told and the player has not heard; beyond, they wait, and the server with them.
const MAX_REPORTS: usize = 256;

/// Troubles that wait to be heard; the oldest is dropped for one more.
const MAX_TROUBLES: usize = 16;

/// How long leaving may take: a task that closes a connection ends before.
const LEAVE_TIME: Duration = LINGER.saturating_add(Duration::from_secs(1));

impl<S: Simulation> Player<S> {
    /// A player who connects to a `ws://` or `wss://` URL. Without a path it is `/play`.
    ///
    /// It returns at once. That the player is let in, or what keeps it from it, is heard by
    /// [`Player::next_event`].
    ///
    /// # Errors
    /// [`StartError`] when it is called outside a tokio runtime, or when something that was given cannot be.
    pub fn connect(url: &str, options: PlayerOptions) -> Result<Player<S>, StartError> {
        let runtime = Handle::try_current()?;
        let address = Address::of_game(url)?;
        let seed = match options.seed {
            Some(seed) => seed,
            None => {
                let mut seed = [0; 8];
                getrandom::fill(&mut seed)?;
                u64::from_le_bytes(seed)
            }
        };
        let config = options.client::<S>(seed)?;
        let dialer = Arc::new(Dialer::new(address, options.trust)?);
        let (reporter, reports) = mpsc::channel(MAX_REPORTS);
        Ok(Player {
            client: Client::new(config, Micros(0))?,
            origin: Instant::now(),
            dialer,
            runtime,
            tasks: JoinSet::new(),
            connections: BTreeMap::new(),
            fetching: None,
            reports,
            reporter,
            troubles: VecDeque::new(),
            message: Vec::new(),
            has_ended: false,
        })
    }

    /// The client core: the welcome, the level, the own avatar without smoothing, the figures of a net graph.
    #[must_use]
    pub fn client(&self) -> &Client<S> {
        &self.client
    }

    /// How things stand.
    #[must_use]
    pub fn state(&self) -> ClientState {
        self.client.state()
    }

    /// What happens next; `None` after the end.
    ///
    /// It is cancel-safe: what has not been returned is returned by the next call. The player goes on while
    /// this waits, and only then, so it belongs into the `select!` of the game's loop.
    pub async fn next_event(&mut self) -> Option<PlayerEvent<S::Event>> {
        loop {
            if let Some(event) = self.try_next_event() {
                return Some(event);
            }
            if self.has_ended {
                return None;
            }
            let deadline = self.client.poll_deadline().map(|at| self.origin + Duration::from_micros(at.0));
            let sleep = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The player holds a sender itself, so that there is always another one.
                Some(heard) = self.reports.recv() => self.hear(heard),
                () = sleep => {}
            }
        }
    }

    /// What has happened already, without waiting: for a loop that is not asynchronous. It is to be called
    /// until there is nothing, in each frame.
    pub fn try_next_event(&mut self) -> Option<PlayerEvent<S::Event>> {
        self.turn();
        if let Some(trouble) = self.troubles.pop_front() {
            return Some(PlayerEvent::Trouble(trouble));
        }
        let event = self.client.poll_event()?;
        self.has_ended |= matches!(event, ClientEvent::Ended { .. });
        // An event that cannot be read ends the session.
        self.carry_out();
        Some(PlayerEvent::Client(event))
    }

    /// Takes in what the player wants from now on. With an input per tick it may come as often as one likes;
    /// of a stream, each call is an input of its own.
    ///
    /// # Errors
    /// [`InputError`] for a value that is not finite or outside its range; nothing is changed then.
    pub fn set_input(&mut self, input: &S::Input) -> Result<(), InputError> {
        self.turn();
        self.client.handle_input(input)?;
        self.carry_out();
        Ok(())
    }

    /// Says a command of the game.
    ///
    /// # Errors
    /// [`CommandError`] when it cannot be said.
    pub fn command(&mut self, command: &S::Command) -> Result<(), CommandError> {
        self.turn();
        self.client.handle_command(command)?;
        self.carry_out();
        Ok(())
    }

    /// What to draw now.
    pub fn view(&mut self) -> Scene<'_, S> {
        self.turn();
        let now = self.now();
        self.client.view(now)
    }

    /// The next effect of a step of the own avatar: each once, when it is first predicted.
    pub fn next_effect(&mut self) -> Option<S::Effect> {
        self.client.poll_effect()
    }

    /// Whether somebody looks. Who does not wants nothing: while the window is in the background.
    pub fn set_shown(&mut self, is_shown: bool) {
        self.turn();
        let now = self.now();
        if is_shown {
            self.client.handle_shown(now)
        } else {
            self.client.handle_hidden(now)
        }
        self.carry_out();
    }

    /// Hands in a level that the program has, so that it needs not be fetched.
    pub fn add_level(&mut self, level: LoadedLevel<S::Level>) {
        let now = self.now();
        self.client.handle_level(level, now);
    }

    /// Leaves: says so to the server, closes all connections in order, and waits until they are closed, for
    /// three seconds at most. No task is left when it returns.
    ///
    /// # Errors
    /// [`LeaveError`] when the server may not know of it.
    pub async fn leave(mut self) -> Result<(), LeaveError> {
        self.turn();
        let is_over = matches!(self.client.state(), ClientState::Ended(_));
        let is_connected = !self.connections.is_empty();
        let now = self.now();
        self.client.handle_leave(now);
        self.carry_out();
        if let Some(fetching) = self.fetching.take() {
            fetching.abort();
        }
        // Nobody hears reports any more, so that no task waits for that.
        self.reports.close();
        let closing = async {
            let mut is_confirmed = false;
            while let Some(ended) = self.tasks.join_next().await {
                is_confirmed |= matches!(ended, Ok(Some(code)) if code == SessionEnd::Left.code());
            }
            is_confirmed
        };
        let is_confirmed = tokio::time::timeout(LEAVE_TIME, closing).await.unwrap_or(false);
        match (is_over || is_confirmed, is_connected) {
            (true, _) => Ok(()),
            (false, true) => Err(LeaveError::NotConfirmed),
            (false, false) => Err(LeaveError::NotConnected),
        }
    }

    fn now(&self) -> Micros {
        self.micros(Instant::now())
    }

    fn micros(&self, at: Instant) -> Micros {
        let passed = at.saturating_duration_since(self.origin);
        Micros(u64::try_from(passed.as_micros()).unwrap_or(u64::MAX))
    }

    /// One turn of the loop that the core asks for.
    fn turn(&mut self) {
        // More than the queue holds come only while this goes on, and have their turn next.
        for _ in 0..MAX_REPORTS {
            let Ok(heard) = self.reports.try_recv() else { break };
            self.hear(heard);
        }
        let now = self.now();
        self.client.handle_time(now);
        self.carry_out();
    }

    fn hear(&mut self, Heard { at, report }: Heard<S::Level>) {
        let at = self.micros(at);
        match report {
            Report::Opened(id) => self.client.handle_opened(id, at),
            Report::Message(id, bytes) => self.client.handle_message(id, &bytes, at),
            Report::Closed(id, code) => {
                self.connections.remove(&id);
                self.client.handle_closed(id, code, at);
            }
            Report::Failed(id, error) => {
                self.connections.remove(&id);
                self.client.handle_closed(id, None, at);
                self.note(error.into());
            }
            Report::Level(level) => self.client.handle_level(level, at),
            Report::NoLevel(problem) => self.note(problem.into()),
        }
    }

    fn note(&mut self, trouble: Trouble) {
        if self.troubles.len() == MAX_TROUBLES {
            self.troubles.pop_front();
        }
        self.troubles.push_back(trouble);
    }

    /// Does what the core wants done.
    fn carry_out(&mut self) {
        while let Some(info) = self.client.poll_level() {
            if let Some(before) = self.fetching.take() {
                before.abort();
            }
            let (dialer, reporter) = (Arc::clone(&self.dialer), self.reporter.clone());
            let fetch = async move {
                fetch_level(dialer, info, reporter).await;
                None
            };
            self.fetching = Some(self.tasks.spawn_on(fetch, &self.runtime));
        }
        while let Some(id) = self.client.poll_message(&mut self.message) {
            let message = std::mem::take(&mut self.message);
            let is_taken = self.connections.get(&id).is_some_and(|connection| connection.send(message));
            if !is_taken && self.connections.remove(&id).is_some() {
                // Nothing goes out: its task ends when its time is up.
                let now = self.now();
                self.client.handle_closed(id, None, now);
            }
        }
        while let Some(task) = self.client.poll_connection() {
            match task {
                ConnectionTask::Open(id) => {
                    let (dialer, reporter) = (Arc::clone(&self.dialer), self.reporter.clone());
                    let (connection, task) = Connection::new(id, dialer, reporter);
                    self.connections.insert(id, connection);
                    self.tasks.spawn_on(task.run(), &self.runtime);
                }
                ConnectionTask::Close(id, end) => {
                    if let Some(connection) = self.connections.remove(&id) {
                        connection.close(end);
                    }
                }
            }
        }
        while self.tasks.try_join_next().is_some() {}
    }
}
