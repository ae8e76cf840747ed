//! The form of a delta: how old its baselines are. Deltas of one entity, tick and form are the same bits for
//! everybody.

use crate::limits::MAX_BASELINE_AGE;
use crate::time::Tick;
use thiserror::Error;

/// The ticks that a delta is coded between, and what follows from them alone. It is built once per tick and
/// baseline pair, not per entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaselineForm {
    tick: Tick,
    newer: Option<Tick>,
    older: Option<Tick>,
    context: u8,
    /// Age of the newer baseline over the gap between the two, with 16 binary places; zero without a second
    /// one.
    lead: i64,
}

/// Baseline ticks that no delta is coded against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// The ticks are not in the order older, newer, current, or the older stands alone.
    #[error("baselines are not in the order older, newer, current")]
    Order,
    /// A baseline is more than [`MAX_BASELINE_AGE`] ticks before what is coded against it.
    #[error("a baseline is more than {MAX_BASELINE_AGE} ticks old")]
    TooOld,
}

/// The number of contexts that [`BaselineForm::context`] yields.
pub(crate) const FORM_CONTEXTS: usize = 1 + 2 * AGE_CLASSES;
/// Ages 1, 2, 3–4, 5–8, 9–16 and the rest.
const AGE_CLASSES: usize = 6;

/// The part of a rotation's movement that is extrapolated, in sixteenths.
const ROTATION_TRUST: i64 = 13;

impl BaselineForm {
    /// The form of an entering entity, which is coded against the defaults of its kind.
    #[must_use]
    pub fn entering(tick: Tick) -> BaselineForm {
        BaselineForm { tick, newer: None, older: None, context: 0, lead: 0 }
    }

    /// The form of a delta against a state that is older than the baseline it was kept for: the oldest there
    /// is.
    #[must_use]
    pub fn late(tick: Tick) -> BaselineForm {
        let oldest = Tick(tick.0.saturating_sub(MAX_BASELINE_AGE));
        BaselineForm::new(tick, oldest, None).unwrap_or(BaselineForm::entering(tick))
    }

    /// The form of a delta at `tick` against the state at `newer`, and at `older` for the trend where there
    /// is one.
    ///
    /// # Errors
    /// [`FormError`] when the ticks are out of order or too far apart.
    pub fn new(tick: Tick, newer: Tick, older: Option<Tick>) -> Result<BaselineForm, FormError> {
        let age = distance(tick, newer)?;
        let class = (age - 1).checked_ilog2().map_or(0, |log| log as usize + 1).min(AGE_CLASSES - 1);
        let gap = older.map(|older| distance(newer, older)).transpose()?;
        let context = 1 + class + if gap.is_some() { AGE_CLASSES } else { 0 };
        let lead = gap.map_or(0, |gap| (i64::from(age) << 16) / i64::from(gap));
        Ok(BaselineForm { tick, newer: Some(newer), older, context: context as u8, lead })
    }

    /// The tick of the coded state.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The tick of the newer baseline, or `None` for an entering entity.
    #[must_use]
    pub fn newer(&self) -> Option<Tick> {
        self.newer
    }

    /// The tick of the older baseline, if there is one.
    #[must_use]
    pub fn older(&self) -> Option<Tick> {
        self.older
    }

    pub(crate) fn is_entering(&self) -> bool {
        self.newer.is_none()
    }

    /// Ticks since the newer baseline; for an entering entity, as many as an anchor may be old.
    pub(crate) fn age(&self) -> u32 {
        self.newer.map_or(MAX_BASELINE_AGE, |newer| self.tick.0 - newer.0)
    }

    pub(crate) fn context(&self) -> usize {
        usize::from(self.context)
    }

    pub(crate) fn lead(&self) -> i64 {
        self.lead
    }

    /// The lead as far as it is trusted for rotations. The differences of small components are half rounding;
    /// trusting them whole would add more noise than it removes.
    #[inline]
    pub(crate) fn rotation_lead(&self) -> i64 {
        (self.lead * ROTATION_TRUST) >> 4
    }

    /// The same, and without a second baseline as much as there can be: nothing moved then.
    #[inline]
    pub(crate) fn rotation_reach(&self) -> i64 {
        if self.lead == 0 { i64::from(u32::MAX) } else { self.rotation_lead() }
    }
}

/// The positive distance of two ticks that may be baselines of each other.
fn distance(later: Tick, earlier: Tick) -> Result<u32, FormError> {
    match later.since(earlier) {
        None | Some(0) => Err(FormError::Order),
        Some(ticks) if ticks > MAX_BASELINE_AGE => Err(FormError::TooOld),
        Some(ticks) => Ok(ticks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_out_of_order_or_too_old_have_no_form() {
        let form = |tick, newer, older| BaselineForm::new(Tick(tick), Tick(newer), older);
        assert_eq!(form(5, 5, None), Err(FormError::Order));
        assert_eq!(form(5, 6, None), Err(FormError::Order));
        assert_eq!(form(5, 4, Some(Tick(4))), Err(FormError::Order));
        assert_eq!(form(100, 35, None), Err(FormError::TooOld));
        assert_eq!(form(100, 99, Some(Tick(34))), Err(FormError::TooOld));
        assert!(form(100, 36, None).is_ok());
    }

    #[test]
    fn contexts_tell_ages_and_second_baselines_apart() {
        let context = |age: u32, older: bool| -> usize {
            let newer = Tick(200 - age);
            BaselineForm::new(Tick(200), newer, older.then_some(Tick(199 - age))).expect("in order").context()
        };
        assert_eq!(BaselineForm::entering(Tick(0)).context(), 0);
        let ages = [1, 2, 3, 4, 5, 8, 9, 16, 17, 64];
        assert_eq!(ages.map(|age| context(age, false)), [1, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
        assert_eq!(ages.map(|age| context(age, true)), [7, 8, 9, 9, 10, 10, 11, 11, 12, 12]);
    }
}
