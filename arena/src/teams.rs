//! The two teams.

use serde::{Deserialize, Serialize};
use tickwire_protocol::Replicate;
use tickwire_protocol::game::TeamId;

/// The red team.
pub const RED: TeamId = TeamId(0);

/// The blue team.
pub const BLUE: TeamId = TeamId(1);

/// The colour that somebody plays in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Replicate)]
pub enum Colour {
    /// Everybody for themselves.
    #[default]
    None,
    /// The red team.
    Red,
    /// The blue team.
    Blue,
}

impl Colour {
    /// The team, if there are teams.
    #[must_use]
    pub fn team(self) -> Option<TeamId> {
        match self {
            Colour::None => None,
            Colour::Red => Some(RED),
            Colour::Blue => Some(BLUE),
        }
    }

    /// Whether two who play in these colours are on one side.
    #[must_use]
    pub fn is_with(self, other: Colour) -> bool {
        self != Colour::None && self == other
    }
}
