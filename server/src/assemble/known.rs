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
    /// The places, in the baseline, of those who leave, ascending.
    left: Vec<u32>,
    /// Those who enter, ascending.
    entered: Vec<EntityIndex>,
    /// The places, after that, of those who stayed and are told now.
    told_places: Vec<u32>,
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

    /// Begins with those who leave and those who enter.
    pub(super) fn begin(&mut self, left: &[u32], entered: impl Iterator<Item = EntityIndex>) {
        self.left.clear();
        self.left.extend_from_slice(left);
        self.entered.clear();
        self.entered.extend(entered);
        self.told_places.clear();
        self.notes.clear();
    }

    /// Takes the news of those who stayed for told, or notes that they wait. With `trends` it is noted when
    /// who is told now was told before.
    pub(super) fn tell(&mut self, before: &Known<'_>, outcomes: impl Iterator<Item = Outcome>, trends: bool) {
        let mut notes = before.notes.iter();
        let mut note = notes.next();
        let mut entered = self.entered.iter().peekable();
        let mut shift = 0;
        for outcome in outcomes {
            let old = outcome.place as usize;
            while entered.next_if(|entered| **entered < before.indices[old]).is_some() {
                shift += 1;
            }
            let place = outcome.stay + shift;
            if outcome.told {
                self.told_places.push(place);
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
        remove(&mut self.indices, &next.left);
        remove(&mut self.told, &next.left);
        self.enter(&next.entered, next.tick);
        for &place in &next.told_places {
            self.told[place as usize] = next.tick;
        }
        // To swap the two would give each player, in time, memory for the notes of whoever has most.
        self.notes.clone_from(&next.notes);
        (self.tick, self.epoch, self.rate, self.certain) = (next.tick, next.epoch, next.rate, certain);
    }

    /// Makes room for those who enter and puts them there, from the last to the first: each that was there
    /// moves at most once.
    fn enter(&mut self, entered: &[EntityIndex], tick: Tick) {
        let mut end = self.indices.len();
        let length = end + entered.len();
        self.indices.resize(length, EntityIndex(0));
        self.told.resize(length, tick);
        for (earlier, &index) in entered.iter().enumerate().rev() {
            let place = self.indices[..end].partition_point(|known| *known < index);
            self.indices.copy_within(place..end, place + earlier + 1);
            self.told.copy_within(place..end, place + earlier + 1);
            self.indices[place + earlier] = index;
            self.told[place + earlier] = tick;
            end = place;
        }
    }
}

/// Takes the entries at ascending places out of a column: each that stays moves at most once.
fn remove<T: Copy>(column: &mut Vec<T>, places: &[u32]) {
    let ends = places.iter().skip(1).map(|next| *next as usize).chain([column.len()]);
    let mut to = places.first().map_or(column.len(), |first| *first as usize);
    for (place, end) in places.iter().zip(ends) {
        let from = *place as usize + 1;
        column.copy_within(from..end, to);
        to += end - from;
    }
    column.truncate(to);
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
