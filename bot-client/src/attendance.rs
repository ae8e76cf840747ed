//! What the loops of both kinds of client have in common: who comes when and who is late, when the measured
//! time begins and ends, how sockets are looked at, and how all leave.

use crate::env::Env;
use crate::run::{RunConfig, Shared, micros};
use mio::{Events, Poll, Token};
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tickwire_protocol::time::Micros;

/// What became of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on.
    On,
    /// It was let in.
    LetIn,
    /// It is over, with the name of the end, and what the server or the system says of it.
    Over(String),
}

/// A client as the loops of both kinds see it.
pub(crate) trait Attendant {
    /// Its number in the run.
    fn number(&self) -> u32;

    /// The measured time begins: what was before does not count.
    fn begin_measuring(&mut self);

    /// Says that it leaves. True if there is a connection whose end it waits for then.
    fn leave(&mut self, env: &mut Env) -> bool;

    /// Reads what still comes, to no purpose. True when all connections are closed.
    fn drain(&mut self, is_closing: bool) -> bool;
}

/// Who of a thread's clients is here, and what time it is in the run.
pub(crate) struct Attendance<'a> {
    config: &'a RunConfig,
    shared: &'a Shared,
    /// Who is on its way in, by place, and until when.
    entering: Vec<(usize, Micros)>,
    has_begun: bool,
}

impl<'a> Attendance<'a> {
    pub(crate) fn new(config: &'a RunConfig, shared: &'a Shared) -> Attendance<'a> {
        Attendance { config, shared, entering: Vec::new(), has_begun: false }
    }

    /// The numbers of a thread's clients.
    pub(crate) fn numbers(config: &RunConfig, thread: usize) -> impl Iterator<Item = u32> + use<> {
        (thread as u32..config.clients).step_by(config.threads)
    }

    /// Whether the time has come for a client to connect.
    pub(crate) fn is_due(&self, number: u32, now: Micros) -> bool {
        now.0 >= u64::from(number) * 1_000_000 / u64::from(self.config.connects_per_second)
    }

    /// A client is on its way in.
    pub(crate) fn handle_entering(&mut self, place: usize, now: Micros) {
        self.entering.push((place, now + CONNECT_TIME));
    }

    /// Fails the run if somebody takes too long to get in.
    pub(crate) fn give_up<A: Attendant>(&self, now: Micros, clients: &[A]) {
        if let Some((place, _)) = self.entering.iter().find(|(_, until)| *until <= now) {
            self.shared.fail(clients[*place].number(), "no answer in time".to_owned());
        }
    }

    /// Takes note of what became of a client. True if it was let in.
    pub(crate) fn handle_outcome(
        &mut self,
        place: usize,
        number: u32,
        outcome: Outcome,
        env: &mut Env,
    ) -> bool {
        let is_entering = |(other, _): &(usize, Micros)| *other == place;
        match outcome {
            Outcome::On => {}
            Outcome::LetIn => {
                self.entering.retain(|entering| !is_entering(entering));
                self.shared.let_in.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Outcome::Over(why) if self.entering.iter().any(is_entering) => self.shared.fail(number, why),
            Outcome::Over(why) => {
                env.measures.disconnects += 1;
                *env.measures.ends.entry(why).or_default() += 1;
            }
        }
        false
    }

    /// Whether the run is over: it was stopped, or the measured time has ended. That begins here too.
    pub(crate) fn is_over<A: Attendant>(&mut self, now: Micros, env: &mut Env, clients: &mut [A]) -> bool {
        if self.shared.stop.load(Ordering::Relaxed) {
            return true;
        }
        let Some(time) = self.measured_time(now) else { return false };
        if !self.has_begun {
            self.has_begun = true;
            env.begin_measuring(now);
            clients.iter_mut().for_each(A::begin_measuring);
        }
        time >= micros(self.config.measured)
    }

    /// How much of the measured time has passed, once it has begun.
    pub(crate) fn measured_time(&self, now: Micros) -> Option<Micros> {
        let from = Micros(self.shared.measured_from.load(Ordering::Relaxed));
        (now >= from).then(|| now.saturating_since(from))
    }
}

/// Sleeps for a while, though not longer than [`LOOK_MICROS`], and then looks what the sockets have.
///
/// Asleep in a poll, the thread would be woken by the first snapshot of each tick and again by most of those
/// after it. On the loopback it is the server that pays for these wake-ups, which no client elsewhere would
/// cost it. So the sockets are looked at every millisecond.
pub(crate) fn look(poll: &mut Poll, events: &mut Events, wait: Micros) -> io::Result<()> {
    std::thread::sleep(Duration::from_micros(wait.0.min(LOOK_MICROS)));
    poll_for(poll, events, Duration::ZERO)
}

/// All leave, and wait a little for the server to close. `place_of` says whom a token means.
pub(crate) fn leave<A: Attendant>(
    clients: &mut [A],
    poll: &mut Poll,
    events: &mut Events,
    env: &mut Env,
    place_of: impl Fn(Token) -> usize,
) -> io::Result<()> {
    let mut waits: Vec<bool> = clients.iter_mut().map(|client| client.leave(env)).collect();
    let mut left = waits.iter().filter(|waits| **waits).count();
    let deadline = Instant::now() + LEAVE_TIME;
    while left > 0
        && let Some(wait) = deadline.checked_duration_since(Instant::now())
    {
        poll_for(poll, events, wait)?;
        for event in events.iter() {
            let place = place_of(event.token());
            if waits[place] && clients[place].drain(event.is_read_closed()) {
                waits[place] = false;
                left -= 1;
            }
        }
    }
    Ok(())
}

fn poll_for(poll: &mut Poll, events: &mut Events, wait: Duration) -> io::Result<()> {
    match poll.poll(events, Some(wait)) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}

/// How long a client tries to get in.
const CONNECT_TIME: Micros = Micros(20_000_000);

/// How long clients wait for the server to close after they have left.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// What the system tells at a time.
pub(crate) const EVENTS: usize = 1024;

/// Microseconds between two looks at the sockets, at most: how late what has come is noticed.
pub(crate) const LOOK_MICROS: u64 = 1000;
