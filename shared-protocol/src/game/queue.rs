//! The inputs of one player on their way to the tick.
//!
//! Per tick there is one place for one input, a window of ticks ahead; what is missing when its tick comes is
//! replaced. Nothing is ever saved up: a client that sends faster fills no more places. A stream is a bounded
//! queue.

use super::input::{ConsumedInputs, Input};
use super::policy::{InputPolicy, PerTickPolicy, StreamPolicy};
use crate::limits::{MAX_INPUT_WINDOW_TICKS, MAX_STREAM_INPUTS};
use crate::message::ViewTime;
use crate::snapshot::Consumed;
use crate::time::{Micros, Tick};
use std::collections::VecDeque;

/// An input as it came from a client.
#[derive(Clone, Debug, PartialEq)]
pub struct SentInput<I> {
    /// Which one it is.
    pub stamp: InputStamp,
    /// What the player saw when it was made, if the client says so.
    pub view: Option<ViewTime>,
    /// What the player wants.
    pub input: I,
}

/// How an input is numbered: by its tick or by its place in the stream, as the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputStamp {
    /// The tick that it is for.
    Tick(Tick),
    /// Its number in the stream, one more than the one before.
    Sequence(u32),
}

/// What became of an input on arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It waits for its tick.
    Accepted,
    /// Its tick is over. Its presses may still be merged.
    Late,
    /// It was here before, or one that came after it was.
    Duplicate,
    /// It is for a tick too far ahead, or too many wait already, or it is numbered in the other policy's way.
    Rejected,
}

/// When ticks are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickSchedule {
    /// A tick.
    pub tick: Tick,
    /// When that tick takes its inputs.
    pub due: Micros,
    /// The time from tick to tick.
    pub period: Micros,
}

/// How early an input came: a sample for the client's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadSample {
    /// The tick that the input was for.
    pub tick: Tick,
    /// Microseconds from its arrival to when its tick takes inputs; negative when it came too late.
    pub micros: i64,
}

/// What became of the inputs of a player, since the queue was made or this was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputCounters {
    /// Inputs that waited in time, those counted as early included.
    pub accepted: u64,
    /// Inputs that came for a later tick than the next.
    pub early: u64,
    /// Inputs that came after their tick.
    pub late: u64,
    /// Late inputs whose presses changed a later input.
    pub merged: u64,
    /// Ticks without their input, since the first input; of a stream, numbers that were left out.
    pub missing: u64,
    /// Inputs that were there already.
    pub duplicate: u64,
    /// Inputs out of the window, beyond the capacity, or numbered wrongly.
    pub rejected: u64,
}

impl std::ops::AddAssign for InputCounters {
    fn add_assign(&mut self, other: InputCounters) {
        let InputCounters { accepted, early, late, merged, missing, duplicate, rejected } = other;
        self.accepted += accepted;
        self.early += early;
        self.late += late;
        self.merged += merged;
        self.missing += missing;
        self.duplicate += duplicate;
        self.rejected += rejected;
    }
}

/// What a tick took from a player besides the inputs themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumption {
    /// Whose input it is. Of a stream it is always the player's own.
    pub consumed: Consumed,
    /// Whether presses of late inputs were merged into it.
    pub merged: bool,
    /// What the player saw, by the newest input taken so far that says so.
    pub view: Option<ViewTime>,
}

/// The inputs of one player between arrival and tick.
#[derive(Clone, Debug)]
pub struct InputQueue<I> {
    waiting: Waiting<I>,
    view: Option<ViewTime>,
    lead: Option<LeadSample>,
    counters: InputCounters,
}

#[derive(Clone, Debug)]
enum Waiting<I> {
    PerTick(PerTick<I>),
    Stream(Stream<I>),
}

#[derive(Clone, Debug)]
struct PerTick<I> {
    policy: PerTickPolicy,
    /// The tick that is taken next.
    next: Tick,
    /// What has come for `next` and the ticks after it.
    window: VecDeque<Option<(I, Option<ViewTime>)>>,
    /// Bit n: the tick n + 1 before `next` took something else than the player's own, which has not come
    /// since.
    substituted: u64,
    taken: ConsumedInputs<I>,
    missing_in_a_row: u32,
    has_started: bool,
}

#[derive(Clone, Debug)]
struct Stream<I> {
    policy: StreamPolicy,
    newest: Option<u32>,
    waiting: VecDeque<(I, Option<ViewTime>)>,
}

const _: () = assert!(MAX_INPUT_WINDOW_TICKS <= u64::BITS);
const _: () = assert!(MAX_STREAM_INPUTS >= 5 * 60);

impl TickSchedule {
    /// Microseconds from `time` to when `tick` takes its inputs; negative when that is over.
    #[must_use]
    pub fn lead_micros(&self, tick: Tick, time: Micros) -> i64 {
        let ticks = i64::from(tick.0) - i64::from(self.tick.0);
        let due = self.due.0 as i64 + ticks * self.period.0 as i64;
        due - time.0 as i64
    }
}

impl<I: Input> InputQueue<I> {
    /// An empty queue whose first tick is `next`. A policy beyond the limits is brought into them.
    #[must_use]
    pub fn new(policy: InputPolicy, next: Tick) -> InputQueue<I> {
        let waiting = match policy.within_limits() {
            InputPolicy::PerTick(policy) => Waiting::PerTick(PerTick {
                policy,
                next,
                window: VecDeque::new(),
                substituted: u64::MAX,
                taken: ConsumedInputs::new(policy),
                missing_in_a_row: 0,
                has_started: false,
            }),
            InputPolicy::Stream(policy) => {
                Waiting::Stream(Stream { policy, newest: None, waiting: VecDeque::new() })
            }
        };
        InputQueue { waiting, view: None, lead: None, counters: InputCounters::default() }
    }

    /// Takes in an input that came at `time`.
    pub fn handle_input(&mut self, sent: SentInput<I>, time: Micros, schedule: &TickSchedule) -> Arrival {
        let counters = &mut self.counters;
        let arrival = match (&mut self.waiting, sent.stamp) {
            (Waiting::PerTick(per_tick), InputStamp::Tick(tick)) => {
                let arrival = per_tick.handle(tick, sent.input, sent.view);
                if matches!(arrival, Arrival::Accepted | Arrival::Late) {
                    self.lead = Some(LeadSample { tick, micros: schedule.lead_micros(tick, time) });
                }
                counters.early += u64::from(arrival == Arrival::Accepted && tick > per_tick.next);
                arrival
            }
            (Waiting::Stream(stream), InputStamp::Sequence(sequence)) => {
                let (arrival, missing) = stream.handle(sequence, sent.input, sent.view);
                counters.missing += u64::from(missing);
                arrival
            }
            _ => Arrival::Rejected,
        };
        let counter = match arrival {
            Arrival::Accepted => &mut counters.accepted,
            Arrival::Late => &mut counters.late,
            Arrival::Duplicate => &mut counters.duplicate,
            Arrival::Rejected => &mut counters.rejected,
        };
        *counter += 1;
        arrival
    }

    /// Appends what `tick` takes to `inputs`: exactly one input per tick, or all of a stream that wait. The
    /// time spent is bounded by the policy.
    ///
    /// # Panics
    /// When ticks with one input each are not consecutive.
    pub fn consume(&mut self, tick: Tick, inputs: &mut Vec<I>) -> Consumption {
        match &mut self.waiting {
            Waiting::PerTick(per_tick) => {
                let (consumed, view, merged) = per_tick.consume(tick);
                self.view = view.or(self.view);
                self.counters.merged += u64::from(merged);
                self.counters.missing += u64::from(per_tick.has_started && consumed != Consumed::Own);
                inputs.push(per_tick.taken.before().clone());
                Consumption { consumed, merged: merged > 0, view: self.view }
            }
            Waiting::Stream(stream) => {
                for (input, view) in stream.waiting.drain(..) {
                    self.view = view.or(self.view);
                    inputs.push(input);
                }
                Consumption { consumed: Consumed::Own, merged: false, view: self.view }
            }
        }
    }

    /// Gives out how early the newest input came, once. Of a stream it is never known.
    pub fn poll_lead(&mut self) -> Option<LeadSample> {
        self.lead.take()
    }

    /// What became of the inputs so far.
    #[must_use]
    pub fn counters(&self) -> InputCounters {
        self.counters
    }

    /// What became of the inputs since this was asked before.
    pub fn drain_counters(&mut self) -> InputCounters {
        std::mem::take(&mut self.counters)
    }
}

impl<I: Input> PerTick<I> {
    fn handle(&mut self, tick: Tick, input: I, view: Option<ViewTime>) -> Arrival {
        let Some(ahead) = tick.since(self.next) else {
            return self.handle_late(tick, input);
        };
        if ahead >= self.policy.window_ticks {
            return Arrival::Rejected;
        }
        let place = ahead as usize;
        if self.window.len() <= place {
            self.window.resize_with(place + 1, || None);
        }
        if self.window[place].is_some() {
            // The first one counts, or a client could change its mind about what others were already told.
            return Arrival::Duplicate;
        }
        self.window[place] = Some((input, view));
        self.has_started = true;
        Arrival::Accepted
    }

    fn handle_late(&mut self, tick: Tick, input: I) -> Arrival {
        self.has_started = true;
        let age = self.next.since(tick).unwrap_or(0);
        if age > u64::BITS {
            return Arrival::Late;
        }
        let bit = 1_u64 << (age - 1);
        if self.substituted & bit == 0 {
            return Arrival::Duplicate;
        }
        self.substituted &= !bit;
        if age <= self.policy.merge_ticks {
            self.taken.handle_late(tick, input);
        }
        Arrival::Late
    }

    fn consume(&mut self, tick: Tick) -> (Consumed, Option<ViewTime>, u32) {
        assert_eq!(tick, self.next, "ticks are consecutive");
        let own = self.window.pop_front().flatten();
        self.missing_in_a_row = if own.is_some() { 0 } else { self.missing_in_a_row.saturating_add(1) };
        let consumed = match &own {
            Some(_) => Consumed::Own,
            None if self.has_started && self.missing_in_a_row <= self.policy.held_ticks => Consumed::Held,
            None => Consumed::Neutral,
        };
        let (own, view) = own.unzip();
        let waiting = self.taken.waiting(tick);
        self.taken
            .next(tick, consumed, own.as_ref())
            .expect("the player's own is only taken when it is there");
        let merged = if own.as_ref().is_some_and(|own| own != self.taken.before()) { waiting } else { 0 };
        self.next = tick.next();
        self.substituted = self.substituted << 1 | u64::from(consumed != Consumed::Own);
        (consumed, view.flatten(), merged)
    }
}

impl<I> Stream<I> {
    /// Takes in an input and says how many before it were left out.
    fn handle(&mut self, sequence: u32, input: I, view: Option<ViewTime>) -> (Arrival, u32) {
        let ahead = match self.newest {
            None => 1,
            Some(newest) => sequence.saturating_sub(newest),
        };
        if ahead == 0 {
            return (Arrival::Duplicate, 0);
        }
        self.newest = Some(sequence);
        if self.waiting.len() as u32 >= self.policy.capacity {
            return (Arrival::Rejected, ahead - 1);
        }
        self.waiting.push_back((input, view));
        (Arrival::Accepted, ahead - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_derive::Replicate;

    #[derive(Clone, Debug, Default, PartialEq, Replicate)]
    struct Keys {
        way: i8,
        jump: bool,
    }

    impl Input for Keys {
        fn held(&self) -> Keys {
            Keys { jump: false, ..*self }
        }

        fn merge_late(&mut self, late: &Keys) {
            self.jump |= late.jump;
        }
    }

    const POLICY: PerTickPolicy = PerTickPolicy { held_ticks: 2, merge_ticks: 3, window_ticks: 4 };
    const PERIOD: Micros = Micros(20_000);

    struct Bench {
        queue: InputQueue<Keys>,
        next: u32,
    }

    impl Bench {
        fn new(policy: InputPolicy) -> Bench {
            Bench { queue: InputQueue::new(policy, Tick(100)), next: 100 }
        }

        /// An input comes three milliseconds before the next tick is due.
        fn send(&mut self, stamp: InputStamp, way: i8, jump: bool) -> Arrival {
            let due = Micros(1_000_000);
            let schedule = TickSchedule { tick: Tick(self.next), due, period: PERIOD };
            let view = Some(ViewTime { tick: Tick(way as u32), fraction: 0 });
            let sent = SentInput { stamp, view, input: Keys { way, jump } };
            self.queue.handle_input(sent, Micros(due.0 - 3_000), &schedule)
        }

        fn at(&mut self, tick: u32, way: i8, jump: bool) -> Arrival {
            self.send(InputStamp::Tick(Tick(tick)), way, jump)
        }

        fn consume(&mut self) -> (Consumed, Vec<(i8, bool)>) {
            let mut inputs = Vec::new();
            let consumption = self.queue.consume(Tick(self.next), &mut inputs);
            self.next += 1;
            (consumption.consumed, inputs.into_iter().map(|keys| (keys.way, keys.jump)).collect())
        }
    }

    #[test]
    fn each_tick_takes_one_input_and_a_press_is_not_repeated() {
        let mut bench = Bench::new(InputPolicy::PerTick(POLICY));
        assert_eq!(bench.consume(), (Consumed::Neutral, vec![(0, false)]), "nobody is there yet");
        assert_eq!(bench.at(101, 5, true), Arrival::Accepted);
        assert_eq!(bench.at(102, 6, false), Arrival::Accepted);
        assert_eq!(bench.at(102, 7, false), Arrival::Duplicate, "the first one counts");
        assert_eq!(bench.at(105, 9, false), Arrival::Rejected, "beyond the window");
        assert_eq!(bench.consume(), (Consumed::Own, vec![(5, true)]));
        assert_eq!(bench.at(101, 5, true), Arrival::Duplicate, "its tick took it");
        assert_eq!(bench.consume(), (Consumed::Own, vec![(6, false)]));
        assert_eq!(bench.consume(), (Consumed::Held, vec![(6, false)]));
        assert_eq!(bench.consume(), (Consumed::Held, vec![(6, false)]));
        assert_eq!(bench.consume(), (Consumed::Neutral, vec![(0, false)]));
        let counters = bench.queue.counters();
        let expected = InputCounters {
            accepted: 2,
            early: 1,
            missing: 3,
            duplicate: 2,
            rejected: 1,
            ..InputCounters::default()
        };
        assert_eq!(counters, expected);
    }

    #[test]
    fn a_late_press_counts_once_and_not_for_ever() {
        let mut bench = Bench::new(InputPolicy::PerTick(POLICY));
        bench.at(100, 1, false);
        bench.consume();
        bench.consume();
        bench.consume();
        assert_eq!(bench.at(102, 2, false), Arrival::Late);
        assert_eq!(bench.at(101, 2, true), Arrival::Late);
        assert_eq!(bench.at(101, 2, true), Arrival::Duplicate, "a late input comes once");
        bench.at(103, 3, false);
        assert_eq!(bench.consume(), (Consumed::Own, vec![(3, true)]));
        bench.at(104, 4, false);
        assert_eq!(bench.consume(), (Consumed::Own, vec![(4, false)]));
        for _ in 105..110 {
            bench.consume();
        }
        assert_eq!(bench.at(105, 2, true), Arrival::Late);
        bench.at(110, 5, false);
        assert_eq!(bench.consume(), (Consumed::Own, vec![(5, false)]), "too late to be merged");
        assert_eq!(bench.at(3, 2, true), Arrival::Late, "long ago");
        assert_eq!((bench.queue.counters().late, bench.queue.counters().merged), (4, 2));
    }

    #[test]
    fn leads_are_measured_against_the_inputs_own_tick() {
        let mut bench = Bench::new(InputPolicy::PerTick(POLICY));
        bench.at(102, 1, false);
        let early = LeadSample { tick: Tick(102), micros: 43_000 };
        assert_eq!((bench.queue.poll_lead(), bench.queue.poll_lead()), (Some(early), None));
        bench.at(99, 1, false);
        assert_eq!(bench.queue.poll_lead(), Some(LeadSample { tick: Tick(99), micros: -17_000 }));
        bench.at(104, 1, false);
        assert_eq!(bench.queue.poll_lead(), None, "what is rejected says nothing about the clock");
    }

    #[test]
    fn a_stream_is_taken_whole_and_in_order() {
        let mut bench = Bench::new(InputPolicy::Stream(StreamPolicy { capacity: 3 }));
        let number = InputStamp::Sequence;
        assert_eq!(bench.send(number(7), 1, false), Arrival::Accepted, "it may begin anywhere");
        assert_eq!(bench.send(number(7), 1, false), Arrival::Duplicate);
        assert_eq!(bench.send(number(10), 2, true), Arrival::Accepted);
        assert_eq!(bench.send(number(9), 2, true), Arrival::Duplicate, "a later one was here");
        assert_eq!(bench.send(InputStamp::Tick(Tick(100)), 2, true), Arrival::Rejected, "the other policy's");
        assert_eq!(bench.send(number(11), 3, false), Arrival::Accepted);
        assert_eq!(bench.send(number(12), 4, false), Arrival::Rejected, "full");
        assert_eq!(bench.consume(), (Consumed::Own, vec![(1, false), (2, true), (3, false)]));
        assert_eq!(bench.consume(), (Consumed::Own, vec![]));
        assert_eq!(bench.send(number(13), 5, false), Arrival::Accepted);
        let expected =
            InputCounters { accepted: 4, missing: 2, duplicate: 2, rejected: 2, ..InputCounters::default() };
        assert_eq!(bench.queue.counters(), expected);
        assert_eq!(bench.queue.poll_lead(), None);
    }

    #[test]
    fn the_view_is_that_of_the_newest_input_taken() {
        let mut bench = Bench::new(InputPolicy::PerTick(POLICY));
        let view = |bench: &mut Bench| {
            let consumption = bench.queue.consume(Tick(bench.next), &mut Vec::new());
            bench.next += 1;
            consumption.view.map(|view| view.tick.0)
        };
        assert_eq!(view(&mut bench), None);
        bench.at(101, 77, false);
        assert_eq!([view(&mut bench), view(&mut bench)], [Some(77), Some(77)]);
    }
}
