//! One thread of clients that predict: each is stepped when it wants to be, and when something has come for
//! it.

use crate::attendance::{Attendance, Attendant, EVENTS, LOOK_MICROS, Outcome, leave, look};
use crate::env::Env;
use crate::pilot::Pilot;
use crate::player::{Levels, Player, Surroundings, place_of};
use crate::run::{RunConfig, Shared};
use mio::{Events, Poll};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tickwire_protocol::client::{ClientConfig, GameForm, SessionConfig};
use tickwire_protocol::game::Simulation;
use tickwire_protocol::message::BoundedText;
use tickwire_protocol::time::Micros;

/// A thread's players.
pub(crate) struct Crowd<'a, S: Simulation, P> {
    config: &'a RunConfig,
    shared: &'a Shared,
    game: Arc<GameForm>,
    poll: Poll,
    /// The numbers of those who come, and of them those who are here.
    numbers: Vec<u32>,
    players: Vec<Player<S, P>>,
    /// Who wants to be stepped when. One that has been stepped since is in it in vain.
    deadlines: BinaryHeap<Reverse<(Micros, usize)>>,
    attendance: Attendance<'a>,
    levels: Levels<S>,
    env: Env,
}

impl<'a, S: Simulation, P: Pilot<S>> Crowd<'a, S, P> {
    pub(crate) fn new(
        thread: usize,
        config: &'a RunConfig,
        shared: &'a Shared,
        game: &Arc<GameForm>,
        start: Instant,
    ) -> io::Result<Crowd<'a, S, P>> {
        Ok(Crowd {
            config,
            shared,
            game: Arc::clone(game),
            poll: Poll::new()?,
            numbers: Attendance::numbers(config, thread).collect(),
            players: Vec::new(),
            deadlines: BinaryHeap::new(),
            attendance: Attendance::new(config, shared),
            levels: Levels::new()?,
            env: Env::new(config.target.clone(), start, config.series_step()),
        })
    }

    /// Serves the players until the run is over.
    pub(crate) fn run(mut self) -> io::Result<Env> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.env.now();
            if self.attendance.is_over(now, &mut self.env, &mut self.players) {
                break;
            }
            self.begin_due(now);
            self.step_due(now);
            self.env.publish(now, self.shared);
            let next = self.deadlines.peek().map_or(Micros(LOOK_MICROS), |Reverse((deadline, _))| {
                deadline.saturating_since(self.env.now())
            });
            look(&mut self.poll, &mut events, next)?;
            for event in events.iter() {
                let (place, line) = place_of(event.token());
                let is_closing = event.is_read_closed();
                self.act(place, |player, around| player.handle_ready(line, is_closing, around));
            }
        }
        let env = &mut self.env;
        self.players.iter_mut().for_each(|player| player.end_measuring(env));
        let place = |token| place_of(token).0;
        leave(&mut self.players, &mut self.poll, &mut events, &mut self.env, place)?;
        Ok(self.env)
    }

    /// Lets a player do something, and sees what becomes of it.
    fn act(
        &mut self,
        place: usize,
        act: impl FnOnce(&mut Player<S, P>, &mut Surroundings<'_, S>) -> Outcome,
    ) {
        let Some(player) = self.players.get_mut(place) else { return };
        let mut around = Surroundings {
            env: &mut self.env,
            registry: self.poll.registry(),
            levels: &mut self.levels,
            place,
            spread_sources: self.config.spread_sources,
        };
        let outcome = act(player, &mut around);
        if let Some(deadline) = player.deadline() {
            self.deadlines.push(Reverse((deadline, place)));
        }
        let number = player.number();
        self.attendance.handle_outcome(place, number, outcome, &mut self.env);
    }

    /// Begins those whose time has come, and gives up on those that take too long.
    fn begin_due(&mut self, now: Micros) {
        while let Some(&number) = self.numbers.get(self.players.len()) {
            if !self.attendance.is_due(number, now) {
                break;
            }
            let seed = self.config.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(number));
            let mut session = SessionConfig::new(Arc::clone(&self.game), &format!("bot {number}"));
            session.software = Some(BoundedText::cut(concat!("tickwire-bots ", env!("CARGO_PKG_VERSION"))));
            session.counts_bytes = self.config.accounts;
            let config = ClientConfig { shows_others: P::LOOKS, ..ClientConfig::new(session, seed) };
            match Player::new(number, config, P::new(seed), self.config.conditions, now) {
                Ok(player) => self.players.push(player),
                Err(why) => return self.shared.fail(number, why),
            }
            let place = self.players.len() - 1;
            self.attendance.handle_entering(place, now);
            self.act(place, |player, around| player.step(now, around));
        }
        self.attendance.give_up(now, &self.players);
    }

    fn step_due(&mut self, now: Micros) {
        while let Some(Reverse((deadline, place))) = self.deadlines.peek().copied()
            && deadline <= now
        {
            self.deadlines.pop();
            if self.players[place].deadline() == Some(deadline) {
                let now = self.env.now();
                self.act(place, |player, around| player.step(now, around));
            }
        }
    }
}
