//! Entropy tables: the prefix codes of all models of a schema, by default or as trained, and their form on the wire.
//!
//! Tables are not part of the schema's structural hash. They have an id of their own and are sent to who joins, so that
//! training them anew refuses nobody.
//!
//! The defaults follow from the quantisation alone. A residual's probability is taken to fall with the third power of
//! its size, `1 / (scale + |residual|)³`, a shape with the long tail that games have (things rest, glide, and are hit).
//! Fifteen scales, each twice the one before, serve all contexts: which one a context gets follows from how far the
//! field was about to move and how large the entity's last residuals were.

use super::model::{LEVELS, MASK_BITS, ModelShape, Role, open_symbol};
use super::form::FORM_CONTEXTS;
use super::plan::{KindPlan, Shape};
use crate::limits::{MAX_LANES, MAX_SYMBOLS, MAX_TABLES_BYTES, MAX_TABLES_PER_MODEL};
use crate::schema::Schema;
use crate::time::Micros;
use crate::wire::bits::{BitReader, BitWriter, OutOfBits, TrailingBits};
use crate::wire::codes::{CodeError, PrefixCode};
use crate::wire::varint::{VarintError, read_exp_golomb, write_exp_golomb};
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
        let kinds = plans.map(|plan| plan.models.iter().map(|shape| default_table(&plan, shape)).collect());
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
        let run = read_exp_golomb(reader, 2)? as usize + 1;
        if usize::from(code) >= count || run > shape.contexts - map.len() {
            return Err(TablesError::Shape);
        }
        map.resize(map.len() + run, code);
    }
    Ok(ModelTable { map, codes })
}

/// The codes of residuals by scale; the last is for values anywhere in the range.
const SCALES: usize = MAX_TABLES_PER_MODEL - 1;

fn default_table(plan: &KindPlan, shape: &ModelShape) -> ModelTable {
    let code = |weights: &[u64]| {
        let code = PrefixCode::from_weights(weights).expect("a model has 1 to MAX_SYMBOLS symbols");
        code.lengths().collect::<Vec<u8>>()
    };
    let map = |code_of: &dyn Fn(usize) -> usize| (0..shape.contexts).map(|at| code_of(at) as u8).collect();
    match shape.role {
        Role::Mask { chunk } => {
            let codes = MaskState::ALL.map(|state| code(&mask_weights(plan, usize::from(chunk), state)));
            ModelTable { codes: codes.into(), map: map(&|context| MaskState::of(context) as usize) }
        }
        Role::Symbol if shape.contexts > FORM_CONTEXTS => {
            // The old value is never the new one; it has the least weight.
            let old_values = shape.contexts / FORM_CONTEXTS;
            let weights = |old: usize| (0..shape.symbols).map(|new| u64::from(new != old) * 64).collect::<Vec<_>>();
            let codes = (0..old_values).map(|old| code(&weights(old))).collect();
            ModelTable { codes, map: map(&|context| context % old_values) }
        }
        Role::Symbol | Role::Largest => {
            ModelTable { codes: vec![code(&vec![1; shape.symbols])], map: map(&|_| 0) }
        }
        Role::Stop => ModelTable { codes: vec![code(&[1, 1])], map: map(&|_| 0) },
        Role::Residual { .. } | Role::Anchor | Role::Velocity => {
            let mut codes: Vec<Vec<u8>> =
                (0..SCALES).map(|scale| code(&residual_weights(shape.symbols, Some(scale)))).collect();
            codes.push(code(&residual_weights(shape.symbols, None)));
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
            let bit = field.bit + offset;
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
        Shape::Lanes { linear: true, .. } | Shape::Turn { linear: true, .. } => {
            [if matches!(state, MaskState::AtRest) { 40 } else { 61 }, 0]
        }
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
        ((width << 90) / (reach * reach * reach)) as u64
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
const _: () = assert!(MAX_SYMBOLS <= 256 && MAX_LANES < 256);
