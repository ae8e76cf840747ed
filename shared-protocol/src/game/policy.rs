//! What a tick takes from a player: one input per tick, or all that came.

use crate::limits::{MAX_INPUT_WINDOW_TICKS, MAX_STREAM_INPUTS};

/// How a game wants its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputPolicy {
    /// Exactly one input per player and tick, made for that tick: what prediction needs.
    PerTick(PerTickPolicy),
    /// All inputs in the order in which they were made, whenever they come: for games that do not predict.
    Stream(StreamPolicy),
}

/// The terms of [`InputPolicy::PerTick`]. Inputs cannot be saved up: each is for one tick and none other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerTickPolicy {
    /// How many missing inputs in a row are replaced by the held one ([`Input::held`](super::Input::held));
    /// the rest is neutral.
    pub held_ticks: u32,
    /// Up to how many ticks later a press that came too late still counts
    /// ([`Input::merge_late`](super::Input::merge_late)).
    pub merge_ticks: u32,
    /// How many ticks ahead an input may come, the next tick included. One further ahead is rejected.
    pub window_ticks: u32,
}

/// The terms of [`InputPolicy::Stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPolicy {
    /// How many inputs wait for a tick at most. Further ones are rejected. Enough is what an honest client
    /// delivers at once after a network stall: five seconds' worth.
    pub capacity: u32,
}

impl InputPolicy {
    /// One input per tick on the usual terms: held for 6 ticks, merged for 8, a window of 32 ticks.
    pub const PER_TICK: InputPolicy =
        InputPolicy::PerTick(PerTickPolicy { held_ticks: 6, merge_ticks: 8, window_ticks: 32 });

    /// All inputs in order, up to 300 per tick: five seconds at 60 Hz.
    pub const STREAM: InputPolicy = InputPolicy::Stream(StreamPolicy { capacity: 300 });

    /// The same policy with its numbers brought into the limits: a window of 1 to [`MAX_INPUT_WINDOW_TICKS`],
    /// merging for no longer than that, and 1 to [`MAX_STREAM_INPUTS`] inputs waiting.
    #[must_use]
    pub fn within_limits(self) -> InputPolicy {
        match self {
            InputPolicy::PerTick(policy) => InputPolicy::PerTick(PerTickPolicy {
                held_ticks: policy.held_ticks,
                merge_ticks: policy.merge_ticks.min(MAX_INPUT_WINDOW_TICKS),
                window_ticks: policy.window_ticks.clamp(1, MAX_INPUT_WINDOW_TICKS),
            }),
            InputPolicy::Stream(policy) => {
                InputPolicy::Stream(StreamPolicy { capacity: policy.capacity.clamp(1, MAX_STREAM_INPUTS) })
            }
        }
    }
}
