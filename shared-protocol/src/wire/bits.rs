//! Bit strings on 64-bit words, least significant bit first.
//!
//! A writer collects bits in a word and stores full words only. A finished bit string starts on a word of its
//! own, so that appending it to a message is one shift per word: that copy is what a shared encoding costs
//! each further player.

use thiserror::Error;

/// Writes bits, least significant first, into words that it keeps.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    words: Vec<u64>,
    tail: Tail,
}

/// The bits that do not fill a word yet.
#[derive(Clone, Copy, Debug, Default)]
struct Tail {
    /// Those above `used` are zero.
    partial: u64,
    used: u32,
}

impl Tail {
    #[inline]
    fn write(&mut self, value: u64, count: u32, words: &mut Vec<u64>) {
        debug_assert!(count <= 64 && (count == 64 || value >> count == 0), "{value} in {count} bits");
        self.partial |= value << self.used;
        let filled = self.used + count;
        if filled < 64 {
            self.used = filled;
            return;
        }
        words.push(self.partial);
        // Two shifts, because a shift by all 64 bits is not defined: nothing is left over when the word was
        // empty.
        self.partial = (value >> 1) >> (63 - self.used);
        self.used = filled - 64;
    }
}

/// Several writes to a [`BitWriter`] in a row. The unfinished word stays in registers between them, where the
/// writer alone would take it through memory each time.
#[derive(Debug)]
pub struct BitBatch<'a> {
    writer: &'a mut BitWriter,
    tail: Tail,
}

impl BitBatch<'_> {
    /// Appends the low `count` bits of `value`, as [`BitWriter::write`] does.
    #[inline]
    pub fn write(&mut self, value: u64, count: u32) {
        self.tail.write(value, count, &mut self.writer.words);
    }

    /// Appends one bit.
    #[inline]
    pub fn write_bool(&mut self, value: bool) {
        self.write(u64::from(value), 1);
    }

    /// The number of bits written so far, those before the batch included.
    #[inline]
    #[must_use]
    pub fn bits(&self) -> usize {
        self.writer.words.len() * 64 + self.tail.used as usize
    }

    /// Appends a finished bit string of `source`, as [`BitWriter::append`] does.
    ///
    /// # Panics
    /// When `span` is not one of `source`.
    #[inline]
    pub fn append(&mut self, source: &BitWriter, span: BitSpan) {
        let (mut word, mut left) = (span.word as usize, span.bits);
        while left > 64 {
            self.write(source.words[word], 64);
            (word, left) = (word + 1, left - 64);
        }
        if left > 0 {
            self.write(source.words[word], left);
        }
    }

    /// Hands the bits over to the writer; without it those of the last word are lost.
    #[inline]
    pub fn finish(self) {
        self.writer.tail = self.tail;
    }
}

/// A finished bit string inside a [`BitWriter`]: the index of its first word, and its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitSpan {
    /// Index of the first word.
    pub word: u32,
    /// Length in bits.
    pub bits: u32,
}

impl BitWriter {
    /// An empty writer.
    #[must_use]
    pub fn new() -> BitWriter {
        BitWriter::default()
    }

    /// Forgets all bits and keeps the memory.
    pub fn clear(&mut self) {
        self.words.clear();
        self.tail = Tail::default();
    }

    /// The number of bits written so far.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.words.len() * 64 + self.tail.used as usize
    }

    /// Appends the low `count` bits of `value`, at most 64. The bits above them must be zero.
    #[inline]
    pub fn write(&mut self, value: u64, count: u32) {
        self.tail.write(value, count, &mut self.words);
    }

    /// Begins several writes in a row.
    #[inline]
    #[must_use]
    pub fn batch(&mut self) -> BitBatch<'_> {
        let tail = self.tail;
        BitBatch { writer: self, tail }
    }

    /// Appends one bit.
    #[inline]
    pub fn write_bool(&mut self, value: bool) {
        self.write(u64::from(value), 1);
    }

    /// Appends a finished bit string of `source`.
    ///
    /// # Panics
    /// When `span` does not lie inside the full words of `source`, that is when it is not one of its spans.
    #[inline]
    pub fn append(&mut self, source: &BitWriter, span: BitSpan) {
        let mut batch = self.batch();
        batch.append(source, span);
        batch.finish();
    }

    /// Starts a bit string on a new word and returns the mark that [`BitWriter::end_span`] wants.
    #[inline]
    pub fn begin_span(&mut self) -> u32 {
        if self.tail.used > 0 {
            self.words.push(self.tail.partial);
            self.tail = Tail::default();
        }
        self.words.len() as u32
    }

    /// Ends the bit string that began at `mark`; the next one starts on a new word.
    #[inline]
    pub fn end_span(&mut self, mark: u32) -> BitSpan {
        let bits = (self.words.len() as u32 - mark) * 64 + self.tail.used;
        self.begin_span();
        BitSpan { word: mark, bits }
    }

    /// Appends what was written to `bytes`, little-endian, the last byte filled up with zero bits.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        bytes.reserve(self.words.len() * 8 + 8);
        for word in &self.words {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        // A whole word, and then less of it, is faster than a part whose length differs each time.
        let length = bytes.len() + self.tail.used.div_ceil(8) as usize;
        bytes.extend_from_slice(&self.tail.partial.to_le_bytes());
        bytes.truncate(length);
    }

    /// What was written, as bytes. See [`BitWriter::write_to`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes);
        bytes
    }
}

/// The input ended before the value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bits end at {available} where at least {wanted} are wanted")]
pub struct OutOfBits {
    /// Bits that would have had to be there, from the start of the input.
    pub wanted: usize,
    /// Bits that are there.
    pub available: usize,
}

/// Something follows the last value: more than the zero bits that fill its byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{bits} bits follow the last value")]
pub struct TrailingBits {
    /// Bits after the last value.
    pub bits: usize,
}

/// Bits that [`BitReader::window`] shows at least.
pub const WINDOW_BITS: u32 = 57;

/// Reads bits as [`BitWriter`] wrote them. It is total: any bytes give values or an error.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Reads from the first bit of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, position: 0 }
    }

    /// Bits read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bits left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }

    /// The next [`WINDOW_BITS`] bits at least, without reading them; zeros stand beyond the end.
    #[inline]
    #[must_use]
    pub fn window(&self) -> u64 {
        let first = self.position / 8;
        let word = match self.bytes.get(first..first + 8).and_then(<[u8]>::first_chunk) {
            Some(eight) => u64::from_le_bytes(*eight),
            // The position is never beyond the end.
            None => last_word(self.bytes, first),
        };
        word >> (self.position % 8)
    }

    /// The next `count` bits, at most 32, without reading them; zeros stand beyond the end.
    #[inline]
    #[must_use]
    pub fn peek(&self, count: u32) -> u32 {
        debug_assert!(count <= 32);
        (self.window() & ((1u64 << count) - 1)) as u32
    }

    /// Steps over `count` bits.
    ///
    /// # Errors
    /// [`OutOfBits`] when fewer are left; nothing is read then.
    #[inline]
    pub fn skip(&mut self, count: u32) -> Result<(), OutOfBits> {
        self.seek(self.position + count as usize)
    }

    /// Reads `count` bits, at most 64.
    ///
    /// # Errors
    /// [`OutOfBits`] when fewer are left; nothing is read then.
    #[inline]
    pub fn read(&mut self, count: u32) -> Result<u64, OutOfBits> {
        debug_assert!(count <= 64);
        let here = self.window();
        let low = count.min(32);
        let start = self.position;
        self.skip(count)?;
        if count <= 32 {
            return Ok(here & ((1u64 << low) - 1));
        }
        let high = BitReader { bytes: self.bytes, position: start + 32 }.window();
        Ok((here & 0xffff_ffff) | (high & ((1u64 << (count - 32)) - 1)) << 32)
    }

    /// Begins several reads in a row.
    #[inline]
    #[must_use]
    pub fn cursor(&self) -> BitCursor<'_> {
        BitCursor::at(self, self.position)
    }

    /// Steps to a position, such as that of a cursor.
    ///
    /// # Errors
    /// [`OutOfBits`] when that is beyond the end; nothing is read then.
    #[inline]
    pub fn seek(&mut self, position: usize) -> Result<(), OutOfBits> {
        let available = self.bytes.len() * 8;
        if position > available {
            return Err(OutOfBits { wanted: position, available });
        }
        self.position = position;
        Ok(())
    }

    /// Reads one bit.
    ///
    /// # Errors
    /// [`OutOfBits`] at the end.
    #[inline]
    pub fn read_bool(&mut self) -> Result<bool, OutOfBits> {
        Ok(self.read(1)? == 1)
    }

    /// Confirms that nothing but the zero bits that fill the last byte is left.
    ///
    /// # Errors
    /// [`TrailingBits`] when a whole byte or a set bit is left.
    pub fn finish(self) -> Result<(), TrailingBits> {
        let bits = self.remaining();
        if bits >= 8 || self.window() != 0 {
            return Err(TrailingBits { bits });
        }
        Ok(())
    }
}

/// Reads several values of a [`BitReader`] in a row, from a word that is fetched once for all of them. It may
/// go beyond the end, where zeros stand; [`BitReader::seek`] tells.
#[derive(Clone, Copy, Debug)]
pub struct BitCursor<'a> {
    reader: &'a BitReader<'a>,
    /// The next bits, the first one lowest.
    window: u64,
    /// How many of them are there.
    left: u32,
    /// The position of the bit after those.
    end: usize,
}

impl<'a> BitCursor<'a> {
    #[inline]
    fn at(reader: &'a BitReader<'a>, position: usize) -> BitCursor<'a> {
        let first = position / 8;
        let word = match reader.bytes.get(first..first + 8).and_then(<[u8]>::first_chunk) {
            Some(eight) => u64::from_le_bytes(*eight),
            None => last_word(reader.bytes, first),
        };
        let read = position % 8;
        BitCursor { reader, window: word >> read, left: 64 - read as u32, end: first * 8 + 64 }
    }

    /// Bits read so far, from the start of the input; maybe more than there are.
    #[inline]
    #[must_use]
    pub fn position(&self) -> usize {
        self.end - self.left as usize
    }

    /// The next bits, of which only [`BitCursor::left`] are there.
    #[inline]
    #[must_use]
    pub fn window(&self) -> u64 {
        self.window
    }

    /// How many bits of the window are there.
    #[inline]
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// The same with a full window, of at least [`WINDOW_BITS`].
    #[cold]
    #[must_use]
    pub fn refilled(self) -> BitCursor<'a> {
        BitCursor::at(self.reader, self.position())
    }

    /// Sees to it that `count` bits of the window are there, at most [`WINDOW_BITS`].
    #[inline]
    pub fn ensure(&mut self, count: u32) {
        debug_assert!(count <= WINDOW_BITS);
        if self.left < count {
            *self = self.refilled();
        }
    }

    /// Steps over `count` bits that are there; `rest` is the window without them.
    #[inline]
    pub fn step_to(&mut self, rest: u64, count: u32) {
        debug_assert!(count <= self.left);
        self.window = rest;
        self.left -= count;
    }

    /// Reads `count` bits, at most 32.
    #[inline]
    pub fn read(&mut self, count: u32) -> u32 {
        debug_assert!(count <= 32);
        self.ensure(count);
        let value = (self.window & ((1u64 << count) - 1)) as u32;
        self.step_to(self.window >> count, count);
        value
    }
}

/// The word at a place where fewer than eight bytes are left; zeros stand beyond the end.
#[cold]
fn last_word(bytes: &[u8], first: usize) -> u64 {
    if let Some(last) = bytes.last_chunk() {
        // Loaded at once: a load of what was just stored piece by piece waits until that is in the cache.
        let beyond = first + 8 - bytes.len();
        return u64::from_le_bytes(*last).checked_shr(8 * beyond as u32).unwrap_or(0);
    }
    let tail = bytes.get(first..).unwrap_or_default();
    let mut padded = [0u8; 8];
    padded[..tail.len()].copy_from_slice(tail);
    u64::from_le_bytes(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked((value, count): (u64, u32)) -> (u64, u32) {
        (if count == 64 { value } else { value & ((1 << count) - 1) }, count)
    }

    proptest! {
        #[test]
        fn reads_back_what_was_written(items in prop::collection::vec((any::<u64>(), 0u32..=64), 0..200)) {
            let mut writer = BitWriter::new();
            let mut source = BitWriter::new();
            for item in items.iter().copied().map(masked) {
                // Half of the values go through a finished bit string, as shared encodings do.
                if item.1 % 2 == 0 {
                    writer.write(item.0, item.1);
                } else {
                    let mark = source.begin_span();
                    source.write(item.0, item.1);
                    let span = source.end_span(mark);
                    prop_assert_eq!(span.bits, item.1);
                    writer.append(&source, span);
                }
            }
            let total: u32 = items.iter().map(|item| item.1).sum();
            prop_assert_eq!(writer.bits(), total as usize);
            let bytes = writer.to_bytes();
            prop_assert_eq!(bytes.len(), total.div_ceil(8) as usize);
            let mut reader = BitReader::new(&bytes);
            for (value, count) in items.into_iter().map(masked) {
                if count <= 32 {
                    prop_assert_eq!(u64::from(reader.peek(count)), value);
                }
                prop_assert_eq!(reader.read(count), Ok(value));
            }
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn a_cursor_reads_as_the_reader_does(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            counts in prop::collection::vec(0u32..=32, 0..20),
        ) {
            let mut reader = BitReader::new(&bytes);
            let start = reader.clone();
            let mut cursor = start.cursor();
            for count in counts {
                let value = cursor.read(count);
                match reader.read(count) {
                    Ok(read) => prop_assert_eq!(u64::from(value), read),
                    Err(_) => {
                        prop_assert!(reader.seek(cursor.position()).is_err());
                        break;
                    }
                }
                prop_assert_eq!(cursor.position(), reader.position());
            }
            // Beyond the end stand zeros, however far.
            for _ in 0..20 {
                cursor.read(32);
            }
            prop_assert_eq!(cursor.read(32), 0);
        }

        #[test]
        fn long_spans_append_whole(
            words in prop::collection::vec(any::<u64>(), 1..9),
            shift in 0u32..64,
            cut in 1u32..=64,
        ) {
            let mut source = BitWriter::new();
            source.write(1, 3);
            let mark = source.begin_span();
            for (index, word) in words.iter().enumerate() {
                let count = if index + 1 == words.len() { cut } else { 64 };
                let (value, count) = masked((*word, count));
                source.write(value, count);
            }
            let span = source.end_span(mark);
            let mut writer = BitWriter::new();
            writer.write(0, shift);
            writer.append(&source, span);
            let bytes = writer.to_bytes();
            let mut reader = BitReader::new(&bytes);
            prop_assert_eq!(reader.read(shift), Ok(0));
            for (index, word) in words.iter().enumerate() {
                let count = if index + 1 == words.len() { cut } else { 64 };
                let (value, count) = masked((*word, count));
                prop_assert_eq!(reader.read(count), Ok(value));
            }
        }
    }

    #[test]
    fn the_end_is_an_error_and_reads_nothing() {
        let mut reader = BitReader::new(&[0xff, 0x01]);
        assert_eq!(reader.read(9), Ok(0x1ff));
        assert_eq!(reader.read(8), Err(OutOfBits { wanted: 17, available: 16 }));
        assert_eq!(reader.peek(20), 0);
        assert_eq!(reader.read(7), Ok(0));
        assert_eq!(reader.read_bool(), Err(OutOfBits { wanted: 17, available: 16 }));
        assert_eq!(reader.read(0), Ok(0));
    }

    #[test]
    fn trailing_bits_are_named() {
        let reader = BitReader::new(&[0x00]);
        assert_eq!(reader.finish(), Err(TrailingBits { bits: 8 }));
        let mut reader = BitReader::new(&[0x80]);
        reader.read(3).expect("eight bits are there");
        assert_eq!(reader.finish(), Err(TrailingBits { bits: 5 }));
        let mut reader = BitReader::new(&[0x07]);
        reader.read(3).expect("eight bits are there");
        assert_eq!(reader.finish(), Ok(()));
    }
}
