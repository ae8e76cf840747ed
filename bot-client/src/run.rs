//! A run: clients on threads, the ramp, the measured time, and the report.

use crate::conditioner::Conditions;
use crate::crowd::Crowd;
use crate::env::{Env, Recent};
use crate::measure::Measures;
use crate::pilot::{ArenaFighter, ArenaWalker};
use crate::report::{Frame, Report};
use crate::series::Series;
use crate::target::Target;
use crate::worker::Worker;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error;
use tickwire_arena::Arena;
use tickwire_protocol::client::GameForm;
use tickwire_protocol::time::Micros;
use tickwire_swarm::Swarm;

/// What a run does.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// The server.
    pub target: Target,
    /// What the clients do.
    pub behaviour: Behaviour,
    /// Clients, at least one.
    pub clients: u32,
    /// How long is measured, once all clients are in and have warmed up.
    pub measured: Duration,
    /// The time from when the last client is in to when measuring begins.
    pub warm_up: Duration,
    /// Every so manieth client compares its state with the server's after each snapshot; 0 for none.
    pub verify_every: u32,
    /// Threads, at least one.
    pub threads: usize,
    /// What the clients want follows from it.
    pub seed: u64,
    /// Connections that are opened per second, at least one.
    pub connects_per_second: u32,
    /// Whether clients connect from many addresses of the loopback, if the server is there.
    pub spread_sources: bool,
    /// Clients that stop reading.
    pub stall: Option<Stall>,
    /// What the network is like that is put between the clients and their sockets; of clients that predict
    /// alone.
    pub conditions: Option<Conditions>,
    /// Whether it is counted where the bytes went, by part and by kind of entity.
    pub accounts: bool,
}

impl RunConfig {
    /// The time that a point of the series is of.
    pub(crate) fn series_step(&self) -> Micros {
        Series::step_of(micros(self.measured))
    }
}

/// What the clients of a run do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// They play the swarm: 25 inputs a second.
    Swarm,
    /// They join the swarm and do nothing, but for answers to pings and an acknowledgement a second.
    Idle,
    /// They play in the arena with the brain of its NPCs. They predict their avatars, and compare what they
    /// predicted with what came.
    Arena,
    /// They only walk about in the arena, and look at nobody, which costs less.
    ArenaWalk,
}

/// Clients that stop reading in the middle of the run, but go on sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// How long after the measured time began.
    pub after: Duration,
    /// How many: the first ones.
    pub clients: u32,
}

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// A client was not let in.
    #[error("client {client} could not join: {reason}")]
    Join {
        /// The client's number.
        client: u32,
        /// What the server or the system says.
        reason: String,
    },
    /// The system refuses something.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What the threads of a run share.
pub(crate) struct Shared {
    /// Set when the run is to end before its time.
    pub(crate) stop: AtomicBool,
    pub(crate) let_in: AtomicU32,
    /// When measuring begins, in microseconds since the start; at the end of time until that is known.
    pub(crate) measured_from: AtomicU64,
    failure: Mutex<Option<RunError>>,
    recent: Mutex<Recent>,
}

impl Shared {
    /// A client was not let in: the run has failed.
    pub(crate) fn fail(&self, client: u32, reason: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(RunError::Join { client, reason });
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn with_recent<T>(&self, act: impl FnOnce(&mut Recent) -> T) -> T {
        act(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How a run goes, once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Glance {
    /// Clients that were let in.
    pub clients: u32,
    /// How many there will be.
    pub wanted: u32,
    /// Seconds of the measured time; `None` before it begins.
    pub measured: Option<f64>,
    /// Snapshots of all clients per second.
    pub snapshots_per_second: f64,
    /// Bytes of the server's messages per second.
    pub bytes_per_second: f64,
    /// Milliseconds from one snapshot of a client to its next: 99 of 100 were at most this.
    pub interval_p99_ms: f64,
    /// Messages that broke the protocol.
    pub faults: u64,
}

/// Runs clients against a server. When `stop` is set from outside, they leave, and the report is of the time
/// until then. `watch` is told once a second how it goes.
///
/// # Errors
/// [`RunError`] when a client is not let in, or the system refuses threads or sockets.
pub fn run(
    config: &RunConfig,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(&Glance),
) -> Result<Report, RunError> {
    let game = match config.behaviour {
        Behaviour::Swarm | Behaviour::Idle => GameForm::of::<Swarm>(),
        Behaviour::Arena | Behaviour::ArenaWalk => GameForm::of::<Arena>(),
    };
    let game = Arc::new(game.expect("the games in the box are games"));
    let start = Instant::now();
    let shared = Shared {
        stop: AtomicBool::new(false),
        let_in: AtomicU32::new(0),
        measured_from: AtomicU64::new(u64::MAX),
        failure: Mutex::new(None),
        recent: Mutex::new(Recent::default()),
    };
    let mut timing = Timing::default();
    let (measures, series) = thread::scope(|scope| -> io::Result<(Measures, Series)> {
        let mut works: Vec<Work<'_>> = Vec::new();
        for thread in 0..config.threads {
            works.push(match config.behaviour {
                Behaviour::Swarm | Behaviour::Idle => {
                    let worker = Worker::new(thread, config, &shared, &game, start)?;
                    Box::new(|| worker.run())
                }
                Behaviour::Arena => {
                    let crowd = Crowd::<Arena, ArenaFighter>::new(thread, config, &shared, &game, start)?;
                    Box::new(|| crowd.run())
                }
                Behaviour::ArenaWalk => {
                    let crowd = Crowd::<Arena, ArenaWalker>::new(thread, config, &shared, &game, start)?;
                    Box::new(|| crowd.run())
                }
            });
        }
        let threads: Vec<_> = works.into_iter().map(|work| scope.spawn(work)).collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            timing.watch(config, &shared, start, stop);
            timing.tell(config, &shared, start, watch);
            thread::sleep(WATCH_PERIOD);
        }
        timing.end(start);
        let mut all = (Measures::new(), Series::new(config.series_step()));
        for thread in threads {
            let env = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            all.0.add(&env.measures);
            all.1.add(&env.series);
        }
        Ok(all)
    })?;
    if let Some(failure) = shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(failure);
    }
    let frame = Frame {
        clients: shared.let_in.load(Ordering::Relaxed),
        seconds: timing.seconds.min(config.measured.as_secs_f64()),
        threads: config.threads,
        cpu_seconds: timing.cpu_used,
        interrupted: stop.load(Ordering::Relaxed),
        conditions: config.conditions.map(|conditions| conditions.name.to_owned()),
        kinds: game.schema().kinds().iter().map(|kind| kind.name.clone()).collect(),
        accounts: config.accounts,
    };
    Ok(Report::new(frame, measures, &series))
}

/// What a thread does.
type Work<'a> = Box<dyn FnOnce() -> io::Result<Env> + Send + 'a>;

/// What the thread that started the run keeps an eye on.
#[derive(Default)]
struct Timing {
    measured_from: Option<Duration>,
    cpu_before: Option<f64>,
    cpu_used: Option<f64>,
    seconds: f64,
    told: Duration,
}

impl Timing {
    fn watch(&mut self, config: &RunConfig, shared: &Shared, start: Instant, stop: &AtomicBool) {
        let now = start.elapsed();
        if stop.load(Ordering::Relaxed) {
            shared.stop.store(true, Ordering::Relaxed);
        }
        match self.measured_from {
            None if shared.let_in.load(Ordering::Relaxed) == config.clients => {
                let from = now + config.warm_up;
                self.measured_from = Some(from);
                shared.measured_from.store(from.as_micros() as u64, Ordering::Relaxed);
            }
            Some(from) if now >= from => {
                let cpu = cpu_seconds();
                let before = *self.cpu_before.get_or_insert(cpu.unwrap_or_default());
                // Up to the last look before the clients leave.
                if now <= from + config.measured {
                    self.cpu_used = cpu.map(|now| now - before);
                }
            }
            _ => {}
        }
    }

    /// Tells once a second how it goes.
    fn tell(&mut self, config: &RunConfig, shared: &Shared, start: Instant, watch: &mut dyn FnMut(&Glance)) {
        let now = start.elapsed();
        let since = now.saturating_sub(self.told);
        if since < Duration::from_secs(1) {
            return;
        }
        self.told = now;
        let recent = shared.with_recent(std::mem::take);
        let rate = |count: u64| count as f64 / since.as_secs_f64();
        watch(&Glance {
            clients: shared.let_in.load(Ordering::Relaxed),
            wanted: config.clients,
            measured: self
                .measured_from
                .and_then(|from| now.checked_sub(from))
                .map(|time| time.as_secs_f64()),
            snapshots_per_second: rate(recent.snapshots),
            bytes_per_second: rate(recent.payload_bytes),
            interval_p99_ms: recent.intervals.millis_at(0.99),
            faults: recent.faults,
        });
    }

    fn end(&mut self, start: Instant) {
        self.seconds =
            self.measured_from.map_or(0.0, |from| start.elapsed().saturating_sub(from).as_secs_f64());
    }
}

/// The processor time that this process has used, where the system tells it in `/proc`.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may have spaces in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / CPU_HZ)
}

/// Linux counts processor time for programs in hundredths of a second.
const CPU_HZ: f64 = 100.0;

/// A duration in the units of the core.
pub(crate) fn micros(time: Duration) -> Micros {
    Micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

const WATCH_PERIOD: Duration = Duration::from_millis(20);
