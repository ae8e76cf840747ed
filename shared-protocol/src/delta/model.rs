//! Models: for each symbol of an entity's delta, which prefix code it is written with in which context.
//!
//! A model has many contexts and few codes: a table maps each context to one of at most sixteen codes. What a
//! context is made of is the business of the layout ([`super::transcode`]); which codes there are, that of
//! the tables ([`super::tables`]).
//!
//! Residuals are written as a symbol for sign and magnitude class, then the place inside the class as plain
//! bits. Below four each magnitude is a class of its own, above there are two classes to an octave.

use super::form::FORM_CONTEXTS;
use super::tables::{ModelTable, TablesError};
use super::transcode::Energy;
use crate::limits::{MAX_CODE_BITS, MAX_TABLES_PER_MODEL};
use crate::wire::bits::{BitReader, BitWriter, OutOfBits, WINDOW_BITS};
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

/// Values of an activity and of an energy: logarithms of how far a field was about to move, and of the
/// residuals just coded.
pub(crate) const LEVELS: usize = 16;

/// The codes of one model, ready for use, in a few flat tables: a look-up takes two dependent loads.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Per context: the place of its code.
    map: Box<[u8]>,
    codes: CodeSet,
    /// Per code and residual of less than [`SMALL`] steps: what is written for it. Empty for other symbols.
    small: Box<[Ready]>,
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
        let codes = codes.collect::<Result<Vec<_>, _>>()?;
        let map = table.map.clone().into_boxed_slice();
        Ok(match shape.role {
            Role::Residual { .. } | Role::Anchor | Role::Velocity => {
                let set = CodeSet::with_meanings(&codes, Opened::of_symbol);
                let ready = |code| (-SMALL..SMALL).map(move |residual| (code, residual));
                let small =
                    (0..codes.len()).flat_map(ready).map(|(code, residual)| Ready::new(&set, code, residual));
                Model { map, small: small.collect(), codes: set }
            }
            _ => Model { map, small: [].into(), codes: CodeSet::new(&codes) },
        })
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
    pub(crate) fn write_residuals<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: [i32; LANES],
        writer: &mut BitWriter,
    ) {
        let mut batch = writer.batch();
        let mut group = energy.group();
        for (lane, residual) in residuals.into_iter().enumerate() {
            let code = usize::from(self.map[context + lane * LANE_CONTEXTS + group.level()]);
            let place = (residual + SMALL) as usize;
            if place < 2 * SMALL as usize {
                let ready = self.small[code * 2 * SMALL as usize + place];
                batch.write(u64::from(ready.0 & 0xffff), ready.0 >> 16 & 0xff);
                group.add(ready.0 >> 24);
            } else {
                let (bits, length, class) = spell(&self.codes, code, residual);
                batch.write(bits, length);
                group.add(class);
            }
        }
        batch.finish();
        *energy = group.end();
    }

    /// Reads residuals lane by lane.
    #[inline]
    pub(crate) fn read_residuals<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        reader: &mut BitReader<'_>,
    ) -> Result<[i32; LANES], OutOfBits> {
        let mut residuals = [0; LANES];
        let mut group = energy.group();
        let mut window = reader.window();
        let mut used = 0;
        for (lane, residual) in residuals.iter_mut().enumerate() {
            if used > WINDOW_BITS - RESIDUAL_BITS {
                reader.skip(used)?;
                window = reader.window();
                used = 0;
            }
            let code = self.map[context + lane * LANE_CONTEXTS + group.level()];
            let (opened, length) = self.codes.find(usize::from(code), window);
            let opened = Opened(opened as u16);
            *residual = opened.residual((window >> length) as u32);
            window >>= length + opened.bits();
            used += length + opened.bits();
            group.add(opened.class());
        }
        // Zeros stand beyond the end of a window. Should they have been read, it is told here.
        reader.skip(used)?;
        *energy = group.end();
        Ok(residuals)
    }
}

/// Bits of a residual at most: the word and the place.
const RESIDUAL_BITS: u32 = MAX_CODE_BITS + 29;

/// Residuals of less than this are looked up when they are written; nearly all are.
const SMALL: i32 = 64;

/// What is written for a small residual: from the lowest, 16 bits for the word and the place, eight for their
/// length, the class.
#[derive(Clone, Copy, Debug)]
struct Ready(u32);

impl Ready {
    fn new(codes: &CodeSet, code: usize, residual: i32) -> Ready {
        // Not every model has a symbol for the largest of the small residuals; those are never written.
        let (bits, length, class) = spell(codes, code, residual);
        debug_assert!(bits < 1 << 16, "a word of 12 bits and a place of four");
        Ready(bits as u32 | length << 16 | class << 24)
    }
}

/// The word and the place of a residual as one run of bits, their length, and the residual's class.
fn spell(codes: &CodeSet, code: usize, residual: i32) -> (u64, u32, u32) {
    let (symbol, place, bits) = split_residual(residual);
    let (word, length) = codes.word(code, symbol);
    (u64::from(word) | u64::from(place) << length, length + bits, symbol.div_ceil(2))
}

/// What a residual's symbol says, in the 16 bits of an entry in a code's look-up: from the lowest, one bit
/// for a negative residual, five for the number of bits of the place, two that stand above the place, the
/// class.
#[derive(Clone, Copy)]
struct Opened(u16);

impl Opened {
    fn of_symbol(symbol: u32) -> u16 {
        let (class, base, bits) = open_symbol(symbol);
        let negative = u32::from(!is_positive(symbol));
        (negative | bits << 1 | (base >> bits) << 6 | class << 8) as u16
    }

    #[inline]
    fn bits(self) -> u32 {
        u32::from(self.0 >> 1 & 31)
    }

    #[inline]
    fn class(self) -> u32 {
        u32::from(self.0 >> 8)
    }

    /// The residual whose place is in the lowest bits of `place`.
    #[inline]
    fn residual(self, place: u32) -> i32 {
        let above = u32::from(self.0 >> 6 & 3) << self.bits();
        let magnitude = (above | place & ((1 << self.bits()) - 1)) as i32;
        let flip = -i32::from(self.0 & 1);
        (magnitude ^ flip) - flip
    }
}

/// The symbol of a residual, the bits of its place inside the class, and how many those are.
#[inline]
pub(crate) fn split_residual(residual: i32) -> (u32, u32, u32) {
    let magnitude = residual.unsigned_abs();
    let (class, bits) = class_of(magnitude);
    // Zero is the one residual of its class, and is not positive.
    let symbol = class * 2 - u32::from(residual > 0);
    (symbol, magnitude & ((1 << bits) - 1), bits)
}

/// The class of a magnitude, and the bits of the place inside it.
#[inline]
pub(crate) fn class_of(magnitude: u32) -> (u32, u32) {
    // Without a jump, for small and large ones come in any order: 2 or 3 stand above the place, two classes
    // to an octave. Below four there is no place and the magnitude is the class.
    let bits = (magnitude | 2).ilog2() - 1;
    ((magnitude >> bits) + 2 * bits, bits)
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
                let packed = Opened(Opened::of_symbol(symbol));
                assert_eq!((packed.class(), packed.bits()), (class, bits), "{residual}");
                assert_eq!(packed.residual(place | u32::MAX << bits), residual, "{residual}");
                assert!((symbol as usize) < residual_symbols(magnitude.max(1)), "{residual}");
            }
        }
        assert!(residual_symbols(MAX_LANE) <= MAX_SYMBOLS);
    }
}
