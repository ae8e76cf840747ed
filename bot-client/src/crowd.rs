//! One thread of clients that predict: each is stepped when it wants to be, and when something has come for
//! it.

use crate::env::Env;
use crate::pilot::Pilot;
use crate::player::{Levels, Outcome, Player, Surroundings, place_of};
use crate::run::{RunConfig, Shared, micros};
use crate::worker::{CONNECT_TIME, EVENTS, LEAVE_TIME, LOOK_MICROS};
use mio::{Events, Poll};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
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
    /// Who is on its way in, and until when.
    entering: Vec<(usize, Micros)>,
    levels: Levels<S>,
    env: Env,
    has_begun: bool,
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
            numbers: (thread as u32..config.clients).step_by(config.threads).collect(),
            players: Vec::new(),
            deadlines: BinaryHeap::new(),
            entering: Vec::new(),
            levels: Levels::new()?,
            env: Env::new(config.target.clone(), start, config.series_step()),
            has_begun: false,
        })
    }

    /// Serves the players until the run is over.
    pub(crate) fn run(mut self) -> io::Result<Env> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.env.now();
            if self.shared.stop.load(Ordering::Relaxed) || self.is_over(now) {
                break;
            }
            self.begin_due(now);
            self.step_due(now);
            self.env.publish(now, self.shared);
            let next = self
                .deadlines
                .peek()
                .map_or(LOOK_MICROS, |Reverse((deadline, _))| deadline.saturating_since(self.env.now()).0);
            // A look at the sockets each millisecond costs the server less than to be woken by each snapshot.
            std::thread::sleep(Duration::from_micros(next.min(LOOK_MICROS)));
            match self.poll.poll(&mut events, Some(Duration::ZERO)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in events.iter() {
                let (place, line) = place_of(event.token());
                let is_closing = event.is_read_closed();
                self.act(place, |player, around| player.handle_ready(line, is_closing, around));
            }
        }
        let env = &mut self.env;
        self.players.iter_mut().for_each(|player| player.end_measuring(env));
        self.leave(&mut events)?;
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
        match outcome {
            Outcome::On => {}
            Outcome::LetIn => {
                self.entering.retain(|(other, _)| *other != place);
                self.shared.let_in.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Over(why) if self.entering.iter().any(|(other, _)| *other == place) => {
                self.shared.fail(number, why);
            }
            Outcome::Over(why) => {
                self.env.measures.disconnects += 1;
                *self.env.measures.ends.entry(why).or_default() += 1;
            }
        }
    }

    /// Begins those whose time has come, and gives up on those that take too long.
    fn begin_due(&mut self, now: Micros) {
        while let Some(&number) = self.numbers.get(self.players.len()) {
            let due = u64::from(number) * 1_000_000 / u64::from(self.config.connects_per_second);
            if now.0 < due {
                break;
            }
            let seed = self.config.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(number));
            let mut session = SessionConfig::new(Arc::clone(&self.game), &format!("bot {number}"));
            session.software = Some(BoundedText::cut(concat!("tickwire-bots ", env!("CARGO_PKG_VERSION"))));
            let config = ClientConfig { shows_others: P::LOOKS, ..ClientConfig::new(session, seed) };
            match Player::new(number, config, P::new(seed), self.config.conditions, now) {
                Ok(player) => self.players.push(player),
                Err(why) => return self.shared.fail(number, why),
            }
            let place = self.players.len() - 1;
            self.entering.push((place, now + CONNECT_TIME));
            self.act(place, |player, around| player.step(now, around));
        }
        if let Some((place, _)) = self.entering.iter().find(|(_, until)| *until <= now) {
            self.shared.fail(self.players[*place].number(), "no answer in time".to_owned());
        }
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

    /// Whether the measured time has ended; it begins here too.
    fn is_over(&mut self, now: Micros) -> bool {
        let from = Micros(self.shared.measured_from.load(Ordering::Relaxed));
        if now < from {
            return false;
        }
        if !self.has_begun {
            self.has_begun = true;
            self.env.begin_measuring(now);
            self.players.iter_mut().for_each(Player::begin_measuring);
        }
        now >= from + micros(self.config.measured)
    }

    /// All leave, and wait a little for the server to close.
    fn leave(&mut self, events: &mut Events) -> io::Result<()> {
        let env = &mut self.env;
        let mut waits: Vec<bool> = self.players.iter_mut().map(|player| player.leave(env)).collect();
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
                let (place, _) = place_of(event.token());
                if waits[place] && self.players[place].drain(event.is_read_closed()) {
                    waits[place] = false;
                    left -= 1;
                }
            }
        }
        Ok(())
    }
}
