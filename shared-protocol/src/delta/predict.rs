//! What the next value of a field is expected to be, in integers: the same on every machine.

use super::model::level;
use super::plan::SegmentPlan;
use super::segment::{SUBSTEPS, nearest_step};
use super::transcode::Between;
use crate::time::Tick;

/// The expectation for one field. It is small on purpose: an entity has one per field on the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forecast {
    /// The expected lanes, inside the range. Of a rotation: the small components beside `largest`.
    pub(crate) lanes: [i32; 3],
    /// Per lane: all bits set if it moves towards smaller values, else none.
    backwards: [i32; 3],
    /// The level of the distance that the field is expected to have moved since the newer baseline.
    pub(crate) activity: u8,
    /// The index of a rotation's largest component, as expected.
    pub(crate) largest: u8,
    /// The expected components of a rotation, in the metric of its grid.
    components: [i32; 4],
    /// How far each of them is expected to have moved.
    moved: [i32; 4],
}

/// The part of a rotation's movement that is extrapolated, in sixteenths. The differences of small components
/// are half rounding; trusting them whole would add more noise than it removes.
const ROTATION_TRUST: i64 = 13;

impl Forecast {
    /// Works out what is expected of lanes between two baselines. The forecast is filled in place, and is all
    /// zero before.
    #[inline]
    pub(crate) fn fill_lanes<const LANES: usize>(
        &mut self,
        first: usize,
        max: &[i32; 3],
        linear: bool,
        between: &Between<'_>,
    ) {
        let newer: [i32; LANES] = part(between.newer, first);
        let older: [i32; LANES] = part(between.older, first);
        let mut way = 0;
        for lane in 0..LANES {
            let moved = extrapolated(newer[lane] - older[lane], between.form.lead());
            let value = i64::from(newer[lane]) + if linear { moved } else { 0 };
            self.lanes[lane] = value.clamp(0, i64::from(max[lane])) as i32;
            self.backwards[lane] = (moved >> 63) as i32;
            way += moved.unsigned_abs();
        }
        self.activity = level(way) as u8;
    }

    /// Works out what is expected of a lane that wraps around.
    #[inline]
    pub(crate) fn fill_turn(&mut self, first: usize, steps: i32, linear: bool, between: &Between<'_>) {
        let newer = between.newer[first];
        let gap = shortest_way(newer - between.older[first], steps);
        let moved = extrapolated(gap, between.form.lead());
        let value = i64::from(newer) + if linear { moved } else { 0 };
        self.lanes[0] = value.rem_euclid(i64::from(steps)) as i32;
        self.backwards[0] = (moved >> 63) as i32;
        self.activity = level(moved.unsigned_abs()) as u8;
    }

    /// Works out the expected components of a rotation and which is the largest. [`Forecast::turn_to`] sets
    /// the lanes, when it is known which one is the largest in truth.
    ///
    /// Quaternions are extrapolated by component, in the metric of the grid: `2 · lane − max`, in which a
    /// unit quaternion has the length `√2 · max`. Over the few ticks between baselines that is as good as
    /// turning on about the same axis, and needs no trigonometry.
    #[inline]
    pub(crate) fn fill_rotation(&mut self, first: usize, max: i32, linear: bool, between: &Between<'_>) {
        let mut expected = components(part(between.newer, first), max);
        let lead = between.form.lead();
        if lead > 0 {
            let older = components(part(between.older, first), max);
            // A quaternion and its negative are one rotation; the closer one of the two is meant.
            let dot: i64 = (0..4).map(|index| i64::from(expected[index]) * i64::from(older[index])).sum();
            let opposite = (dot >> 63) as i32;
            let trust = (lead * ROTATION_TRUST) >> 4;
            let mut way = 0;
            for index in 0..4 {
                let older = (older[index] ^ opposite) - opposite;
                let moved = extrapolated(expected[index] - older, trust) as i32;
                self.moved[index] = moved;
                // The grid's metric is twice as fine as its lanes.
                way += moved.unsigned_abs() / 2;
                expected[index] += if linear { moved } else { 0 };
            }
            self.activity = level(u64::from(way)) as u8;
        }
        // The first of the largest, without a jump: the components' order is as good as random.
        let rank = |index: usize| expected[index].abs() << 2 | (3 - index as i32);
        let largest = rank(0).max(rank(1)).max(rank(2).max(rank(3)));
        self.largest = 3 - (largest & 3) as u8;
        self.components = expected;
    }

    /// Sets what is expected of the small components of a rotation beside its largest one.
    #[inline]
    pub(crate) fn turn_to(&mut self, largest: usize, max: i32) {
        // The sign is the one that makes the largest component positive.
        let flip = self.components[largest & 3] >> 31;
        let small = |[x, y, z, w]: [i32; 4]| {
            [
                if largest == 0 { y } else { x },
                if largest <= 1 { z } else { y },
                if largest <= 2 { w } else { z },
            ]
        };
        self.lanes =
            small(self.components).map(|component| (((component ^ flip) - flip + max) >> 1).clamp(0, max));
        self.backwards = small(self.moved).map(|moved| (moved >> 31) ^ flip);
    }

    /// A residual seen along the direction of its lane's movement, and back: the same operation. Things slow
    /// down more often than they speed up, and a code can make use of that only if it knows which is which.
    #[inline]
    pub(crate) fn oriented(&self, lane: usize, residual: i32) -> i32 {
        (residual ^ self.backwards[lane]) - self.backwards[lane]
    }
}

/// The lanes of a row from `first` on.
#[inline]
pub(crate) fn part<const LANES: usize>(row: &[i32], first: usize) -> [i32; LANES] {
    row[first..first + LANES].try_into().expect("the slice has as many lanes as the array")
}

/// How far a lane moves in `lead` gaps (16 binary places) that moved by `gap` in one, rounded to the nearest,
/// half up.
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

/// The quaternion of four lanes in the metric of the grid. A lane has 15 bits at most, so that the squares
/// fit.
#[inline]
fn components([index, a, b, c]: [i32; 4], max: i32) -> [i32; 4] {
    let [a, b, c] = [a, b, c].map(|lane| lane * 2 - max);
    let rest = 2 * max * max - a * a - b * b - c * c;
    // IEEE square roots of whole numbers below 2^52 are exact enough that the floor is the whole root.
    let largest = f64::from(rest.max(0)).sqrt() as i32;
    // Selections rather than a jump on the index, which no processor can foresee.
    let pick = |place: i32, below: i32, above: i32| if index < place { below } else { above };
    [
        if index == 0 { largest } else { a },
        if index == 1 { largest } else { pick(1, a, b) },
        if index == 2 { largest } else { pick(2, b, c) },
        if index == 3 { largest } else { c },
    ]
}

/// Where the segment in `lanes` is at `tick`, on the grid and inside the range. With `then`, it goes on for
/// one more tick with the velocity in those lanes.
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
