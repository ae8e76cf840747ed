//! What server and client share: the types that go between them, and the step.

use super::effects::Effects;
use super::input::Input;
use super::kind::{DeclaredKind, are_in_order};
use super::level::Level;
use super::policy::InputPolicy;
use crate::message::{InputCodec, InputKindError};
use crate::schema::{Replicate, Schema, SchemaError};
use crate::time::{Micros, Tick};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use xxhash_rust::xxh64::xxh64;

/// The half of a game that both sides run: what goes between them, and how an avatar steps.
///
/// All types cross the network or are computed on both ends, so they hold no `usize`, no `HashMap` and no
/// time of day: see [`determinism`](crate::determinism).
pub trait Simulation: Sized + Send + 'static {
    /// The game's name, for people.
    const NAME: &'static str;

    /// A number that the author raises when the step, the avatar, a command or an event changes in a way that
    /// an older client would get wrong. What is replicated and the input's fields need no such care: their
    /// structure is compared.
    const RULES_VERSION: u32 = 0;

    /// How inputs are taken: [`InputPolicy::PER_TICK`] for a game that predicts, [`InputPolicy::STREAM`] for
    /// one that does not.
    const INPUT_POLICY: InputPolicy;

    /// The kinds of entity, each at the place of its number.
    const KINDS: &'static [DeclaredKind];

    /// Entity indices are below this, at most [`MAX_ENTITIES`](crate::limits::MAX_ENTITIES). Fewer cost fewer
    /// bits.
    const ENTITY_CAPACITY: u32 = 4096;

    /// What a player wants in a tick.
    type Input: Input;

    /// The part of a player's state that its client predicts: all that the step reads and writes, and nothing
    /// else. It is never quantised. `()` for a game that does not predict.
    type Avatar: Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static;

    /// The immutable surroundings. `()` for a game without levels.
    type Level: Level;

    /// What a step shows or sounds like beside the state. `()` for none.
    type Effect: Send + 'static;

    /// What a player says seldom and reliably: chat, a change of team. `()` for none.
    type Command: Serialize + DeserializeOwned + Send + 'static;

    /// What a player is told once: a hit, a line of chat. `()` for none.
    type Event: Serialize + DeserializeOwned + Send + 'static;

    /// Moves an avatar on by one tick. It depends on nothing but what it is given here, to the last bit, or
    /// the prediction fails: no other entity, no random number, no clock.
    fn step(avatar: &mut Self::Avatar, input: &Self::Input, context: &mut StepContext<'_, Self>);

    /// An avatar on the way from one to the other, `share` of it (0 to 1), for the eye alone: a client draws
    /// its own avatar so between two ticks, and lets a correction fade so. Blend what is seen (the position,
    /// the angle the short way round), and take the rest from `to`. Where the two are so far apart that
    /// nobody could have gone that way (a teleport), return `to`. Nothing that is computed here comes
    /// back into the simulation.
    ///
    /// By default it is `to`: nothing is blended.
    #[must_use]
    fn between(from: &Self::Avatar, to: &Self::Avatar, share: f32) -> Self::Avatar {
        let _ = (from, share);
        to.clone()
    }

    /// The schema of the game's kinds.
    ///
    /// # Errors
    /// [`SchemaError`] when the kinds break a rule. That a kind stands at the place of its number is checked
    /// when this is compiled.
    fn schema() -> Result<Schema, SchemaError> {
        const { assert!(are_in_order(Self::KINDS), "KINDS lists each kind at the place of its number") };
        Schema::new(Self::KINDS.iter().map(DeclaredKind::schema).collect())
    }

    /// What both ends must agree on before they play: XXH64 with seed 0 over the structural hashes of the
    /// kinds and of the input as eight bytes each, little-endian, and [`Simulation::RULES_VERSION`] as four.
    ///
    /// # Errors
    /// [`FingerprintError`] when the kinds or the input break a rule.
    fn fingerprint() -> Result<u64, FingerprintError> {
        let mut bytes = Vec::with_capacity(20);
        bytes.extend(Self::schema()?.structural_hash().to_le_bytes());
        InputCodec::new(&Self::Input::kind())?;
        let input = Schema::new(vec![Self::Input::kind()])?;
        bytes.extend(input.structural_hash().to_le_bytes());
        bytes.extend(Self::RULES_VERSION.to_le_bytes());
        Ok(xxh64(&bytes, 0))
    }
}

/// Why a game has no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FingerprintError {
    /// Its kinds break a rule.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Its input breaks a rule.
    #[error("the input: {0}")]
    Input(#[from] InputKindError),
}

/// What a step may look at, and where its effects go.
#[derive(Debug)]
pub struct StepContext<'a, S: Simulation> {
    /// The tick that is stepped.
    pub tick: Tick,
    /// The length of a tick in seconds: see [`seconds_per_tick`].
    pub dt: f32,
    /// The surroundings.
    pub level: &'a S::Level,
    /// Where effects go. On a client that replays it is mute.
    pub effects: &'a mut Effects<S::Effect>,
}

impl<'a, S: Simulation> StepContext<'a, S> {
    /// The context of a step with a tick period that both sides know from the handshake.
    pub fn new(
        tick: Tick,
        period: Micros,
        level: &'a S::Level,
        effects: &'a mut Effects<S::Effect>,
    ) -> StepContext<'a, S> {
        StepContext { tick, dt: seconds_per_tick(period), level, effects }
    }
}

/// The length of a tick in seconds, as both sides compute it: the `f32` nearest to the `f64` nearest to
/// microseconds / 10⁶.
#[must_use]
pub fn seconds_per_tick(period: Micros) -> f32 {
    period.as_secs_f64() as f32
}
