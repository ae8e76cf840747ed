//! A set of entity indices that is read out in order.

use tickwire_protocol::id::EntityIndex;

/// A set of entity indices.
#[derive(Debug, Default)]
pub(super) struct Bitmap {
    words: Vec<u64>,
    /// Bit n of word w: `words[64 * w + n]` is not zero.
    filled: Vec<u64>,
}

impl Bitmap {
    /// Makes room for indices below `capacity`. It is empty then, as it was.
    pub(super) fn begin(&mut self, capacity: usize) {
        self.words.resize(capacity.div_ceil(64), 0);
        self.filled.resize(self.words.len().div_ceil(64), 0);
    }

    /// Adds an index below the capacity.
    pub(super) fn insert_if(&mut self, index: EntityIndex, condition: bool) {
        let (place, bit) = (usize::from(index.0) / 64, index.0 % 64);
        self.words[place] |= u64::from(condition) << bit;
        self.filled[place / 64] |= u64::from(condition) << (place % 64);
    }

    /// Makes a list of the indices, ascending; there are no more than `most`. It is empty then.
    pub(super) fn drain_into(&mut self, list: &mut Vec<EntityIndex>, most: usize) {
        list.resize(most + AT_ONCE, EntityIndex(0));
        let mut count = 0;
        for (group, filled) in self.filled.iter_mut().enumerate() {
            let mut filled = std::mem::take(filled);
            while filled != 0 {
                let place = group * 64 + filled.trailing_zeros() as usize;
                filled &= filled - 1;
                let mut bits = std::mem::take(&mut self.words[place]);
                // How many bits a word has cannot be foreseen, and to be wrong costs more than to write some
                // in vain.
                while bits != 0 {
                    for _ in 0..AT_ONCE {
                        list[count] = EntityIndex((place * 64) as u16 | (bits.trailing_zeros() & 63) as u16);
                        count += usize::from(bits != 0);
                        bits &= bits.wrapping_sub(1);
                    }
                }
            }
        }
        list.truncate(count);
    }
}

/// Bits of a word that are read out at a time.
const AT_ONCE: usize = 3;
