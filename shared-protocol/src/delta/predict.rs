//! What the next value of a field is expected to be, in integers: the same on every machine.

use super::model::level;
use super::plan::SegmentPlan;
use super::segment::{SUBSTEPS, nearest_step};
use super::transcode::Between;
use crate::time::Tick;

/// The expectation for one field. It is small on purpose: an entity has one per field on the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forecast {
    /// What is expected of each lane. Of a rotation: of the small components beside `largest`.
    lanes: [Expected; 3],
    /// The level of the distance that the field is expected to have moved since the newer baseline.
    pub(crate) activity: u32,
    /// The index of a rotation's largest component, as expected.
    pub(crate) largest: u32,
}

/// What is expected of a lane. The two numbers stand side by side for each lane, so that they are loaded as
/// they were stored: a load of several that were stored one by one waits until those are in the cache.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    /// The lane, inside the range. To a writer: the residual of the known lane.
    lane: i32,
    /// All bits set if it moves towards smaller values, else none.
    backwards: i32,
}

/// What a forecast is of: a field's first lane, whether two baselines are extrapolated, those, and to a
/// writer the state that is to be told.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) first: usize,
    pub(crate) linear: bool,
    pub(crate) between: &'a Between<'a>,
    pub(crate) known: Option<&'a [i32]>,
}

/// Works out what is expected of a field. A writer compares it with the state at once and keeps the
/// residuals; what these functions return are the mask bits that it sets. To a reader they are zero.
impl Forecast {
    /// Lanes between two baselines.
    #[inline(always)]
    pub(crate) fn fill_lanes<const LANES: usize>(&mut self, max: &[i32; 3], subject: Subject<'_>) -> u64 {
        let Subject { first, linear, between, known } = subject;
        let newer: [i32; LANES] = part(between.newer, first);
        let older: [i32; LANES] = part(between.older, first);
        let (mut expected, mut backwards) = ([0; LANES], [0; LANES]);
        let follows = if linear { !0 } else { 0 };
        let mut way = 0;
        for lane in 0..LANES {
            let newer = i64::from(newer[lane]);
            let moved = extrapolated(newer - i64::from(older[lane]), between.form.lead());
            expected[lane] = newer + (moved & follows);
            backwards[lane] = (moved >> 63) as i32;
            way += moved.unsigned_abs();
        }
        self.activity = level(way);
        // Negative ones are larger than any lane without their sign.
        let is_inside = (0..LANES).all(|lane| expected[lane] as u64 <= max[lane] as u64);
        let expected = if is_inside { expected.map(|lane| lane as i32) } else { held(expected, max) };
        self.compare(expected, backwards, known.map(|lanes| part(lanes, first)))
    }

    /// A lane that wraps around.
    #[inline]
    pub(crate) fn fill_turn(&mut self, steps: i32, subject: Subject<'_>) -> u64 {
        let Subject { first, linear, between, known } = subject;
        let newer = between.newer[first];
        let gap = shortest_way(newer - between.older[first], steps);
        let moved = extrapolated(i64::from(gap), between.form.lead());
        let value = i64::from(newer) + if linear { moved } else { 0 };
        let expected = value.rem_euclid(i64::from(steps)) as i32;
        self.activity = level(moved.unsigned_abs());
        let known = known.map(|lanes| [expected + shortest_way(lanes[first] - expected, steps)]);
        self.compare([expected], [(moved >> 63) as i32], known)
    }

    /// A rotation.
    #[inline(always)]
    pub(crate) fn fill_rotation(&mut self, max: i32, subject: Subject<'_>) -> u64 {
        let Subject { first, linear, between, known } = subject;
        let newer: [i32; 4] = part(between.newer, first);
        let older: [i32; 4] = part(between.older, first);
        let lanes = known;
        let known: Option<[i32; 4]> = known.map(|lanes| part(lanes, first));
        let index = newer[0] & 3;
        if older[0] & 3 != index || known.is_some_and(|known| known[0] & 3 != index) {
            return self.fill_rotation_beside(None, max, first, linear, between, lanes);
        }
        // Nearly always the component that was the largest still is, and will be: then the others are in
        // their order and of the right sign, and can be reckoned with as lanes, two of the metric's steps
        // each.
        let trust = between.form.rotation_lead();
        let follows = if linear { !0 } else { 0 };
        let (one, other) = (components(newer, max), components(older, max));
        let max = i64::from(max);
        let moved: [i64; 4] = std::array::from_fn(|place| extrapolated(one[place] - other[place], trust));
        let way = moved.iter().map(|moved| moved.unsigned_abs() / 2).sum();
        let largest = one[0] + (moved[0] & follows);
        let ahead = [1, 2, 3].map(|place| one[place] + (moved[place] & follows));
        let [a, b, c] = ahead.map(i64::abs);
        let reach = a.max(b).max(c);
        let far = is_far(way, max, between.form.rotation_reach());
        if reach >= largest || reach > max || (far && is_opposite(max, first, between)) {
            return self.fill_rotation_beside(None, max as i32, first, linear, between, lanes);
        }
        self.activity = level(way);
        self.largest = index as u32;
        // A lane has 15 bits, and all of this fits 32.
        let expected = ahead.map(|ahead| (ahead as i32 + max as i32) >> 1);
        let backwards = [1, 2, 3].map(|place: usize| moved[place] as i32 >> 31);
        self.compare(expected, backwards, known.map(|[_, a, b, c]| [a, b, c]))
    }

    /// A rotation whose largest component is another one than it was: the given one, or to a writer that of
    /// the state, or else the expected one. The parts of its subject come one by one: put together they
    /// would be so in memory, for each rotation that does not come here.
    #[cold]
    pub(crate) fn fill_rotation_beside(
        &mut self,
        largest: Option<u32>,
        max: i32,
        first: usize,
        linear: bool,
        between: &Between<'_>,
        known: Option<&[i32]>,
    ) -> u64 {
        let subject = Subject { first, linear, between, known };
        let course = Course::of(max, subject);
        self.activity = rotation_activity(&course.moved);
        self.largest = course.expected_largest();
        let known = subject.known.map(|lanes| part::<4>(lanes, subject.first));
        let largest = known.map(|known| known[0] as u32 & 3).or(largest).unwrap_or(self.largest);
        let [first, components @ ..] = reordered(course.expected, course.index, largest as usize);
        let [_, moved @ ..] = reordered(course.moved, course.index, largest as usize);
        // The sign is the one that makes the largest component positive.
        let flip = first >> 63;
        let lane = |component: i64| ((component ^ flip) - flip + i64::from(max)) >> 1;
        let expected = components.map(|component| lane(component).clamp(0, i64::from(max)) as i32);
        let backwards = moved.map(|moved| ((moved >> 63) ^ flip) as i32);
        self.compare(expected, backwards, known.map(|[_, a, b, c]| [a, b, c]))
            | u64::from(largest != self.largest) << 1
    }

    /// Keeps what is expected, or its residuals to known lanes. Returns one if any of those is not as
    /// expected, else zero.
    #[inline(always)]
    fn compare<const LANES: usize>(
        &mut self,
        expected: [i32; LANES],
        backwards: [i32; LANES],
        known: Option<[i32; LANES]>,
    ) -> u64 {
        let Some(known) = known else {
            for lane in 0..LANES {
                self.lanes[lane] = Expected { lane: expected[lane], backwards: backwards[lane] };
            }
            return 0;
        };
        let mut any = 0;
        for lane in 0..LANES {
            let residual = oriented(known[lane] - expected[lane], backwards[lane]);
            self.lanes[lane].lane = residual;
            any |= residual;
        }
        u64::from(any != 0)
    }

    /// The first lanes as expected. To a writer: their residuals.
    #[inline(always)]
    pub(crate) fn lanes<const LANES: usize>(&self) -> [i32; LANES] {
        std::array::from_fn(|lane| self.lanes[lane].lane)
    }

    /// The lane that a residual leads to.
    #[inline(always)]
    pub(crate) fn lane_at(&self, lane: usize, residual: i32) -> i32 {
        let Expected { lane, backwards } = self.lanes[lane];
        lane + oriented(residual, backwards)
    }
}

/// Lanes that are held inside their range.
#[cold]
fn held<const LANES: usize>(lanes: [i64; LANES], max: &[i32; 3]) -> [i32; LANES] {
    std::array::from_fn(|lane| lanes[lane].clamp(0, i64::from(max[lane])) as i32)
}

/// A residual seen along the direction of its lane's movement, and back: the same operation. Things slow down
/// more often than they speed up, and a code can make use of that only if it knows which is which.
#[inline]
fn oriented(residual: i32, backwards: i32) -> i32 {
    (residual ^ backwards) - backwards
}

/// Where a rotation is about to go.
///
/// Quaternions are extrapolated by component, in the metric of the grid: `2 · lane − max`, in which a unit
/// quaternion has the length `√2 · max`. Over the few ticks between baselines that is as good as turning on
/// about the same axis, and needs no trigonometry.
///
/// The components are in the order of the newer baseline's lanes: first the one that is its largest, then the
/// others. In that order they need not be sorted by an index that no processor can foresee.
struct Course {
    /// Which component is the first one.
    index: usize,
    /// The expected components.
    expected: [i64; 4],
    /// How far each of them is expected to have moved.
    moved: [i64; 4],
}

impl Course {
    fn of(max: i32, subject: Subject<'_>) -> Course {
        let Subject { first, linear, between, .. } = subject;
        let lanes: [i32; 4] = part(between.newer, first);
        let index = lanes[0] as usize & 3;
        let newer = components(lanes, max);
        let older: [i32; 4] = part(between.older, first);
        let mut older = reordered(components(older, max), older[0] as usize & 3, index);
        // A quaternion and its negative are one rotation; the closer one of the two is meant.
        let dot: i64 = (0..4).map(|place| newer[place] * older[place]).sum();
        if dot < 0 {
            older = older.map(|component| -component);
        }
        let trust = between.form.rotation_lead();
        let moved = std::array::from_fn(|place| extrapolated(newer[place] - older[place], trust));
        let expected = if linear { std::array::from_fn(|place| newer[place] + moved[place]) } else { newer };
        Course { index, expected, moved }
    }

    /// The index of the largest component as expected; the first of equal ones.
    fn expected_largest(&self) -> u32 {
        let sizes = in_place(self.expected, self.index).map(i64::abs);
        (1..4).fold(0, |largest, index| if sizes[index] > sizes[largest] { index } else { largest }) as u32
    }
}

/// Whether a rotation went so far between its baselines that the closer one of the older one and its negative
/// must be found out. `way` is the sum of the halves of what is expected of its components, `reach` how much
/// of their way between the baselines that is.
///
/// Two rotations of which `Δ` is the difference have the product `(|p|² + |q|² − |Δ|²) / 2`. With a rounded
/// root each square is at least `2 max² − 3 max`, so that a product of less than zero takes a `Δ` longer than
/// `max` (it has two bits at least); and the sum of its components is no shorter.
#[inline]
fn is_far(way: u64, max: i64, reach: i64) -> bool {
    // Each component of the way was rounded twice.
    (2 * way as i64 + 6) << 16 > reach * max
}

/// Whether the negative of the older rotation is closer to the newer one.
#[cold]
fn is_opposite(max: i64, first: usize, between: &Between<'_>) -> bool {
    let [one, other] = [between.newer, between.older].map(|row| components(part(row, first), max as i32));
    (0..4).map(|place| one[place] * other[place]).sum::<i64>() < 0
}

/// The level of the way of a rotation. The grid's metric is twice as fine as its lanes.
#[inline(always)]
fn rotation_activity(moved: &[i64; 4]) -> u32 {
    level(moved.iter().map(|moved| moved.unsigned_abs() / 2).sum())
}

/// The components of the rotation in four lanes, the largest first, in the metric of the grid. A lane has 15
/// bits at most, so that the squares fit.
#[inline(always)]
fn components([_, a, b, c]: [i32; 4], max: i32) -> [i64; 4] {
    let max = i64::from(max);
    let [a, b, c] = [a, b, c].map(|lane| i64::from(lane) * 2 - max);
    [whole_root(2 * max * max - a * a - b * b - c * c), a, b, c]
}

/// The whole square root of a number of up to 31 bits, and zero for negative ones.
#[inline(always)]
fn whole_root(number: i64) -> i64 {
    let root = f64::from(number.max(0) as i32).sqrt();
    // The floor, without a conversion that must ask whether the number is one. Adding 1.5 · 2^52 rounds to
    // the nearest whole number, which then stands in the lowest bits. A root that is not whole itself lies
    // at least 2^-17 below the next whole number, so that a little less than a half may be taken off before.
    let below = root - (0.5 - 1.0 / 524_288.0);
    i64::from((below + 6_755_399_441_055_744.0).to_bits() as u32)
}

/// Components of which the one at `index` stands first, in the order of their places.
fn in_place([largest, a, b, c]: [i64; 4], index: usize) -> [i64; 4] {
    match index {
        0 => [largest, a, b, c],
        1 => [a, largest, b, c],
        2 => [a, b, largest, c],
        _ => [a, b, c, largest],
    }
}

/// Components of which the one at `from` stands first, so that the one at `to` does.
#[cold]
fn reordered(components: [i64; 4], from: usize, to: usize) -> [i64; 4] {
    let [x, y, z, w] = in_place(components, from);
    match to {
        0 => [x, y, z, w],
        1 => [y, x, z, w],
        2 => [z, x, y, w],
        _ => [w, x, y, z],
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
fn extrapolated(gap: i64, lead: i64) -> i64 {
    (gap * lead + (1 << 15)) >> 16
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_roots_are_whole_up_to_the_largest_rotation() {
        for root in 1..=46_340 {
            let square = root * root;
            assert_eq!([square - 1, square, square + 1].map(whole_root), [root - 1, root, root]);
        }
        assert_eq!([i64::from(i32::MIN), -1, 0, i64::from(i32::MAX)].map(whole_root), [0, 0, 0, 46_340]);
    }
}
