//! Static prefix codes: canonical Huffman codes of limited length, decoded by one table look-up.
//!
//! A code is known by the lengths of its code words alone; both ends build the same words from them. Shorter
//! words come first and words of one length are numbered in the order of their symbols (canonical form, as in
//! RFC 1951, 3.2.2). A word is written with its first bit lowest, as [`BitWriter`] writes.

use super::bits::{BitReader, BitWriter, OutOfBits};
use crate::limits::{MAX_CODE_BITS, MAX_SYMBOLS, MAX_TABLES_PER_MODEL};
use thiserror::Error;

/// Lengths that are no prefix code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// There is no symbol, or more than [`MAX_SYMBOLS`].
    #[error("a code of {0} symbols")]
    SymbolCount(usize),
    /// A word is longer than [`MAX_CODE_BITS`], or empty beside another one.
    #[error("symbol {symbol} has a code word of {bits} bits")]
    WordLength {
        /// The symbol.
        symbol: usize,
        /// The length of its word.
        bits: u8,
    },
    /// The words do not fill the code space exactly (Kraft's sum is not one).
    #[error("the code words do not fill the code space exactly")]
    Incomplete,
}

/// A prefix code over the symbols `0..len`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixCode {
    /// Per symbol: the word in the low 12 bits, its length above.
    words: Box<[u16]>,
    /// Per next `lookup_bits` bits: the symbol in the low 8 bits, the length of its word above.
    lookup: Box<[u16]>,
    lookup_bits: u32,
}

const WORD_MASK: u16 = (1 << MAX_CODE_BITS) - 1;

impl PrefixCode {
    /// The code with these word lengths, one per symbol. A code of a single symbol has one word of length
    /// zero.
    ///
    /// # Errors
    /// [`CodeError`] when the lengths are no complete prefix code.
    pub fn from_lengths(lengths: &[u8]) -> Result<PrefixCode, CodeError> {
        if lengths.is_empty() || lengths.len() > MAX_SYMBOLS {
            return Err(CodeError::SymbolCount(lengths.len()));
        }
        if lengths == [0] {
            return Ok(PrefixCode { words: Box::new([0]), lookup: Box::new([0]), lookup_bits: 0 });
        }
        let mut filled = 0u32;
        for (symbol, &bits) in lengths.iter().enumerate() {
            if bits == 0 || u32::from(bits) > MAX_CODE_BITS {
                return Err(CodeError::WordLength { symbol, bits });
            }
            filled += 1 << (MAX_CODE_BITS - u32::from(bits));
        }
        if filled != 1 << MAX_CODE_BITS {
            return Err(CodeError::Incomplete);
        }
        let lookup_bits = lengths.iter().copied().max().map_or(0, u32::from);
        let mut words = vec![0u16; lengths.len()].into_boxed_slice();
        let mut lookup = vec![0u16; 1 << lookup_bits].into_boxed_slice();
        let mut next = 0u32;
        for bits in 1..=lookup_bits {
            next <<= 1;
            for symbol in (0..lengths.len()).filter(|&symbol| u32::from(lengths[symbol]) == bits) {
                let word = next.reverse_bits() >> (32 - bits);
                next += 1;
                words[symbol] = (bits as u16) << MAX_CODE_BITS | word as u16;
                for slot in (word as usize..lookup.len()).step_by(1 << bits) {
                    lookup[slot] = (bits as u16) << 8 | symbol as u16;
                }
            }
        }
        Ok(PrefixCode { words, lookup, lookup_bits })
    }

    /// The best code for symbols of these weights under the length limit. A weight of zero counts as the
    /// smallest, so that each symbol can be written. Integer arithmetic with fixed ties: both ends get the
    /// same code.
    ///
    /// # Errors
    /// [`CodeError::SymbolCount`] for no symbols or too many.
    pub fn from_weights(weights: &[u64]) -> Result<PrefixCode, CodeError> {
        PrefixCode::from_lengths(&limited_lengths(weights)?)
    }

    /// The number of symbols.
    #[must_use]
    pub fn symbols(&self) -> usize {
        self.words.len()
    }

    /// The length in bits of the word of `symbol`.
    ///
    /// # Panics
    /// For a symbol that the code does not have.
    #[inline]
    #[must_use]
    pub fn bits(&self, symbol: u32) -> u32 {
        u32::from(self.words[symbol as usize] >> MAX_CODE_BITS)
    }

    /// The word lengths, from which [`PrefixCode::from_lengths`] builds the same code.
    pub fn lengths(&self) -> impl Iterator<Item = u8> + '_ {
        self.words.iter().map(|word| (word >> MAX_CODE_BITS) as u8)
    }

    /// Writes the word of `symbol`.
    ///
    /// # Panics
    /// For a symbol that the code does not have.
    #[inline]
    pub fn write(&self, writer: &mut BitWriter, symbol: u32) {
        let word = self.words[symbol as usize];
        writer.write(u64::from(word & WORD_MASK), u32::from(word >> MAX_CODE_BITS));
    }

    /// Reads a symbol. The code is complete, so that any bits are some symbol.
    ///
    /// # Errors
    /// [`OutOfBits`] when the input ends inside the word.
    #[inline]
    pub fn read(&self, reader: &mut BitReader<'_>) -> Result<u32, OutOfBits> {
        let (symbol, length) = self.find(reader.window());
        reader.skip(length)?;
        Ok(symbol)
    }

    /// The symbol whose word the bits of `window` begin with, and the length of that word.
    #[inline]
    fn find(&self, window: u64) -> (u32, u32) {
        let entry = self.lookup[(window & ((1 << self.lookup_bits) - 1)) as usize];
        (u32::from(entry & 0xff), u32::from(entry >> 8))
    }
}

/// Prefix codes over the same symbols, side by side in flat tables.
///
/// A word is found by its first `SHORT_BITS` bits: nearly all are no longer, and the tables for so few bits
/// stay in the processor's nearest cache where whole ones would not. An entry holds what its reader wants to
/// know of the symbol, so that one load tells all. Longer words are found by the bits that follow, in tables
/// of which there are only as many as there are beginnings of such words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSet {
    /// Per code and symbol, [`MAX_SYMBOLS`] apart: as in [`PrefixCode`].
    words: Box<[u16]>,
    /// Per code and next bits: what is found. There is room for as many codes as there can be, so that a
    /// place among them needs no check.
    short: Box<[[Found; 1 << SHORT_BITS]; MAX_TABLES_PER_MODEL]>,
    /// Per beginning of long words and bits after it: the symbol in the low 8 bits, the length of its word
    /// above, as in [`PrefixCode`].
    long: Box<[[u16; 1 << LONG_BITS]]>,
}

/// A word that was found: in the lowest five bits how many to step over, above a bit for long words what the
/// reader of its symbol asked to be noted. For a long one, both are the place of its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found(u16);

impl Found {
    /// Bits of the word, and of what else the reader of its symbol steps over with it.
    #[inline]
    #[must_use]
    pub fn step(self) -> u32 {
        // The bit of long words is in the mask so that a shift by so many needs none.
        u32::from(self.0 & STEP_MASK)
    }

    /// What was noted of the symbol.
    #[inline]
    #[must_use]
    pub fn note(self) -> u32 {
        u32::from(self.0 >> NOTE_SHIFT)
    }

    /// Whether neither was found, for the word is a long one or there is no note of its symbol:
    /// [`CodeSet::find_long`] finds it. Step and note are then any numbers.
    #[inline]
    #[must_use]
    pub fn is_long(self) -> bool {
        self.0 & LONG != 0
    }

    /// All that was found in one number. The lowest six bits of a sum of those are the sum of their steps, as
    /// long as that is below 64 and none is long.
    #[inline]
    #[must_use]
    pub fn to_bits(self) -> u32 {
        u32::from(self.0)
    }

    /// One that is long if either is.
    #[inline]
    #[must_use]
    pub fn or(self, other: Found) -> Found {
        Found(self.0 | other.0)
    }
}

/// What a reader asks to be noted of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Bits to step over, those of the word and of what follows it: less than 32.
    pub step: u32,
    /// What else it wants to know: less than 1024.
    pub note: u32,
}

/// Bits that find a word in one look-up.
const SHORT_BITS: u32 = 8;
/// Further bits of the longest word.
const LONG_BITS: u32 = MAX_CODE_BITS - SHORT_BITS;
/// The bit that stands for a word longer than `SHORT_BITS`.
const LONG: u16 = 1 << 5;
const STEP_MASK: u16 = 0x3f;
const NOTE_SHIFT: u32 = 6;

const _: () = assert!(MAX_CODE_BITS < LONG as u32 && MAX_SYMBOLS <= 1 << (16 - NOTE_SHIFT));
// Should every beginning be one of long words, there is room for the places of their tables.
const _: () = assert!(MAX_TABLES_PER_MODEL << SHORT_BITS <= 1 << 15);

impl Found {
    fn noted(note: Note) -> Found {
        assert!(note.step < u32::from(LONG) && note.note < 1 << (16 - NOTE_SHIFT), "{note:?} is too large");
        Found((note.note << NOTE_SHIFT | note.step) as u16)
    }

    fn long(place: usize) -> Found {
        Found((place >> 5 << NOTE_SHIFT) as u16 | LONG | (place as u16 & (LONG - 1)))
    }

    /// The place of the table of a long word.
    fn place(self) -> usize {
        usize::from(self.0 >> NOTE_SHIFT << 5 | self.0 & (LONG - 1))
    }
}

impl CodeSet {
    /// The codes in their order. A symbol is noted as itself, with the step over its word.
    ///
    /// # Panics
    /// When the codes have different numbers of symbols, or are more than [`MAX_TABLES_PER_MODEL`].
    #[must_use]
    pub fn new(codes: &[PrefixCode]) -> CodeSet {
        CodeSet::with_notes(codes, |symbol, length| Some(Note { step: length, note: symbol }))
    }

    /// The codes in their order. `note` says what [`CodeSet::find`] yields for a symbol and the length of its
    /// word; where it has none, that is left to [`CodeSet::find_long`].
    ///
    /// # Panics
    /// When the codes have different numbers of symbols, or are more than [`MAX_TABLES_PER_MODEL`], or a note
    /// is too large.
    #[must_use]
    pub fn with_notes(codes: &[PrefixCode], note: impl Fn(u32, u32) -> Option<Note>) -> CodeSet {
        let symbols = codes.first().map_or(0, PrefixCode::symbols);
        assert!(codes.iter().all(|code| code.symbols() == symbols), "the codes are over the same symbols");
        assert!(codes.len() <= MAX_TABLES_PER_MODEL, "{} codes side by side", codes.len());
        let mut words = vec![0; codes.len() * MAX_SYMBOLS];
        for (code, row) in codes.iter().zip(words.chunks_exact_mut(MAX_SYMBOLS)) {
            row[..symbols].copy_from_slice(&code.words);
        }
        let mut long = Vec::new();
        let mut entry = |code: &PrefixCode, window: usize| {
            let (symbol, length) = code.find(window as u64);
            if length <= SHORT_BITS
                && let Some(note) = note(symbol, length)
            {
                return Found::noted(note);
            }
            let found = |rest: usize| code.find((rest << SHORT_BITS | window) as u64);
            long.push(std::array::from_fn(|rest| {
                let (symbol, length) = found(rest);
                (length << 8 | symbol) as u16
            }));
            Found::long(long.len() - 1)
        };
        let mut short = vec![[Found::default(); 1 << SHORT_BITS]; MAX_TABLES_PER_MODEL];
        for (code, table) in codes.iter().zip(&mut short) {
            *table = std::array::from_fn(|window| entry(code, window));
        }
        let short = short.try_into().expect("there are as many tables as were made");
        CodeSet { words: words.into(), short, long: long.into() }
    }

    /// The word of `symbol` in the code at `code`, and its length in bits; an empty one for a symbol that the
    /// codes do not have.
    ///
    /// # Panics
    /// For a code that the set does not have.
    #[inline]
    #[must_use]
    pub fn word(&self, code: usize, symbol: u32) -> (u16, u32) {
        let word = self.words[code * MAX_SYMBOLS + symbol as usize];
        (word & WORD_MASK, u32::from(word >> MAX_CODE_BITS))
    }

    /// The word in the code at `code` that the bits of `window` begin with, if it is a short one; anything
    /// for a code that the set does not have.
    #[inline]
    #[must_use]
    pub fn find(&self, code: usize, window: u64) -> Found {
        self.short[code % MAX_TABLES_PER_MODEL][(window & ((1 << SHORT_BITS) - 1)) as usize]
    }

    /// The symbol of a long word that the bits of `window` begin with, as [`CodeSet::find`] found, and the
    /// length of the word.
    ///
    /// # Panics
    /// For one that this set did not find, or that is not long.
    #[cold]
    #[must_use]
    pub fn find_long(&self, found: Found, window: u64) -> (u32, u32) {
        let entry = self.long[found.place()][(window >> SHORT_BITS) as usize % (1 << LONG_BITS)];
        (u32::from(entry & 0xff), u32::from(entry >> 8))
    }
}

/// Word lengths of least total weight with no word above [`MAX_CODE_BITS`], by the package-merge algorithm
/// (Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", 1990).
fn limited_lengths(weights: &[u64]) -> Result<Vec<u8>, CodeError> {
    let count = weights.len();
    if count == 0 || count > MAX_SYMBOLS {
        return Err(CodeError::SymbolCount(count));
    }
    if count == 1 {
        return Ok(vec![0]);
    }
    // Doublings of a sum must not overflow: weights are scaled to 32 bits, the package sums stay below 2^32 *
    // 2^12 * 2^8.
    let largest = weights.iter().copied().max().unwrap_or(0);
    let shift = (64 - largest.leading_zeros()).saturating_sub(32);
    let mut leaves: Vec<(u64, usize)> =
        weights.iter().enumerate().map(|(symbol, weight)| ((weight >> shift).max(1), symbol)).collect();
    leaves.sort_by_key(|leaf| leaf.0);
    // Per round: which items of the merged list are leaves. The others are the packages of the round before,
    // in order.
    let mut rounds: Vec<Vec<bool>> = Vec::with_capacity(MAX_CODE_BITS as usize);
    let mut packages: Vec<u64> = Vec::new();
    for _ in 0..MAX_CODE_BITS {
        let mut merged = Vec::with_capacity(count + packages.len());
        let mut are_leaves = Vec::with_capacity(count + packages.len());
        let (mut leaf, mut package) = (leaves.iter().peekable(), packages.iter().peekable());
        loop {
            let is_leaf = match (leaf.peek(), package.peek()) {
                (Some(a), Some(b)) => a.0 <= **b,
                (next, None) => next.is_some(),
                (None, Some(_)) => false,
            };
            let next = if is_leaf { leaf.next().map(|leaf| leaf.0) } else { package.next().copied() };
            let Some(weight) = next else { break };
            merged.push(weight);
            are_leaves.push(is_leaf);
        }
        packages = merged.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
        rounds.push(are_leaves);
    }
    // Each appearance of a symbol in the cheapest packages of the last round is one bit of its word. They
    // take their two items each from the front of its list, and so on down the rounds.
    let mut lengths = vec![0u8; count];
    let mut chosen = count - 1;
    for are_leaves in rounds.iter().rev() {
        let taken = are_leaves[..chosen * 2].iter().filter(|is_leaf| **is_leaf).count();
        leaves[..taken].iter().for_each(|(_, symbol)| lengths[*symbol] += 1);
        chosen = chosen * 2 - taken;
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(code: &PrefixCode, symbols: &[u32]) {
        let mut writer = BitWriter::new();
        for &symbol in symbols {
            code.write(&mut writer, symbol);
        }
        assert_eq!(writer.bits(), symbols.iter().map(|&symbol| code.bits(symbol) as usize).sum::<usize>());
        let bytes = writer.to_bytes();
        let mut reader = BitReader::new(&bytes);
        for &symbol in symbols {
            assert_eq!(code.read(&mut reader), Ok(symbol));
        }
        assert_eq!(reader.finish(), Ok(()));
    }

    proptest! {
        #[test]
        fn any_weights_make_a_complete_code(
            weights in prop::collection::vec(prop_oneof![0u64..20, any::<u64>()], 1..=MAX_SYMBOLS),
        ) {
            let code = PrefixCode::from_weights(&weights).expect("the count is in range");
            let lengths: Vec<u8> = code.lengths().collect();
            let again = PrefixCode::from_lengths(&lengths);
            prop_assert_eq!(again.as_ref(), Ok(&code));
            let all: Vec<u32> = (0..weights.len() as u32).collect();
            round_trip(&code, &all);
            let even = PrefixCode::from_weights(&vec![1; weights.len()]).expect("the count is in range");
            let set = CodeSet::with_notes(&[even, code.clone()], |symbol, length| {
                (symbol % 7 > 0).then_some(Note { step: length + symbol % 19, note: symbol << 2 | 1 })
            });
            let (mut one, mut other) = (BitWriter::new(), BitWriter::new());
            all.iter().for_each(|&symbol| code.write(&mut one, symbol));
            for (word, length) in all.iter().map(|&symbol| set.word(1, symbol)) {
                other.write(u64::from(word), length);
            }
            let bytes = one.to_bytes();
            prop_assert_eq!(&bytes, &other.to_bytes());
            let mut reader = BitReader::new(&bytes);
            for &symbol in &all {
                let found = set.find(1, reader.window());
                prop_assert_eq!(found.is_long(), code.bits(symbol) > SHORT_BITS || symbol % 7 == 0);
                if found.is_long() {
                    prop_assert_eq!(set.find_long(found, reader.window()), (symbol, code.bits(symbol)));
                } else {
                    prop_assert_eq!(found.note(), symbol << 2 | 1);
                    prop_assert_eq!(found.step(), code.bits(symbol) + symbol % 19);
                }
                reader.skip(code.bits(symbol)).expect("the word is there");
            }
            // A heavier symbol never has a longer word.
            for a in 0..weights.len() {
                for b in 0..weights.len() {
                    // Weights are rounded to 32 bits.
                    let heavier = weights[a] > weights[b] && weights[a] >> 32 != weights[b] >> 32;
                    prop_assert!(!heavier || lengths[a] <= lengths[b]);
                }
            }
        }

        #[test]
        fn any_lengths_are_a_code_or_an_error(lengths in prop::collection::vec(0u8..16, 0..300)) {
            if let Ok(code) = PrefixCode::from_lengths(&lengths) {
                prop_assert_eq!(code.symbols(), lengths.len());
            }
        }
    }

    #[test]
    fn lengths_are_optimal_where_the_limit_does_not_bind() {
        // The textbook case: weights of a Fibonacci tree of five symbols.
        let code = PrefixCode::from_weights(&[1, 1, 2, 3, 5]).expect("five symbols");
        let mut lengths: Vec<u8> = code.lengths().collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [1, 2, 3, 4, 4]);
    }

    #[test]
    fn one_symbol_costs_nothing() {
        let code = PrefixCode::from_weights(&[7]).expect("one symbol");
        round_trip(&code, &[0, 0, 0]);
        assert_eq!(code.bits(0), 0);
    }

    #[test]
    fn wrong_lengths_are_named() {
        assert_eq!(PrefixCode::from_lengths(&[]), Err(CodeError::SymbolCount(0)));
        assert_eq!(PrefixCode::from_lengths(&[1; 257]), Err(CodeError::SymbolCount(257)));
        assert_eq!(PrefixCode::from_lengths(&[1, 13]), Err(CodeError::WordLength { symbol: 1, bits: 13 }));
        assert_eq!(PrefixCode::from_lengths(&[1, 0]), Err(CodeError::WordLength { symbol: 1, bits: 0 }));
        assert_eq!(PrefixCode::from_lengths(&[1, 2]), Err(CodeError::Incomplete));
        assert_eq!(PrefixCode::from_lengths(&[1, 1, 1]), Err(CodeError::Incomplete));
    }

    #[test]
    fn a_cut_word_is_out_of_bits() {
        let code = PrefixCode::from_lengths(&[1, 2, 3, 3]).expect("complete");
        let mut reader = BitReader::new(&[0xff]);
        reader.skip(6).expect("eight bits are there");
        assert!(code.read(&mut reader).is_err());
    }
}
