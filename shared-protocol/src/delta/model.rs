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
use crate::limits::{MAX_CODE_BITS, MAX_LANE, MAX_TABLES_PER_MODEL};
use crate::wire::bits::{BitReader, BitWriter, OutOfBits, WINDOW_BITS};
use crate::wire::codes::{CodeSet, Found, Meaning, PrefixCode};

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
    /// Per context: the place of its code. Empty for residuals.
    map: Box<[u8]>,
    /// Per context of a group of residuals, lane and level of energy: the place of the code. The lanes stand
    /// side by side, so that one look-up finds them all. Empty for other symbols.
    groups: Box<[[[u8; LEVELS]; GROUP]]>,
    codes: CodeSet,
    /// Per code and residual of less than [`SMALL`] steps: what is written for it. Empty for other symbols.
    small: Box<[[Ready; 2 * SMALL as usize]]>,
}

/// Lanes from one group of residuals to the next: room for three, and a power of two.
const GROUP: usize = 4;

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
        Ok(match shape.role {
            Role::Residual { .. } | Role::Anchor | Role::Velocity => {
                let codes = CodeSet::with_meanings(&codes, meaning_of_residual);
                let ready =
                    |code| std::array::from_fn(|place| Ready::new(&codes, code, place as i32 - SMALL));
                let small = (0..table.codes.len()).map(ready).collect();
                Model { map: [].into(), groups: side_by_side(&table.map), codes, small }
            }
            _ => {
                let map = table.map.clone().into_boxed_slice();
                Model { map, groups: [].into(), codes: CodeSet::new(&codes), small: [].into() }
            }
        })
    }

    /// Writes a symbol in a context.
    #[inline(always)]
    pub(crate) fn write(&self, context: usize, symbol: u32, writer: &mut BitWriter) {
        let (word, length) = self.codes.word(usize::from(self.map[context]), symbol);
        writer.write(u64::from(word), length);
    }

    /// Reads a symbol in a context.
    #[inline(always)]
    pub(crate) fn read(&self, context: usize, reader: &mut BitReader<'_>) -> Result<u32, OutOfBits> {
        let found = self.codes.find(usize::from(self.map[context]), reader.window());
        reader.skip(found.word_bits())?;
        Ok(found.value())
    }
}

/// The map of a residual model with the lanes of one context side by side.
fn side_by_side(map: &[u8]) -> Box<[[[u8; LEVELS]; GROUP]]> {
    let (rows, _) = map.as_chunks();
    let row = |context, lane| rows.get(lane * GROUP_CONTEXTS + context).copied().unwrap_or_default();
    (0..GROUP_CONTEXTS).map(|context| std::array::from_fn(|lane| row(context, lane))).collect()
}

/// Contexts of a group of residuals: what form, how far the field was about to move.
const GROUP_CONTEXTS: usize = FORM_CONTEXTS * LEVELS;
/// Contexts from one lane of a residual model to the next: those of the group, and the level of energy.
pub(crate) const LANE_CONTEXTS: usize = GROUP_CONTEXTS * LEVELS;

impl Model {
    /// Writes residuals lane by lane, the word of each symbol and its place.
    #[inline(always)]
    pub(crate) fn write_residuals<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: &[i32; LANES],
        writer: &mut BitWriter,
    ) {
        // Small residuals, three of which fit a word, are written in one go.
        let mut run = Run::default();
        let mut group = energy.group();
        for (residual, row) in residuals.iter().zip(&self.groups[context]) {
            let code = usize::from(row[group.level()]);
            if let Some(ready) = self.small[code].get((residual + SMALL) as usize) {
                run.add(*ready);
                group.add(ready.class());
            } else {
                writer.write(run.bits, run.length());
                run = Run::default();
                group.add(self.write_large(code, *residual, writer));
            }
        }
        writer.write(run.bits, run.length());
        *energy = group.end();
    }

    /// Writes a residual that is not small, and returns its class.
    #[cold]
    fn write_large(&self, code: usize, residual: i32, writer: &mut BitWriter) -> u32 {
        let (bits, length, class) = spell(&self.codes, code, residual);
        writer.write(bits, length);
        class
    }

    /// Reads residuals lane by lane.
    #[inline(always)]
    pub(crate) fn read_residuals<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: &mut [i32; LANES],
        reader: &mut BitReader<'_>,
    ) -> Result<(), OutOfBits> {
        let mut group = energy.group();
        let mut window = reader.window();
        let mut used = 0;
        for (residual, row) in residuals.iter_mut().zip(&self.groups[context]) {
            let found = self.codes.find(usize::from(row[group.level()]), window);
            *residual = open_residual(found, window);
            group.add(class_of_found(found));
            window >>= found.bits();
            used += found.bits();
        }
        if used > WINDOW_BITS {
            // Some of the bits were no longer in the window.
            return self.read_wide(context, energy, residuals, reader);
        }
        // Zeros stand beyond the end of a window. Should they have been read, it is told here.
        reader.skip(used)?;
        *energy = group.end();
        Ok(())
    }

    /// Reads residuals of any size, with a window for each.
    #[cold]
    fn read_wide<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: &mut [i32; LANES],
        reader: &mut BitReader<'_>,
    ) -> Result<(), OutOfBits> {
        let mut group = energy.group();
        for (residual, row) in residuals.iter_mut().zip(&self.groups[context]) {
            let window = reader.window();
            let found = self.codes.find(usize::from(row[group.level()]), window);
            *residual = open_residual(found, window);
            group.add(class_of_found(found));
            reader.skip(found.bits())?;
        }
        *energy = group.end();
        Ok(())
    }
}

const _: () = assert!(MAX_CODE_BITS + 29 <= WINDOW_BITS, "a window shows a word and its place");

/// Residuals of less than this are looked up when they are written; nearly all are.
const SMALL: i32 = 64;

/// What is written for a small residual: from the lowest, eight bits for the length of the word and the
/// place, eight for the class, 16 for the word and the place.
#[derive(Clone, Copy, Debug)]
struct Ready(u32);

impl Ready {
    fn new(codes: &CodeSet, code: usize, residual: i32) -> Ready {
        // Not every model has a symbol for the largest of the small residuals; those are never written.
        let (bits, length, class) = spell(codes, code, residual);
        debug_assert!(bits < 1 << 16, "a word of 12 bits and a place of four");
        Ready(length | class << 8 | (bits as u32) << 16)
    }

    #[inline]
    fn class(self) -> u32 {
        self.0 >> 8 & 0xff
    }
}

/// What is written for up to three small residuals in a row.
#[derive(Clone, Copy, Default)]
struct Run {
    bits: u64,
    /// The sum of what is ready: the lowest bits are its length, for three times 16 do not reach the others.
    sum: u32,
}

impl Run {
    #[inline]
    fn add(&mut self, ready: Ready) {
        self.bits |= u64::from(ready.0 >> 16).wrapping_shl(self.sum);
        self.sum = self.sum.wrapping_add(ready.0);
    }

    #[inline]
    fn length(self) -> u32 {
        self.sum % u64::BITS
    }
}

/// The word and the place of a residual as one run of bits, their length, and the residual's class.
fn spell(codes: &CodeSet, code: usize, residual: i32) -> (u64, u32, u32) {
    let (symbol, place, bits) = split_residual(residual);
    let (word, length) = codes.word(code, symbol);
    (u64::from(word) | u64::from(place) << length, length + bits, symbol.div_ceil(2))
}

/// What a residual's symbol means to its reader: in the low eight bits the symbol, above them the class. The
/// place follows the word.
fn meaning_of_residual(symbol: u32) -> Meaning {
    let (class, _, bits) = open_symbol(symbol);
    Meaning { value: (symbol | class << 8) as u16, place_bits: bits as u8 }
}

#[inline]
fn class_of_found(found: Found) -> u32 {
    found.value() >> 8
}

/// The residual whose word and place the bits of `window` begin with.
#[inline]
fn open_residual(found: Found, window: u64) -> i32 {
    let Opening { from, mask, flip } = OPENINGS[(found.value() & 0xff) as usize % OPENINGS.len()];
    let place = (window >> found.word_bits()) as u32 & mask;
    from + (place as i32 ^ flip)
}

/// How to make a residual of the place inside its class: `from + ((bits & mask) ^ flip)`.
#[derive(Clone, Copy)]
struct Opening {
    mask: u32,
    /// All bits set for a negative residual, which counts down, else none.
    flip: i32,
    from: i32,
}

/// Per symbol its opening. To look it up is a load; to work it out takes several shifts by a number that is
/// not known before, the dearest of a processor's simple operations.
static OPENINGS: [Opening; 128] = {
    let mut openings = [Opening { mask: 0, flip: 0, from: 0 }; 128];
    let mut symbol = 0;
    while symbol < residual_symbols(MAX_LANE) {
        let (_, base, bits) = open_symbol(symbol as u32);
        let (flip, from) = if is_positive(symbol as u32) { (0, base as i32) } else { (-1, 1 - base as i32) };
        openings[symbol] = Opening { mask: (1 << bits) - 1, flip, from };
        symbol += 1;
    }
    openings
};

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
pub(crate) const fn class_of(magnitude: u32) -> (u32, u32) {
    // Without a jump, for small and large ones come in any order: 2 or 3 stand above the place, two classes
    // to an octave. Below four there is no place and the magnitude is the class.
    let bits = (magnitude | 2).ilog2() - 1;
    ((magnitude >> bits) + 2 * bits, bits)
}

/// The class of a residual's symbol, the smallest magnitude in it, and the bits of the place inside it.
#[inline]
pub(crate) const fn open_symbol(symbol: u32) -> (u32, u32, u32) {
    let class = symbol.div_ceil(2);
    if class < 4 {
        return (class, class, 0);
    }
    let log = class / 2;
    (class, (2 + class % 2) << (log - 1), log - 1)
}

/// Whether a residual's symbol is that of a positive one.
#[inline]
pub(crate) const fn is_positive(symbol: u32) -> bool {
    symbol % 2 == 1
}

/// The number of symbols for residuals of lanes up to `max_lane`.
pub(crate) const fn residual_symbols(max_lane: i32) -> usize {
    class_of(max_lane.unsigned_abs()).0 as usize * 2 + 1
}

/// The logarithm of a magnitude as a level: 0 for 0, 1 for 1, 2 for 2–3 and so on.
#[inline]
pub(crate) fn level(magnitude: u64) -> u32 {
    // A bit below the lowest makes a logarithm of zero, too.
    (magnitude.min(1 << (LEVELS - 2)) << 1 | 1).ilog2()
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
                let Opening { mask, flip, from } = OPENINGS[symbol as usize];
                assert_eq!(mask, (1 << bits) - 1, "{residual}");
                assert_eq!(from + (place as i32 ^ flip), residual, "{residual}");
                let meaning = meaning_of_residual(symbol);
                assert_eq!(u32::from(meaning.place_bits), bits, "{residual}");
                assert_eq!(u32::from(meaning.value), symbol | class << 8, "{residual}");
                assert!((symbol as usize) < residual_symbols(magnitude.max(1)), "{residual}");
            }
        }
        assert!(residual_symbols(MAX_LANE) <= MAX_SYMBOLS);
    }
}
