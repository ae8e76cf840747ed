//! The sessions of a room in a slab, with keys that outlive their session without meaning another.

use super::Session;
use slab::Slab;
use std::ops::Range;

/// The sessions of a room. Iteration is in the order of the slots, the same in each tick.
#[derive(Default)]
pub struct Sessions {
    slab: Slab<(u32, Session)>,
    generation: u32,
    /// The slots that have ever been used.
    slots: usize,
}

/// Which session: a slot, and how many sessions the room had begun before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    slot: usize,
    generation: u32,
}

impl Sessions {
    /// Nobody.
    #[must_use]
    pub fn new() -> Sessions {
        Sessions::default()
    }

    /// The number of sessions, those without a connection included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    pub(crate) fn insert(&mut self, session: Session) -> SessionKey {
        self.generation = self.generation.wrapping_add(1);
        let slot = self.slab.insert((self.generation, session));
        self.slots = self.slots.max(slot + 1);
        SessionKey { slot, generation: self.generation }
    }

    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        let (generation, session) = self.slab.get_mut(key.slot)?;
        (*generation == key.generation).then_some(session)
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Session> {
        self.get_mut(key)?;
        Some(self.slab.remove(key.slot).1)
    }

    /// Slots that are passed through together: what belongs to their sessions fits into the second-level
    /// cache several times. With four times as many nothing is gained.
    pub(crate) const BLOCK: usize = 64;

    /// All slots, block by block.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let slots = self.slots;
        (0..slots).step_by(Sessions::BLOCK).map(move |first| first..(first + Sessions::BLOCK).min(slots))
    }

    /// Does something to all of a block, such as [`Session::prefetch`].
    pub(crate) fn each(&self, block: Range<usize>, act: impl Fn(&Session)) {
        block.filter_map(|slot| self.slab.get(slot)).for_each(|(_, session)| act(session));
    }

    /// The session in a slot, if there is one.
    pub(crate) fn in_slot(&mut self, slot: usize) -> Option<(SessionKey, &mut Session)> {
        let (generation, session) = self.slab.get_mut(slot)?;
        Some((SessionKey { slot, generation: *generation }, session))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionKey, &Session)> {
        let key = |slot, generation| SessionKey { slot, generation };
        self.slab.iter().map(move |(slot, (generation, session))| (key(slot, *generation), session))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (SessionKey, &mut Session)> {
        let key = |slot, generation| SessionKey { slot, generation };
        self.slab.iter_mut().map(move |(slot, (generation, session))| (key(slot, *generation), session))
    }
}
