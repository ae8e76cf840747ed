//! What a player sends: the trait, its quantised form, and what stands in for an input that did not come.

use super::policy::PerTickPolicy;
use crate::limits::MAX_LANES;
use crate::message::{InputCodec, InputError, InputKindError};
use crate::schema::Replicate;
use crate::snapshot::Consumed;
use crate::time::Tick;
use std::marker::PhantomData;

/// What a player wants in one tick. Its fields are quantised as `#[derive(Replicate)]` says, and both sides
/// step the quantised values. `Default` is the neutral input: hands off.
pub trait Input: Replicate + Clone + PartialEq + Default + Send + 'static {
    /// What repeats when the next input is missing: the keys that are down stay down, the presses (a jump, a
    /// dash, a shot) are gone, so that none of them happens twice. Holding twice is the same as holding once.
    #[must_use]
    fn held(&self) -> Self;

    /// Takes over the presses of an input that came too late for its own tick, so that a dash in a lost
    /// packet is a little late instead of gone. Each late input is merged once, into the player's next input
    /// that comes in time.
    ///
    /// By default nothing is taken over.
    fn merge_late(&mut self, late: &Self) {
        let _ = late;
    }
}

/// The quantised form of an input type: the typed side of the [`InputCodec`] that codes its lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct InputForm<I> {
    codec: InputCodec,
    input: PhantomData<fn() -> I>,
}

impl<I: Replicate> InputForm<I> {
    /// The form of this type.
    ///
    /// # Errors
    /// [`InputKindError`] when its fields cannot be those of an input.
    pub fn new() -> Result<InputForm<I>, InputKindError> {
        Ok(InputForm { codec: InputCodec::new(&I::kind())?, input: PhantomData })
    }

    /// The codec of the lanes.
    #[must_use]
    pub fn codec(&self) -> &InputCodec {
        &self.codec
    }

    /// Writes the nearest lanes of an input.
    ///
    /// # Errors
    /// [`InputError`] for a value that is not finite or outside its range.
    ///
    /// # Panics
    /// When the row has another length than the codec's lanes.
    pub fn quantize(&self, input: &I, row: &mut [i32]) -> Result<(), InputError> {
        // A kind has no more components than lanes, or there is no codec for it.
        let mut components = [0.0; MAX_LANES];
        let components = &mut components[..I::COMPONENTS];
        input.write_components(components);
        self.codec.quantize(components, row)
    }

    /// The input that a row of lanes stands for.
    ///
    /// # Panics
    /// When the row has another length than the codec's lanes.
    #[must_use]
    pub fn value(&self, row: &[i32]) -> I {
        let of = |components: &mut [f64]| {
            self.codec.value(row, components);
            I::from_components(components)
        };
        // To clear room for the most that an input may have takes longer than all else that is done here.
        if I::COMPONENTS <= FEW_LANES {
            of(&mut [0.0; FEW_LANES][..I::COMPONENTS])
        } else {
            of(&mut [0.0; MAX_LANES][..I::COMPONENTS])
        }
    }

    /// The input as the server will read it, which is what a client has to step.
    ///
    /// # Errors
    /// [`InputError`] for a value that is not finite or outside its range.
    pub fn canonical(&self, input: &I) -> Result<I, InputError> {
        let mut row = [0; MAX_LANES];
        let row = &mut row[..self.codec.lanes()];
        self.quantize(input, row)?;
        Ok(self.value(row))
    }
}

/// Lanes that nearly all inputs do with.
const FEW_LANES: usize = 8;

/// The inputs that a player's ticks took, one after another, from what came for them and what did not.
///
/// Server and client run the same rules. The server runs them to decide; the client, told per tick whether
/// its own, the held or the neutral input was taken, runs them to know which input that was:
///
/// - neutral is `Default`;
/// - held is [`Input::held`] of the input of the tick before, whatever that was;
/// - own is the player's own with [`Input::merge_late`] of its inputs for the ticks since the own one before,
///   those of the last `merge_ticks` ticks, oldest first. On an ordered transport all of them have come when
///   a later one is there.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumedInputs<I> {
    before: I,
    /// Inputs whose tick took something else, ascending.
    late: Vec<(Tick, I)>,
    merge_ticks: u32,
}

impl<I: Input> ConsumedInputs<I> {
    /// The rules with these terms, from a tick before which the neutral input was taken.
    #[must_use]
    pub fn new(policy: PerTickPolicy) -> ConsumedInputs<I> {
        ConsumedInputs { before: I::default(), late: Vec::new(), merge_ticks: policy.merge_ticks }
    }

    /// Takes in an input whose tick took something else.
    pub(crate) fn handle_late(&mut self, tick: Tick, input: I) {
        let place = self.late.partition_point(|(other, _)| *other < tick);
        self.late.insert(place, (tick, input));
    }

    /// How many late inputs an input for `tick` would merge.
    pub(super) fn waiting(&mut self, tick: Tick) -> u32 {
        self.forget(tick);
        self.late.len() as u32
    }

    /// Forgets late inputs that `tick` is too late for.
    fn forget(&mut self, tick: Tick) {
        let merge_ticks = self.merge_ticks;
        self.late.retain(|(late, _)| tick.since(*late).is_some_and(|ticks| ticks <= merge_ticks));
    }

    /// The input that `tick` took, given what it is told to be and the player's own input for it, if one was
    /// made. Ticks are consecutive. `None` when the player's own is told to be taken and there is none.
    pub fn next(&mut self, tick: Tick, consumed: Consumed, own: Option<&I>) -> Option<&I> {
        self.forget(tick);
        match consumed {
            Consumed::Own => {
                let mut taken = own?.clone();
                self.late.drain(..).for_each(|(_, late)| taken.merge_late(&late));
                self.before = taken;
            }
            Consumed::Held => self.before = self.before.held(),
            Consumed::Neutral => self.before = I::default(),
        }
        if let (Consumed::Held | Consumed::Neutral, Some(own)) = (consumed, own) {
            self.handle_late(tick, own.clone());
        }
        Some(&self.before)
    }

    /// The input of the last tick.
    #[must_use]
    pub fn before(&self) -> &I {
        &self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_derive::Replicate;

    #[derive(Clone, Debug, Default, PartialEq, Replicate)]
    struct Steer {
        #[replicate(ranged(min = -1.0, max = 1.0, step = 0.125))]
        way: f32,
        dash: bool,
    }

    impl Input for Steer {
        fn held(&self) -> Steer {
            Steer { dash: false, ..self.clone() }
        }

        fn merge_late(&mut self, late: &Steer) {
            self.dash |= late.dash;
        }
    }

    #[derive(Debug, Default, Replicate)]
    struct Moving {
        #[replicate(ranged(min = 0.0, max = 8.0, step = 1.0), velocity = speed)]
        place: f32,
        #[replicate(ranged(min = 0.0, max = 8.0, step = 1.0))]
        speed: f32,
    }

    #[test]
    fn the_quantised_form_is_stable() {
        let codec = InputForm::<Steer>::new().unwrap();
        let canonical = codec.canonical(&Steer { way: 0.3, dash: true }).unwrap();
        assert_eq!(canonical, Steer { way: 0.25, dash: true });
        assert_eq!(codec.canonical(&canonical), Ok(canonical.clone()));
        assert!(codec.canonical(&Steer { way: f32::NAN, dash: false }).is_err());
        assert_eq!(InputForm::<Moving>::new().unwrap_err(), InputKindError::Moving("place".to_owned()));
    }

    #[test]
    fn what_was_taken_follows_from_what_was_told() {
        let policy = PerTickPolicy { held_ticks: 2, merge_ticks: 3, window_ticks: 8 };
        let mut inputs = ConsumedInputs::new(policy);
        let steer = |way, dash| Steer { way, dash };
        let mut next = |tick, told, own: Option<Steer>| inputs.next(Tick(tick), told, own.as_ref()).cloned();
        assert_eq!(next(1, Consumed::Own, Some(steer(1.0, true))), Some(steer(1.0, true)));
        assert_eq!(next(2, Consumed::Held, Some(steer(0.5, true))), Some(steer(1.0, false)));
        assert_eq!(next(3, Consumed::Neutral, None), Some(Steer::default()));
        assert_eq!(next(4, Consumed::Own, Some(steer(-1.0, false))), Some(steer(-1.0, true)), "merged");
        assert_eq!(next(5, Consumed::Own, Some(steer(-1.0, false))), Some(steer(-1.0, false)), "once");
        assert_eq!(next(6, Consumed::Held, Some(steer(0.0, true))), Some(steer(-1.0, false)));
        for tick in 7..10 {
            next(tick, Consumed::Neutral, None);
        }
        assert_eq!(next(10, Consumed::Own, Some(steer(0.0, false))), Some(steer(0.0, false)), "too long ago");
        assert_eq!(next(11, Consumed::Own, None), None);
    }
}
