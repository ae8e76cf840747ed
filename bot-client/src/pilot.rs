//! What bots that predict do in the arena: they play, or they only walk about.

use glam::Vec2;
use tickwire_arena::brain::{Brain, Senses};
use tickwire_arena::{Arena, ArenaInput};
use tickwire_protocol::client::Client;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{Simulation, seconds_per_tick};
use tickwire_protocol::time::Micros;

/// Decides what a player wants, tick by tick.
pub(crate) trait Pilot<S: Simulation>: Send {
    /// Whether it looks at what its client shows of others.
    const LOOKS: bool;

    /// The will that follows from a seed.
    fn new(seed: u64) -> Self;

    /// What the player wants from now on.
    fn input(&mut self, client: &mut Client<S>, now: Micros) -> S::Input;
}

/// Plays with the brain of the server's NPCs, from what its client shows.
#[derive(Debug)]
pub(crate) struct ArenaFighter {
    brain: Brain,
    senses: Senses,
    was_alive: bool,
}

impl Pilot<Arena> for ArenaFighter {
    const LOOKS: bool = true;

    fn new(seed: u64) -> ArenaFighter {
        ArenaFighter { brain: Brain::new(seed), senses: Senses::new(), was_alive: false }
    }

    fn input(&mut self, client: &mut Client<Arena>, now: Micros) -> ArenaInput {
        let welcome =
            client.session().welcome().map(|welcome| (welcome.body.player, welcome.body.tick_period));
        let level = client.level().map(|level| level.shared());
        let (Some((player, period)), Some(level)) = (welcome, level) else { return ArenaInput::default() };
        let tick = client.input_tick().unwrap_or_default();
        let dt = seconds_per_tick(period);
        self.senses.attend(&self.brain, tick, dt);
        let senses = &self.senses;
        let scene = client.view_of(now, |index, _| senses.needs(index));
        self.senses.look(player, &scene);
        let view = self.senses.view(tick, dt, &level);
        let was_alive = std::mem::replace(&mut self.was_alive, view.is_some());
        let Some(view) = view else { return ArenaInput::default() };
        if !was_alive {
            self.brain.handle_spawned();
        }
        self.brain.think(&view)
    }
}

/// Walks through the arena: a while in one direction, then in another, with a rest or a dash now and then.
#[derive(Debug)]
pub(crate) struct ArenaWalker {
    random: SimRng,
    input: ArenaInput,
    /// Inputs until the next change of mind.
    left: u32,
}

/// Inputs between two changes of mind.
const MIND: std::ops::Range<u32> = 12..60;

impl Pilot<Arena> for ArenaWalker {
    const LOOKS: bool = false;

    fn new(seed: u64) -> ArenaWalker {
        ArenaWalker { random: SimRng::from_u64(seed), input: ArenaInput::default(), left: 0 }
    }

    fn input(&mut self, _: &mut Client<Arena>, _: Micros) -> ArenaInput {
        self.input.dash = false;
        if self.left > 0 {
            self.left -= 1;
            return self.input;
        }
        self.left = MIND.start + self.random.u32_up_to(MIND.end - MIND.start);
        let angle = self.random.f32_in(0.0, std::f32::consts::TAU);
        let rests = self.random.chance(0.1);
        self.input.way = if rests { Vec2::ZERO } else { Vec2::from_angle(angle) };
        self.input.aim = angle;
        self.input.dash = self.random.chance(0.3);
        self.input
    }
}
