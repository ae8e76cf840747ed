//! Texts and byte strings that know their cap: a longer one does not exist, whether made here or received.

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// Text of at most `MAX` bytes of UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BoundedText<const MAX: usize>(String);

/// At most `MAX` bytes. What they are is not shown by `Debug`, for they may be a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct BoundedBytes<const MAX: usize>(Vec<u8>);

/// A text or byte string is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{length} bytes where at most {limit} are allowed")]
pub struct TooLong {
    /// Its bytes.
    pub length: usize,
    /// Bytes allowed.
    pub limit: usize,
}

impl<const MAX: usize> BoundedText<MAX> {
    /// The text, if it is not too long.
    ///
    /// # Errors
    /// [`TooLong`] past `MAX` bytes.
    pub fn new(text: impl Into<String>) -> Result<BoundedText<MAX>, TooLong> {
        let text = text.into();
        check(text.len(), MAX)?;
        Ok(BoundedText(text))
    }

    /// As much of the text as fits, cut between two characters.
    #[must_use]
    pub fn cut(text: &str) -> BoundedText<MAX> {
        BoundedText(text[..text.floor_char_boundary(MAX)].to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> BoundedBytes<MAX> {
    /// The bytes, if they are not too many.
    ///
    /// # Errors
    /// [`TooLong`] past `MAX` bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<BoundedBytes<MAX>, TooLong> {
        let bytes = bytes.into();
        check(bytes.len(), MAX)?;
        Ok(BoundedBytes(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> std::fmt::Debug for BoundedBytes<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for BoundedText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BoundedText::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for BoundedBytes<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BoundedBytes::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn check(length: usize, limit: usize) -> Result<(), TooLong> {
    if length > limit { Err(TooLong { length, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_holds_wherever_they_come_from() {
        let too_long = TooLong { length: 6, limit: 5 };
        assert_eq!(BoundedText::<5>::new("ääx").map(|text| text.as_str().len()), Ok(5));
        assert_eq!(BoundedText::<5>::new("äää"), Err(too_long));
        assert_eq!(BoundedText::<5>::cut("äää").as_str(), "ää");
        assert_eq!(BoundedBytes::<5>::new([0; 6]), Err(too_long));
        assert!(serde_json::from_str::<BoundedText<5>>("\"abcdef\"").is_err());
        assert!(serde_json::from_str::<BoundedBytes<5>>("[1,2,3,4,5,6]").is_err());
        assert_eq!(serde_json::from_str::<BoundedBytes<5>>("[1,2]").unwrap().as_slice(), [1, 2]);
    }

    #[test]
    fn bytes_are_not_shown() {
        let secret = BoundedBytes::<9>::new(*b"secret").unwrap();
        assert_eq!(format!("{secret:?}"), "<6 bytes>");
    }
}
