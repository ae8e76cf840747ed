//! What the player wants, from frame to tick, and what was made of it.
//!
//! A player wants things at any time; a tick takes one input. Between two ticks the newest wish counts, but a
//! press in an older one must not be lost, however short: it is taken over
//! ([`Input::merge_late`](crate::game::Input::merge_late)). After a tick has taken the wish, what is held
//! stays ([`Input::held`](crate::game::Input::held)) until there is a newer one. Wishes are quantised when
//! they are made, so that the client steps what the server will read.

use crate::game::{Input, InputForm};
use crate::limits::MAX_LANES;
use crate::message::InputError;
use crate::time::Tick;
use std::collections::VecDeque;

/// What the player wants now.
#[derive(Debug)]
pub(super) struct Wish<I> {
    form: InputForm<I>,
    wish: I,
    /// Whether it is newer than the last tick.
    is_fresh: bool,
}

impl<I: Input> Wish<I> {
    pub(super) fn new(form: InputForm<I>) -> Wish<I> {
        Wish { form, wish: I::default(), is_fresh: false }
    }

    pub(super) fn form(&self) -> &InputForm<I> {
        &self.form
    }

    /// Takes in what the player wants from now on.
    pub(super) fn handle_input(&mut self, input: &I) -> Result<(), InputError> {
        let mut wish = self.form.canonical(input)?;
        if self.is_fresh {
            wish.merge_late(&self.wish);
            // What a game merges need not stay on the grid.
            wish = self.form.canonical(&wish)?;
        }
        (self.wish, self.is_fresh) = (wish, true);
        Ok(())
    }

    /// The player wants nothing.
    pub(super) fn clear(&mut self) {
        (self.wish, self.is_fresh) = (I::default(), false);
    }

    /// What the next tick would take.
    pub(super) fn wish(&self) -> &I {
        &self.wish
    }

    /// Appends the lanes of an input that a tick takes for the second time.
    pub(super) fn repeat(&self, input: &I, rows: &mut Vec<i32>) {
        let start = rows.len();
        rows.resize(start + self.form.codec().lanes(), 0);
        // It was made of lanes, and is on the grid.
        let _ = self.form.quantize(input, &mut rows[start..]);
    }

    /// What this tick takes. `rows` receives its lanes.
    pub(super) fn take(&mut self, rows: &mut Vec<i32>) -> I {
        let mut row = [0; MAX_LANES];
        let row = &mut row[..self.form.codec().lanes()];
        if self.form.quantize(&self.wish, row).is_err() {
            // A game whose `held` leaves the ranges: hands off.
            self.wish = I::default();
            if self.form.quantize(&self.wish, row).is_err() {
                row.fill(0);
            }
        }
        rows.extend_from_slice(row);
        let taken = self.form.value(row);
        (self.wish, self.is_fresh) = (taken.held(), false);
        taken
    }
}

/// The player's own inputs of the last ticks, ascending; ticks may be left out, however many.
#[derive(Debug)]
pub(super) struct InputHistory<I> {
    inputs: VecDeque<(Tick, I)>,
    /// Inputs that were sent, and are to be made again when their ticks come; later than all the others.
    forgotten: VecDeque<(Tick, I)>,
}

/// Inputs that are remembered: those that a snapshot may tell of, and those ahead of it.
const KEPT_INPUTS: usize = 192;

impl<I> InputHistory<I> {
    pub(super) fn new() -> InputHistory<I> {
        InputHistory { inputs: VecDeque::new(), forgotten: VecDeque::new() }
    }

    pub(super) fn clear(&mut self) {
        self.inputs.clear();
        self.forgotten.clear();
    }

    /// The input of a tick, if one was made.
    pub(super) fn get(&self, tick: Tick) -> Option<&I> {
        let of = |inputs: &VecDeque<(Tick, I)>| inputs.binary_search_by_key(&tick, |(other, _)| *other).ok();
        let (inputs, place) = match of(&self.inputs) {
            Some(place) => (&self.inputs, place),
            None => (&self.forgotten, of(&self.forgotten)?),
        };
        inputs.get(place).map(|(_, input)| input)
    }

    /// The newest tick with an input.
    pub(super) fn newest(&self) -> Option<Tick> {
        self.inputs.back().map(|(tick, _)| *tick)
    }

    /// Puts the inputs of ticks after this one aside, to be made again as they were: they may have come to
    /// the server all the same, where the first one for a tick counts, and the two ends must step the same.
    pub(super) fn forget_after(&mut self, tick: Tick) {
        while let Some(newest) = self.inputs.pop_back_if(|(newest, _)| *newest > tick) {
            self.forgotten.push_front(newest);
        }
        self.forgotten.truncate(KEPT_INPUTS);
    }

    /// The first run of forgotten inputs up to a tick: its first tick and its last one.
    pub(super) fn forgotten_run(&self, most: Tick) -> Option<(Tick, Tick)> {
        let first = self.forgotten.front().map(|(tick, _)| *tick).filter(|first| *first <= most)?;
        let run = self.forgotten.iter().zip(first.0..=most.0).take_while(|((tick, _), next)| tick.0 == *next);
        run.last().map(|((last, _), _)| (first, *last))
    }

    /// What the input of a tick was when it was made before and forgotten.
    pub(super) fn made_before(&mut self, tick: Tick) -> Option<I> {
        self.forgotten.pop_front_if(|(other, _)| *other == tick).map(|(_, input)| input)
    }

    /// Keeps the input of a tick, which is later than all before; those that are not are gone.
    pub(super) fn push(&mut self, tick: Tick, input: I) {
        while self.inputs.pop_back_if(|(newest, _)| *newest >= tick).is_some() {}
        if self.inputs.len() == KEPT_INPUTS {
            self.inputs.pop_front();
        }
        self.inputs.push_back((tick, input));
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

    #[test]
    fn a_press_between_two_ticks_is_not_lost_and_not_repeated() {
        let mut wish = Wish::new(InputForm::<Steer>::new().unwrap());
        let steer = |way, dash| Steer { way, dash };
        let mut rows = Vec::new();
        wish.handle_input(&steer(0.3, true)).unwrap();
        wish.handle_input(&steer(0.8, false)).unwrap();
        assert_eq!(wish.take(&mut rows), steer(0.75, true));
        assert_eq!(wish.take(&mut rows), steer(0.75, false), "held");
        assert!(wish.handle_input(&steer(f32::NAN, true)).is_err());
        assert_eq!(wish.take(&mut rows), steer(0.75, false), "what is refused changes nothing");
        wish.clear();
        assert_eq!(wish.take(&mut rows), Steer::default());
        assert_eq!(rows.len(), 8);
    }

    #[test]
    fn the_history_has_holes_and_an_end() {
        let mut history = InputHistory::new();
        assert_eq!((history.newest(), history.get(Tick(0))), (None, None));
        history.push(Tick(100), 'a');
        history.push(Tick(103), 'b');
        let kept: Vec<_> = (98..106).map(|tick| history.get(Tick(tick)).copied()).collect();
        assert_eq!(kept, [None, None, Some('a'), None, None, Some('b'), None, None]);
        history.push(Tick(5), 'c');
        assert_eq!(
            (history.get(Tick(5)), history.get(Tick(103)), history.newest()),
            (Some(&'c'), None, Some(Tick(5)))
        );
        history.push(Tick(8), 'd');
        history.push(Tick(9), 'e');
        history.forget_after(Tick(6));
        assert_eq!((history.newest(), history.get(Tick(5))), (Some(Tick(5)), Some(&'c')));
        assert_eq!((history.get(Tick(9)), history.get(Tick(10))), (Some(&'e'), None));
        assert_eq!(history.forgotten_run(Tick(7)), None);
        assert_eq!(history.forgotten_run(Tick(8)), Some((Tick(8), Tick(8))));
        assert_eq!(history.forgotten_run(Tick(20)), Some((Tick(8), Tick(9))));
        let again: Vec<_> = (7..11).map(|tick| history.made_before(Tick(tick))).collect();
        assert_eq!(again, [None, Some('d'), Some('e'), None]);
        // However far the clock jumps, what a snapshot may still tell of is there.
        history.push(Tick(100_000), 'f');
        history.push(Tick(u32::MAX), 'g');
        assert_eq!((history.get(Tick(5)), history.get(Tick(100_000))), (Some(&'c'), Some(&'f')));
        (7..1000).for_each(|tick| history.push(Tick(tick), 'd'));
        assert_eq!((history.inputs.len(), history.newest()), (KEPT_INPUTS, Some(Tick(999))));
    }
}
