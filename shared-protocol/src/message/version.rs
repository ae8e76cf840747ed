//! Which protocol two ends speak: a version with a major and a minor number, and feature bits.
//!
//! Ends with the same major version understand each other; the smaller minor version is in force. Within a
//! major version no struct changes. What is new comes as an extension, a feature bit, or under one.

use serde::{Deserialize, Serialize};

/// The subprotocol that both ends name in the WebSocket's handshake.
pub const SUBPROTOCOL: &str = "tickwire.1";

/// The version that this crate speaks.
pub const VERSION: Version = Version { major: 1, minor: 0 };

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Ends of different major versions do not understand each other.
    pub major: u16,
    /// A larger one knows more.
    pub minor: u16,
}

impl Version {
    /// The version in force between two ends, or `None` when they do not understand each other.
    #[must_use]
    pub fn in_force(self, other: Version) -> Option<Version> {
        (self.major == other.major).then_some(self.min(other))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What an end can do or wants, a bit each. Bits that nobody knows are carried along and mean nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features(pub u64);

impl Features {
    /// The client steps its own avatar, and needs no delta of it.
    pub const PREDICTS: Features = Features(1);
    /// The client wants the schema itself, and not only its hash.
    pub const WANTS_SCHEMA: Features = Features(1 << 1);
    /// After each snapshot the client wants the check of what it should know then, to compare it with what
    /// it does know. For tests and bots.
    pub const WANTS_CHECKS: Features = Features(1 << 2);
    /// Every feature that this crate knows.
    pub const KNOWN: Features = Features::PREDICTS.or(Features::WANTS_SCHEMA).or(Features::WANTS_CHECKS);

    /// The features of both.
    #[must_use]
    pub const fn and(self, other: Features) -> Features {
        Features(self.0 & other.0)
    }

    /// The features of either.
    #[must_use]
    pub const fn or(self, other: Features) -> Features {
        Features(self.0 | other.0)
    }

    /// Whether all of `other` are there.
    #[must_use]
    pub const fn has(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::fmt::Debug for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Features({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_minor_version_is_in_force() {
        let version = |major, minor| Version { major, minor };
        assert_eq!(version(1, 4).in_force(version(1, 2)), Some(version(1, 2)));
        assert_eq!(version(1, 2).in_force(version(1, 4)), Some(version(1, 2)));
        assert_eq!(version(1, 4).in_force(version(2, 0)), None);
        assert_eq!(SUBPROTOCOL, format!("tickwire.{}", VERSION.major));
    }

    #[test]
    fn features_are_a_set() {
        let both = Features::PREDICTS.or(Features::WANTS_SCHEMA);
        assert_eq!(both.or(Features::WANTS_CHECKS), Features::KNOWN);
        assert!(both.has(Features::PREDICTS) && !Features::PREDICTS.has(both));
        assert!(!both.has(Features::WANTS_CHECKS));
        assert_eq!(Features(u64::MAX).and(both), both);
    }
}
