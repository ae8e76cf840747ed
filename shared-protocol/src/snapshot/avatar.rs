//! The avatar of a snapshot: mostly one bit, "as you predicted".
//!
//! The expected avatar of a client that predicts is `step` folded over the ticks since the baseline with the
//! inputs that were consumed; of one that does not, the avatar of the baseline. An avatar is never quantised:
//! where it is not as expected it is sent exactly, as the 32-bit words of its bytes that differ from those
//! expected.

use super::decoder::SnapshotError;
use crate::limits::MAX_AVATAR_BYTES;
use crate::time::Tick;
use crate::wire::bits::{BitReader, BitWriter};
use crate::wire::varint::{read_exp_golomb, write_exp_golomb};

/// How the avatar is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvatarTold {
    /// As expected; the same as none where none was expected.
    AsExpected,
    /// There is none: dead, or not in the world yet.
    Absent,
    /// By the words that differ from the expected ones.
    Exact,
    /// In all its words, because the client's expectation has been found wrong.
    Whole,
}

/// Ticks between two checks of the avatar: a snapshot that crosses a multiple of it carries one.
const CHECK_TICKS: u32 = 8;
const CHECK_BITS: u32 = 16;
/// Order of the code for the number of words.
const LENGTH_ORDER: u32 = 4;

/// The short check of an avatar's bytes: the low 16 bits of their XXH64 with seed 0.
#[must_use]
pub fn avatar_check(avatar: &[u8]) -> u16 {
    xxhash_rust::xxh64::xxh64(avatar, 0) as u16
}

/// Whether a snapshot of `tick` against `newer` carries the check of an avatar that is as predicted.
#[must_use]
pub fn carries_check(tick: Tick, newer: Option<Tick>) -> bool {
    newer.is_none_or(|newer| newer.0 / CHECK_TICKS != tick.0 / CHECK_TICKS)
}

/// Writes the avatar: `avatar` and `expected` are its bytes, if any. `whole` says that the client's
/// expectation is not to be trusted, `check` that an avatar as expected is checked. Returns how it was told.
pub fn write_avatar(
    avatar: Option<&[u8]>,
    expected: Option<&[u8]>,
    whole: bool,
    check: bool,
    writer: &mut BitWriter,
) -> AvatarTold {
    if avatar == expected && !whole {
        writer.write_bool(true);
        if let (true, Some(avatar)) = (check, avatar) {
            writer.write(u64::from(avatar_check(avatar)), CHECK_BITS);
        }
        return AvatarTold::AsExpected;
    }
    writer.write_bool(false);
    let Some(avatar) = avatar else {
        writer.write(0, 2);
        return AvatarTold::Absent;
    };
    debug_assert!(avatar.len() <= MAX_AVATAR_BYTES);
    writer.write(if whole { 2 } else { 1 }, 2);
    write_exp_golomb(writer, avatar.len() as u32, LENGTH_ORDER);
    for (place, word) in avatar.chunks(4).enumerate() {
        let bits = word.len() as u32 * 8;
        let value = word_of(word);
        if whole {
            writer.write(u64::from(value), bits);
            continue;
        }
        let same =
            expected.and_then(|expected| expected.get(place * 4..place * 4 + word.len())) == Some(word);
        writer.write_bool(!same);
        if !same {
            writer.write(u64::from(value), bits);
        }
    }
    if whole { AvatarTold::Whole } else { AvatarTold::Exact }
}

/// An avatar as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadAvatar {
    pub(crate) avatar: Option<Vec<u8>>,
    pub(crate) told: AvatarTold,
    /// Whether a check was there and did not hold.
    pub(crate) desync: bool,
}

/// Reads the avatar.
pub(crate) fn read_avatar(
    expected: Option<&[u8]>,
    check: bool,
    reader: &mut BitReader<'_>,
) -> Result<ReadAvatar, SnapshotError> {
    if reader.read_bool()? {
        let mut desync = false;
        if let (true, Some(expected)) = (check, expected) {
            desync = reader.read(CHECK_BITS)? as u16 != avatar_check(expected);
        }
        let avatar = expected.map(<[u8]>::to_vec);
        return Ok(ReadAvatar { avatar, told: AvatarTold::AsExpected, desync });
    }
    let told = match reader.read(2)? {
        0 => return Ok(ReadAvatar { avatar: None, told: AvatarTold::Absent, desync: false }),
        1 => AvatarTold::Exact,
        2 => AvatarTold::Whole,
        _ => return Err(SnapshotError::UnknownForm),
    };
    let length = read_exp_golomb(reader, LENGTH_ORDER)? as usize;
    if length > MAX_AVATAR_BYTES {
        return Err(SnapshotError::AvatarTooLong { bytes: length });
    }
    let mut avatar = Vec::with_capacity(length);
    while avatar.len() < length {
        let bytes = (length - avatar.len()).min(4);
        let start = avatar.len();
        if told == AvatarTold::Exact && !reader.read_bool()? {
            let expected = expected.and_then(|expected| expected.get(start..start + bytes));
            avatar.extend_from_slice(expected.ok_or(SnapshotError::NoExpectedAvatar)?);
        } else {
            let value = reader.read(bytes as u32 * 8)? as u32;
            avatar.extend_from_slice(&value.to_le_bytes()[..bytes]);
        }
    }
    Ok(ReadAvatar { avatar: Some(avatar), told, desync: false })
}

fn word_of(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn avatars_round_trip(
            avatar in prop::option::of(prop::collection::vec(any::<u8>(), 0..70)),
            other in prop::option::of(prop::collection::vec(any::<u8>(), 0..70)),
            near in any::<bool>(),
            whole in any::<bool>(),
            check in any::<bool>(),
        ) {
            // Half of the time the expectation is off by one byte, as after a push.
            let expected = match (&avatar, near) {
                (Some(avatar), true) if !avatar.is_empty() => {
                    let mut expected = avatar.clone();
                    expected[avatar.len() / 2] ^= 1;
                    Some(expected)
                }
                _ => other,
            };
            let mut writer = BitWriter::new();
            let told = write_avatar(avatar.as_deref(), expected.as_deref(), whole, check, &mut writer);
            let bytes = writer.to_bytes();
            let mut reader = BitReader::new(&bytes);
            let read = read_avatar(expected.as_deref(), check, &mut reader);
            let read = read.expect("what was written can be read");
            prop_assert_eq!(reader.position(), writer.bits());
            prop_assert_eq!(read, ReadAvatar { avatar, told, desync: false });
        }

        #[test]
        fn any_bytes_are_an_avatar_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            check in any::<bool>(),
        ) {
            let _ = read_avatar(Some(&[1, 2, 3]), check, &mut BitReader::new(&bytes));
            let _ = read_avatar(None, check, &mut BitReader::new(&bytes));
        }
    }

    #[test]
    fn a_wrong_prediction_is_a_desync() {
        let mut writer = BitWriter::new();
        write_avatar(Some(b"truth"), Some(b"truth"), false, true, &mut writer);
        let bytes = writer.to_bytes();
        let read = read_avatar(Some(b"error"), true, &mut BitReader::new(&bytes)).expect("it is well formed");
        assert!(read.desync);
        assert_eq!(writer.bits(), 17);
    }

    #[test]
    fn checks_come_with_each_eighth_tick_and_after_gaps() {
        assert!(carries_check(Tick(8), Some(Tick(7))));
        assert!(!carries_check(Tick(9), Some(Tick(8))));
        assert!(carries_check(Tick(17), Some(Tick(9))));
        assert!(carries_check(Tick(3), None));
    }
}
