//! One thread: its share of the clients, and the loop that serves them.

use crate::attendance::{Attendance, Attendant, EVENTS, Outcome, leave, look};
use crate::bot::Bot;
use crate::env::Env;
use crate::run::{Behaviour, RunConfig, Shared, micros};
use crate::wheel::Wheel;
use mio::{Events, Poll, Token};
use std::io;
use std::sync::Arc;
use std::time::Instant;
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
    /// The client that connects next.
    next: usize,
    attendance: Attendance<'a>,
    inputs: InputForm<SwarmInput>,
    env: Env,
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
            bots: Attendance::numbers(config, thread)
                .map(|number| Bot::new(number, config, game, lanes))
                .collect(),
            next: 0,
            attendance: Attendance::new(config, shared),
            inputs: InputForm::new().expect("the swarm's input is one"),
            env,
            has_stalled: false,
        })
    }

    /// Serves the clients until the run is over.
    pub(crate) fn run(mut self) -> io::Result<Env> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.env.now();
            if self.attendance.is_over(now, &mut self.env, &mut self.bots) {
                break;
            }
            self.stall_due(now);
            self.connect_due(now);
            self.send_due();
            self.env.publish(now, self.shared);
            let wait = self.wheel.next_due().saturating_since(self.env.now());
            look(&mut self.poll, &mut events, wait)?;
            for (count, event) in events.iter().enumerate() {
                // A burst of snapshots must not make inputs late.
                if count % BATCH == BATCH - 1 {
                    self.send_due();
                }
                let place = event.token().0;
                let outcome = self.bots[place].handle_ready(event.is_read_closed(), &mut self.env);
                self.handle_outcome(place, outcome);
            }
        }
        let now = self.env.now();
        if self.env.is_measured() {
            self.bots.iter_mut().for_each(|bot| bot.end_measuring(now, &mut self.env.measures));
        }
        leave(&mut self.bots, &mut self.poll, &mut events, &mut self.env, |token| token.0)?;
        Ok(self.env)
    }

    /// Some stop reading, if that is wished for and its time has come.
    fn stall_due(&mut self, now: Micros) {
        let Some(stall) = self.config.stall.filter(|_| !self.has_stalled) else { return };
        if self.attendance.measured_time(now).is_some_and(|time| time >= micros(stall.after)) {
            self.has_stalled = true;
            self.bots.iter_mut().filter(|bot| bot.number() < stall.clients).for_each(Bot::stall);
        }
    }

    /// Begins the connections whose time has come, and gives up on those that take too long.
    fn connect_due(&mut self, now: Micros) {
        while let Some(bot) = self.bots.get_mut(self.next) {
            if !self.attendance.is_due(bot.number(), now) {
                break;
            }
            let place = self.next;
            let registry = self.poll.registry();
            match bot.connect(&self.env.target, self.config.spread_sources, registry, Token(place)) {
                Ok(()) => self.attendance.handle_entering(place, now),
                Err(error) => self.shared.fail(bot.number(), error.to_string()),
            }
            self.next += 1;
        }
        self.attendance.give_up(now, &self.bots);
    }

    /// Sends the inputs that are due.
    fn send_due(&mut self) {
        loop {
            let Some((mut clients, due)) = self.wheel.poll_slot(self.env.now()) else { return };
            clients.retain(|place| {
                let outcome = self.bots[*place].send_due(due, &self.inputs, &mut self.env);
                let goes_on = outcome == Outcome::On;
                self.handle_outcome(*place, outcome);
                goes_on
            });
            self.wheel.put_back(clients);
        }
    }

    fn handle_outcome(&mut self, place: usize, outcome: Outcome) {
        let number = self.bots[place].number();
        if self.attendance.handle_outcome(place, number, outcome, &mut self.env) {
            self.wheel.insert(place, number);
        }
    }
}

/// 25 inputs a second.
const INPUT_PERIOD: Micros = Micros(40_000);

/// An idle client acknowledges once a second.
const ACKNOWLEDGEMENT_PERIOD: Micros = Micros(1_000_000);

/// Events between two looks at the wheel.
const BATCH: usize = 32;
