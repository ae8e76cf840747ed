//! Why a game does not let somebody in.

use crate::limits::MAX_TEXT_BYTES;
use crate::message::BoundedText;
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
    #[error("{}", .0.as_str())]
    Other(BoundedText<MAX_TEXT_BYTES>),
}

impl JoinRefusal {
    /// A refusal in the game's own words, cut to [`MAX_TEXT_BYTES`] at a character's end.
    #[must_use]
    pub fn because(text: &str) -> JoinRefusal {
        JoinRefusal::Other(BoundedText::cut(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let refusal = JoinRefusal::because(&"ä".repeat(MAX_TEXT_BYTES));
        assert_eq!(refusal.to_string().len(), MAX_TEXT_BYTES / 2 * 2);
        assert_eq!(JoinRefusal::because("come at eight").to_string(), "come at eight");
    }
}
