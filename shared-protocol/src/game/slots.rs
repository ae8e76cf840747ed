//! Who is which entity: the allocator of entity indices.
//!
//! An index is what goes on the wire, and a delta at tick t may be coded against a snapshot of tick t − 64.
//! If an index meant one entity then and another now, the second would be coded against the first. So a freed
//! index rests until no snapshot in the history knows its former owner.

use crate::id::EntityIndex;
use crate::limits::{MAX_BASELINE_AGE, MAX_ENTITIES};
use crate::time::Tick;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use thiserror::Error;

/// Gives out entity indices; part of a game's state, deterministic and saved with it.
///
/// The index freed longest ago is reused first, once it has rested for more than [`MAX_BASELINE_AGE`] ticks;
/// before that, a new one is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedSlots", into = "SavedSlots")]
pub struct EntitySlots {
    /// Indices are below this.
    capacity: u32,
    /// Per index that was ever given out: whether it is in use.
    used: Vec<bool>,
    /// Indices at rest, in the order in which they were freed.
    resting: VecDeque<Resting>,
}

/// There is no index left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("all entity indices are in use or at rest")]
pub struct SlotsFull;

/// Saved slots contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the saved entity slots contradict themselves")]
pub struct UnsoundSlots;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Resting {
    index: EntityIndex,
    since: Tick,
}

impl EntitySlots {
    /// No entity yet. Indices will be below `capacity`, usually
    /// [`Simulation::ENTITY_CAPACITY`](super::Simulation::ENTITY_CAPACITY); more than [`MAX_ENTITIES`] means
    /// that many.
    ///
    /// As freed indices rest, a game that spawns and despawns n entities a tick needs 65 n indices beyond
    /// those in use.
    #[must_use]
    pub fn new(capacity: u32) -> EntitySlots {
        EntitySlots { capacity: capacity.min(MAX_ENTITIES), used: Vec::new(), resting: VecDeque::new() }
    }

    /// Gives out an index at `tick`.
    ///
    /// # Errors
    /// [`SlotsFull`] when all are in use or at rest.
    pub fn allocate(&mut self, tick: Tick) -> Result<EntityIndex, SlotsFull> {
        if let Some(resting) = self.resting.front()
            && tick.since(resting.since).is_some_and(|ticks| ticks > MAX_BASELINE_AGE)
        {
            let index = resting.index;
            self.resting.pop_front();
            self.used[usize::from(index.0)] = true;
            return Ok(index);
        }
        if self.used.len() as u32 >= self.capacity {
            return Err(SlotsFull);
        }
        let index = u16::try_from(self.used.len()).map_err(|_| SlotsFull)?;
        self.used.push(true);
        Ok(EntityIndex(index))
    }

    /// Takes an index back at `tick`; no frame from this tick on may hold it. False, and nothing happens,
    /// when it is not in use.
    pub fn free(&mut self, index: EntityIndex, tick: Tick) -> bool {
        let Some(used) = self.used.get_mut(usize::from(index.0)) else { return false };
        if !std::mem::take(used) {
            return false;
        }
        self.resting.push_back(Resting { index, since: tick });
        true
    }

    /// Whether an index is in use.
    #[must_use]
    pub fn is_used(&self, index: EntityIndex) -> bool {
        self.used.get(usize::from(index.0)) == Some(&true)
    }

    /// The number of indices in use.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.used.len() - self.resting.len()
    }
}

#[derive(Serialize, Deserialize)]
struct SavedSlots {
    capacity: u32,
    opened: u32,
    resting: Vec<Resting>,
}

impl From<EntitySlots> for SavedSlots {
    fn from(slots: EntitySlots) -> SavedSlots {
        SavedSlots {
            capacity: slots.capacity,
            opened: slots.used.len() as u32,
            resting: slots.resting.into(),
        }
    }
}

impl TryFrom<SavedSlots> for EntitySlots {
    type Error = UnsoundSlots;

    fn try_from(saved: SavedSlots) -> Result<EntitySlots, UnsoundSlots> {
        if saved.opened > saved.capacity || saved.capacity > MAX_ENTITIES {
            return Err(UnsoundSlots);
        }
        let mut used = vec![true; saved.opened as usize];
        for resting in &saved.resting {
            let used = used.get_mut(usize::from(resting.index.0)).ok_or(UnsoundSlots)?;
            if !std::mem::take(used) {
                return Err(UnsoundSlots);
            }
        }
        Ok(EntitySlots { capacity: saved.capacity, used, resting: saved.resting.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_index_rests_until_the_history_has_forgotten_it() {
        let mut slots = EntitySlots::new(MAX_ENTITIES);
        let first = slots.allocate(Tick(10)).unwrap();
        let second = slots.allocate(Tick(10)).unwrap();
        assert_eq!((first, second), (EntityIndex(0), EntityIndex(1)));
        assert!(slots.free(second, Tick(20)));
        assert!(slots.free(first, Tick(21)));
        assert!(!slots.free(first, Tick(21)), "freed already");
        assert!(!slots.free(EntityIndex(9), Tick(21)), "never given out");
        assert_eq!(slots.allocate(Tick(20 + MAX_BASELINE_AGE)), Ok(EntityIndex(2)));
        assert_eq!(slots.allocate(Tick(21 + MAX_BASELINE_AGE)), Ok(second), "the longest at rest");
        assert_eq!(slots.allocate(Tick(22 + MAX_BASELINE_AGE)), Ok(first));
        assert_eq!((slots.in_use(), slots.is_used(first), slots.is_used(EntityIndex(3))), (3, true, false));
    }

    #[test]
    fn there_is_an_end() {
        let mut slots = EntitySlots::new(MAX_ENTITIES);
        for number in 0..MAX_ENTITIES {
            assert_eq!(slots.allocate(Tick(0)), Ok(EntityIndex(number as u16)));
        }
        assert_eq!(slots.allocate(Tick(0)), Err(SlotsFull));
        slots.free(EntityIndex(77), Tick(1));
        assert_eq!(slots.allocate(Tick(1 + MAX_BASELINE_AGE)), Err(SlotsFull));
        assert_eq!(slots.allocate(Tick(2 + MAX_BASELINE_AGE)), Ok(EntityIndex(77)));
    }

    #[test]
    fn saved_slots_go_on_alike() {
        let mut slots = EntitySlots::new(MAX_ENTITIES);
        for tick in 0..500 {
            let index = slots.allocate(Tick(tick)).unwrap();
            if tick % 3 != 0 {
                slots.free(index, Tick(tick));
            }
            let saved = serde_json::to_string(&slots).unwrap();
            assert_eq!(serde_json::from_str::<EntitySlots>(&saved).unwrap(), slots);
        }
        for unsound in [
            r#"{"capacity":9,"opened":10,"resting":[]}"#,
            r#"{"capacity":9,"opened":1,"resting":[{"index":1,"since":0}]}"#,
            r#"{"capacity":9,"opened":1,"resting":[{"index":0,"since":0},{"index":0,"since":0}]}"#,
        ] {
            assert!(serde_json::from_str::<EntitySlots>(unsound).is_err(), "{unsound}");
        }
    }
}
