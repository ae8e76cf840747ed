//! The energy of an entity's residuals: how large those just coded are, as a context for the next ones. What
//! moves violently does so in all its parts.
//!
//! It is counted in magnitude classes, two of which make an octave, and a level is an octave.

use super::model::LEVELS;

/// The level of the residuals just coded: of the group before, or within a group. Zero means that nothing
/// was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Energy(u32);

impl Energy {
    /// The level after residuals whose mean class has this half.
    #[inline]
    pub(crate) fn after(half: usize) -> Energy {
        Energy((half as u32 + 1).min(LEVELS as u32 - 1))
    }

    /// The level, below [`LEVELS`].
    #[inline]
    pub(crate) fn level(self) -> usize {
        self.0 as usize % LEVELS
    }
}

/// How large the residuals of a group are so far.
#[derive(Default)]
pub(crate) struct GroupEnergy {
    /// The running mean of the classes: each new one counts as much as all before it.
    mean: Option<u32>,
    half: u32,
}

impl GroupEnergy {
    /// Half the mean class.
    #[inline]
    pub(crate) fn half(&self) -> usize {
        self.half as usize
    }

    /// Takes in the class of a residual.
    #[inline]
    pub(crate) fn add(&mut self, class: u32) {
        let (mean, half) = match self.mean {
            None => (class, (class + 1) >> 1),
            // Both rounded up: the half of a mean that was rounded up is a quarter of the sum that is.
            Some(mean) => ((mean + class + 1) >> 1, (mean + class + 3) >> 2),
        };
        self.mean = Some(mean);
        self.half = half;
    }

    /// The level that the next residual has for its context; where the group ends, that of the next group.
    #[inline]
    pub(crate) fn energy(&self) -> Energy {
        Energy::after(self.half())
    }
}
