//! What players are told once, what they may say, and what a step shows beside the state.

use glam::Vec2;
use serde::{Deserialize, Serialize};

/// What players are told once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArenaEvent {
    /// The own player stands here now: it has just appeared.
    Spawned {
        /// Where.
        at: Vec2,
    },
}

/// What a player may say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArenaCommand {
    /// To everybody.
    Say(String),
}

/// What a step shows beside the state, at once and on the own player's side alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArenaEffect {
    /// The own player dashes.
    Dash {
        /// From where.
        from: Vec2,
        /// Where to: a direction of length 1.
        way: Vec2,
    },
}
