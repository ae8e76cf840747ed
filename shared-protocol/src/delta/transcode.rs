//! The layout of one entity's delta: which symbols, in which order, in which contexts.
//!
//! It is written once, for three coders: one that writes bits, one that reads them, one that counts symbols
//! for training. A coder is given the symbol that a writer would write and returns the symbol that is meant,
//! so that the code below cannot differ between the two ends.
//!
//! An entity is: the change mask in symbols of up to six bits; then, for each changed field, its residuals.
//! The context of a residual is the form of the delta, the field's *activity* (how far the two baselines say
//! that it was about to move) and the *energy* of the residuals just coded in this entity: what moves
//! violently does so in all its parts.

use super::codec::DeltaError;
use super::form::BaselineForm;
use super::model::{LEVELS, MASK_BITS, level};
use super::plan::{FieldPlan, KindPlan, SegmentPlan, Shape, anchor_age_bits, residual_context};
use super::predict::{Forecast, part, segment_value, shortest_way};
use crate::limits::MAX_ANCHOR_AGE;
use crate::time::Tick;

/// One end of the coding.
pub(crate) trait Coder {
    /// What can go wrong: nothing for a writer.
    type Error;

    /// Whether the state is known before coding, as it is to a writer.
    const KNOWS: bool;

    /// The state, as far as it is known.
    fn state(&self) -> &[i32];

    /// Takes in what has become known of the state: the lanes from `first` on. To a writer that is nothing
    /// new.
    fn learn(&mut self, first: usize, lanes: &[i32]);

    /// Codes a symbol of a model in a context.
    fn symbol(&mut self, model: usize, context: usize, symbol: u32) -> Result<u32, Self::Error>;

    /// Codes the residuals of a model, one lane after the other; `context` is that of the first with no
    /// energy.
    fn residuals<const LANES: usize>(
        &mut self,
        model: usize,
        context: usize,
        energy: &mut Energy,
        residuals: [i32; LANES],
    ) -> Result<[i32; LANES], Self::Error>;

    /// Codes the low `bits` bits of a value as they are.
    fn raw(&mut self, value: u32, bits: u32) -> Result<u32, Self::Error>;

    /// Refuses what only bits from outside can say.
    fn require(&self, holds: bool, error: DeltaError) -> Result<(), Self::Error>;
}

/// The states that an entity's delta lies between. An entering entity has its kind's defaults for both
/// baselines; with one baseline both are that one.
pub(crate) struct Between<'a> {
    pub(crate) form: &'a BaselineForm,
    pub(crate) newer: &'a [i32],
    pub(crate) older: &'a [i32],
}

/// Codes one entity. There is room for `FIELDS` fields: most kinds have few, and clearing room for the most
/// would take longer than coding one of them.
#[inline]
pub(crate) fn transcode<C: Coder, const FIELDS: usize>(
    coder: &mut C,
    plan: &KindPlan,
    between: &Between<'_>,
) -> Result<(), C::Error> {
    let mut forecasts = [Forecast::default(); FIELDS];
    let mut wanted = 0u64;
    let mut busiest = 0;
    for (field, forecast) in plan.fields.iter().zip(&mut forecasts) {
        let known = if C::KNOWS { Some(coder.state()) } else { None };
        wanted |= foresee(field, forecast, between, known) << field.bit;
        busiest = busiest.max(forecast.activity);
    }
    let mask = transcode_mask(coder, plan, between.form.context() * LEVELS + usize::from(busiest), wanted)?;
    let mut energy = Energy::default();
    for (field, forecast) in plan.fields.iter().zip(&mut forecasts) {
        let bits = mask >> field.bit;
        let mut part =
            FieldCoder { coder: &mut *coder, field, form: between.form.context(), energy: &mut energy };
        match &field.shape {
            Shape::Flip => {
                let old = between.newer[field.first];
                part.coder.learn(field.first, &[old ^ (bits & 1) as i32]);
            }
            Shape::Symbol { values, by_old } => {
                part.symbol(bits & 1 == 1, *values, *by_old, between.newer[field.first])?;
            }
            Shape::Lanes { max, count: 1, .. } => part.lanes::<1>(bits, max, forecast)?,
            Shape::Lanes { max, count: 2, .. } => part.lanes::<2>(bits, max, forecast)?,
            Shape::Lanes { max, .. } => part.lanes::<3>(bits, max, forecast)?,
            Shape::Turn { steps, .. } => part.turn(bits, *steps, forecast)?,
            Shape::Quat { max, .. } => part.quat(bits, *max, forecast)?,
            Shape::Segment(segment) => part.segment(bits, segment, between)?,
        }
    }
    Ok(())
}

/// Works out what is expected of a field, and which of its mask bits a writer sets: it knows the state. Of
/// segments nothing is expected: they are compared as a whole.
#[inline(always)]
fn foresee(field: &FieldPlan, forecast: &mut Forecast, between: &Between<'_>, known: Option<&[i32]>) -> u64 {
    let first = field.first;
    // The number of lanes is a constant in each, so that the loops unroll.
    match &field.shape {
        Shape::Flip | Shape::Symbol { .. } => {
            known.map_or(0, |lanes| u64::from(lanes[first] != between.newer[first]))
        }
        Shape::Lanes { max, count: 1, linear } => {
            forecast.fill_lanes::<1>(first, max, *linear, between);
            is_off::<1>(known, first, forecast)
        }
        Shape::Lanes { max, count: 2, linear } => {
            forecast.fill_lanes::<2>(first, max, *linear, between);
            is_off::<2>(known, first, forecast)
        }
        Shape::Lanes { max, linear, .. } => {
            forecast.fill_lanes::<3>(first, max, *linear, between);
            is_off::<3>(known, first, forecast)
        }
        Shape::Turn { steps, linear } => {
            forecast.fill_turn(first, *steps, *linear, between);
            is_off::<1>(known, first, forecast)
        }
        Shape::Quat { max, linear } => {
            forecast.fill_rotation(first, *max, *linear, between);
            let Some(lanes) = known else { return 0 };
            let largest = lanes[first] as usize & 3;
            forecast.turn_to(largest, *max);
            is_off::<3>(known, first + 1, forecast) | u64::from(largest != usize::from(forecast.largest)) << 1
        }
        Shape::Segment(segment) => known.map_or(0, |lanes| segment_bits(field, segment, between, lanes)),
    }
}

/// One if any of the known lanes from `first` on is not as expected, else zero.
#[inline]
fn is_off<const LANES: usize>(known: Option<&[i32]>, first: usize, forecast: &Forecast) -> u64 {
    let Some(lanes) = known else { return 0 };
    let lanes: [i32; LANES] = part(lanes, first);
    u64::from((0..LANES).fold(0, |sum, lane| sum | (lanes[lane] ^ forecast.lanes[lane])) != 0)
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

/// Where the position is expected at the anchor in `lanes`: along the old segment up to the tick before it,
/// and then one tick with the new velocity, as a simulation moves that changes the velocity first and the
/// position by it.
fn expected_anchor(segment: &SegmentPlan, first: usize, between: &Between<'_>, lanes: &[i32]) -> [i32; 3] {
    let old = &between.newer[first..first + segment.axes];
    if between.form.is_entering() {
        let mut expected = [0; 3];
        expected[..segment.axes].copy_from_slice(old);
        return expected;
    }
    let anchor =
        if segment.is_still(lanes) { between.form.tick() } else { Tick(lanes[segment.anchor] as u32) };
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

/// The level of the residuals just coded: of the group before, or within a group.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Energy(usize);

impl Energy {
    /// Begins a group of residuals, in the light of the one before.
    #[inline]
    pub(crate) fn group(self) -> GroupEnergy {
        GroupEnergy { mean: None, level: self.0 }
    }
}

/// How large the residuals of a group are.
pub(crate) struct GroupEnergy {
    /// The running mean of the classes: each new one counts as much as all before it.
    mean: Option<u32>,
    level: usize,
}

impl GroupEnergy {
    /// The level that the next residual has for its context.
    #[inline]
    pub(crate) fn level(&self) -> usize {
        self.level
    }

    /// Takes in the class of a residual.
    #[inline]
    pub(crate) fn add(&mut self, class: u32) {
        let mean = self.mean.map_or(class, |mean| (mean + class).div_ceil(2));
        self.mean = Some(mean);
        // Two classes to an octave; one up, so that level zero means that nothing was coded.
        self.level = ((mean.div_ceil(2) + 1) as usize).min(LEVELS - 1);
    }

    /// Ends the group: the next one begins in the light of it.
    #[inline]
    pub(crate) fn end(self) -> Energy {
        Energy(self.level)
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
    fn residuals<const LANES: usize>(
        &mut self,
        model: usize,
        activity: usize,
        residuals: [i32; LANES],
    ) -> Result<[i32; LANES], C::Error> {
        let context = residual_context(0, self.form, activity, 0);
        self.coder.residuals(self.field.model + model, context, self.energy, residuals)
    }

    /// Codes the lanes from `first` on as residuals to `forecast`.
    #[inline(always)]
    fn lanes_off<const LANES: usize>(
        &mut self,
        model: usize,
        first: usize,
        max: &[i32; 3],
        forecast: &Forecast,
    ) -> Result<(), C::Error> {
        let mut residuals = [0; LANES];
        if C::KNOWS {
            let lanes: [i32; LANES] = part(self.coder.state(), first);
            residuals =
                std::array::from_fn(|lane| forecast.oriented(lane, lanes[lane] - forecast.lanes[lane]));
        }
        let residuals = self.residuals(model, usize::from(forecast.activity), residuals)?;
        // Neither overflows: a lane has 30 bits, a residual as many and a sign.
        let lanes: [i32; LANES] =
            std::array::from_fn(|lane| forecast.lanes[lane] + forecast.oriented(lane, residuals[lane]));
        let fits = (0..LANES).fold(true, |fits, lane| fits & (0..=max[lane]).contains(&lanes[lane]));
        self.coder.require(fits, DeltaError::OutOfRange { field: self.field.index })?;
        self.coder.learn(first, &lanes);
        Ok(())
    }

    #[inline(always)]
    fn lanes<const LANES: usize>(
        &mut self,
        bits: u64,
        max: &[i32; 3],
        forecast: &Forecast,
    ) -> Result<(), C::Error> {
        if bits & 1 == 1 {
            return self.lanes_off::<LANES>(0, self.field.first, max, forecast);
        }
        self.coder.learn(self.field.first, &forecast.lanes[..LANES]);
        *self.energy = Energy::default();
        Ok(())
    }

    fn turn(&mut self, bits: u64, steps: i32, forecast: &Forecast) -> Result<(), C::Error> {
        let first = self.field.first;
        let expected = forecast.lanes[0];
        if bits & 1 == 0 {
            self.coder.learn(first, &[expected]);
            *self.energy = Energy::default();
            return Ok(());
        }
        let mut residual = 0;
        if C::KNOWS {
            residual = forecast.oriented(0, shortest_way(self.coder.state()[first] - expected, steps));
        }
        let [residual] = self.residuals(0, usize::from(forecast.activity), [residual])?;
        self.coder.learn(first, &[turned(expected, forecast.oriented(0, residual), steps)]);
        Ok(())
    }

    #[inline]
    fn in_range(&self, value: i64, max: i32, field: u8) -> Result<i32, C::Error> {
        let fits = (0..=i64::from(max)).contains(&value);
        self.coder.require(fits, DeltaError::OutOfRange { field })?;
        Ok(value as i32)
    }

    fn symbol(&mut self, changed: bool, values: i32, by_old: bool, old: i32) -> Result<(), C::Error> {
        let first = self.field.first;
        let mut value = old;
        if changed {
            let context = if by_old { self.form * values as usize + old as usize } else { self.form };
            let known = self.coder.state()[first] as u32;
            value = self.coder.symbol(self.field.model, context, known)? as i32;
        }
        self.coder.learn(first, &[value]);
        Ok(())
    }

    #[inline(always)]
    fn quat(&mut self, bits: u64, max: i32, forecast: &mut Forecast) -> Result<(), C::Error> {
        let first = self.field.first;
        let expected = usize::from(forecast.largest);
        let mut largest = expected;
        if bits & 2 != 0 {
            // The places after the expected one move up, so that three symbols suffice.
            let known = self.coder.state()[first] as usize & 3;
            let rank = known - usize::from(known > expected);
            let rank = self.coder.symbol(self.field.model, self.form, rank as u32 % 3)? as usize;
            largest = rank + usize::from(rank >= expected);
        }
        if !C::KNOWS {
            // A writer turned to it when it compared.
            forecast.turn_to(largest, max);
        }
        self.coder.learn(first, &[largest as i32]);
        if bits & 1 == 1 {
            return self.lanes_off::<3>(1, first + 1, &[max; 3], forecast);
        }
        self.coder.learn(first + 1, &forecast.lanes);
        *self.energy = Energy::default();
        Ok(())
    }

    fn segment(&mut self, bits: u64, segment: &SegmentPlan, between: &Between<'_>) -> Result<(), C::Error> {
        let first = self.field.first;
        let old_velocity = &between.newer[segment.velocity..segment.velocity + segment.axes];
        if bits & 3 == 0 {
            self.coder.learn(first, &between.newer[first..first + segment.axes]);
            self.coder.learn(segment.velocity, old_velocity);
            self.coder.learn(segment.anchor, &[between.newer[segment.anchor]]);
            *self.energy = Energy::default();
            return Ok(());
        }
        let mut turn = 0;
        if bits & 2 == 0 {
            self.coder.learn(segment.velocity, old_velocity);
            *self.energy = Energy::default();
        } else {
            turn = self.velocity(segment, old_velocity)?;
        }
        self.anchor(segment, between.form)?;
        let expected = expected_anchor(segment, first, between, self.coder.state());
        if bits & 1 == 0 {
            self.coder.learn(first, &expected[..segment.axes]);
            *self.energy = Energy::default();
            return Ok(());
        }
        let mut residuals = [0; 3];
        let residuals = &mut residuals[..segment.axes];
        for (axis, residual) in residuals.iter_mut().enumerate() {
            let difference = self.coder.state()[first + axis] - expected[axis];
            *residual =
                if segment.wraps { shortest_way(difference, segment.max[axis] + 1) } else { difference };
        }
        self.axes(2, turn, residuals)?;
        for (axis, residual) in residuals.iter().enumerate() {
            let position = if segment.wraps {
                turned(expected[axis], *residual, segment.max[axis] + 1)
            } else {
                let value = i64::from(expected[axis]) + i64::from(*residual);
                self.in_range(value, segment.max[axis], self.field.index)?
            };
            self.coder.learn(first + axis, &[position]);
        }
        Ok(())
    }

    /// Codes a residual for each axis of a segment.
    fn axes(&mut self, model: usize, activity: usize, residuals: &mut [i32]) -> Result<(), C::Error> {
        match residuals {
            [x] => [*x] = self.residuals(model, activity, [*x])?,
            [x, y] => [*x, *y] = self.residuals(model, activity, [*x, *y])?,
            [x, y, z] => [*x, *y, *z] = self.residuals(model, activity, [*x, *y, *z])?,
            _ => unreachable!("a segment has one to three axes"),
        }
        Ok(())
    }

    /// Codes a changed velocity and returns the level of its change.
    fn velocity(&mut self, segment: &SegmentPlan, old: &[i32]) -> Result<usize, C::Error> {
        let speed = old.iter().zip(segment.still).map(|(lane, still)| (lane - still).unsigned_abs());
        let speed = level(speed.map(u64::from).sum());
        if speed > 0 {
            let stops = segment.is_still(self.coder.state());
            if self.coder.symbol(self.field.model, self.form, u32::from(stops))? == 1 {
                self.coder.learn(segment.velocity, &segment.still[..segment.axes]);
                return Ok(speed);
            }
        }
        let mut residuals = [0; 3];
        let residuals = &mut residuals[..segment.axes];
        for (axis, residual) in residuals.iter_mut().enumerate() {
            *residual = self.coder.state()[segment.velocity + axis] - old[axis];
        }
        self.axes(1, speed, residuals)?;
        for (axis, residual) in residuals.iter().enumerate() {
            let value = i64::from(old[axis]) + i64::from(*residual);
            let lane = self.in_range(value, segment.velocity_max[axis], segment.velocity_index)?;
            self.coder.learn(segment.velocity + axis, &[lane]);
        }
        Ok(level(residuals.iter().map(|residual| u64::from(residual.unsigned_abs())).sum()))
    }

    /// Codes the anchor tick: its age is below that of the baseline, for a segment of before would be known.
    /// What is at rest has no anchor.
    fn anchor(&mut self, segment: &SegmentPlan, form: &BaselineForm) -> Result<(), C::Error> {
        if segment.is_still(self.coder.state()) {
            self.coder.learn(segment.anchor, &[0]);
            return Ok(());
        }
        let tick = form.tick().0;
        let bits = anchor_age_bits(form.age());
        let age = tick.wrapping_sub(self.coder.state()[segment.anchor] as u32) & (MAX_ANCHOR_AGE - 1);
        let age = self.coder.raw(age & ((1 << bits) - 1), bits)?;
        self.coder.require(age <= tick, DeltaError::Anchor { field: self.field.index })?;
        self.coder.learn(segment.anchor, &[tick.wrapping_sub(age) as i32]);
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
