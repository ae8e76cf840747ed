//! What a step lets the player see or hear beside the state.

use crate::limits::MAX_EFFECTS;

/// Collects the effects of steps: a dash that puffs, a wall that thuds.
///
/// A client steps one tick many times, whenever a confirmed avatar arrives and the inputs after it are
/// stepped again. An effect belongs to the first of them alone: the client mutes the sink while it replays. A
/// step never asks whether it is muted, nor should what it computes depend on an effect.
#[derive(Clone, Debug)]
pub struct Effects<E> {
    emitted: Vec<E>,
    dropped: u64,
    muted: bool,
}

impl<E> Effects<E> {
    /// A sink that keeps what is emitted.
    #[must_use]
    pub fn new() -> Effects<E> {
        Effects { emitted: Vec::new(), dropped: 0, muted: false }
    }

    /// A sink that throws away what is emitted.
    #[must_use]
    pub fn muted() -> Effects<E> {
        Effects { muted: true, ..Effects::new() }
    }

    /// Mutes the sink or lets it hear again. What it holds stays.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Takes in an effect, unless the sink is muted. One beyond [`MAX_EFFECTS`] is dropped and counted.
    pub fn emit(&mut self, effect: E) {
        if self.muted {
            return;
        }
        if self.emitted.len() < MAX_EFFECTS {
            self.emitted.push(effect);
        } else {
            self.dropped += 1;
        }
    }

    /// Takes out all effects in the order in which they were emitted.
    pub fn drain(&mut self) -> impl Iterator<Item = E> + '_ {
        self.emitted.drain(..)
    }

    /// Throws all effects away.
    pub fn clear(&mut self) {
        self.emitted.clear();
    }

    /// Effects dropped because nobody took them out in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<E> Default for Effects<E> {
    fn default() -> Effects<E> {
        Effects::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_muted_sink_forgets_and_a_full_one_counts() {
        let mut effects = Effects::muted();
        effects.emit(1);
        effects.set_muted(false);
        (0..MAX_EFFECTS + 3).for_each(|number| effects.emit(number));
        assert_eq!(effects.dropped(), 3);
        assert!(effects.drain().eq(0..MAX_EFFECTS));
        assert_eq!(effects.drain().count(), 0);
    }
}
