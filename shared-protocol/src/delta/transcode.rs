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
use super::energy::Energy;
use super::form::BaselineForm;
use super::model::{LEVELS, MASK_BITS, level};
use super::plan::{FieldPlan, KindPlan, SegmentPlan, Shape, anchor_age_bits, group_context};
use super::predict::{Forecast, Subject, segment_value, shortest_way};
use crate::limits::MAX_ANCHOR_AGE;
use crate::time::Tick;

/// One end of the coding.
pub(crate) trait Coder {
    /// What can go wrong: nothing for a writer.
    type Error;

    /// Whether the state is known before coding, as it is to a writer.
    const KNOWS: bool;

    /// The state, as far as it is known; to a reader, anything else beside that.
    fn state(&self) -> &[i32];

    /// Takes in what has become known of the state: the lanes from `first` on. To a writer that is nothing
    /// new, and need not be right.
    fn learn<const LANES: usize>(&mut self, first: usize, lanes: [i32; LANES]);

    /// Codes a symbol of a model in a context.
    fn symbol(&mut self, model: usize, context: usize, symbol: u32) -> Result<u32, Self::Error>;

    /// Codes the residuals of a model, one lane after the other, in the context of their group.
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
    // A writer compares all fields.
    let foreseen = if C::KNOWS { &plan.fields[..] } else { &plan.fields[..plan.foreseen] };
    for (field, forecast) in foreseen.iter().zip(&mut forecasts) {
        let known = if C::KNOWS { Some(coder.state()) } else { None };
        wanted |= foresee(field, forecast, between, known) << field.bit;
        busiest = busiest.max(forecast.activity);
    }
    let mask = transcode_mask(coder, plan, between.form.context() * LEVELS + busiest as usize, wanted)?;
    let mut energy = Energy::default();
    for (field, forecast) in plan.fields.iter().zip(&mut forecasts) {
        let bits = mask >> field.bit;
        let form = between.form.context();
        let energy = &mut energy;
        match &field.shape {
            Shape::Flip => {
                let first = usize::from(field.first);
                coder.learn(first, [between.newer[first] ^ (bits & 1) as i32]);
            }
            Shape::Symbol { values, by_old } => {
                let old = between.newer[usize::from(field.first)];
                FieldCoder { coder, field, form, energy }.symbol(bits & 1 == 1, *values, *by_old, old)?;
            }
            Shape::One(lanes) => {
                FieldCoder { coder, field, form, energy }.lanes::<1>(bits, &lanes.max, forecast)?;
            }
            Shape::Two(lanes) => {
                FieldCoder { coder, field, form, energy }.lanes::<2>(bits, &lanes.max, forecast)?;
            }
            Shape::Three(lanes) => {
                FieldCoder { coder, field, form, energy }.lanes::<3>(bits, &lanes.max, forecast)?;
            }
            Shape::Turn { steps, .. } => {
                FieldCoder { coder, field, form, energy }.turn(bits, *steps, forecast)?;
            }
            Shape::Quat { max, linear } => {
                let part = FieldCoder { coder, field, form, energy };
                part.quat(bits, *max, *linear, forecast, between)?;
            }
            Shape::Segment(segment) => {
                FieldCoder { coder, field, form, energy }.segment(bits, segment, between)?;
            }
        }
    }
    Ok(())
}

/// Works out what is expected of a field, and which of its mask bits a writer sets: it knows the state. Of
/// segments nothing is expected: they are compared as a whole.
#[inline(always)]
fn foresee(field: &FieldPlan, forecast: &mut Forecast, between: &Between<'_>, known: Option<&[i32]>) -> u64 {
    let first = usize::from(field.first);
    let subject = |linear| Subject { first, linear, between, known };
    // The number of lanes is a constant in each, so that the loops unroll.
    match &field.shape {
        Shape::Flip | Shape::Symbol { .. } => {
            known.map_or(0, |lanes| u64::from(lanes[first] != between.newer[first]))
        }
        Shape::One(lanes) => forecast.fill_lanes::<1>(&lanes.max, subject(lanes.linear)),
        Shape::Two(lanes) => forecast.fill_lanes::<2>(&lanes.max, subject(lanes.linear)),
        Shape::Three(lanes) => forecast.fill_lanes::<3>(&lanes.max, subject(lanes.linear)),
        Shape::Turn { steps, linear } => forecast.fill_turn(*steps, subject(*linear)),
        Shape::Quat { max, linear } => forecast.fill_rotation(*max, subject(*linear)),
        Shape::Segment(segment) => known.map_or(0, |lanes| segment_bits(field, segment, between, lanes)),
    }
}

fn segment_bits(field: &FieldPlan, segment: &SegmentPlan, between: &Between<'_>, lanes: &[i32]) -> u64 {
    let first = usize::from(field.first);
    let position = first..first + segment.axes;
    let velocity = segment.velocity..segment.velocity + segment.axes;
    let turned = lanes[velocity.clone()] != between.newer[velocity];
    let anchored = lanes[segment.anchor] != between.newer[segment.anchor];
    if !turned && !anchored && lanes[position.clone()] == between.newer[position.clone()] {
        return 0;
    }
    let expected = expected_anchor(segment, first, between, lanes);
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

#[inline(always)]
fn transcode_mask<C: Coder>(
    coder: &mut C,
    plan: &KindPlan,
    context: usize,
    wanted: u64,
) -> Result<u64, C::Error> {
    if plan.masks == 1 {
        return Ok(u64::from(coder.symbol(0, context, wanted as u32)?));
    }
    let mut mask = 0;
    for chunk in 0..plan.masks {
        let shift = chunk * MASK_BITS;
        let symbol = (wanted >> shift) as u32 & ((1 << MASK_BITS) - 1);
        mask |= u64::from(coder.symbol(chunk, context, symbol)?) << shift;
    }
    Ok(mask)
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
    #[inline(always)]
    fn residuals<const LANES: usize>(
        &mut self,
        model: usize,
        activity: u32,
        residuals: [i32; LANES],
    ) -> Result<[i32; LANES], C::Error> {
        let context = group_context(self.form, activity);
        self.coder.residuals(usize::from(self.field.model) + model, context, self.energy, residuals)
    }

    /// Codes lanes as residuals to `forecast` and returns them; to a writer they are nothing new.
    #[inline(always)]
    fn lanes_off<const LANES: usize>(
        &mut self,
        model: usize,
        max: &[i32; 3],
        forecast: &Forecast,
    ) -> Result<[i32; LANES], C::Error> {
        let residuals = self.residuals::<LANES>(model, forecast.activity, forecast.lanes())?;
        if C::KNOWS {
            return Ok(residuals);
        }
        // Neither overflows: a lane has 30 bits, a residual as many and a sign.
        let lanes: [i32; LANES] = std::array::from_fn(|lane| forecast.lane_at(lane, residuals[lane]));
        // Negative ones are larger than any lane without their sign.
        let fits = (0..LANES).fold(true, |fits, lane| fits & (lanes[lane] as u32 <= max[lane] as u32));
        self.coder.require(fits, DeltaError::OutOfRange { field: self.field.index })?;
        Ok(lanes)
    }

    #[inline(always)]
    fn lanes<const LANES: usize>(
        mut self,
        bits: u64,
        max: &[i32; 3],
        forecast: &Forecast,
    ) -> Result<(), C::Error> {
        let mut lanes = forecast.lanes::<LANES>();
        if bits & 1 == 1 {
            lanes = self.lanes_off(0, max, forecast)?;
        } else {
            *self.energy = Energy::default();
        }
        self.coder.learn(usize::from(self.field.first), lanes);
        Ok(())
    }

    fn turn(mut self, bits: u64, steps: i32, forecast: &Forecast) -> Result<(), C::Error> {
        let first = usize::from(self.field.first);
        let expected = forecast.lanes();
        if bits & 1 == 0 {
            self.coder.learn::<1>(first, expected);
            *self.energy = Energy::default();
            return Ok(());
        }
        let [residual] = self.residuals(0, forecast.activity, expected)?;
        if !C::KNOWS {
            self.coder.learn(first, [forecast.lane_at(0, residual).rem_euclid(steps)]);
        }
        Ok(())
    }

    #[inline]
    fn in_range(&self, value: i64, max: i32, field: u8) -> Result<i32, C::Error> {
        let fits = (0..=i64::from(max)).contains(&value);
        self.coder.require(fits, DeltaError::OutOfRange { field })?;
        Ok(value as i32)
    }

    fn symbol(self, changed: bool, values: i32, by_old: bool, old: i32) -> Result<(), C::Error> {
        let first = usize::from(self.field.first);
        let mut value = old;
        if changed {
            let context = if by_old { self.form * values as usize + old as usize } else { self.form };
            let known = self.coder.state()[first] as u32;
            value = self.coder.symbol(usize::from(self.field.model), context, known)? as i32;
        }
        self.coder.learn(first, [value]);
        Ok(())
    }

    #[inline(always)]
    fn quat(
        mut self,
        bits: u64,
        max: i32,
        linear: bool,
        forecast: &mut Forecast,
        between: &Between<'_>,
    ) -> Result<(), C::Error> {
        let first = usize::from(self.field.first);
        let expected = forecast.largest;
        let mut largest = expected;
        if bits & 2 != 0 {
            // The places after the expected one move up, so that three symbols suffice.
            let known = self.coder.state()[first] as u32 & 3;
            let rank = known - u32::from(known > expected);
            let rank = self.coder.symbol(usize::from(self.field.model), self.form, rank % 3)?;
            largest = rank + u32::from(rank >= expected);
            if !C::KNOWS {
                // A writer did so when it compared.
                forecast.fill_rotation_beside(Some(largest), max, first, linear, between, None);
            }
        }
        let mut small = forecast.lanes::<3>();
        if bits & 1 == 1 {
            small = self.lanes_off(1, &[max; 3], forecast)?;
        } else {
            *self.energy = Energy::default();
        }
        let [a, b, c] = small;
        self.coder.learn(first, [largest as i32, a, b, c]);
        Ok(())
    }

    fn segment(mut self, bits: u64, segment: &SegmentPlan, between: &Between<'_>) -> Result<(), C::Error> {
        let first = usize::from(self.field.first);
        let old_velocity = &between.newer[segment.velocity..segment.velocity + segment.axes];
        if bits & 3 == 0 {
            self.learn_axes(first, &between.newer[first..first + segment.axes]);
            self.learn_axes(segment.velocity, old_velocity);
            self.coder.learn(segment.anchor, [between.newer[segment.anchor]]);
            *self.energy = Energy::default();
            return Ok(());
        }
        let mut turn = 0;
        if bits & 2 == 0 {
            self.learn_axes(segment.velocity, old_velocity);
            *self.energy = Energy::default();
        } else {
            turn = self.velocity(segment, old_velocity)?;
        }
        self.anchor(segment, between.form)?;
        let expected = expected_anchor(segment, first, between, self.coder.state());
        if bits & 1 == 0 {
            self.learn_axes(first, &expected[..segment.axes]);
            *self.energy = Energy::default();
            return Ok(());
        }
        let mut residuals = [0; 3];
        let residuals = &mut residuals[..segment.axes];
        for (axis, residual) in residuals.iter_mut().enumerate().filter(|_| C::KNOWS) {
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
            self.coder.learn(first + axis, [position]);
        }
        Ok(())
    }

    /// Takes in the lanes of the axes of a segment.
    fn learn_axes(&mut self, first: usize, lanes: &[i32]) {
        lanes.iter().enumerate().for_each(|(axis, lane)| self.coder.learn(first + axis, [*lane]));
    }

    /// Codes a residual for each axis of a segment.
    fn axes(&mut self, model: usize, activity: u32, residuals: &mut [i32]) -> Result<(), C::Error> {
        match residuals {
            [x] => [*x] = self.residuals(model, activity, [*x])?,
            [x, y] => [*x, *y] = self.residuals(model, activity, [*x, *y])?,
            [x, y, z] => [*x, *y, *z] = self.residuals(model, activity, [*x, *y, *z])?,
            _ => unreachable!("a segment has one to three axes"),
        }
        Ok(())
    }

    /// Codes a changed velocity and returns the level of its change.
    fn velocity(&mut self, segment: &SegmentPlan, old: &[i32]) -> Result<u32, C::Error> {
        let speed = old.iter().zip(segment.still).map(|(lane, still)| (lane - still).unsigned_abs());
        let speed = level(speed.map(u64::from).sum());
        if speed > 0 {
            let stops = segment.is_still(self.coder.state());
            if self.coder.symbol(usize::from(self.field.model), self.form, u32::from(stops))? == 1 {
                self.learn_axes(segment.velocity, &segment.still[..segment.axes]);
                return Ok(speed);
            }
        }
        let mut residuals = [0; 3];
        let residuals = &mut residuals[..segment.axes];
        for (axis, residual) in residuals.iter_mut().enumerate().filter(|_| C::KNOWS) {
            *residual = self.coder.state()[segment.velocity + axis] - old[axis];
        }
        self.axes(1, speed, residuals)?;
        for (axis, residual) in residuals.iter().enumerate() {
            let value = i64::from(old[axis]) + i64::from(*residual);
            let lane = self.in_range(value, segment.velocity_max[axis], segment.velocity_index)?;
            self.coder.learn(segment.velocity + axis, [lane]);
        }
        Ok(level(residuals.iter().map(|residual| u64::from(residual.unsigned_abs())).sum()))
    }

    /// Codes the anchor tick: its age is below that of the baseline, for a segment of before would be known.
    /// What is at rest has no anchor.
    fn anchor(&mut self, segment: &SegmentPlan, form: &BaselineForm) -> Result<(), C::Error> {
        if segment.is_still(self.coder.state()) {
            self.coder.learn(segment.anchor, [0]);
            return Ok(());
        }
        let tick = form.tick().0;
        let bits = anchor_age_bits(form.age());
        let age = tick.wrapping_sub(self.coder.state()[segment.anchor] as u32) & (MAX_ANCHOR_AGE - 1);
        let age = self.coder.raw(age & ((1 << bits) - 1), bits)?;
        self.coder.require(age <= tick, DeltaError::Anchor { field: self.field.index })?;
        self.coder.learn(segment.anchor, [tick.wrapping_sub(age) as i32]);
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
