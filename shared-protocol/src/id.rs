//! Newtypes for the numbers that must not be swapped.

use serde::{Deserialize, Serialize};

/// The place of an entity in a room's table. It is what goes on the wire; it is not reused while the history
/// still holds a snapshot in which it meant somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityIndex(pub u16);

/// The place of a kind in its schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KindId(pub u8);

/// A player of a room. Public, and never a credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlayerId(pub u16);
