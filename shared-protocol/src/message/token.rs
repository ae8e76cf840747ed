//! The token by which a session is resumed.

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// 128 random bits that stand for a session: whoever has them is its player. `Debug` does not show them.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResumeToken([u8; 16]);

/// The token is all zeros, which no session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the resume token is empty")]
pub struct EmptyToken;

impl ResumeToken {
    /// A token of these random bytes.
    ///
    /// # Errors
    /// [`EmptyToken`] for zeros.
    pub fn new(bytes: [u8; 16]) -> Result<ResumeToken, EmptyToken> {
        if bytes == [0; 16] { Err(EmptyToken) } else { Ok(ResumeToken(bytes)) }
    }

    /// The bytes, to be hashed before they are kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(hidden)")
    }
}

impl<'de> Deserialize<'de> for ResumeToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ResumeToken, D::Error> {
        ResumeToken::new(<[u8; 16]>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_empty_and_not_shown() {
        assert_eq!(ResumeToken::new([0; 16]), Err(EmptyToken));
        let token = ResumeToken::new([0xab; 16]).unwrap();
        assert_eq!(format!("{token:?}"), "ResumeToken(hidden)");
        assert!(serde_json::from_str::<ResumeToken>("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]").is_err());
    }
}
