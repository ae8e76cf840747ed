//! What a client knows after a snapshot: the avatar and every entity that it was told of, with when it was
//! told.

use super::header::RateMode;
use crate::id::{EntityIndex, KindId};
use crate::time::Tick;
use xxhash_rust::xxh64::Xxh64;

/// The knowledge after one snapshot. Entities are in ascending order of their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The tick of the snapshot.
    pub tick: Tick,
    /// How many times the room's clock had slipped.
    pub epoch: u16,
    /// How often the room sent snapshots.
    pub rate: RateMode,
    /// The bytes of the avatar, if there is one.
    pub avatar: Option<Vec<u8>>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) lanes: Vec<i32>,
}

/// What is known of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the room's table.
    pub index: EntityIndex,
    /// Its kind.
    pub kind: KindId,
    /// The snapshot that last told of it.
    pub told: Tick,
    /// The snapshot that told of it before that one, since it entered.
    pub told_before: Option<Tick>,
    /// Where its lanes begin.
    pub(crate) lanes: u32,
}

impl View {
    /// The entities, in ascending order of their index.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entity with an index, if it is known.
    #[must_use]
    pub fn entry(&self, index: EntityIndex) -> Option<&Entry> {
        let place = self.entries.binary_search_by_key(&index, |entry| entry.index).ok()?;
        self.entries.get(place)
    }

    /// The state of an entity of this view: as many lanes as its kind has.
    #[must_use]
    pub fn state(&self, entry: &Entry) -> &[i32] {
        let next = self.entries.get(self.entries.partition_point(|other| other.index <= entry.index));
        let end = next.map_or(self.lanes.len(), |next| next.lanes as usize);
        &self.lanes[entry.lanes as usize..end]
    }

    /// A 32-bit check of all that is known: avatar, entities, and each of their lanes. A server that believes
    /// the same computes the same ([`StateCheck`]).
    #[must_use]
    pub fn check(&self) -> u32 {
        let mut check = StateCheck::new(self.tick, self.avatar.as_deref());
        for entry in &self.entries {
            check.entity(entry.index, entry.kind, self.state(entry));
        }
        check.finish()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.lanes.clear();
        self.avatar = None;
    }
}

/// Sums up a client's knowledge in 32 bits: the low half of the XXH64, seed 0, of the tick, the avatar's
/// bytes with their number in front (none: 2³² − 1), and for each entity in ascending order index, kind and
/// lanes; numbers are four bytes little-endian.
#[derive(Clone)]
pub struct StateCheck {
    hash: Xxh64,
}

impl StateCheck {
    /// Begins with the tick and the avatar.
    #[must_use]
    pub fn new(tick: Tick, avatar: Option<&[u8]>) -> StateCheck {
        let mut check = StateCheck { hash: Xxh64::new(0) };
        check.number(tick.0);
        check.number(avatar.map_or(u32::MAX, |avatar| avatar.len() as u32));
        check.hash.update(avatar.unwrap_or_default());
        check
    }

    /// Adds an entity. Entities come in ascending order of their index.
    pub fn entity(&mut self, index: EntityIndex, kind: KindId, state: &[i32]) {
        // Hashed some at a time: to begin takes longer than a number.
        let mut words = [[0; 4]; 16];
        words[0] = u32::from(index.0).to_le_bytes();
        words[1] = u32::from(kind.0).to_le_bytes();
        let mut count = 2;
        for lane in state {
            if count == words.len() {
                self.hash.update(words.as_flattened());
                count = 0;
            }
            words[count] = lane.to_le_bytes();
            count += 1;
        }
        self.hash.update(words[..count].as_flattened());
    }

    /// The check.
    #[must_use]
    pub fn finish(self) -> u32 {
        self.hash.digest() as u32
    }

    fn number(&mut self, value: u32) {
        self.hash.update(&value.to_le_bytes());
    }
}
