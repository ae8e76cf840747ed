//! Rounds: a clock, a score to reach, a winner, and the next level.

use crate::events::{ArenaEvent, Winner};
use crate::rules::Arena;
use crate::teams::Colour;
use serde::{Deserialize, Serialize};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::float;
use tickwire_protocol::game::{LoadedLevel, TickContext};
use tickwire_protocol::time::Tick;

/// The round under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    /// How many rounds there were before.
    pub(crate) number: u32,
    /// The place of the level in the order of levels.
    pub(crate) map: u32,
    /// What goes on.
    pub(crate) phase: Phase,
    /// When that ends; at first it is not known before the first tick.
    pub(crate) ends: Option<Tick>,
    /// What the teams have.
    pub(crate) red: u16,
    /// The same of blue.
    pub(crate) blue: u16,
}

/// What goes on in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Replicate)]
pub enum Phase {
    /// It is fought.
    #[default]
    Fight,
    /// It is over: nobody is hurt, the board is shown, and then the next level comes.
    Over,
}

/// How long the board is shown between two rounds, in seconds.
pub const PAUSE_SECONDS: f32 = 8.0;

impl Round {
    /// The round with this number and level, before its first tick.
    pub(crate) fn new(number: u32, map: u32) -> Round {
        Round { number, map, phase: Phase::Fight, ends: None, red: 0, blue: 0 }
    }

    /// Whether anybody can be hurt.
    pub(crate) fn is_playing(&self) -> bool {
        self.phase == Phase::Fight
    }

    /// Counts a kill.
    pub(crate) fn score(&mut self, colour: Colour) {
        match colour {
            Colour::None => {}
            Colour::Red => self.red = self.red.saturating_add(1),
            Colour::Blue => self.blue = self.blue.saturating_add(1),
        }
    }
}

impl Arena {
    /// The tick that is so many seconds later.
    pub(crate) fn after(&self, seconds: f32, context: &TickContext<'_, Arena>) -> Tick {
        let ticks = float::max((seconds / context.dt).round(), 1.0) as u32;
        context.tick.after(ticks).unwrap_or(context.tick)
    }

    /// Lets the round begin, end, and go over into the next.
    pub(crate) fn run_round(&mut self, context: &mut TickContext<'_, Arena>) {
        let ends = match self.round.ends {
            Some(ends) => ends,
            None => {
                let ends = self.after(self.config.round_seconds as f32, context);
                self.round.ends = Some(ends);
                let map = context.level.name().to_owned();
                context.events.tell_all(ArenaEvent::RoundBegins { number: self.round.number, map });
                ends
            }
        };
        let is_out_of_time = ends <= context.tick;
        match self.round.phase {
            Phase::Fight if is_out_of_time || self.is_score_reached() => {
                self.round.phase = Phase::Over;
                self.round.ends = Some(self.after(PAUSE_SECONDS, context));
                context.events.tell_all(ArenaEvent::RoundOver { winner: self.winner() });
            }
            Phase::Over if is_out_of_time => {
                // The level that was just played, if the next one cannot be read: it was checked at the
                // start.
                self.round.map = self.config.next_map(self.round.map, self.fighters.len() as u32);
                let maps = self.config.maps();
                let next = LoadedLevel::parse(maps[self.round.map as usize].text.as_bytes());
                context.change_level(next.unwrap_or_else(|_| context.level.clone()));
                // The clock stands until the level is there.
                self.round.ends = Some(self.after(PAUSE_SECONDS, context));
            }
            Phase::Fight | Phase::Over => {}
        }
    }

    /// Begins the next round, on a level that is there.
    pub(crate) fn begin_round(&mut self, context: &mut TickContext<'_, Arena>) {
        self.round = Round::new(self.round.number.wrapping_add(1), self.round.map);
        for bolt in self.bolts.drain(..) {
            self.slots.free(bolt.entity, context.tick);
        }
        self.lay_out_pickups(context.level, context.tick);
        for fighter in self.fighters.values_mut() {
            (fighter.kills, fighter.deaths, fighter.streak) = (0, 0, 0);
            fighter.life = crate::fighter::Life::Dead { until: context.tick };
            // Where it was is no way to where it will be: others are to see somebody new.
            if let Some(entity) = fighter.entity.take() {
                self.slots.free(entity, context.tick);
            }
        }
        let players: Vec<_> = self.fighters.keys().copied().collect();
        for player in players {
            self.place(player, context);
        }
    }

    fn is_score_reached(&self) -> bool {
        let limit = u16::try_from(self.config.score_limit).unwrap_or(u16::MAX);
        let best = self.fighters.values().map(|fighter| fighter.kills).max().unwrap_or(0);
        let best = if self.config.teams { self.round.red.max(self.round.blue) } else { best };
        limit > 0 && best >= limit
    }

    fn winner(&self) -> Winner {
        if self.config.teams {
            return match self.round.red.cmp(&self.round.blue) {
                std::cmp::Ordering::Less => Winner::Team(Colour::Blue),
                std::cmp::Ordering::Equal => Winner::Nobody,
                std::cmp::Ordering::Greater => Winner::Team(Colour::Red),
            };
        }
        // Most kills, then fewest deaths.
        let rank = |fighter: &crate::fighter::Fighter| (fighter.kills, std::cmp::Reverse(fighter.deaths));
        let best = self.fighters.values().map(rank).max();
        let mut first = self.fighters.iter().filter(|(_, fighter)| Some(rank(fighter)) == best);
        match (first.next(), first.next()) {
            (Some((player, fighter)), None) if fighter.kills > 0 => Winner::Player(*player),
            _ => Winner::Nobody,
        }
    }
}
