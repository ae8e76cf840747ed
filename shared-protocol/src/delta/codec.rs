//! The codec of a game: its schema, its entropy tables and its tick period, ready to code entities.

use super::energy::Energy;
use super::form::BaselineForm;
use super::model::Model;
use super::plan::{KindPlan, Shape};
use super::tables::{EntropyTables, TablesError};
use super::transcode::{Between, Coder, transcode};
use crate::id::KindId;
use crate::limits::{MAX_FIELDS, MAX_LANES};
use crate::schema::Schema;
use crate::time::Micros;
use crate::wire::bits::{BitCursor, BitReader, BitWriter, OutOfBits};
use std::convert::Infallible;
use thiserror::Error;

/// Codes the entities of all kinds of a schema.
#[derive(Clone, Debug)]
pub struct DeltaCodec {
    schema: Schema,
    kinds: Vec<KindCodec>,
}

/// Codes the entities of one kind.
///
/// A state is a row of lanes as [`LaneLayout`](crate::schema::LaneLayout) says. Rows come from
/// [`KindCodec::publish`](KindCodec::publish) or from decoding; for any others [`KindCodec::check`] tells
/// whether they are states.
#[derive(Clone, Debug)]
pub struct KindCodec {
    pub(crate) plan: KindPlan,
    pub(crate) publishing: super::publish::PublishPlan,
    pub(crate) models: Vec<Model>,
}

/// The states that a delta is coded against.
#[derive(Clone, Copy, Debug)]
pub enum Baselines<'a> {
    /// The entity enters.
    Entering,
    /// The state at the newer baseline tick.
    One(&'a [i32]),
    /// The states at the newer and at the older baseline tick.
    Two(&'a [i32], &'a [i32]),
}

/// Why the bits of an entity are refused. The state before is untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DeltaError {
    /// The input ends inside the entity.
    #[error(transparent)]
    OutOfBits(#[from] OutOfBits),
    /// A value is outside the range of its field.
    #[error("field {field} is outside its range")]
    OutOfRange {
        /// The place of the field in its kind.
        field: u8,
    },
    /// A segment is anchored before the first tick.
    #[error("field {field} is anchored before the first tick")]
    Anchor {
        /// The place of the field in its kind.
        field: u8,
    },
    /// The baselines at hand are not those of the form: a tick without a state, a state without a tick, or a
    /// row of another length.
    #[error("the baselines do not go with the form")]
    Baselines,
}

/// Why a row of lanes is no state of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// The row has another number of lanes.
    #[error("{actual} lanes instead of {expected}")]
    Length {
        /// The kind's number of lanes.
        expected: usize,
        /// The row's.
        actual: usize,
    },
    /// A lane is outside the range of its field.
    #[error("lane {lane} is outside its range")]
    OutOfRange {
        /// The place of the lane.
        lane: usize,
    },
    /// A segment at rest has an anchor.
    #[error("lane {lane} holds the anchor of a segment at rest")]
    Anchor {
        /// The place of the anchor.
        lane: usize,
    },
}

impl DeltaCodec {
    /// The codec for a schema with its default tables.
    ///
    /// # Panics
    /// For a tick period of zero or above a second.
    #[must_use]
    pub fn new(schema: &Schema, period: Micros) -> DeltaCodec {
        let tables = EntropyTables::defaults(schema);
        DeltaCodec::with_tables(schema, period, &tables).expect("default tables fit their schema")
    }

    /// The codec for a schema with given tables.
    ///
    /// # Errors
    /// [`TablesError`] when the tables are not for this schema.
    ///
    /// # Panics
    /// For a tick period of zero or above a second.
    pub fn with_tables(
        schema: &Schema,
        period: Micros,
        tables: &EntropyTables,
    ) -> Result<DeltaCodec, TablesError> {
        assert!((1..=1_000_000).contains(&period.0), "a tick lasts at most a second, not {} µs", period.0);
        let mut kinds = Vec::with_capacity(schema.kinds().len());
        if tables.kinds.len() != schema.kinds().len() {
            return Err(TablesError::Shape);
        }
        for (kind, tables) in schema.kinds().iter().zip(&tables.kinds) {
            let plan = KindPlan::new(kind, period);
            if plan.models.len() != tables.len() {
                return Err(TablesError::Shape);
            }
            let models = plan.models.iter().zip(tables).map(|(shape, table)| Model::new(shape, table));
            let models = models.collect::<Result<_, _>>()?;
            kinds.push(KindCodec { plan, publishing: super::publish::PublishPlan::new(kind), models });
        }
        Ok(DeltaCodec { schema: schema.clone(), kinds })
    }

    /// The schema that is coded.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether a kind follows trends, so that a second baseline is of use.
    #[must_use]
    pub fn has_trends(&self) -> bool {
        self.kinds.iter().any(KindCodec::has_trends)
    }

    /// The codec of a kind, or `None` for one that the schema does not have.
    #[inline]
    #[must_use]
    pub fn kind(&self, kind: KindId) -> Option<&KindCodec> {
        self.kinds.get(usize::from(kind.0))
    }
}

impl KindCodec {
    /// The number of lanes of a state.
    #[inline]
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.plan.lanes
    }

    /// Whether a field of this kind follows trends, so that a second baseline is of use.
    #[inline]
    #[must_use]
    pub fn has_trends(&self) -> bool {
        self.plan.has_trends
    }

    /// The state that an entering entity is coded against.
    #[must_use]
    pub fn defaults(&self) -> &[i32] {
        &self.plan.defaults
    }

    /// Appends the delta of one entity to `writer`.
    ///
    /// `state` and the baselines are states of this kind at the ticks of `form`. A segment in `state` that is
    /// not the newer baseline's is anchored after that baseline, as the publisher's are.
    ///
    /// # Panics
    /// When the baselines do not go with the form, or a row is too short.
    pub fn encode(
        &self,
        form: &BaselineForm,
        baselines: Baselines<'_>,
        state: &[i32],
        writer: &mut BitWriter,
    ) {
        let between = self.between(form, baselines).expect("the caller built the form from these baselines");
        debug_assert_eq!(self.check(state), Ok(()), "only a state can be coded");
        let mut encoder = Encoder { models: &self.models, state, writer };
        let Ok(()) = if self.is_small() {
            transcode::<_, SMALL_FIELDS>(&mut encoder, &self.plan, &between)
        } else {
            transcode::<_, MAX_FIELDS>(&mut encoder, &self.plan, &between)
        };
    }

    /// Reads the delta of one entity into `state`, which stays as it is unless all of it is well.
    ///
    /// # Errors
    /// [`DeltaError`]; the reader is then somewhere inside the entity.
    ///
    /// # Panics
    /// When `state` is shorter than the kind's lanes.
    pub fn decode(
        &self,
        form: &BaselineForm,
        baselines: Baselines<'_>,
        reader: &mut BitReader<'_>,
        state: &mut [i32],
    ) -> Result<(), DeltaError> {
        let between = self.between(form, baselines)?;
        let state = &mut state[..self.plan.lanes];
        if self.is_small() {
            self.decode_within::<{ SMALL_LANES / 2 }, SMALL_FIELDS>(&between, reader, state)
        } else {
            self.decode_large(&between, reader, state)
        }
    }

    /// Whether the work fits a small space on the stack. Clearing the largest takes longer than most entities
    /// do.
    #[inline]
    fn is_small(&self) -> bool {
        self.plan.lanes <= SMALL_LANES && self.plan.fields.len() <= SMALL_FIELDS
    }

    #[cold]
    fn decode_large(
        &self,
        between: &Between<'_>,
        reader: &mut BitReader<'_>,
        state: &mut [i32],
    ) -> Result<(), DeltaError> {
        self.decode_within::<{ MAX_LANES.div_ceil(2) }, MAX_FIELDS>(between, reader, state)
    }

    #[inline]
    fn decode_within<const HALF: usize, const FIELDS: usize>(
        &self,
        between: &Between<'_>,
        reader: &mut BitReader<'_>,
        state: &mut [i32],
    ) -> Result<(), DeltaError> {
        // The state is restored when something is wrong rather than written at the end: a copy of lanes that
        // were just written one by one would have to wait for them.
        let before = Kept::<HALF>::of(state);
        let mut decoder = Decoder { models: &self.models, state: &mut *state, bits: reader.cursor() };
        let decoded = transcode::<_, FIELDS>(&mut decoder, &self.plan, between);
        // Zeros stand beyond the end. Should they have been read, nothing that they led to counts.
        let behind = decoder.bits.position();
        let decoded = reader.seek(behind).map_err(DeltaError::from).and(decoded);
        if decoded.is_err() {
            before.restore(state);
        }
        decoded
    }

    /// Whether an entity is expected to change again: a field that follows a trend differs between the two
    /// baselines. Segments move by themselves and expect nothing.
    #[inline]
    #[must_use]
    pub fn is_restless(&self, newer: &[i32], older: &[i32]) -> bool {
        self.plan.trends.differ(newer, older)
    }

    /// Checks a row of lanes that comes from elsewhere than the publisher or the decoder.
    ///
    /// # Errors
    /// [`StateError`] says which lane is no part of a state.
    pub fn check(&self, state: &[i32]) -> Result<(), StateError> {
        if state.len() != self.plan.lanes {
            return Err(StateError::Length { expected: self.plan.lanes, actual: state.len() });
        }
        let within = |lane: usize, max: i32| {
            if (0..=max).contains(&state[lane]) { Ok(()) } else { Err(StateError::OutOfRange { lane }) }
        };
        for field in &self.plan.fields {
            let first = usize::from(field.first);
            match &field.shape {
                Shape::Flip => within(first, 1)?,
                Shape::Symbol { values, .. } => within(first, values - 1)?,
                Shape::One(lanes) | Shape::Two(lanes) | Shape::Three(lanes) => {
                    (0..field.shape.lanes()).try_for_each(|lane| within(first + lane, lanes.max[lane]))?;
                }
                Shape::Turn { steps, .. } => within(first, steps - 1)?,
                Shape::Quat { max, .. } => {
                    within(first, 3)?;
                    (1..4).try_for_each(|lane| within(first + lane, *max))?;
                }
                Shape::Segment(segment) => {
                    for axis in 0..segment.axes {
                        within(first + axis, segment.max[axis])?;
                        within(segment.velocity + axis, segment.velocity_max[axis])?;
                    }
                    if segment.is_still(state) && state[segment.anchor] != 0 {
                        return Err(StateError::Anchor { lane: segment.anchor });
                    }
                }
            }
        }
        Ok(())
    }

    /// The two states that a form's delta lies between, in the shape that coding wants.
    pub(crate) fn between<'a>(
        &'a self,
        form: &'a BaselineForm,
        baselines: Baselines<'a>,
    ) -> Result<Between<'a>, DeltaError> {
        let (newer, older) = match baselines {
            Baselines::Entering if form.is_entering() => (self.defaults(), self.defaults()),
            Baselines::One(newer) if form.newer().is_some() && form.older().is_none() => (newer, newer),
            Baselines::Two(newer, older) if form.older().is_some() => (newer, older),
            _ => return Err(DeltaError::Baselines),
        };
        if newer.len() != self.plan.lanes || older.len() != self.plan.lanes {
            return Err(DeltaError::Baselines);
        }
        Ok(Between { form, newer, older })
    }
}

/// Lanes and fields of a small kind.
const SMALL_LANES: usize = 16;
const SMALL_FIELDS: usize = 6;

struct Encoder<'a> {
    models: &'a [Model],
    state: &'a [i32],
    writer: &'a mut BitWriter,
}

impl Coder for Encoder<'_> {
    type Error = Infallible;

    const KNOWS: bool = true;

    #[inline]
    fn state(&self) -> &[i32] {
        self.state
    }

    #[inline]
    fn learn<const LANES: usize>(&mut self, _: usize, _: [i32; LANES]) {}

    #[inline(always)]
    fn symbol(&mut self, model: usize, context: usize, symbol: u32) -> Result<u32, Infallible> {
        self.models[model].write(context, symbol, self.writer);
        Ok(symbol)
    }

    #[inline(always)]
    fn residuals<const LANES: usize>(
        &mut self,
        model: usize,
        context: usize,
        energy: &mut Energy,
        residuals: [i32; LANES],
    ) -> Result<[i32; LANES], Infallible> {
        self.models[model].write_residuals(context, energy, &residuals, self.writer);
        Ok(residuals)
    }

    #[inline]
    fn raw(&mut self, value: u32, bits: u32) -> Result<u32, Infallible> {
        self.writer.write(u64::from(value), bits);
        Ok(value)
    }

    #[inline]
    fn require(&self, holds: bool, error: DeltaError) -> Result<(), Infallible> {
        debug_assert!(holds, "{error}");
        Ok(())
    }
}

/// A copy of up to twice `HALF` lanes: the first half of them and the last, which may overlap. Copies of a
/// length that is known need neither a call nor space that was cleared before.
struct Kept<const HALF: usize> {
    first: [i32; HALF],
    last: [i32; HALF],
}

impl<const HALF: usize> Kept<HALF> {
    #[inline]
    fn of(lanes: &[i32]) -> Kept<HALF> {
        debug_assert!(lanes.len() <= 2 * HALF);
        match (lanes.first_chunk(), lanes.last_chunk()) {
            (Some(first), Some(last)) => Kept { first: *first, last: *last },
            _ => Kept::of_few(lanes),
        }
    }

    fn of_few(lanes: &[i32]) -> Kept<HALF> {
        let mut first = [0; HALF];
        first[..lanes.len()].copy_from_slice(lanes);
        Kept { first, last: [0; HALF] }
    }

    #[cold]
    fn restore(&self, lanes: &mut [i32]) {
        if let Some(last) = lanes.last_chunk_mut() {
            *last = self.last;
        }
        let few = lanes.len().min(HALF);
        lanes[..few].copy_from_slice(&self.first[..few]);
    }
}

struct Decoder<'a, 'b> {
    models: &'a [Model],
    state: &'a mut [i32],
    bits: BitCursor<'b>,
}

impl Coder for Decoder<'_, '_> {
    type Error = DeltaError;

    const KNOWS: bool = false;

    #[inline]
    fn state(&self) -> &[i32] {
        self.state
    }

    #[inline]
    fn learn<const LANES: usize>(&mut self, first: usize, lanes: [i32; LANES]) {
        self.state[first..first + LANES].copy_from_slice(&lanes);
    }

    #[inline(always)]
    fn symbol(&mut self, model: usize, context: usize, _: u32) -> Result<u32, DeltaError> {
        Ok(self.models[model].read(context, &mut self.bits))
    }

    #[inline(always)]
    fn residuals<const LANES: usize>(
        &mut self,
        model: usize,
        context: usize,
        energy: &mut Energy,
        _: [i32; LANES],
    ) -> Result<[i32; LANES], DeltaError> {
        Ok(self.models[model].read_residuals(context, energy, &mut self.bits))
    }

    #[inline]
    fn raw(&mut self, _: u32, bits: u32) -> Result<u32, DeltaError> {
        Ok(self.bits.read(bits))
    }

    #[inline]
    fn require(&self, holds: bool, error: DeltaError) -> Result<(), DeltaError> {
        if holds { Ok(()) } else { Err(error) }
    }
}
