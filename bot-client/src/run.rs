//! A run: clients on threads, the ramp, the measured time, and the report.

use crate::measure::Measures;
use crate::report::{Frame, Report};
use crate::target::Target;
use crate::worker::Worker;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error;
use tickwire_protocol::client::GameForm;
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
}

/// What the clients of a run do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// They play the swarm: 25 inputs a second.
    Swarm,
    /// They join the swarm and do nothing, but for answers to pings and an acknowledgement a second.
    Idle,
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
}

impl Shared {
    /// A client was not let in: the run has failed.
    pub(crate) fn fail(&self, client: u32, reason: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(RunError::Join { client, reason });
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Runs clients against a server. When `stop` is set from outside, they leave, and the report is of the time
/// until then.
///
/// # Errors
/// [`RunError`] when a client is not let in, or the system refuses threads or sockets.
pub fn run(config: &RunConfig, stop: &AtomicBool) -> Result<Report, RunError> {
    let game = Arc::new(GameForm::of::<Swarm>().expect("the swarm is a game"));
    let start = Instant::now();
    let shared = Shared {
        stop: AtomicBool::new(false),
        let_in: AtomicU32::new(0),
        measured_from: AtomicU64::new(u64::MAX),
        failure: Mutex::new(None),
    };
    let mut timing = Timing::default();
    let measures = thread::scope(|scope| -> io::Result<Measures> {
        let workers = (0..config.threads)
            .map(|thread| Worker::new(thread, config, &shared, &game, start))
            .collect::<io::Result<Vec<_>>>()?;
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| worker.run())).collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            timing.watch(config, &shared, start, stop);
            thread::sleep(WATCH_PERIOD);
        }
        timing.end(start);
        let mut all = Measures::new();
        for thread in threads {
            let measured = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.add(&measured?);
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
    };
    Ok(Report::new(&frame, measures))
}

/// What the thread that started the run keeps an eye on.
#[derive(Default)]
struct Timing {
    measured_from: Option<Duration>,
    cpu_before: Option<f64>,
    cpu_used: Option<f64>,
    seconds: f64,
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

const WATCH_PERIOD: Duration = Duration::from_millis(20);
