//! What bots that predict do: they walk about.

use glam::Vec2;
use tickwire_arena::{Arena, ArenaInput};
use tickwire_protocol::client::Client;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::Simulation;

/// Decides what a player wants, tick by tick.
pub(crate) trait Pilot<S: Simulation>: Send {
    /// What the player wants from now on.
    fn input(&mut self, client: &Client<S>) -> S::Input;
}

/// Walks through the arena: a while in one direction, then in another, with a rest or a dash now and then.
#[derive(Debug)]
pub(crate) struct ArenaWalker {
    random: SimRng,
    input: ArenaInput,
    /// Calls until the next change of mind.
    left: u32,
}

impl ArenaWalker {
    /// All that it does follows from the seed.
    pub(crate) fn new(seed: u64) -> ArenaWalker {
        ArenaWalker { random: SimRng::from_u64(seed), input: ArenaInput::default(), left: 0 }
    }
}

/// Inputs between two changes of mind.
const MIND: std::ops::Range<u32> = 12..60;

impl Pilot<Arena> for ArenaWalker {
    fn input(&mut self, _: &Client<Arena>) -> ArenaInput {
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
