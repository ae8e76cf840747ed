//! A network in memory under the server's real rooms: delays, jitter, stalls, full windows and cut cables,
//! all from a seed, at a time that only the test moves on.

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::time::Micros;
use tickwire_server::clock::Clock;
use tickwire_server::inbox::{Inbox, InboxWriter, Received, inbox};
use tickwire_server::net::link::{Link, LinkEnd, Polled};

/// A clock that stands still until the test moves it.
#[derive(Clone, Debug, Default)]
pub struct SimClock {
    now: Arc<AtomicU64>,
}

impl SimClock {
    /// Moves time on.
    pub fn advance(&self, time: Micros) {
        self.now.fetch_add(time.0, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Micros {
        Micros(self.now.load(Ordering::Relaxed))
    }
}

/// A clock for a tick that takes long.
pub struct BusyClock<'a> {
    clock: &'a SimClock,
    cost: Micros,
    looks: AtomicU32,
}

impl BusyClock<'_> {
    /// A clock for one tick, which looks at it when it begins and then again and again: the time passes
    /// before the second look.
    #[must_use]
    pub fn new(clock: &SimClock, cost: Micros) -> BusyClock<'_> {
        BusyClock { clock, cost, looks: AtomicU32::new(0) }
    }
}

impl Clock for BusyClock<'_> {
    fn now(&self) -> Micros {
        if self.looks.fetch_add(1, Ordering::Relaxed) == 1 {
            self.clock.advance(self.cost);
        }
        self.clock.now()
    }
}

/// What a connection's way is like. Order is kept, as TCP keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// How long each message takes at least, in either direction.
    pub delay: Micros,
    /// How much longer it may take.
    pub jitter: Micros,
    /// Bytes that may be under way to the client, or lie unread on its side.
    pub window: usize,
}

impl Path {
    /// No time at all, and as much room as the window of a kernel has.
    pub const DIRECT: Path = Path { delay: Micros(0), jitter: Micros(0), window: 64 << 10 };

    /// A fair connection through the Internet.
    pub const FAIR: Path = Path { delay: Micros(25_000), jitter: Micros(8_000), window: 64 << 10 };
}

/// What comes to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    /// A message.
    Message(Bytes),
    /// The server closed the connection with this code.
    Closed(SessionEnd),
    /// The connection broke.
    Lost,
}

/// A connection's two ends share it.
struct Cable {
    path: Path,
    random: SimRng,
    state: State,
    stalled_until: Micros,
    up: Lane<Bytes>,
    down: Lane<FromServer>,
    /// Bytes in `down`.
    held: usize,
    most_held: usize,
    /// Bytes that the server's end could not write yet.
    unsent: usize,
    most_unsent: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// Nothing passes any more and nobody is told.
    Silent,
    /// Both ends know that it is broken.
    Lost,
}

/// One direction, with when each item arrives.
struct Lane<T> {
    under_way: VecDeque<(Micros, T)>,
    newest: Micros,
}

impl<T> Lane<T> {
    fn new() -> Lane<T> {
        Lane { under_way: VecDeque::new(), newest: Micros(0) }
    }

    fn push(&mut self, arrival: Micros, item: T) {
        self.newest = self.newest.max(arrival);
        self.under_way.push_back((self.newest, item));
    }

    fn pop(&mut self, now: Micros) -> Option<T> {
        let (arrival, _) = self.under_way.front()?;
        if *arrival > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, item)| item)
    }
}

impl Cable {
    fn arrival(&mut self, now: Micros) -> Micros {
        let jitter = self.random.u32_up_to(self.path.jitter.0 as u32);
        now + self.path.delay + Micros(u64::from(jitter))
    }
}

struct Shared {
    cable: Mutex<Cable>,
    /// Told when the server's end has sent something, for tests in real time.
    news: Condvar,
    clock: Arc<dyn Clock>,
}

/// The server's end: the link of a session.
pub struct SimLink {
    shared: Arc<Shared>,
    inbox: InboxWriter,
    unsent: VecDeque<Bytes>,
    is_closed: bool,
}

/// The client's end.
pub struct FarEnd {
    shared: Arc<Shared>,
}

/// Lays a cable. The server's end comes with the inbox that it fills.
#[must_use]
pub fn connect(path: Path, seed: u64, clock: Arc<dyn Clock>) -> (SimLink, Inbox, FarEnd) {
    let cable = Cable {
        path,
        random: SimRng::from_u64(seed),
        state: State::Whole,
        stalled_until: Micros(0),
        up: Lane::new(),
        down: Lane::new(),
        held: 0,
        most_held: 0,
        unsent: 0,
        most_unsent: 0,
    };
    let shared = Arc::new(Shared { cable: Mutex::new(cable), news: Condvar::new(), clock });
    let (writer, reader) = inbox();
    let link =
        SimLink { shared: Arc::clone(&shared), inbox: writer, unsent: VecDeque::new(), is_closed: false };
    (link, reader, FarEnd { shared })
}

impl SimLink {
    fn put_down(&self, cable: &mut Cable, item: FromServer) {
        let now = self.shared.clock.now();
        let arrival = cable.arrival(now);
        cable.down.push(arrival, item);
        self.shared.news.notify_all();
    }

    fn write(&mut self, cable: &mut Cable, is_last: bool) {
        while let Some(message) = self.unsent.front() {
            let has_room = cable.held == 0 || cable.held + message.len() <= cable.path.window;
            if !has_room && !is_last {
                break;
            }
            let Some(message) = self.unsent.pop_front() else { break };
            cable.unsent -= message.len();
            cable.held += message.len();
            cable.most_held = cable.most_held.max(cable.held);
            self.put_down(cable, FromServer::Message(message));
        }
    }
}

impl Link for SimLink {
    fn poll_receive(&mut self, now: Micros) -> Result<Polled, LinkEnd> {
        let mut cable = self.shared.cable.lock();
        while !self.inbox.is_full() {
            let is_passing = cable.state == State::Whole && now >= cable.stalled_until;
            let Some(bytes) = is_passing.then(|| cable.up.pop(now)).flatten() else {
                return if cable.state == State::Lost { Err(LinkEnd::Lost) } else { Ok(Polled::Drained) };
            };
            let pushed = self.inbox.push(Received::new(now, &bytes));
            pushed.expect("the inbox is not full, and nobody else writes");
        }
        Ok(Polled::Full)
    }

    fn send(&mut self, message: &[u8]) {
        let mut cable = self.shared.cable.lock();
        cable.unsent += message.len();
        cable.most_unsent = cable.most_unsent.max(cable.unsent);
        self.unsent.push_back(Bytes::copy_from_slice(message));
    }

    fn poll_flush(&mut self) -> Result<bool, LinkEnd> {
        let shared = Arc::clone(&self.shared);
        let mut cable = shared.cable.lock();
        if cable.state == State::Lost {
            return Err(LinkEnd::Lost);
        }
        self.write(&mut cable, false);
        Ok(self.unsent.is_empty())
    }

    fn close(mut self: Box<Self>, end: SessionEnd) {
        let shared = Arc::clone(&self.shared);
        let mut cable = shared.cable.lock();
        self.write(&mut cable, true);
        self.put_down(&mut cable, FromServer::Closed(end));
        self.is_closed = true;
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }
}

impl Drop for SimLink {
    fn drop(&mut self) {
        if !self.is_closed {
            let shared = Arc::clone(&self.shared);
            self.put_down(&mut shared.cable.lock(), FromServer::Lost);
        }
    }
}

impl FarEnd {
    fn cable(&self) -> MutexGuard<'_, Cable> {
        self.shared.cable.lock()
    }

    /// Sends a message to the server.
    pub fn send(&self, message: impl Into<Bytes>) {
        let now = self.shared.clock.now();
        let mut cable = self.cable();
        let arrival = cable.arrival(now);
        cable.up.push(arrival, message.into());
    }

    /// Reads what has come, one at a time.
    pub fn poll(&self, now: Micros) -> Option<FromServer> {
        let mut cable = self.cable();
        match cable.state {
            State::Silent => return None,
            State::Lost => return Some(FromServer::Lost),
            State::Whole if now < cable.stalled_until => return None,
            State::Whole => {}
        }
        let item = cable.down.pop(now)?;
        if let FromServer::Message(bytes) = &item {
            cable.held -= bytes.len();
        }
        Some(item)
    }

    /// Waits for the server to send something, for at most so long: for tests in real time.
    pub fn wait(&self, longest: Duration) -> Option<FromServer> {
        let deadline = std::time::Instant::now() + longest;
        loop {
            if let Some(item) = self.poll(self.shared.clock.now()) {
                return Some(item);
            }
            let mut cable = self.cable();
            if cable.down.under_way.is_empty()
                && self.shared.news.wait_until(&mut cable, deadline).timed_out()
            {
                return None;
            }
        }
    }

    /// Holds everything up in both directions; afterwards it arrives at once.
    pub fn stall_until(&self, time: Micros) {
        let mut cable = self.cable();
        cable.stalled_until = cable.stalled_until.max(time);
    }

    /// Cuts the cable so that neither end is told: TCP's half-open connection.
    pub fn cut_silently(&self) {
        self.cable().state = State::Silent;
    }

    /// Cuts the cable so that both ends notice.
    pub fn cut(&self) {
        self.cable().state = State::Lost;
    }

    /// Bytes under way to this end or unread, the most that there ever were, and the most that the server's
    /// end had to keep because of it.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let cable = self.cable();
        Pressure { held: cable.held, most_held: cable.most_held, most_unsent: cable.most_unsent }
    }
}

/// What lay in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// Bytes under way to the client, or unread.
    pub held: usize,
    /// The most that there were at a time.
    pub most_held: usize,
    /// The most bytes that waited in the server.
    pub most_unsent: usize,
}
