//! Ascending lists of places in a row of known length, as the gaps between them: who changed, who left, who
//! is new.
//!
//! The gaps of a random list are geometrically distributed, so an exponential Golomb code whose order follows
//! from the mean gap is near the best. Reader and writer know the length of the row and of the list, hence
//! the mean.

use super::bits::{BitBatch, BitReader, BitWriter};
use super::varint::{VarintError, batch_exp_golomb, read_exp_golomb};
use thiserror::Error;

/// Order of the code for the length of a list.
const COUNT_ORDER: u32 = 2;

/// Why a list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GapsError {
    /// A number in it could not be read.
    #[error(transparent)]
    Number(#[from] VarintError),
    /// The list is longer than the row.
    #[error("a list of {count} places in a row of {row}")]
    TooMany {
        /// Length of the list.
        count: u32,
        /// Length of the row.
        row: u32,
    },
    /// A place is beyond the end of the row.
    #[error("a place beyond the end of a row of {row}")]
    Beyond {
        /// Length of the row.
        row: u32,
    },
}

/// Writes the ascending, distinct `places` in a row of `row` places.
pub fn write_gaps(writer: &mut BitWriter, row: u32, places: &[u32]) {
    let mut batch = writer.batch();
    batch_gaps(&mut batch, row, places.iter().copied());
    batch.finish();
}

/// Writes a list as [`write_gaps`] does, one of several in a row.
#[inline]
pub(crate) fn batch_gaps(batch: &mut BitBatch<'_>, row: u32, places: impl ExactSizeIterator<Item = u32>) {
    let count = places.len() as u32;
    batch_exp_golomb(batch, count, COUNT_ORDER);
    let order = gap_order(row, count);
    let mut next = 0;
    for place in places {
        debug_assert!((next..row).contains(&place), "{place} after {next} of {row}");
        batch_exp_golomb(batch, place - next, order);
        next = place + 1;
    }
}

/// Reads a list written by [`write_gaps`] for a row of the same length, and passes each place to `each`. The
/// places are ascending, distinct and below `row`.
///
/// # Errors
/// [`GapsError`]; `each` may have seen some of the places by then.
pub fn read_gaps(reader: &mut BitReader<'_>, row: u32, mut each: impl FnMut(u32)) -> Result<(), GapsError> {
    let count = read_exp_golomb(reader, COUNT_ORDER)?;
    if count > row {
        return Err(GapsError::TooMany { count, row });
    }
    let order = gap_order(row, count);
    let mut next = 0u32;
    for _ in 0..count {
        let gap = read_exp_golomb(reader, order)?;
        let place = next.checked_add(gap).filter(|&place| place < row).ok_or(GapsError::Beyond { row })?;
        each(place);
        next = place + 1;
    }
    Ok(())
}

/// The order whose cheapest numbers are those up to about the median gap, 0.7 of the mean.
fn gap_order(row: u32, count: u32) -> u32 {
    let mean = (row - count) / (count + 1);
    (mean - mean / 4).checked_ilog2().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bits::OutOfBits;
    use crate::wire::varint::write_exp_golomb;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_round_trip(row in 0u32..3000, density in 0.0f64..=1.0, seed in any::<u64>()) {
            let mut state = seed;
            let places: Vec<u32> = (0..row)
                .filter(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 40) as f64) < density * 16_777_216.0
                })
                .collect();
            let mut writer = BitWriter::new();
            write_gaps(&mut writer, row, &places);
            let bytes = writer.to_bytes();
            let mut reader = BitReader::new(&bytes);
            let mut read = Vec::new();
            prop_assert_eq!(read_gaps(&mut reader, row, |place| read.push(place)), Ok(()));
            prop_assert_eq!(read, places);
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn any_bytes_are_an_ascending_list_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            row in 0u32..500,
        ) {
            let mut last = None;
            let mut ordered = true;
            let _ = read_gaps(&mut BitReader::new(&bytes), row, |place| {
                ordered &= last < Some(place) && place < row;
                last = Some(place);
            });
            prop_assert!(ordered);
        }
    }

    #[test]
    fn a_list_longer_than_its_row_is_refused_before_it_is_read() {
        let mut writer = BitWriter::new();
        write_exp_golomb(&mut writer, 11, COUNT_ORDER);
        let bytes = writer.to_bytes();
        let read = read_gaps(&mut BitReader::new(&bytes), 10, |_| {});
        assert_eq!(read, Err(GapsError::TooMany { count: 11, row: 10 }));
        let cut = read_gaps(&mut BitReader::new(&[]), 10, |_| {});
        assert!(matches!(cut, Err(GapsError::Number(VarintError::OutOfBits(OutOfBits { .. })))));
    }
}
