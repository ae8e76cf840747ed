//! Why a game does not let somebody in.

use crate::limits::MAX_JOIN_REFUSAL_BYTES;
use thiserror::Error;

/// Why a game refuses a player. The host turns it into the refusal on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JoinRefusal {
    /// There is no place for another player; a spectator may still be welcome.
    #[error("the game is full")]
    Full,
    /// Somebody has the name, or the game does not like it.
    #[error("this name cannot be used")]
    Name,
    /// This player is not to come back.
    #[error("banned")]
    Banned,
    /// A reason of the game's own.
    #[error("{0}")]
    Other(RefusalText),
}

/// A text for the refused player of at most [`MAX_JOIN_REFUSAL_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalText(String);

impl JoinRefusal {
    /// A refusal in the game's own words, cut to [`MAX_JOIN_REFUSAL_BYTES`] at a character's end.
    #[must_use]
    pub fn because(text: impl Into<String>) -> JoinRefusal {
        let mut text = text.into();
        text.truncate(text.floor_char_boundary(MAX_JOIN_REFUSAL_BYTES));
        JoinRefusal::Other(RefusalText(text))
    }
}

impl RefusalText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RefusalText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let refusal = JoinRefusal::because("ä".repeat(MAX_JOIN_REFUSAL_BYTES));
        let JoinRefusal::Other(text) = &refusal else { panic!("another refusal") };
        assert_eq!(text.as_str().len(), MAX_JOIN_REFUSAL_BYTES / 2 * 2);
        assert_eq!(JoinRefusal::because("come at eight").to_string(), "come at eight");
    }
}
