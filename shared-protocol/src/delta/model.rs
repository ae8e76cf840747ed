//! Models: for each symbol of an entity's delta, which prefix code it is written with in which context.
//!
//! A model has many contexts and few codes: a table maps each context to one of at most sixteen codes. What a context
//! is made of is the business of the layout ([`super::transcode`]); which codes there are, that of the tables
//! ([`super::tables`]).
//!
//! Residuals are written as a symbol for sign and magnitude class, then the place inside the class as plain bits. Below
//! four each magnitude is a class of its own, above there are two classes to an octave.

use super::form::FORM_CONTEXTS;
use super::tables::{ModelTable, TablesError};
use super::transcode::Energy;
use crate::limits::MAX_TABLES_PER_MODEL;
use crate::wire::bits::{BitReader, BitWriter, OutOfBits};
use crate::wire::codes::{CodeSet, PrefixCode};

/// The size of a model, which follows from the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModelShape {
    pub(crate) role: Role,
    pub(crate) symbols: usize,
    pub(crate) contexts: usize,
}

/// What a model's symbols mean, from which its default codes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Which parts of up to [`MASK_BITS`] changed; the default probability of each bit is the kind's.
    Mask { chunk: u8 },
    /// The new value of a field with few values.
    Symbol,
    /// The index of a rotation's largest component where it is not the predicted one.
    Largest,
    /// Whether a velocity became zero.
    Stop,
    /// Residuals of a field that is held or extrapolated.
    Residual { linear: bool },
    /// Residuals of a segment's anchor.
    Anchor,
    /// Residuals of a segment's velocity.
    Velocity,
}

/// Bits of change that one mask symbol tells at most.
pub(crate) const MASK_BITS: usize = 6;

/// Values of an activity and of an energy: logarithms of how far a field was about to move, and of the residuals just
/// coded.
pub(crate) const LEVELS: usize = 16;

/// The codes of one model, ready for use, in a few flat tables: a look-up takes two dependent loads.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Per context: the place of its code.
    map: Box<[u8]>,
    codes: CodeSet,
}

impl Model {
    /// Checks a table against the shape that the schema asks for.
    pub(crate) fn new(shape: &ModelShape, table: &ModelTable) -> Result<Model, TablesError> {
        let counted = (1..=MAX_TABLES_PER_MODEL).contains(&table.codes.len());
        let mapped = table.map.len() == shape.contexts
            && table.map.iter().all(|&code| usize::from(code) < table.codes.len());
        if !counted || !mapped || table.codes.iter().any(|lengths| lengths.len() != shape.symbols) {
            return Err(TablesError::Shape);
        }
        let codes = table.codes.iter().map(|lengths| PrefixCode::from_lengths(lengths));
        let codes = CodeSet::new(&codes.collect::<Result<Vec<_>, _>>()?);
        Ok(Model { map: table.map.clone().into_boxed_slice(), codes })
    }

    /// Writes a symbol in a context.
    #[inline]
    pub(crate) fn write(&self, context: usize, symbol: u32, writer: &mut BitWriter) {
        let (word, length) = self.codes.word(usize::from(self.map[context]), symbol);
        writer.write(u64::from(word), length);
    }

    /// Reads a symbol in a context.
    #[inline]
    pub(crate) fn read(&self, context: usize, reader: &mut BitReader<'_>) -> Result<u32, OutOfBits> {
        let (symbol, length) = self.codes.find(usize::from(self.map[context]), reader.window());
        reader.skip(length)?;
        Ok(symbol)
    }
}

/// Contexts from one lane of a residual model to the next.
pub(crate) const LANE_CONTEXTS: usize = FORM_CONTEXTS * LEVELS * LEVELS;

impl Model {
    /// Writes residuals lane by lane: each the word of its symbol and its place in one go.
    #[inline]
    pub(crate) fn write_residuals(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: &[i32],
        writer: &mut BitWriter,
    ) {
        for (lane, residual) in residuals.iter().enumerate() {
            let (symbol, place, bits) = split_residual(*residual);
            let code = self.map[context + lane * LANE_CONTEXTS + energy.level()];
            let (word, length) = self.codes.word(usize::from(code), symbol);
            writer.write(u64::from(word) | u64::from(place) << length, length + bits);
            energy.add(symbol.div_ceil(2));
        }
    }

    /// Reads residuals lane by lane.
    #[inline]
    pub(crate) fn read_residuals(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: &mut [i32],
        reader: &mut BitReader<'_>,
    ) -> Result<(), OutOfBits> {
        for (lane, residual) in residuals.iter_mut().enumerate() {
            let code = self.map[context + lane * LANE_CONTEXTS + energy.level()];
            // A word and a place are at most 12 + 29 bits, fewer than a window has.
            let window = reader.window();
            let (symbol, length) = self.codes.find(usize::from(code), window);
            let (class, base, bits) = open_symbol(symbol);
            let place = (window >> length) as u32 & ((1 << bits) - 1);
            reader.skip(length + bits)?;
            let magnitude = (base + place) as i32;
            *residual = if is_positive(symbol) { magnitude } else { -magnitude };
            energy.add(class);
        }
        Ok(())
    }
}

/// The symbol of a residual, the bits of its place inside the class, and how many those are.
#[inline]
pub(crate) fn split_residual(residual: i32) -> (u32, u32, u32) {
    let magnitude = residual.unsigned_abs();
    let (class, bits) = class_of(magnitude);
    let symbol = if class == 0 { 0 } else { class * 2 - u32::from(residual > 0) };
    (symbol, magnitude & ((1 << bits) - 1), bits)
}

/// The class of a magnitude, and the bits of the place inside it.
#[inline]
pub(crate) fn class_of(magnitude: u32) -> (u32, u32) {
    if magnitude < 4 {
        return (magnitude, 0);
    }
    let log = magnitude.ilog2();
    (log * 2 + (magnitude >> (log - 1) & 1), log - 1)
}

/// The class of a residual's symbol, the smallest magnitude in it, and the bits of the place inside it.
#[inline]
pub(crate) fn open_symbol(symbol: u32) -> (u32, u32, u32) {
    let class = symbol.div_ceil(2);
    if class < 4 {
        return (class, class, 0);
    }
    let log = class / 2;
    (class, (2 + class % 2) << (log - 1), log - 1)
}

/// Whether a residual's symbol is that of a positive one.
#[inline]
pub(crate) fn is_positive(symbol: u32) -> bool {
    symbol % 2 == 1
}

/// The number of symbols for residuals of lanes up to `max_lane`.
pub(crate) fn residual_symbols(max_lane: i32) -> usize {
    class_of(max_lane.unsigned_abs()).0 as usize * 2 + 1
}

/// The logarithm of a magnitude as a level: 0 for 0, 1 for 1, 2 for 2–3 and so on.
#[inline]
pub(crate) fn level(magnitude: u64) -> usize {
    ((64 - magnitude.leading_zeros()) as usize).min(LEVELS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_LANE, MAX_SYMBOLS};

    #[test]
    fn residuals_split_and_open_to_themselves() {
        let interesting = (0..5000).chain((0..30).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        for magnitude in interesting.chain([MAX_LANE]) {
            for residual in [magnitude, -magnitude] {
                let (symbol, place, bits) = split_residual(residual);
                let (class, base, opened) = open_symbol(symbol);
                assert_eq!((class, bits), class_of(residual.unsigned_abs()), "{residual}");
                assert_eq!(opened, bits, "{residual}");
                assert_eq!(base + place, residual.unsigned_abs(), "{residual}");
                assert_eq!(is_positive(symbol), residual > 0, "{residual}");
                assert!((symbol as usize) < residual_symbols(magnitude.max(1)), "{residual}");
            }
        }
        assert!(residual_symbols(MAX_LANE) <= MAX_SYMBOLS);
    }
}
