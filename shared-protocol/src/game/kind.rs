//! The kinds of entity that a game declares, and their numbers with the types attached.

use crate::id::KindId;
use crate::schema::{KindSchema, Replicate};
use std::marker::PhantomData;

/// The number of a kind together with its Rust type, so that no value goes out under another kind's number.
///
/// A game declares each of its kinds once, as a constant, and lists them in
/// [`Simulation::KINDS`](super::Simulation::KINDS):
///
/// ```
/// use tickwire_protocol::{Replicate, game::{DeclaredKind, Kind}};
///
/// #[derive(Replicate)]
/// struct Walker { hp: u8 }
/// #[derive(Replicate)]
/// struct Door { open: bool }
///
/// const WALKER: Kind<Walker> = Kind::new(0);
/// const DOOR: Kind<Door> = Kind::new(1);
/// const KINDS: &[DeclaredKind] = &[WALKER.declare(), DOOR.declare()];
/// ```
pub struct Kind<T> {
    id: KindId,
    value: PhantomData<fn() -> T>,
}

/// A kind without its type: what [`Simulation::KINDS`](super::Simulation::KINDS) lists.
#[derive(Clone, Copy, Debug)]
pub struct DeclaredKind {
    id: KindId,
    schema: fn() -> KindSchema,
}

impl<T: Replicate> Kind<T> {
    /// The kind with this number, which is its place in the game's list.
    #[must_use]
    pub const fn new(id: u8) -> Kind<T> {
        Kind { id: KindId(id), value: PhantomData }
    }

    /// The kind's number.
    #[must_use]
    pub const fn id(self) -> KindId {
        self.id
    }

    /// The kind for the list of the game's kinds.
    #[must_use]
    pub const fn declare(self) -> DeclaredKind {
        DeclaredKind { id: self.id, schema: T::kind }
    }
}

impl DeclaredKind {
    /// The kind's number.
    #[must_use]
    pub const fn id(&self) -> KindId {
        self.id
    }

    /// The kind's fields.
    #[must_use]
    pub fn schema(&self) -> KindSchema {
        (self.schema)()
    }
}

// Derives would ask for the same of `T`, of which there is no value here.
impl<T> Clone for Kind<T> {
    fn clone(&self) -> Kind<T> {
        *self
    }
}

impl<T> Copy for Kind<T> {}

impl<T> std::fmt::Debug for Kind<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kind").field(&self.id.0).finish()
    }
}

/// Whether each kind stands at the place that its number says.
pub(super) const fn are_in_order(kinds: &[DeclaredKind]) -> bool {
    let mut place = 0;
    while place < kinds.len() {
        if kinds[place].id.0 as usize != place {
            return false;
        }
        place += 1;
    }
    true
}
