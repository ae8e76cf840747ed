//! Entropy tables: the prefix codes of all models of a schema, by default or as trained, and their form on
//! the wire.
//!
//! Tables are not part of the schema's structural hash. They have an id of their own and are sent to who
//! joins, so that training them anew refuses nobody.
//!
//! The defaults follow from the quantisation alone. A residual's probability is taken to fall with the third
//! power of its size, `1 / (scale + |residual|)³`, a shape with the long tail that games have (things rest,
//! glide, and are hit). Fifteen scales, each twice the one before, serve all contexts: which one a context
//! gets follows from how far the field was about to move and how large the entity's last residuals were.

use super::form::FORM_CONTEXTS;
use super::model::{LANE_CONTEXTS, LEVELS, MASK_BITS, ModelShape, Role, open_symbol};
use super::plan::{KindPlan, LanesPlan, Shape};
use crate::limits::{MAX_KINDS, MAX_SCHEMA_LANES, MAX_SYMBOLS, MAX_TABLES_BYTES, MAX_TABLES_PER_MODEL};
use crate::schema::Schema;
use crate::time::Micros;
use crate::wire::bits::{BitReader, BitWriter, OutOfBits, TrailingBits};
use crate::wire::codes::{CodeError, PrefixCode};
use crate::wire::varint::{VarintError, read_exp_golomb, write_exp_golomb};
use std::collections::BTreeMap;
use thiserror::Error;

/// The prefix codes of a schema's models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntropyTables {
    /// Per kind, per model.
    pub(crate) kinds: Vec<Vec<ModelTable>>,
}

/// The codes of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelTable {
    /// Per context: the place of its code.
    pub(crate) map: Vec<u8>,
    /// Word lengths per code and symbol.
    pub(crate) codes: Vec<Vec<u8>>,
}

/// Why tables are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TablesError {
    /// They have more than [`MAX_TABLES_BYTES`] bytes.
    #[error("{0} bytes of tables, more than {MAX_TABLES_BYTES}")]
    TooLong(usize),
    /// They end early.
    #[error(transparent)]
    OutOfBits(#[from] OutOfBits),
    /// A number in them is too large.
    #[error(transparent)]
    Number(#[from] VarintError),
    /// Something follows them.
    #[error(transparent)]
    Trailing(#[from] TrailingBits),
    /// The word lengths of a code are none.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// They are for another schema.
    #[error("the tables are not for this schema")]
    Shape,
}

impl EntropyTables {
    /// The tables that follow from the quantisation of the fields.
    #[must_use]
    pub fn defaults(schema: &Schema) -> EntropyTables {
        // The shapes of the models do not depend on the tick period.
        let plans = schema.kinds().iter().map(|kind| KindPlan::new(kind, Micros(1)));
        let mut residual_codes = ResidualCodes::default();
        let mut table = |plan: &KindPlan, shape: &ModelShape| default_table(plan, shape, &mut residual_codes);
        let kinds = plans.map(|plan| plan.models.iter().map(|shape| table(&plan, shape)).collect());
        EntropyTables { kinds: kinds.collect() }
    }

    /// The id of these tables: XXH64 with seed 0 of their bytes.
    #[must_use]
    pub fn id(&self) -> u64 {
        xxhash_rust::xxh64::xxh64(&self.to_bytes(), 0)
    }

    /// The tables as bytes: per kind and model the codes with their word lengths, then the map as runs.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = BitWriter::new();
        for table in self.kinds.iter().flatten() {
            writer.write(table.codes.len() as u64 - 1, 4);
            for lengths in &table.codes {
                for &length in lengths {
                    writer.write(u64::from(length), 4);
                }
            }
            for run in table.map.chunk_by(|a, b| a == b) {
                writer.write(u64::from(run[0]), 4);
                write_exp_golomb(&mut writer, run.len() as u32 - 1, 2);
            }
        }
        writer.to_bytes()
    }

    /// Reads tables for a schema.
    ///
    /// # Errors
    /// [`TablesError`] says what is wrong with the bytes.
    pub fn from_bytes(schema: &Schema, bytes: &[u8]) -> Result<EntropyTables, TablesError> {
        if bytes.len() > MAX_TABLES_BYTES {
            return Err(TablesError::TooLong(bytes.len()));
        }
        let mut reader = BitReader::new(bytes);
        let mut kinds = Vec::with_capacity(schema.kinds().len());
        for kind in schema.kinds() {
            let models = KindPlan::new(kind, Micros(1)).models;
            let tables = models.iter().map(|shape| read_table(&mut reader, shape));
            kinds.push(tables.collect::<Result<_, _>>()?);
        }
        reader.finish()?;
        Ok(EntropyTables { kinds })
    }
}

fn read_table(reader: &mut BitReader<'_>, shape: &ModelShape) -> Result<ModelTable, TablesError> {
    let count = reader.read(4)? as usize + 1;
    let mut codes = Vec::with_capacity(count);
    for _ in 0..count {
        let lengths: Vec<u8> =
            (0..shape.symbols).map(|_| reader.read(4).map(|bits| bits as u8)).collect::<Result<_, _>>()?;
        PrefixCode::from_lengths(&lengths)?;
        codes.push(lengths);
    }
    let mut map = Vec::with_capacity(shape.contexts);
    while map.len() < shape.contexts {
        let code = reader.read(4)? as u8;
        // The run less one, which is compared as it is: one more may be too large for a `usize` of 32 bits.
        let more = read_exp_golomb(reader, 2)? as usize;
        if usize::from(code) >= count || more >= shape.contexts - map.len() {
            return Err(TablesError::Shape);
        }
        map.resize(map.len() + more + 1, code);
    }
    Ok(ModelTable { map, codes })
}

/// The codes of residuals by scale; the last is for values anywhere in the range.
const SCALES: usize = MAX_TABLES_PER_MODEL - 1;

/// The default codes of residuals, which depend on nothing but the number of symbols. A schema has few such
/// numbers and many models, and a code takes long to build.
#[derive(Default)]
struct ResidualCodes(BTreeMap<usize, Vec<Vec<u8>>>);

impl ResidualCodes {
    fn of(&mut self, symbols: usize) -> Vec<Vec<u8>> {
        let scales = (0..SCALES).map(Some).chain([None]);
        let codes = || scales.map(|scale| code_lengths(&residual_weights(symbols, scale))).collect();
        self.0.entry(symbols).or_insert_with(codes).clone()
    }
}

/// The word lengths of the best code for these weights.
fn code_lengths(weights: &[u64]) -> Vec<u8> {
    let code = PrefixCode::from_weights(weights).expect("a model has 1 to MAX_SYMBOLS symbols");
    code.lengths().collect()
}

fn default_table(plan: &KindPlan, shape: &ModelShape, residual_codes: &mut ResidualCodes) -> ModelTable {
    let map = |code_of: &dyn Fn(usize) -> usize| (0..shape.contexts).map(|at| code_of(at) as u8).collect();
    match shape.role {
        Role::Mask { chunk } => {
            let codes =
                MaskState::ALL.map(|state| code_lengths(&mask_weights(plan, usize::from(chunk), state)));
            ModelTable { codes: codes.into(), map: map(&|context| MaskState::of(context) as usize) }
        }
        Role::Symbol if shape.contexts > FORM_CONTEXTS => {
            // The old value is never the new one; it has the least weight.
            let old_values = shape.contexts / FORM_CONTEXTS;
            let weights =
                |old: usize| (0..shape.symbols).map(|new| u64::from(new != old) * 64).collect::<Vec<_>>();
            let codes = (0..old_values).map(|old| code_lengths(&weights(old))).collect();
            ModelTable { codes, map: map(&|context| context % old_values) }
        }
        Role::Symbol | Role::Largest => {
            ModelTable { codes: vec![code_lengths(&vec![1; shape.symbols])], map: map(&|_| 0) }
        }
        Role::Stop => ModelTable { codes: vec![code_lengths(&[1, 1])], map: map(&|_| 0) },
        Role::Residual { .. } | Role::Anchor | Role::Velocity => {
            let codes = residual_codes.of(shape.symbols);
            ModelTable { codes, map: map(&|context| residual_scale(shape, context)) }
        }
    }
}

/// What is known of an entity before its change mask.
#[derive(Clone, Copy)]
enum MaskState {
    Entering,
    OneBaseline,
    AtRest,
    Moving,
}

impl MaskState {
    const ALL: [MaskState; 4] =
        [MaskState::Entering, MaskState::OneBaseline, MaskState::AtRest, MaskState::Moving];

    fn of(context: usize) -> MaskState {
        let (form, activity) = (context / LEVELS, context % LEVELS);
        match form {
            0 => MaskState::Entering,
            _ if form <= FORM_CONTEXTS / 2 => MaskState::OneBaseline,
            _ if activity == 0 => MaskState::AtRest,
            _ => MaskState::Moving,
        }
    }
}

/// The weight of each mask: the product of its bits' probabilities in 64ths.
fn mask_weights(plan: &KindPlan, chunk: usize, state: MaskState) -> Vec<u64> {
    let bits = (plan.mask_bits - chunk * MASK_BITS).min(MASK_BITS);
    let mut odds = [0u64; MASK_BITS];
    for field in &plan.fields {
        for (offset, chance) in mask_odds(&field.shape, state).into_iter().enumerate() {
            let bit = usize::from(field.bit) + offset;
            if offset < field.shape.mask_bits() && bit / MASK_BITS == chunk {
                odds[bit % MASK_BITS] = chance;
            }
        }
    }
    let weight = |mask: usize| {
        (0..bits).map(|bit| if mask >> bit & 1 == 1 { odds[bit] } else { 64 - odds[bit] }).product::<u64>()
    };
    (0..1 << bits).map(weight).collect()
}

/// The chances in 64ths that a field's mask bits are set when its entity is told of at all.
fn mask_odds(shape: &Shape, state: MaskState) -> [u64; 2] {
    let entering = matches!(state, MaskState::Entering);
    match shape {
        _ if entering && !matches!(shape, Shape::Quat { .. }) => [48, 48],
        Shape::Segment(_) => [40, 28],
        Shape::Quat { linear: true, .. } => [if matches!(state, MaskState::AtRest) { 40 } else { 61 }, 3],
        Shape::Quat { .. } => [if entering { 48 } else { 12 }, 3],
        Shape::One(LanesPlan { linear: true, .. })
        | Shape::Two(LanesPlan { linear: true, .. })
        | Shape::Three(LanesPlan { linear: true, .. })
        | Shape::Turn { linear: true, .. } => [if matches!(state, MaskState::AtRest) { 40 } else { 61 }, 0],
        Shape::Flip => [4, 0],
        _ => [10, 0],
    }
}

/// The weight of each residual symbol at a scale of `2^scale` quarter steps, or evenly over the range.
fn residual_weights(symbols: usize, scale: Option<usize>) -> Vec<u64> {
    let weight = |symbol: usize| {
        let (_, base, bits) = open_symbol(symbol as u32);
        let width = 1u128 << bits;
        let Some(scale) = scale else { return width as u64 };
        // Twice the middle of the class, in quarter steps, to keep to whole numbers.
        let middle = 8 * u128::from(base) + 4 * (width - 1);
        let reach = middle + (2 << scale);
        // At most 2^63, for the smallest reach of two quarter steps.
        ((width << 66) / (reach * reach * reach)) as u64
    };
    (0..symbols).map(weight).collect()
}

/// The scale that a context's residuals have by default, or [`SCALES`] for values anywhere in the range.
fn residual_scale(shape: &ModelShape, context: usize) -> usize {
    let energy = context % LEVELS;
    let activity = context / LEVELS % LEVELS;
    let form = context / LEVELS / LEVELS % FORM_CONTEXTS;
    let lane = context / LEVELS / LEVELS / FORM_CONTEXTS;
    if form == 0 {
        return SCALES;
    }
    let one_baseline = form <= FORM_CONTEXTS / 2;
    let age = (form - 1) % (FORM_CONTEXTS / 2);
    let range = shape.symbols / 4;
    // An energy of n means residuals of about 2^(n - 1) steps in this entity's last group.
    let neighbours = energy + 1;
    let scale = match shape.role {
        _ if lane > 0 && energy > 0 => neighbours,
        Role::Anchor => 2 + usize::from(activity > 0),
        Role::Velocity if activity > 0 => activity + 1,
        Role::Velocity => range + 1,
        Role::Residual { linear: true } if !one_baseline && activity > 0 => {
            // The error of an extrapolation grows with its length: from a sixteenth of the way to a third.
            (activity + age).saturating_sub(4)
        }
        Role::Residual { linear: true } if one_baseline => range / 2 + age + 2,
        Role::Residual { .. } if activity > 0 => activity + 1,
        _ => range / 2 + 2,
    };
    scale.min(SCALES - 1)
}

const _: () = assert!(MAX_TABLES_PER_MODEL == 16, "a map entry is four bits");
const _: () = assert!(MAX_SYMBOLS <= 256);
// All tables of all schemas can be sent. A symbol's word length is half a byte. A run in a map is at least
// seven bits for a context. A lane has at most the contexts and symbols of a residual, with 59 classes of
// magnitude of either sign.
const CODES_BYTES: usize = MAX_TABLES_PER_MODEL * 120 / 2;
const MASK_BYTES: usize = FORM_CONTEXTS * LEVELS * 7 / 8 + MAX_TABLES_PER_MODEL * (1 << MASK_BITS) / 2 + 1;
const LANE_BYTES: usize = LANE_CONTEXTS * 7 / 8 + CODES_BYTES + 1;
const MASKS: usize = MAX_SCHEMA_LANES / MASK_BITS + MAX_KINDS;
const _: () = assert!(MAX_SCHEMA_LANES * LANE_BYTES + MASKS * MASK_BYTES <= MAX_TABLES_BYTES);
const _: () = assert!(FORM_CONTEXTS * (MAX_TABLES_PER_MODEL + MAX_SYMBOLS / 2) < LANE_BYTES);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::model::residual_symbols;
    use crate::limits::MAX_LANE;

    fn shape(role: Role, lanes: usize) -> ModelShape {
        ModelShape { role, symbols: residual_symbols(MAX_LANE), contexts: lanes * LANE_CONTEXTS }
    }

    #[test]
    fn each_context_has_a_scale_and_entering_ones_the_flat_one() {
        let residuals = [true, false].map(|linear| Role::Residual { linear });
        for role in residuals.into_iter().chain([Role::Anchor, Role::Velocity]) {
            let shape = shape(role, 3);
            for context in 0..shape.contexts {
                let entering = (context / LEVELS / LEVELS).is_multiple_of(FORM_CONTEXTS);
                assert_eq!(residual_scale(&shape, context) == SCALES, entering, "{role:?} {context}");
            }
        }
    }

    #[test]
    fn default_codes_are_codes_whatever_the_range() {
        let mut codes = ResidualCodes::default();
        for max_lane in [0, 1, 2, 3, 4, 15, 255, 65_535, MAX_LANE] {
            let symbols = residual_symbols(max_lane);
            let lengths = codes.of(symbols);
            assert_eq!(lengths.len(), MAX_TABLES_PER_MODEL);
            assert!(lengths.iter().all(|lengths| PrefixCode::from_lengths(lengths).is_ok()), "{max_lane}");
            assert_eq!(lengths, codes.of(symbols), "the second time");
        }
        assert_eq!(codes.of(residual_symbols(MAX_LANE)).first().map(Vec::len), Some(119));
    }

    #[test]
    fn a_wider_scale_makes_small_residuals_dearer() {
        let mut codes = ResidualCodes::default();
        let zero: Vec<u8> = codes.of(residual_symbols(4095)).iter().map(|lengths| lengths[0]).collect();
        assert!(zero.windows(2).all(|pair| pair[0] <= pair[1]), "{zero:?}");
        assert!(zero[0] <= 2 && zero[SCALES] >= 8, "{zero:?}");
    }
}
