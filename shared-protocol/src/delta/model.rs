//! Models: for each symbol of an entity's delta, which prefix code it is written with in which context.
//!
//! A model has many contexts and few codes: a table maps each context to one of at most sixteen codes. What a
//! context is made of is the business of the layout ([`super::transcode`]); which codes there are, that of
//! the tables ([`super::tables`]).
//!
//! Residuals are written as a symbol for sign and magnitude class, then the place inside the class as plain
//! bits. Below four each magnitude is a class of its own, above there are two classes to an octave.

use super::energy::{Energy, GroupEnergy};
use super::form::FORM_CONTEXTS;
use super::tables::{ModelTable, TablesError};
use crate::limits::{MAX_CODE_BITS, MAX_LANE, MAX_TABLES_PER_MODEL};
use crate::wire::bits::{BitCursor, BitWriter, WINDOW_BITS};
use crate::wire::codes::{CodeSet, Found, Note, PrefixCode};

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
    /// Per context of a group of residuals: the places of their codes. Empty for other symbols.
    groups: Box<[GroupCodes]>,
    codes: CodeSet,
    /// Per code and residual of less than [`SMALL`] steps: what is written for it. Empty for other symbols.
    small: Box<[[Ready; SMALL_PLACES]]>,
}

/// The codes of up to three residuals in a row, side by side in the processor's cache: those of the small
/// ones are in one line of it.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct GroupCodes {
    /// Per level of the group before: the code of the first residual.
    first: [u8; LEVELS],
    /// Per half of the mean class of those before it in the group: the code of a later one. That needs no
    /// bound, which would take its time between one symbol and the next: classes go up to 63.
    later: [[u8; HALVES]; 2],
}

/// Halves of a mean class, rounded up.
const HALVES: usize = 33;

const _: () = assert!(class_of(MAX_LANE.unsigned_abs()).0 as usize <= (HALVES - 1) * 2);

impl GroupCodes {
    /// The place of the code of the residual in a lane.
    #[inline(always)]
    fn code(&self, lane: usize, before: Energy, group: &GroupEnergy) -> usize {
        usize::from(match lane {
            0 => self.first[before.level()],
            _ => self.later[lane - 1][group.half()],
        })
    }
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
        Ok(match shape.role {
            Role::Residual { .. } | Role::Anchor | Role::Velocity => {
                let codes = CodeSet::with_notes(&codes, note_of_residual);
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
    pub(crate) fn read(&self, context: usize, bits: &mut BitCursor<'_>) -> u32 {
        bits.ensure(MAX_CODE_BITS);
        let window = bits.window();
        let found = self.codes.find(usize::from(self.map[context]), window);
        if found.is_long() {
            let (symbol, length) = self.codes.find_long(found, window);
            bits.step_to(window >> length, length);
            return symbol;
        }
        bits.step_to(window >> found.step(), found.step());
        found.note()
    }
}

/// The map of a residual model with the lanes of one context side by side.
fn side_by_side(map: &[u8]) -> Box<[GroupCodes]> {
    let (rows, _) = map.as_chunks();
    let row = |context, lane| -> [u8; LEVELS] {
        rows.get(lane * GROUP_CONTEXTS + context).copied().unwrap_or_default()
    };
    let later = |context, lane| {
        let row = row(context, lane);
        std::array::from_fn(|half| row[Energy::after(half).level()])
    };
    let codes =
        |context| GroupCodes { first: row(context, 0), later: [later(context, 1), later(context, 2)] };
    (0..GROUP_CONTEXTS).map(codes).collect()
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
        let places = residuals.map(|residual| residual.wrapping_add(SMALL) as u32);
        if places.iter().fold(0, |all, place| all | place) >= SMALL_PLACES as u32 {
            return self.write_wide(context, energy, residuals, writer);
        }
        // Small residuals, three of which fit a word, are written in one go. Their classes are looked up
        // beside their words, so that no code waits for the word before.
        let codes = &self.groups[context];
        let mut run = Run::default();
        let mut group = GroupEnergy::default();
        for (lane, place) in places.into_iter().enumerate() {
            let place = place as usize % SMALL_PLACES;
            run.add(self.small[codes.code(lane, *energy, &group)][place]);
            group.add(u32::from(SMALL_CLASSES[place]));
        }
        writer.write(run.bits, run.length());
        *energy = group.energy();
    }

    /// Writes residuals of any size, one after the other.
    #[cold]
    fn write_wide<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        residuals: &[i32; LANES],
        writer: &mut BitWriter,
    ) {
        let codes = &self.groups[context];
        let mut group = GroupEnergy::default();
        for (lane, residual) in residuals.iter().enumerate() {
            let (bits, length, class) = spell(&self.codes, codes.code(lane, *energy, &group), *residual);
            writer.write(bits, length);
            group.add(class);
        }
        *energy = group.energy();
    }

    /// Reads residuals lane by lane.
    #[inline(always)]
    pub(crate) fn read_residuals<const LANES: usize>(
        &self,
        context: usize,
        energy: &mut Energy,
        bits: &mut BitCursor<'_>,
    ) -> [i32; LANES] {
        let codes = &self.groups[context];
        let before = *energy;
        let mut group = GroupEnergy::default();
        let mut rest = bits.window();
        let mut sum = 0;
        let mut any = Found::default();
        // Whether the words are short and the window has shown all of them is asked once, at the end. The
        // lanes one by one, not in a loop: an array that a loop fills is kept in memory.
        let mut next = |lane| {
            let found = self.codes.find(codes.code(lane, before, &group), rest);
            let note = ResidualNote(found.note());
            let place = rest >> note.word_bits();
            group.add(note.class());
            rest >>= found.step();
            sum += found.to_bits();
            any = any.or(found);
            (note.key(), place)
        };
        let first = next(0);
        let second = if LANES > 1 { next(1) } else { first };
        let third = if LANES > 2 { next(2) } else { first };
        let step = sum % u64::BITS;
        if any.is_long() || step > bits.left() {
            let (residuals, after, behind) = self.read_wide::<LANES>(context, before, *bits);
            (*energy, *bits) = (after, behind);
            return std::array::from_fn(|lane| residuals[lane]);
        }
        bits.step_to(rest, step);
        *energy = group.energy();
        let places = [first, second, third];
        std::array::from_fn(|lane| open_residual(places[lane].0, places[lane].1))
    }

    /// Reads residuals of any size, with a window for each.
    #[cold]
    fn read_wide<'a, const LANES: usize>(
        &self,
        context: usize,
        before: Energy,
        mut bits: BitCursor<'a>,
    ) -> ([i32; LANES], Energy, BitCursor<'a>) {
        let codes = &self.groups[context];
        let mut group = GroupEnergy::default();
        let mut residuals = [0; LANES];
        for (lane, residual) in residuals.iter_mut().enumerate() {
            bits.ensure(WIDEST);
            let window = bits.window();
            let found = self.codes.find(codes.code(lane, before, &group), window);
            let (key, word_bits, step) = if found.is_long() {
                let (symbol, length) = self.codes.find_long(found, window);
                let (_, _, place_bits) = open_symbol(symbol);
                (key_of(symbol), length, length + place_bits)
            } else {
                let note = ResidualNote(found.note());
                (note.key(), note.word_bits(), found.step())
            };
            *residual = open_residual(key, window >> word_bits);
            group.add(key >> 1);
            bits.step_to(window >> step, step);
        }
        (residuals, group.energy(), bits)
    }
}

/// Bits of the longest word and its place.
const WIDEST: u32 = MAX_CODE_BITS + 29;

const _: () = assert!(WIDEST <= WINDOW_BITS, "a window shows a word and its place");

/// Residuals of less than this are looked up when they are written; nearly all are.
const SMALL: i32 = 64;
/// Small residuals, from `-SMALL` on.
const SMALL_PLACES: usize = 2 * SMALL as usize;

/// The class of each small residual.
static SMALL_CLASSES: [u8; SMALL_PLACES] = {
    let mut classes = [0; SMALL_PLACES];
    let mut place = 0;
    while place < SMALL_PLACES {
        classes[place] = class_of((place as i32 - SMALL).unsigned_abs()).0 as u8;
        place += 1;
    }
    classes
};

/// What is written for a small residual: in the low 16 bits the length of the word and the place, above them
/// the word and the place.
#[derive(Clone, Copy, Debug)]
struct Ready(u32);

impl Ready {
    fn new(codes: &CodeSet, code: usize, residual: i32) -> Ready {
        // Not every model has a symbol for the largest of the small residuals; those are never written.
        let (bits, length, _) = spell(codes, code, residual);
        debug_assert!(bits < 1 << 16, "a word of 12 bits and a place of four");
        Ready(length | (bits as u32) << 16)
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

/// What is noted of a residual's symbol: in the low four bits the length of its word, above them its key. The
/// step is that over the word and its place.
#[derive(Clone, Copy)]
struct ResidualNote(u32);

impl ResidualNote {
    #[inline]
    fn key(self) -> u32 {
        self.0 >> 4
    }

    #[inline]
    fn class(self) -> u32 {
        self.0 >> 5
    }

    #[inline]
    fn word_bits(self) -> u32 {
        self.0 & 0xf
    }
}

/// A step of which three in a row have a sum of six bits.
const NEAR_STEP: u32 = 21;

fn note_of_residual(symbol: u32, length: u32) -> Option<Note> {
    let (_, _, place_bits) = open_symbol(symbol);
    let (step, key) = (length + place_bits, key_of(symbol));
    (step <= NEAR_STEP && key < 1 << 6).then_some(Note { step, note: key << 4 | length })
}

/// The key of a residual's symbol: its class, and below that a bit that is set for a positive one.
#[inline]
const fn key_of(symbol: u32) -> u32 {
    if is_positive(symbol) { symbol + 2 } else { symbol }
}

/// The residual of a key whose place the bits of `window` begin with.
#[inline]
fn open_residual(key: u32, window: u64) -> i32 {
    let Opening { from, mask, flip } = OPENINGS[key as usize % OPENINGS.len()];
    from + ((window as u32 & mask) as i32 ^ flip)
}

/// How to make a residual of the place inside its class: `from + ((bits & mask) ^ flip)`.
#[derive(Clone, Copy)]
struct Opening {
    mask: u32,
    /// All bits set for a negative residual, which counts down, else none.
    flip: i32,
    from: i32,
}

/// Per key its opening. To look it up is a load; to work it out takes several shifts by a number that is
/// not known before, the dearest of a processor's simple operations.
static OPENINGS: [Opening; 128] = {
    let mut openings = [Opening { mask: 0, flip: 0, from: 0 }; 128];
    let mut symbol = 0;
    while symbol < residual_symbols(MAX_LANE) {
        let (_, base, bits) = open_symbol(symbol as u32);
        let (flip, from) = if is_positive(symbol as u32) { (0, base as i32) } else { (-1, 1 - base as i32) };
        openings[key_of(symbol as u32) as usize] = Opening { mask: (1 << bits) - 1, flip, from };
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
                assert_eq!(open_residual(key_of(symbol), u64::from(place) | 1 << bits), residual);
                let note = note_of_residual(symbol, 2);
                assert_eq!(note.is_none(), class > 31 || bits + 2 > NEAR_STEP, "{residual}");
                if let Some(Note { step, note }) = note {
                    let note = ResidualNote(note);
                    assert_eq!((note.key(), note.class()), (key_of(symbol), class), "{residual}");
                    assert_eq!((note.word_bits(), step), (2, bits + 2), "{residual}");
                }
                assert!((symbol as usize) < residual_symbols(magnitude.max(1)), "{residual}");
            }
        }
        assert!(residual_symbols(MAX_LANE) <= MAX_SYMBOLS);
    }
}
