//! What the next value of a field is expected to be, in integers: the same on every machine.

use super::model::level;
use super::plan::{FieldPlan, SegmentPlan, Shape};
use super::segment::{SUBSTEPS, nearest_step};
use super::transcode::Between;
use crate::time::Tick;

/// The expectation for one field. It is small on purpose: an entity has one per field on the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forecast {
    /// The expected lanes, inside the range. Of a rotation: the small components beside `largest`.
    pub(crate) lanes: [i32; 3],
    /// Per lane, a bit: whether it moves towards smaller values.
    pub(crate) backwards: u8,
    /// The level of the distance that the field is expected to have moved since the newer baseline.
    pub(crate) activity: u8,
    /// The index of a rotation's largest component, as expected or as coded.
    pub(crate) largest: u8,
    /// Per component of a rotation, a bit: whether it moves towards smaller values.
    falling: u8,
    /// The expected components of a rotation, in the metric of its grid.
    components: [i32; 4],
}

/// The part of a rotation's movement that is extrapolated, in sixteenths. The differences of small components are half
/// rounding; trusting them whole would add more noise than it removes.
const ROTATION_TRUST: i64 = 13;

impl Forecast {
    /// Works out what is expected of a field between two baselines. Of segments nothing is: they are compared as a
    /// whole. The forecast is filled in place, and is all zero before.
    #[inline]
    pub(crate) fn fill(&mut self, field: &FieldPlan, between: &Between<'_>) {
        match &field.shape {
            Shape::Flip | Shape::Symbol { .. } | Shape::Segment(_) => {}
            // The number of lanes is a constant in each, so that the loops unroll.
            Shape::Lanes { max, count: 1, linear } => self.fill_lanes::<1>(field.first, max, *linear, between),
            Shape::Lanes { max, count: 2, linear } => self.fill_lanes::<2>(field.first, max, *linear, between),
            Shape::Lanes { max, linear, .. } => self.fill_lanes::<3>(field.first, max, *linear, between),
            Shape::Turn { steps, linear } => self.fill_turn(field.first, *steps, *linear, between),
            Shape::Quat { max, linear } => self.fill_rotation(field.first, *max, *linear, between),
        }
    }

    #[inline]
    fn fill_lanes<const LANES: usize>(
        &mut self,
        first: usize,
        max: &[i32; 3],
        linear: bool,
        between: &Between<'_>,
    ) {
        let newer = &between.newer[first..first + LANES];
        let older = &between.older[first..first + LANES];
        let mut way = 0;
        for lane in 0..LANES {
            let moved = extrapolated(newer[lane] - older[lane], between.form.lead());
            let value = i64::from(newer[lane]) + if linear { moved } else { 0 };
            self.lanes[lane] = value.clamp(0, i64::from(max[lane])) as i32;
            self.backwards |= u8::from(moved < 0) << lane;
            way += moved.unsigned_abs();
        }
        self.activity = level(way) as u8;
    }

    #[inline]
    fn fill_turn(&mut self, first: usize, steps: i32, linear: bool, between: &Between<'_>) {
        let newer = between.newer[first];
        let gap = shortest_way(newer - between.older[first], steps);
        let moved = extrapolated(gap, between.form.lead());
        let value = i64::from(newer) + if linear { moved } else { 0 };
        self.lanes[0] = value.rem_euclid(i64::from(steps)) as i32;
        self.backwards = u8::from(moved < 0);
        self.activity = level(moved.unsigned_abs()) as u8;
    }

    /// Quaternions are extrapolated by component, in the metric of the grid: `2 · lane − max`, in which a unit
    /// quaternion has the length `√2 · max`. Over the few ticks between baselines that is as good as turning on about
    /// the same axis, and needs no trigonometry.
    #[inline]
    fn fill_rotation(&mut self, first: usize, max: i32, linear: bool, between: &Between<'_>) {
        let mut expected = components(&between.newer[first..first + 4], max);
        let lead = between.form.lead();
        if lead > 0 {
            let older = components(&between.older[first..first + 4], max);
            // A quaternion and its negative are one rotation; the closer one of the two is meant.
            let dot: i64 = expected.iter().zip(&older).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
            let sign = if dot < 0 { -1 } else { 1 };
            let trust = (lead * ROTATION_TRUST) >> 4;
            let moved = [0, 1, 2, 3]
                .map(|index| extrapolated(expected[index] - sign * older[index], trust) as i32);
            let mut way = 0;
            for index in 0..4 {
                self.falling |= u8::from(moved[index] < 0) << index;
                // The grid's metric is twice as fine as its lanes.
                way += moved[index].unsigned_abs() / 2;
                if linear {
                    expected[index] += moved[index];
                }
            }
            self.activity = level(u64::from(way)) as u8;
        }
        let mut largest = (0, expected[0].abs());
        for (index, component) in expected.iter().enumerate().skip(1) {
            if component.abs() > largest.1 {
                largest = (index, component.abs());
            }
        }
        self.components = expected;
        self.turn_to(largest.0, max);
    }

    /// Sets the largest component of a rotation, and what is expected of the small ones beside it.
    #[inline]
    pub(crate) fn turn_to(&mut self, largest: usize, max: i32) {
        // The sign is the one that makes the largest component positive.
        let negative = self.components[largest & 3] < 0;
        let flip = if negative { -1 } else { 0 };
        let [x, y, z, w] = self.components;
        let small = [
            if largest == 0 { y } else { x },
            if largest <= 1 { z } else { y },
            if largest <= 2 { w } else { z },
        ];
        self.lanes = small.map(|component| (((component ^ flip) - flip + max) >> 1).clamp(0, max));
        // The bits above the largest component's move down over it.
        let below = (1 << largest) - 1;
        let falling = (self.falling & below) | (self.falling >> 1 & !below);
        self.backwards = (falling ^ flip as u8) & 7;
        self.largest = largest as u8;
    }

    /// A residual seen along the direction of its lane's movement, and back: the same operation. Things slow down more
    /// often than they speed up, and a code can make use of that only if it knows which is which.
    #[inline]
    pub(crate) fn oriented(&self, lane: usize, residual: i32) -> i32 {
        if self.backwards >> lane & 1 == 1 { -residual } else { residual }
    }
}

/// How far a lane moves in `lead` gaps (16 binary places) that moved by `gap` in one, rounded to the nearest, half up.
#[inline]
fn extrapolated(gap: i32, lead: i64) -> i64 {
    (i64::from(gap) * lead + (1 << 15)) >> 16
}

/// The difference of two lanes that wrap around, the short way: in `−steps/2 ..= steps/2`.
#[inline]
pub(crate) fn shortest_way(difference: i32, steps: i32) -> i32 {
    let way = difference % steps;
    if way > steps / 2 {
        way - steps
    } else if way < -(steps / 2) {
        way + steps
    } else {
        way
    }
}

/// The quaternion of four lanes in the metric of the grid.
#[inline]
fn components(lanes: &[i32], max: i32) -> [i32; 4] {
    let [a, b, c] = [1, 2, 3].map(|lane| lanes[lane] * 2 - max);
    let square = |component: i32| i64::from(component) * i64::from(component);
    let rest = 2 * square(max) - square(a) - square(b) - square(c);
    // IEEE square roots of whole numbers below 2^52 are exact enough that the floor is the whole root.
    let largest = if rest > 0 { (rest as f64).sqrt() as i32 } else { 0 };
    // Selections rather than a jump on the index, which no processor can foresee.
    let index = lanes[0];
    let pick = |place: i32, below: i32, above: i32| if index < place { below } else { above };
    [
        if index == 0 { largest } else { a },
        if index == 1 { largest } else { pick(1, a, b) },
        if index == 2 { largest } else { pick(2, b, c) },
        if index == 3 { largest } else { c },
    ]
}

/// Where the segment in `lanes` is at `tick`, on the grid and inside the range. With `then`, it goes on for one more
/// tick with the velocity in those lanes.
pub(crate) fn segment_value(
    segment: &SegmentPlan,
    first: usize,
    lanes: &[i32],
    tick: Tick,
    then: Option<&[i32]>,
) -> [i32; 3] {
    let mut value = [0; 3];
    for axis in 0..segment.axes {
        let mut substeps = segment_substeps(segment, first, lanes, tick, axis);
        if let Some(next) = then {
            let velocity = next[segment.velocity + axis] - segment.still[axis];
            substeps += segment.rate[axis].substeps(velocity, 1);
        }
        let step = nearest_step(substeps);
        let max = i64::from(segment.max[axis]);
        value[axis] = if segment.wraps { step.rem_euclid(max + 1) } else { step.clamp(0, max) } as i32;
    }
    value
}

/// Where an axis of the segment in `lanes` is at `tick`, in substeps and unbounded.
#[inline]
pub(crate) fn segment_substeps(
    segment: &SegmentPlan,
    first: usize,
    lanes: &[i32],
    tick: Tick,
    axis: usize,
) -> i64 {
    let velocity = lanes[segment.velocity + axis] - segment.still[axis];
    let ticks = tick.since(Tick(lanes[segment.anchor] as u32)).unwrap_or(0);
    i64::from(lanes[first + axis]) * SUBSTEPS + segment.rate[axis].substeps(velocity, ticks)
}
