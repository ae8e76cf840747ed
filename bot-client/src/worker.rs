//! One thread: its share of the clients, and the loop that serves them.

use crate::bot::{Bot, Progress};
use crate::env::Env;
use crate::run::{Behaviour, RunConfig, Shared, micros};
use crate::wheel::Wheel;
use mio::{Events, Poll, Token};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tickwire_protocol::client::GameForm;
use tickwire_protocol::game::InputForm;
use tickwire_protocol::time::Micros;
use tickwire_swarm::SwarmInput;

/// A thread's clients. Each is at the place of its token.
pub(crate) struct Worker<'a> {
    config: &'a RunConfig,
    shared: &'a Shared,
    poll: Poll,
    wheel: Wheel,
    bots: Vec<Bot>,
    /// The clients that connect next, and the deadline of those that do so now.
    next: usize,
    connecting: Vec<(usize, Micros)>,
    inputs: InputForm<SwarmInput>,
    env: Env,
    has_begun: bool,
    has_stalled: bool,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        thread: usize,
        config: &'a RunConfig,
        shared: &'a Shared,
        game: &Arc<GameForm>,
        start: Instant,
    ) -> io::Result<Worker<'a>> {
        let lanes = game.inputs().lanes();
        let share = (thread as u32..config.clients).step_by(config.threads);
        let period = match config.behaviour {
            Behaviour::Swarm => INPUT_PERIOD,
            _ => ACKNOWLEDGEMENT_PERIOD,
        };
        let env = Env::new(config.target.clone(), start, config.series_step());
        Ok(Worker {
            config,
            shared,
            poll: Poll::new()?,
            wheel: Wheel::new(period, env.now()),
            bots: share.map(|number| Bot::new(number, config, game, lanes)).collect(),
            next: 0,
            connecting: Vec::new(),
            inputs: InputForm::new().expect("the swarm's input is one"),
            env,
            has_begun: false,
            has_stalled: false,
        })
    }

    /// Serves the clients until the run is over.
    pub(crate) fn run(mut self) -> io::Result<Env> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.env.now();
            if self.shared.stop.load(Ordering::Relaxed) || self.is_over(now) {
                break;
            }
            self.connect_due(now);
            self.send_due();
            self.env.publish(now, self.shared);
            // Asleep in a poll, the thread would be woken by the first snapshot of each tick and again by
            // most of those after it. On the loopback it is the server that pays for these wake-ups, which
            // no client elsewhere would cost it. So the sockets are looked at every millisecond.
            let wait = self.wheel.next_due().saturating_since(self.env.now()).0.min(LOOK_MICROS);
            std::thread::sleep(Duration::from_micros(wait));
            match self.poll.poll(&mut events, Some(Duration::ZERO)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for (count, event) in events.iter().enumerate() {
                // A burst of snapshots must not make inputs late.
                if count % BATCH == BATCH - 1 {
                    self.send_due();
                }
                let place = event.token().0;
                let progress = self.bots[place].handle_ready(event.is_read_closed(), &mut self.env);
                self.handle_progress(place, progress);
            }
        }
        let now = self.env.now();
        if self.env.is_measured() {
            self.bots.iter().for_each(|bot| bot.end_measuring(now, &mut self.env.measures));
        }
        self.leave(&mut events)?;
        Ok(self.env)
    }

    /// All leave, and wait a little for the server to close.
    fn leave(&mut self, events: &mut Events) -> io::Result<()> {
        let env = &mut self.env;
        let mut waits: Vec<bool> = self.bots.iter_mut().map(|bot| bot.leave(env)).collect();
        let mut left = waits.iter().filter(|waits| **waits).count();
        let deadline = Instant::now() + LEAVE_TIME;
        while left > 0
            && let Some(wait) = deadline.checked_duration_since(Instant::now())
        {
            match self.poll.poll(events, Some(wait)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in events.iter() {
                let place = event.token().0;
                if waits[place] && self.bots[place].drain(event.is_read_closed()) {
                    waits[place] = false;
                    left -= 1;
                }
            }
        }
        Ok(())
    }

    /// Whether the measured time has ended; it begins here too, and so does the stall.
    fn is_over(&mut self, now: Micros) -> bool {
        let from = Micros(self.shared.measured_from.load(Ordering::Relaxed));
        if now < from {
            return false;
        }
        if !self.has_begun {
            self.has_begun = true;
            self.env.begin_measuring(now);
            self.bots.iter_mut().for_each(Bot::begin_measuring);
        }
        if let Some(stall) = self.config.stall
            && !self.has_stalled
            && now >= from + micros(stall.after)
        {
            self.has_stalled = true;
            self.bots.iter_mut().filter(|bot| bot.number() < stall.clients).for_each(Bot::stall);
        }
        now >= from + micros(self.config.measured)
    }

    /// Begins the connections whose time has come, and gives up on those that take too long.
    fn connect_due(&mut self, now: Micros) {
        while let Some(bot) = self.bots.get_mut(self.next) {
            let due = u64::from(bot.number()) * 1_000_000 / u64::from(self.config.connects_per_second);
            if now.0 < due {
                break;
            }
            let place = self.next;
            let registry = self.poll.registry();
            match bot.connect(&self.env.target, self.config.spread_sources, registry, Token(place)) {
                Ok(()) => self.connecting.push((place, now + CONNECT_TIME)),
                Err(error) => self.shared.fail(bot.number(), error.to_string()),
            }
            self.next += 1;
        }
        if let Some((place, _)) = self.connecting.iter().find(|(_, deadline)| *deadline <= now) {
            self.shared.fail(self.bots[*place].number(), "no answer in time".to_owned());
        }
    }

    /// Sends the inputs that are due.
    fn send_due(&mut self) {
        loop {
            let Some((mut clients, due)) = self.wheel.poll_slot(self.env.now()) else { return };
            clients.retain(|place| {
                let progress = self.bots[*place].send_due(due, &self.inputs, &mut self.env);
                let goes_on = progress == Progress::On;
                self.handle_progress(*place, progress);
                goes_on
            });
            self.wheel.put_back(clients);
        }
    }

    fn handle_progress(&mut self, place: usize, progress: Progress) {
        let number = self.bots[place].number();
        match progress {
            Progress::On => {}
            Progress::LetIn => {
                self.connecting.retain(|(other, _)| *other != place);
                self.wheel.insert(place, number);
                self.shared.let_in.fetch_add(1, Ordering::Relaxed);
            }
            Progress::Over(why) => {
                if self.connecting.iter().any(|(other, _)| *other == place) {
                    self.shared.fail(number, why);
                } else {
                    self.env.measures.disconnects += 1;
                    *self.env.measures.ends.entry(why).or_default() += 1;
                }
            }
        }
    }
}

/// 25 inputs a second.
const INPUT_PERIOD: Micros = Micros(40_000);

/// An idle client acknowledges once a second.
const ACKNOWLEDGEMENT_PERIOD: Micros = Micros(1_000_000);

/// How long a client tries to get in.
pub(crate) const CONNECT_TIME: Micros = Micros(20_000_000);

/// How long clients wait for the server to close after they have left.
pub(crate) const LEAVE_TIME: Duration = Duration::from_secs(2);

/// What the system tells at a time.
pub(crate) const EVENTS: usize = 1024;

/// Microseconds between two looks at the sockets, at most: how late what has come is noticed.
pub(crate) const LOOK_MICROS: u64 = 1000;

/// Events between two looks at the wheel.
const BATCH: usize = 32;
