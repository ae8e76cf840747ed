//! The threads that rooms run on: plain ones, each of which runs the ticks of its rooms when they are due.
//!
//! Nothing wakes a thread between ticks: what comes meanwhile waits in sockets and in the mailbox, because it
//! has no effect before the next tick.

use crate::clock::{Clock, MonotonicClock};
use crate::outbox::Outbox;
use crate::room::{Admission, GameEntry, Room, RoomCard, RoomServices};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::RoomId;
use tickwire_protocol::time::Micros;

/// What a room thread is told.
pub enum Order {
    /// Open this room.
    Open(Box<OpenRoom>),
    /// Somebody wants to enter a room.
    Admit(RoomId, Box<Admission>),
    /// End all rooms for this reason, and stop.
    Stop(SessionEnd),
}

/// A room that is to be opened.
pub struct OpenRoom {
    /// Its card in the directory.
    pub card: Arc<RoomCard>,
    /// Its game.
    pub game: Arc<GameEntry>,
    /// Randomness for its tokens and, unless the settings have one, its game.
    pub seed: [u8; 32],
    /// Whether it stays when nobody is in it.
    pub is_permanent: bool,
}

/// A room thread, as others see it.
pub struct RoomThread {
    orders: Sender<Order>,
    heartbeat: Arc<Heartbeat>,
    handle: Option<JoinHandle<()>>,
}

/// Orders that wait for a thread. One more is refused: the thread is not keeping up, or somebody floods it.
const MAX_ORDERS: usize = 1024;

/// What a thread is at, for the watchdog.
#[derive(Debug, Default)]
pub struct Heartbeat {
    /// The room whose tick is running, plus one; zero between ticks.
    room: AtomicU64,
    /// Since when, in microseconds.
    since: AtomicU64,
}

impl Heartbeat {
    /// The room whose tick has been running for at least `limit`, and for how long.
    #[must_use]
    pub fn stuck(&self, now: Micros, limit: Micros) -> Option<(RoomId, Micros)> {
        let room = u32::try_from(self.room.load(Ordering::Relaxed).checked_sub(1)?).ok()?;
        let running = now.saturating_since(Micros(self.since.load(Ordering::Relaxed)));
        (running >= limit).then_some((RoomId(room), running))
    }

    fn begin(&self, room: RoomId, now: Micros) {
        self.since.store(now.0, Ordering::Relaxed);
        self.room.store(u64::from(room.0) + 1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.room.store(0, Ordering::Relaxed);
    }
}

impl RoomThread {
    /// Starts a thread without rooms.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(
        number: usize,
        services: RoomServices,
        clock: MonotonicClock,
    ) -> std::io::Result<RoomThread> {
        let (orders, mailbox) = crossbeam_channel::bounded(MAX_ORDERS);
        let heartbeat = Arc::new(Heartbeat::default());
        let rooms = Rooms {
            mailbox,
            heartbeat: Arc::clone(&heartbeat),
            services,
            clock,
            rooms: Vec::new(),
            opened: 0,
            outbox: Outbox::default(),
        };
        let handle = std::thread::Builder::new().name(format!("rooms-{number}")).spawn(|| rooms.run())?;
        Ok(RoomThread { orders, heartbeat, handle: Some(handle) })
    }

    /// Gives an order.
    ///
    /// # Errors
    /// The order, when too many wait or the thread is gone.
    pub fn order(&self, order: Order) -> Result<(), Order> {
        self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(order) | TrySendError::Disconnected(order) => order,
        })
    }

    /// What the thread is at.
    #[must_use]
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// Ends all rooms for this reason and waits for the thread.
    pub fn stop(&mut self, end: SessionEnd) {
        // Blocking: the mailbox may be full, and this one is not to be lost.
        let _ = self.orders.send(Order::Stop(end));
        if let Some(handle) = self.handle.take() {
            // A thread that panicked has said so already.
            let _ = handle.join();
        }
    }
}

/// The rooms of a thread.
struct Rooms {
    mailbox: Receiver<Order>,
    heartbeat: Arc<Heartbeat>,
    services: RoomServices,
    clock: MonotonicClock,
    rooms: Vec<Room>,
    /// Rooms opened so far: by it their phases are staggered.
    opened: u64,
    outbox: Outbox,
}

/// Rooms of a thread start their ticks at this many different phases of the period.
const PHASES: u64 = 16;

impl Rooms {
    fn run(mut self) {
        loop {
            if self.rooms.is_empty() {
                // Nothing is due: wait until there is something to do at all.
                let Ok(order) = self.mailbox.recv() else { return };
                if self.obey(order).is_break() {
                    return;
                }
            }
            while let Ok(order) = self.mailbox.try_recv() {
                if self.obey(order).is_break() {
                    return;
                }
            }
            let due = self.rooms.iter().enumerate().min_by_key(|(_, room)| room.due());
            let Some((place, due)) = due.map(|(place, room)| (place, room.due())) else { continue };
            self.clock.sleep_until(due);
            self.tick(place);
        }
    }

    fn obey(&mut self, order: Order) -> std::ops::ControlFlow<()> {
        match order {
            Order::Open(open) => self.open(*open),
            Order::Admit(id, admission) => match self.rooms.iter_mut().find(|room| room.card().id == id) {
                Some(room) => room.handle_admission(*admission),
                // It closed while the client was on its way.
                None => admission.refuse(SessionEnd::UnknownRoom, &mut self.outbox),
            },
            Order::Stop(end) => {
                for room in &mut self.rooms {
                    room.end_all(end, &mut self.outbox);
                }
                return std::ops::ControlFlow::Break(());
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn open(&mut self, open: OpenRoom) {
        let OpenRoom { card, game, seed, is_permanent } = open;
        // Bit-reversed, so that few rooms are as far apart as many.
        let phase = (self.opened % PHASES).reverse_bits() >> (u64::BITS - PHASES.ilog2());
        let offset = self.services.config.period().0 * phase / PHASES;
        self.opened += 1;
        let first = self.clock.now() + Micros(offset);
        let id = card.id;
        let opened = catch_unwind(AssertUnwindSafe(|| {
            Room::open(Arc::clone(&card), game, self.services.clone(), seed, first)
        }));
        match opened {
            Ok(Ok(room)) => self.rooms.push(if is_permanent { room.permanent() } else { room }),
            failed => {
                tracing::error!(room = id.0, error = ?failed.map(drop), "a room could not be opened");
                card.close();
                self.services.directory.remove(id);
            }
        }
    }

    /// Runs the tick of a room. A panic in it ends that room and nothing else.
    fn tick(&mut self, place: usize) {
        let Rooms { rooms, clock, outbox, heartbeat, .. } = self;
        let room = &mut rooms[place];
        let now = clock.now();
        heartbeat.begin(room.card().id, now);
        let ticked = catch_unwind(AssertUnwindSafe(|| room.tick(now, &*clock, outbox)));
        heartbeat.end();
        if ticked.is_err() {
            tracing::error!(room = room.card().id.0, "the game failed, and its room ends");
            self.services.metrics.room_panics.inc();
            let mut room = self.rooms.swap_remove(place);
            // What the panic left behind is only asked for its links.
            let ended =
                catch_unwind(AssertUnwindSafe(|| room.end_all(SessionEnd::RoomEnded, &mut self.outbox)));
            if ended.is_err() {
                tracing::error!(room = room.card().id.0, "its sessions could not be told");
            }
        } else if room.poll_reaped(now) {
            tracing::info!(room = room.card().id.0, "an empty room closes");
            self.rooms.swap_remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_that_does_not_return_is_named() {
        let heartbeat = Heartbeat::default();
        assert_eq!(heartbeat.stuck(Micros(9_000_000), Micros(1)), None);
        heartbeat.begin(RoomId(0), Micros(1_000_000));
        assert_eq!(heartbeat.stuck(Micros(1_500_000), Micros(2_000_000)), None);
        let stuck = heartbeat.stuck(Micros(4_000_000), Micros(2_000_000));
        assert_eq!(stuck, Some((RoomId(0), Micros(3_000_000))));
        heartbeat.end();
        assert_eq!(heartbeat.stuck(Micros(9_000_000), Micros(1)), None);
    }
}
