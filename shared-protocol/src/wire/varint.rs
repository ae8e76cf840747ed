//! Numbers of unknown size in few bits: exponential Golomb codes (Golomb 1966; the order `k` form of H.264,
//! 9.1).
//!
//! A value is split into its low `order` bits and the rest. The rest plus one is written as a run of zeros as
//! long as its own bits after the first, a one, and those bits. Small values around 2^order are cheap, large
//! ones possible.

use super::bits::{BitBatch, BitReader, BitWriter, OutOfBits};
use thiserror::Error;

/// Why a number could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VarintError {
    /// The input ended inside the number.
    #[error(transparent)]
    OutOfBits(#[from] OutOfBits),
    /// The number has more than 32 bits.
    #[error("a number of more than 32 bits")]
    TooLarge,
}

/// Writes `value` with exponential Golomb order `order` (0 to 31). It takes at most 65 bits.
#[inline]
pub fn write_exp_golomb(writer: &mut BitWriter, value: u32, order: u32) {
    let mut batch = writer.batch();
    batch_exp_golomb(&mut batch, value, order);
    batch.finish();
}

/// Writes `value` as [`write_exp_golomb`] does, one of several in a row.
#[inline(always)]
pub(super) fn batch_exp_golomb(batch: &mut BitBatch<'_>, value: u32, order: u32) {
    let rest = (u64::from(value) >> order) + 1;
    let extra = 63 - rest.leading_zeros();
    // The run of zeros and the one that ends it, then the bits below that one.
    let prefix = 1 << extra;
    let below = rest ^ prefix;
    let low = u64::from(value) & ((1 << order) - 1);
    if extra < 32 {
        batch.write(prefix | (below | low << extra) << (extra + 1), 2 * extra + 1 + order);
    } else {
        // The 65 bits of 2^32 - 1 at order 0.
        batch.write(prefix, extra + 1);
        batch.write(below, extra);
    }
}

/// The bits that [`write_exp_golomb`] takes for `value`.
#[inline]
#[must_use]
pub fn exp_golomb_bits(value: u32, order: u32) -> u32 {
    let rest = (u64::from(value) >> order) + 1;
    (63 - rest.leading_zeros()) * 2 + 1 + order
}

/// Reads a number written by [`write_exp_golomb`] with the same order.
///
/// # Errors
/// [`VarintError::OutOfBits`] when the input ends inside the number, [`VarintError::TooLarge`] when it does
/// not fit.
#[inline]
pub fn read_exp_golomb(reader: &mut BitReader<'_>, order: u32) -> Result<u32, VarintError> {
    let window = reader.window();
    let zeros = window.trailing_zeros();
    let bits = 2 * zeros + 1 + order;
    // Nearly all numbers are so small that the window shows the whole of them, and so do 32 bits.
    if bits < 32 {
        reader.skip(bits)?;
        let below = window >> (zeros + 1);
        let rest = (1 << zeros | below & ((1 << zeros) - 1)) - 1;
        let low = below >> zeros & ((1 << order) - 1);
        return Ok((rest << order | low) as u32);
    }
    let zeros = zeros.min(32);
    if zeros == 32 {
        // Thirty-two zeros and a one are the longest run: 2^32 - 1 at order 0. A shorter input is a truncated
        // one.
        reader.skip(32)?;
        return if reader.read(1)? == 1 { finish(reader, 32, order) } else { Err(VarintError::TooLarge) };
    }
    reader.skip(zeros + 1)?;
    finish(reader, zeros, order)
}

#[cold]
fn finish(reader: &mut BitReader<'_>, extra: u32, order: u32) -> Result<u32, VarintError> {
    let rest = (1u64 << extra | reader.read(extra)?) - 1;
    let low = reader.read(order)?;
    u32::try_from(rest << order | low).map_err(|_| VarintError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip(value in prop_oneof![any::<u32>(), 0u32..300], order in 0u32..32) {
            let mut writer = BitWriter::new();
            write_exp_golomb(&mut writer, value, order);
            prop_assert_eq!(writer.bits(), exp_golomb_bits(value, order) as usize);
            let bytes = writer.to_bytes();
            let mut reader = BitReader::new(&bytes);
            prop_assert_eq!(read_exp_golomb(&mut reader, order), Ok(value));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn any_bytes_are_a_number_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..16),
            order in 0u32..32,
        ) {
            let mut reader = BitReader::new(&bytes);
            while read_exp_golomb(&mut reader, order).is_ok() {}
        }
    }

    #[test]
    fn the_largest_number_and_one_too_large() {
        let mut writer = BitWriter::new();
        write_exp_golomb(&mut writer, u32::MAX, 0);
        assert_eq!(writer.bits(), 65);
        let mut writer = BitWriter::new();
        writer.write(1 << 32, 33);
        writer.write(1, 32);
        let bytes = writer.to_bytes();
        assert_eq!(read_exp_golomb(&mut BitReader::new(&bytes), 0), Err(VarintError::TooLarge));
        assert_eq!(read_exp_golomb(&mut BitReader::new(&[0; 16]), 0), Err(VarintError::TooLarge));
    }
}
