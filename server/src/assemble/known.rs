//! What a client knows after one snapshot, without the states: those are in the history.
//!
//! It is walked for each player in each tick, and nearly all of it stays as it was. So it is kept in columns
//! and brought up to date in place: who is known, which is compared with who is visible many at a time, and
//! when each was told. What concerns few is noted in a list beside them.

use crate::history::History;
use std::hint::black_box;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::snapshot::RateMode;
use tickwire_protocol::snapshot::view::StateCheck;
use tickwire_protocol::time::Tick;

/// The knowledge after one snapshot. A place is that of an entity in the columns.
///
/// An entity without a note is known as it was published at `tick`: it has news as soon as it changes after
/// that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) tick: Tick,
    pub(super) epoch: u16,
    pub(super) rate: RateMode,
    /// The entities, ascending.
    pub(super) indices: &'a [EntityIndex],
    /// Per entity: the snapshot that last told of it.
    pub(super) told: &'a [Tick],
    /// At most one for each entity, by place.
    pub(super) notes: &'a [Note],
}

/// The knowledge after one snapshot, held for a player.
#[derive(Clone, Debug, Default)]
pub(super) struct Knowledge {
    pub(super) tick: Tick,
    epoch: u16,
    rate: RateMode,
    /// Whether the client is certain to hold it.
    pub(super) certain: bool,
    pub(super) indices: Vec<EntityIndex>,
    told: Vec<Tick>,
    notes: Vec<Note>,
}

/// How the knowledge changes with the snapshot that is being written, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Next {
    pub(super) tick: Tick,
    pub(super) epoch: u16,
    pub(super) rate: RateMode,
    /// Whether the entities are those of the baseline. Then neither `indices` nor `told` has any.
    same_indices: bool,
    indices: Vec<EntityIndex>,
    told: Vec<Tick>,
    /// With the same entities: the places of those who are told now.
    told_now: Vec<u32>,
    notes: Vec<Note>,
}

/// What there is to say of one entity besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) place: u32,
    pub(super) what: Noted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// It was told at this tick, and before at that one. What entered has not been told before.
    Again(Tick),
    /// Its news wait: what is known was what was published at that tick, the last one of which that is
    /// certain.
    Waits(Tick),
}

/// The news of an entity that stays: told, or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Its place before.
    pub(super) place: u32,
    /// Its place among those that stay.
    pub(super) stay: u32,
    pub(super) told: bool,
}

impl Next {
    #[cfg(test)]
    pub(super) fn of(tick: Tick) -> Next {
        Next { tick, ..Next::default() }
    }

    /// Becomes what `before` is without those at the places `left` and with those who `enter`.
    pub(super) fn succeed(
        &mut self,
        before: &Known<'_>,
        left: &[u32],
        enter: impl ExactSizeIterator<Item = EntityIndex>,
    ) {
        self.indices.clear();
        self.told.clear();
        self.told_now.clear();
        self.notes.clear();
        self.same_indices = left.is_empty() && enter.len() == 0;
        if !self.same_indices {
            self.merge(before, left, enter);
        }
    }

    fn merge(&mut self, before: &Known<'_>, left: &[u32], enter: impl Iterator<Item = EntityIndex>) {
        let mut from = 0;
        let mut left = left.iter().map(|place| *place as usize);
        let mut gone = left.next();
        for index in enter {
            let place = from + before.indices[from..].partition_point(|known| *known < index);
            while let Some(leaves) = gone.filter(|leaves| *leaves < place) {
                self.copy(before, from, leaves);
                from = leaves + 1;
                gone = left.next();
            }
            self.copy(before, from, place);
            from = place;
            self.indices.push(index);
            self.told.push(self.tick);
        }
        for leaves in gone.into_iter().chain(left) {
            self.copy(before, from, leaves);
            from = leaves + 1;
        }
        self.copy(before, from, before.indices.len());
    }

    fn copy(&mut self, before: &Known<'_>, from: usize, to: usize) {
        self.indices.extend_from_slice(&before.indices[from..to]);
        self.told.extend_from_slice(&before.told[from..to]);
    }

    /// Takes the news of those who stayed for told, or notes that they wait. `entered` are the others, and
    /// with `trends` it is noted when those were told before.
    pub(super) fn tell(
        &mut self,
        before: &Known<'_>,
        outcomes: impl Iterator<Item = Outcome>,
        mut entered: impl Iterator<Item = EntityIndex>,
        trends: bool,
    ) {
        let mut notes = before.notes.iter();
        let mut note = notes.next();
        let mut shift = 0;
        let mut enters = entered.next();
        for outcome in outcomes {
            let old = outcome.place as usize;
            while enters.is_some_and(|enters| enters < before.indices[old]) {
                shift += 1;
                enters = entered.next();
            }
            let place = outcome.stay + shift;
            if outcome.told {
                match self.told.get_mut(place as usize) {
                    Some(told) => *told = self.tick,
                    None => self.told_now.push(place),
                }
                if trends {
                    self.notes.push(Note { place, what: Noted::Again(before.told[old]) });
                }
                continue;
            }
            while note.is_some_and(|note| note.place < outcome.place) {
                note = notes.next();
            }
            let noted = note.filter(|note| note.place == outcome.place).map(|note| note.what);
            let current = if let Some(Noted::Waits(current)) = noted { current } else { before.tick };
            self.notes.push(Note { place, what: Noted::Waits(current) });
        }
    }
}

impl Knowledge {
    pub(super) fn known(&self) -> Known<'_> {
        let Knowledge { tick, epoch, rate, indices, told, notes, .. } = self;
        Known { tick: *tick, epoch: *epoch, rate: *rate, indices, told, notes }
    }

    /// Begins to fetch the columns into the cache, as far as most are long.
    pub(super) fn prefetch(&self) {
        let Knowledge { indices, told, notes, .. } = self;
        black_box((indices.first().copied(), indices.last().copied(), notes.first().copied()));
        black_box((told.first().copied(), told.get(told.len() / 2).copied(), told.last().copied()));
    }

    /// Becomes the knowledge of nothing.
    pub(super) fn clear(&mut self) {
        self.indices.clear();
        self.told.clear();
        self.notes.clear();
    }

    /// Becomes what another one is, in the memory that it has.
    pub(super) fn copy(&mut self, other: &Knowledge) {
        let Knowledge { tick, epoch, rate, certain, indices, told, notes } = other;
        (self.tick, self.epoch, self.rate, self.certain) = (*tick, *epoch, *rate, *certain);
        self.indices.clone_from(indices);
        self.told.clone_from(told);
        self.notes.clone_from(notes);
    }

    /// Goes on from the baseline, which it is, to the next snapshot.
    pub(super) fn advance(&mut self, next: &Next, certain: bool) {
        if next.same_indices {
            for &place in &next.told_now {
                self.told[place as usize] = next.tick;
            }
        } else {
            self.indices.clone_from(&next.indices);
            self.told.clone_from(&next.told);
        }
        self.notes.clone_from(&next.notes);
        (self.tick, self.epoch, self.rate, self.certain) = (next.tick, next.epoch, next.rate, certain);
    }
}

impl Known<'_> {
    /// See [`super::Recipient::check`].
    pub(super) fn check(&self, history: &History, avatar: Option<&[u8]>) -> Option<u32> {
        let record = history.at(self.tick)?;
        let mut check = StateCheck::new(self.tick, avatar);
        let mut notes = self.notes.iter().peekable();
        for (place, &index) in self.indices.iter().enumerate() {
            let note = notes.next_if(|note| note.place as usize == place).map(|note| note.what);
            let known = if let Some(Noted::Waits(current)) = note { history.at(current)? } else { record };
            let recorded = known.find(index)?;
            let codec = history.codec().kind(recorded.kind)?;
            check.entity(index, recorded.kind, known.state(codec, recorded));
        }
        Some(check.finish())
    }
}
