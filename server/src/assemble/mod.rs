//! Assembling: from the history to one player's snapshot.
//!
//! The delta of an entity is the same for all players who hold the same baseline, so it is encoded once per
//! tick (`shared`) and copied. What is a player's own is small: who is visible, beside what the player
//! knows of them (`known`, `walk`), and, when the bytes do not suffice for all, whose turn it is
//! (`priority`).

mod known;
mod priority;
mod recipient;
mod shared;
mod snapshot;
mod walk;

pub use recipient::{AckError, Recipient, Transport};
pub use shared::{Assembler, BaselinePair, Encodings};
pub use snapshot::{AvatarNews, SnapshotRequest, Told};
