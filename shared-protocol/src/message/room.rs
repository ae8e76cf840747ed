//! Rooms as players name them: by id, by a private code, or by a wish.

use crate::limits::MAX_ROOM_NAME_BYTES;
use crate::message::bounded::BoundedText;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A room of a server. Public; a private room is entered by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(pub u32);

/// The code of a private room: eight characters that are not mistaken for each other, 40 random bits.
///
/// The characters are those of Crockford's base 32: digits and capital letters without I, L, O and U. Who
/// types a code may use small letters and hyphens, I or L for 1, and O for 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomCode([u8; 8]);

/// A text is no room code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a room code has eight letters and digits")]
pub struct RoomCodeError;

/// The room that a client wishes to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomWish {
    /// Any public room of the game with a place; a new one if there is none.
    QuickPlay,
    /// This public room.
    Room(RoomId),
    /// The private room with this code.
    Code(RoomCode),
    /// A new room.
    Create {
        /// Whether it is entered by a code alone.
        private: bool,
    },
}

/// The room that a player entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its id.
    pub id: RoomId,
    /// Its code, if it is private.
    pub code: Option<RoomCode>,
    /// Its name, for people.
    pub name: BoundedText<MAX_ROOM_NAME_BYTES>,
}

impl RoomCode {
    /// The code that the low 40 of these random bits stand for.
    #[must_use]
    pub fn from_bits(bits: u64) -> RoomCode {
        RoomCode(std::array::from_fn(|place| ALPHABET[(bits >> (35 - 5 * place)) as usize & 31]))
    }

    /// The code that a text stands for, as people type it.
    ///
    /// # Errors
    /// [`RoomCodeError`] when it has another number of letters and digits than eight, or anything but those
    /// and hyphens.
    pub fn parse(text: &str) -> Result<RoomCode, RoomCodeError> {
        let mut code = [0; 8];
        let mut count = 0;
        for letter in text.bytes().filter(|letter| *letter != b'-') {
            let folded = match letter.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            *code.get_mut(count).ok_or(RoomCodeError)? = folded;
            count += 1;
        }
        if count == 8 { RoomCode::exact(code) } else { Err(RoomCodeError) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }

    fn exact(code: [u8; 8]) -> Result<RoomCode, RoomCodeError> {
        let known = code.iter().all(|letter| ALPHABET.contains(letter));
        if known { Ok(RoomCode(code)) } else { Err(RoomCodeError) }
    }
}

impl std::fmt::Debug for RoomCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for RoomCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RoomCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RoomCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RoomCode, D::Error> {
        RoomCode::exact(<[u8; 8]>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_round_trip(bits: u64) {
            let code = RoomCode::from_bits(bits);
            prop_assert_eq!(RoomCode::parse(code.as_str()), Ok(code));
            prop_assert_eq!(RoomCode::parse(&code.as_str().to_lowercase()), Ok(code));
            prop_assert_eq!(RoomCode::from_bits(bits & ((1 << 40) - 1)), code);
        }
    }

    #[test]
    fn codes_are_read_as_people_write_them() {
        assert_eq!(RoomCode::from_bits(0x1f), RoomCode(*b"0000000Z"));
        assert_eq!(RoomCode::parse("7kq2-mxoi").unwrap().as_str(), "7KQ2MX01");
        for wrong in ["", "7KQ2MX0", "7KQ2MX011", "7KQ2MXU1", "7KQ2 X01", "7KQ2MXé"] {
            assert_eq!(RoomCode::parse(wrong), Err(RoomCodeError), "{wrong}");
        }
    }
}
