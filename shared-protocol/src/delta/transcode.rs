//! The layout of one entity's delta: which symbols, in which order, in which contexts.
//!
//! It is written once, for three coders: one that writes bits, one that reads them, one that counts symbols for
//! training. A coder is given the symbol that a writer would write and returns the symbol that is meant, so that the
//! code below cannot differ between the two ends.
//!
//! An entity is: the change mask in symbols of up to six bits; then, for each changed field, its residuals. The context
//! of a residual is the form of the delta, the field's *activity* (how far the two baselines say that it was about to
//! move) and the *energy* of the residuals just coded in this entity: what moves violently does so in all its parts.

use super::codec::DeltaError;
use super::form::BaselineForm;
use super::model::{LEVELS, MASK_BITS, level};
use super::plan::{FieldPlan, KindPlan, SegmentPlan, Shape, anchor_age_bits, residual_context};
use super::predict::{Forecast, segment_value, shortest_way};
use crate::limits::MAX_ANCHOR_AGE;
use crate::time::Tick;

/// One end of the coding.
pub(crate) trait Coder {
    /// What can go wrong: nothing for a writer.
    type Error;

    /// Whether the lanes hold the state before coding, as they do for a writer.
    const KNOWS: bool;

    /// Codes a symbol of a model in a context.
    fn symbol(&mut self, model: usize, context: usize, symbol: u32) -> Result<u32, Self::Error>;

    /// Codes the residuals of a model, one lane after the other; `context` is that of the first with no energy.
    fn residuals(
        &mut self,
        model: usize,
        context: usize,
        energy: &mut Energy,
        residuals: &mut [i32],
    ) -> Result<(), Self::Error>;

    /// Codes the low `bits` bits of a value as they are.
    fn raw(&mut self, value: u32, bits: u32) -> Result<u32, Self::Error>;

    /// Refuses what only bits from outside can say.
    fn require(&self, holds: bool, error: DeltaError) -> Result<(), Self::Error>;
}

/// The states that an entity's delta lies between. An entering entity has its kind's defaults for both baselines; with
/// one baseline both are that one.
pub(crate) struct Between<'a> {
    pub(crate) form: &'a BaselineForm,
    pub(crate) newer: &'a [i32],
    pub(crate) older: &'a [i32],
}

/// Codes one entity. A writer's `lanes` hold the state and keep it; a reader's receive it. There is room for `FIELDS`
/// fields: most kinds have few, and clearing room for the most would take longer than coding one of them.
#[inline]
pub(crate) fn transcode<C: Coder, const FIELDS: usize>(
    coder: &mut C,
    plan: &KindPlan,
    between: &Between<'_>,
    lanes: &mut [i32],
) -> Result<(), C::Error> {
    let mut forecasts = [Forecast::default(); FIELDS];
    let mut wanted = 0u64;
    let mut busiest = 0;
    for (field, forecast) in plan.fields.iter().zip(&mut forecasts) {
        forecast.fill(field, between);
        if C::KNOWS {
            wanted |= changed_bits(field, forecast, between, lanes) << field.bit;
        }
        busiest = busiest.max(usize::from(forecast.activity));
    }
    let mask = transcode_mask(coder, plan, between.form.context() * LEVELS + busiest, wanted)?;
    let mut energy = Energy::default();
    for (field, forecast) in plan.fields.iter().zip(&mut forecasts) {
        let bits = mask >> field.bit;
        let mut part = FieldCoder { coder: &mut *coder, field, form: between.form.context(), energy: &mut energy };
        match &field.shape {
            Shape::Flip => lanes[field.first] = between.newer[field.first] ^ (bits & 1) as i32,
            Shape::Symbol { values, by_old } => {
                part.symbol(bits & 1 == 1, *values, *by_old, between.newer[field.first], lanes)?;
            }
            Shape::Lanes { max, count, .. } => {
                part.lanes(bits, &max[..*count], forecast, &mut lanes[field.first..field.first + count])?;
            }
            Shape::Turn { steps, .. } => part.turn(bits, *steps, forecast, &mut lanes[field.first])?,
            Shape::Quat { max, .. } => part.quat(bits, *max, forecast, lanes)?,
            Shape::Segment(segment) => part.segment(bits, segment, between, lanes)?,
        }
    }
    Ok(())
}

/// Which of a field's mask bits a writer sets.
#[inline]
fn changed_bits(field: &FieldPlan, forecast: &Forecast, between: &Between<'_>, lanes: &[i32]) -> u64 {
    let first = field.first;
    match &field.shape {
        Shape::Flip | Shape::Symbol { .. } => u64::from(lanes[first] != between.newer[first]),
        Shape::Lanes { count, .. } => {
            let pairs = lanes[first..first + count].iter().zip(&forecast.lanes);
            u64::from(pairs.fold(0, |sum, (lane, expected)| sum | (lane ^ expected)) != 0)
        }
        Shape::Turn { .. } => u64::from(lanes[first] != forecast.lanes[0]),
        Shape::Quat { max, .. } => {
            let largest = lanes[first] as usize & 3;
            let expected = usize::from(forecast.largest);
            let mut turned = *forecast;
            if largest != expected {
                turned.turn_to(largest, *max);
            }
            let small = lanes[first + 1..first + 4].iter().zip(&turned.lanes);
            let off = small.fold(0, |sum, (lane, expected)| sum | (lane ^ expected));
            u64::from(off != 0) | u64::from(largest != expected) << 1
        }
        Shape::Segment(segment) => segment_bits(field, segment, between, lanes),
    }
}

fn segment_bits(field: &FieldPlan, segment: &SegmentPlan, between: &Between<'_>, lanes: &[i32]) -> u64 {
    let position = field.first..field.first + segment.axes;
    let velocity = segment.velocity..segment.velocity + segment.axes;
    let turned = lanes[velocity.clone()] != between.newer[velocity];
    let anchored = lanes[segment.anchor] != between.newer[segment.anchor];
    if !turned && !anchored && lanes[position.clone()] == between.newer[position.clone()] {
        return 0;
    }
    let expected = expected_anchor(segment, field.first, between, lanes);
    let moved = lanes[position] != expected[..segment.axes];
    // A new anchor where it was expected, at an unchanged velocity, must be told all the same.
    u64::from(moved || !turned) | u64::from(turned) << 1
}

/// Where the position is expected at the anchor in `lanes`: along the old segment up to the tick before it, and then one
/// tick with the new velocity, as a simulation moves that changes the velocity first and the position by it.
fn expected_anchor(segment: &SegmentPlan, first: usize, between: &Between<'_>, lanes: &[i32]) -> [i32; 3] {
    let old = &between.newer[first..first + segment.axes];
    if between.form.is_entering() {
        let mut expected = [0; 3];
        expected[..segment.axes].copy_from_slice(old);
        return expected;
    }
    let anchor = if segment.is_still(lanes) { between.form.tick() } else { Tick(lanes[segment.anchor] as u32) };
    let before = anchor.before(1).unwrap_or(anchor);
    segment_value(segment, first, between.newer, before, Some(lanes))
}

fn transcode_mask<C: Coder>(
    coder: &mut C,
    plan: &KindPlan,
    context: usize,
    wanted: u64,
) -> Result<u64, C::Error> {
    let mut mask = 0;
    for chunk in 0..plan.mask_bits.div_ceil(MASK_BITS) {
        let shift = chunk * MASK_BITS;
        let symbol = (wanted >> shift) as u32 & ((1 << MASK_BITS) - 1);
        mask |= u64::from(coder.symbol(chunk, context, symbol)?) << shift;
    }
    Ok(mask)
}

/// How large the residuals just coded were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Energy {
    /// The running mean of the classes in this group: each new one counts as much as all before it.
    mean: u32,
    /// The level that the next residual has for its context.
    level: usize,
    /// Whether a residual of this group has been coded.
    begun: bool,
}

impl Energy {
    /// The level that the next residual has for its context.
    #[inline]
    pub(crate) fn level(&self) -> usize {
        self.level
    }

    /// Takes in the class of a residual.
    #[inline]
    pub(crate) fn add(&mut self, class: u32) {
        self.mean = if self.begun { (self.mean + class + 1) / 2 } else { class };
        self.begun = true;
        // Two classes to an octave; one up, so that level zero means that nothing was coded.
        self.level = (((self.mean + 1) / 2 + 1) as usize).min(LEVELS - 1);
    }

    /// Closes a group of residuals: the next group begins in the light of this one.
    #[inline]
    fn end_group(&mut self, coded: bool) {
        self.begun = false;
        if !coded {
            self.level = 0;
        }
    }
}

/// Codes the parts of one field.
struct FieldCoder<'a, C> {
    coder: &'a mut C,
    field: &'a FieldPlan,
    form: usize,
    energy: &'a mut Energy,
}

impl<C: Coder> FieldCoder<'_, C> {
    /// Codes the residuals of a group of lanes.
    #[inline]
    fn residuals(&mut self, model: usize, activity: usize, residuals: &mut [i32]) -> Result<(), C::Error> {
        let context = residual_context(0, self.form, activity, 0);
        self.coder.residuals(self.field.model + model, context, self.energy, residuals)
    }

    /// Codes `lanes` as residuals to `forecast`.
    #[inline]
    fn oriented_residuals(
        &mut self,
        model: usize,
        max: &[i32],
        forecast: &Forecast,
        lanes: &mut [i32],
    ) -> Result<(), C::Error> {
        let mut residuals = [0; 3];
        let count = lanes.len();
        for (lane, residual) in residuals[..count].iter_mut().enumerate() {
            *residual = forecast.oriented(lane, lanes[lane] - forecast.lanes[lane]);
        }
        self.residuals(model, usize::from(forecast.activity), &mut residuals[..count])?;
        if C::KNOWS {
            return Ok(());
        }
        for (lane, residual) in residuals[..count].iter().enumerate() {
            let value = i64::from(forecast.lanes[lane]) + i64::from(forecast.oriented(lane, *residual));
            lanes[lane] = self.in_range(value, max[lane], self.field.index)?;
        }
        Ok(())
    }

    #[inline]
    fn lanes(
        &mut self,
        bits: u64,
        max: &[i32],
        forecast: &Forecast,
        lanes: &mut [i32],
    ) -> Result<(), C::Error> {
        if bits & 1 == 1 {
            self.oriented_residuals(0, max, forecast, lanes)?;
        } else {
            lanes.copy_from_slice(&forecast.lanes[..lanes.len()]);
        }
        self.energy.end_group(bits & 1 == 1);
        Ok(())
    }

    fn turn(&mut self, bits: u64, steps: i32, forecast: &Forecast, lane: &mut i32) -> Result<(), C::Error> {
        let expected = forecast.lanes[0];
        if bits & 1 == 1 {
            let mut residual = [forecast.oriented(0, shortest_way(*lane - expected, steps))];
            self.residuals(0, usize::from(forecast.activity), &mut residual)?;
            *lane = turned(expected, forecast.oriented(0, residual[0]), steps);
        } else {
            *lane = expected;
        }
        self.energy.end_group(bits & 1 == 1);
        Ok(())
    }

    #[inline]
    fn in_range(&self, value: i64, max: i32, field: u8) -> Result<i32, C::Error> {
        let fits = (0..=i64::from(max)).contains(&value);
        self.coder.require(fits, DeltaError::OutOfRange { field })?;
        Ok(value as i32)
    }

    fn symbol(
        &mut self,
        changed: bool,
        values: i32,
        by_old: bool,
        old: i32,
        lanes: &mut [i32],
    ) -> Result<(), C::Error> {
        let lane = &mut lanes[self.field.first];
        if !changed {
            *lane = old;
            return Ok(());
        }
        let context = if by_old { self.form * values as usize + old as usize } else { self.form };
        *lane = self.coder.symbol(self.field.model, context, *lane as u32)? as i32;
        Ok(())
    }

    #[inline]
    fn quat(
        &mut self,
        bits: u64,
        max: i32,
        forecast: &mut Forecast,
        lanes: &mut [i32],
    ) -> Result<(), C::Error> {
        let first = self.field.first;
        if bits & 2 != 0 {
            // The places after the expected one move up, so that three symbols suffice.
            let expected = usize::from(forecast.largest);
            let actual = lanes[first] as usize & 3;
            let rank = actual - usize::from(actual > expected);
            let rank = self.coder.symbol(self.field.model, self.form, rank as u32 % 3)? as usize;
            forecast.turn_to(rank + usize::from(rank >= expected), max);
        }
        lanes[first] = i32::from(forecast.largest);
        let small = &mut lanes[first + 1..first + 4];
        if bits & 1 == 1 {
            self.oriented_residuals(1, &[max; 3], forecast, small)?;
        } else {
            small.copy_from_slice(&forecast.lanes);
        }
        self.energy.end_group(bits & 1 == 1);
        Ok(())
    }

    fn segment(
        &mut self,
        bits: u64,
        segment: &SegmentPlan,
        between: &Between<'_>,
        lanes: &mut [i32],
    ) -> Result<(), C::Error> {
        let first = self.field.first;
        let velocity = segment.velocity..segment.velocity + segment.axes;
        if bits & 3 == 0 {
            let position = first..first + segment.axes;
            lanes[position.clone()].copy_from_slice(&between.newer[position]);
            lanes[velocity.clone()].copy_from_slice(&between.newer[velocity]);
            lanes[segment.anchor] = between.newer[segment.anchor];
            self.energy.end_group(false);
            return Ok(());
        }
        let mut turn = 0;
        if bits & 2 == 0 {
            lanes[velocity.clone()].copy_from_slice(&between.newer[velocity]);
        } else {
            turn = self.velocity(segment, between, lanes)?;
        }
        self.energy.end_group(bits & 2 != 0);
        self.anchor(segment, between.form, lanes)?;
        let expected = expected_anchor(segment, first, between, lanes);
        let position = &mut lanes[first..first + segment.axes];
        if bits & 1 == 0 {
            position.copy_from_slice(&expected[..segment.axes]);
            self.energy.end_group(false);
            return Ok(());
        }
        let mut residuals = [0; 3];
        let residuals = &mut residuals[..segment.axes];
        for (axis, residual) in residuals.iter_mut().enumerate() {
            let difference = position[axis] - expected[axis];
            *residual =
                if segment.wraps { shortest_way(difference, segment.max[axis] + 1) } else { difference };
        }
        self.residuals(2, turn, residuals)?;
        for (axis, residual) in residuals.iter().enumerate() {
            position[axis] = if segment.wraps {
                turned(expected[axis], *residual, segment.max[axis] + 1)
            } else {
                let value = i64::from(expected[axis]) + i64::from(*residual);
                self.in_range(value, segment.max[axis], self.field.index)?
            };
        }
        self.energy.end_group(true);
        Ok(())
    }

    /// Codes a changed velocity and returns the level of its change.
    fn velocity(
        &mut self,
        segment: &SegmentPlan,
        between: &Between<'_>,
        lanes: &mut [i32],
    ) -> Result<usize, C::Error> {
        let velocity = segment.velocity..segment.velocity + segment.axes;
        let old = &between.newer[velocity.clone()];
        let speed = old.iter().zip(segment.still).map(|(lane, still)| (lane - still).unsigned_abs());
        let speed = level(speed.map(u64::from).sum());
        if speed > 0 {
            let stops = segment.is_still(lanes);
            if self.coder.symbol(self.field.model, self.form, u32::from(stops))? == 1 {
                lanes[velocity].copy_from_slice(&segment.still[..segment.axes]);
                return Ok(speed);
            }
        }
        let mut residuals = [0; 3];
        let residuals = &mut residuals[..segment.axes];
        for (axis, residual) in residuals.iter_mut().enumerate() {
            *residual = lanes[segment.velocity + axis] - old[axis];
        }
        self.residuals(1, speed, residuals)?;
        for (axis, residual) in residuals.iter().enumerate() {
            let value = i64::from(old[axis]) + i64::from(*residual);
            lanes[segment.velocity + axis] =
                self.in_range(value, segment.velocity_max[axis], segment.velocity_index)?;
        }
        Ok(level(residuals.iter().map(|residual| u64::from(residual.unsigned_abs())).sum()))
    }

    /// Codes the anchor tick: its age is below that of the baseline, for a segment of before would be known. What is
    /// at rest has no anchor.
    fn anchor(
        &mut self,
        segment: &SegmentPlan,
        form: &BaselineForm,
        lanes: &mut [i32],
    ) -> Result<(), C::Error> {
        if segment.is_still(lanes) {
            lanes[segment.anchor] = 0;
            return Ok(());
        }
        let tick = form.tick().0;
        let bits = anchor_age_bits(form.age());
        let age = tick.wrapping_sub(lanes[segment.anchor] as u32) & (MAX_ANCHOR_AGE - 1);
        let age = self.coder.raw(age & ((1 << bits) - 1), bits)?;
        self.coder.require(age <= tick, DeltaError::Anchor { field: self.field.index })?;
        lanes[segment.anchor] = tick.wrapping_sub(age) as i32;
        Ok(())
    }
}

impl SegmentPlan {
    /// Whether the velocity in `lanes` is zero.
    #[inline]
    pub(crate) fn is_still(&self, lanes: &[i32]) -> bool {
        lanes[self.velocity..self.velocity + self.axes] == self.still[..self.axes]
    }
}

/// A lane that wraps around, moved by a residual of any size.
#[inline]
fn turned(from: i32, residual: i32, steps: i32) -> i32 {
    (i64::from(from) + i64::from(residual)).rem_euclid(i64::from(steps)) as i32
}

