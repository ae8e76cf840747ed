//! What a player knows beside who is visible: who leaves, who could enter, and who has news.
//!
//! This is done for each player in each tick, and of most entities there is nothing to say. So the two lists
//! are compared many entities at a time, and of those in both only few are looked at more closely: who has
//! stirred, as a column that all players share says, and of whom there is a note.

use super::known::{Known, Note, Noted};
use super::shared::Shared;
use crate::history::{GONE, History, Record};
use std::ops::Range;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::time::Tick;
use tickwire_protocol::wire::bits::BitSpan;

/// How a player's knowledge differs from the present. Places are those in the knowledge, ascending.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Places of those who leave.
    pub(super) left: Vec<u32>,
    /// Those who stay and have news.
    pub(super) changed: Vec<Change>,
    /// Those who are visible and not known.
    pub(super) candidates: Vec<EntityIndex>,
    /// Who of those that stay has news against expectation, or none against it, by the place among them.
    pub(super) surprises: Vec<u32>,
    /// How many of those who have news are told.
    pub(super) told: usize,
    /// The bits that the news take, as the budget reckons.
    pub(super) cost: usize,
    /// Whether some of the news are late.
    pub(super) has_late: bool,
}

/// An entity that stays and has news.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// Its place in the knowledge.
    pub(super) place: u32,
    /// Its place among those that stay.
    pub(super) stay: u32,
    /// Its news, or `None` when they wait.
    pub(super) news: Option<News>,
}

/// How an entity's news are told to one player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) span: BitSpan,
    /// Whether the delta is against the state that the entity was last told in.
    pub(super) late: bool,
}

impl Change {
    /// The bits that the news take, as the budget reckons.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        self.news.map_or(0, |news| (news.span.bits + LIST_BITS_CHANGED) as usize)
    }
}

/// Bits of the lists that an entity's news take besides its own.
const LIST_BITS_CHANGED: u32 = 6;

/// What entities are looked at with.
#[derive(Clone, Copy)]
pub(super) struct Present<'a> {
    pub(super) history: &'a History,
    pub(super) record: &'a Record,
    pub(super) known: Known<'a>,
    /// The table of the baselines that the knowledge is of.
    pub(super) table: usize,
    /// The older one of the baselines.
    pub(super) older: Option<Tick>,
    /// Whether a kind follows trends.
    pub(super) trends: bool,
}

/// Entities compared at a time.
const STRIDE: usize = 8;

/// Entities looked through at a time: as many as there are bits in a word.
const WORD: usize = u32::BITS as usize;

impl Walk {
    /// When nothing is known, all who are visible could enter.
    pub(super) fn begin(&mut self, visible: &[EntityIndex]) {
        self.clear();
        self.candidates.extend_from_slice(visible);
    }

    /// Compares what is known with who is visible.
    pub(super) fn compare(&mut self, present: &Present<'_>, visible: &[EntityIndex], shared: &mut Shared) {
        self.clear();
        let stirred = shared.lend_stirred(present.table);
        self.meet(present, visible, &stirred, shared);
        shared.give_back_stirred(present.table, stirred);
        if !present.trends {
            self.surprises.extend(self.changed.iter().map(|change| change.stay));
        }
    }

    fn clear(&mut self) {
        self.left.clear();
        self.changed.clear();
        self.candidates.clear();
        self.surprises.clear();
        (self.told, self.cost, self.has_late) = (0, 0, false);
    }

    /// Finds who is in one of the two lists, and looks at some of those who are in both.
    fn meet(
        &mut self,
        present: &Present<'_>,
        visible: &[EntityIndex],
        stirred: &[bool],
        shared: &mut Shared,
    ) {
        let known = present.known.indices;
        let mut notes = present.known.notes;
        let (mut place, mut seen) = (0, 0);
        loop {
            let run = common_length(&known[place..], &visible[seen..]);
            self.pass(present, place..place + run, stirred, &mut notes, shared);
            (place, seen) = (place + run, seen + run);
            match (known.get(place), visible.get(seen)) {
                (None, _) => break,
                (Some(index), Some(candidate)) if candidate < index => {
                    self.candidates.push(*candidate);
                    seen += 1;
                }
                (Some(_), _) => {
                    self.left.push(place as u32);
                    place += 1;
                }
            }
        }
        self.candidates.extend_from_slice(&visible[seen..]);
    }

    /// Passes a run of places and looks at those who have stirred or are noted. `notes` are those of the run
    /// and after.
    #[inline]
    fn pass(
        &mut self,
        present: &Present<'_>,
        run: Range<usize>,
        stirred: &[bool],
        notes: &mut &[Note],
        shared: &mut Shared,
    ) {
        let mut first = run.start as u32;
        for word in present.known.indices[run].chunks(WORD) {
            // No branch for each: mostly it has not.
            let of = |index: &EntityIndex| u32::from(stirred[usize::from(index.0)]);
            let stirred = word.iter().rev().fold(0, |bits, index| bits << 1 | of(index));
            let here = notes_before(notes, first, first + word.len() as u32);
            let noted = here.iter().fold(0_u32, |bits, note| bits | 1 << (note.place - first));
            let mut here = here.iter();
            let mut bits = stirred | noted;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                let is_in = |bits: u32| bits >> bit & 1 != 0;
                let note = if is_in(noted) { here.next().map(|note| note.what) } else { None };
                self.look(present, first + bit, word[bit as usize], is_in(stirred), note, shared);
            }
            first += word.len() as u32;
        }
    }

    /// Looks at an entity that may have news, or is expected to.
    #[inline]
    fn look(
        &mut self,
        present: &Present<'_>,
        place: u32,
        index: EntityIndex,
        has_stirred: bool,
        note: Option<Noted>,
        shared: &mut Shared,
    ) {
        let Present { history, record, known, table, older, trends } = *present;
        let (both, late) = match note {
            Some(Noted::Again(before)) => (Some(before) == older, None),
            Some(Noted::Waits(current)) => (false, Some(current)),
            None => (false, None),
        };
        let has_news = has_stirred || late.is_some();
        let stay = place - self.left.len() as u32;
        if has_news {
            let span = match late {
                _ if record.changed_at(index) == GONE => None,
                None => shared.news(history, record, table, index, both),
                Some(current) => {
                    let told = known.told[place as usize];
                    shared.late_news(history, record, index, told, current)
                }
            };
            let Some(span) = span else {
                // Gone, or the state that the player knows is no longer held.
                self.left.push(place);
                return;
            };
            let change = Change { place, stay, news: Some(News { span, late: late.is_some() }) };
            self.cost += change.cost();
            self.told += 1;
            self.has_late |= late.is_some();
            self.changed.push(change);
        }
        if trends && (both && shared.is_restless(history, table, index)) != has_news {
            self.surprises.push(stay);
        }
    }
}

/// Takes the notes of the places from `first` up to `end` from the front of a list, and drops those before.
#[inline]
fn notes_before<'a>(notes: &mut &'a [Note], first: u32, end: u32) -> &'a [Note] {
    debug_assert!(notes.is_sorted_by(|one, next| one.place < next.place));
    let before = |place: u32| notes.iter().take_while(|note| note.place < place).count();
    let (dropped, taken) = (before(first), before(end));
    let here = &notes[dropped..taken];
    *notes = &notes[taken..];
    here
}

/// How far two lists are the same.
#[inline]
fn common_length(one: &[EntityIndex], other: &[EntityIndex]) -> usize {
    let (strides, others) = (one.as_chunks::<STRIDE>().0, other.as_chunks::<STRIDE>().0);
    let differ = |one: &[EntityIndex; STRIDE], other: &[EntityIndex; STRIDE]| {
        // Without a branch for each, so that they are compared at once.
        one.iter().zip(other).fold(0, |bits, (one, other)| bits | (one.0 ^ other.0)) != 0
    };
    let strides = strides.iter().zip(others).take_while(|(one, other)| !differ(one, other)).count();
    let start = strides * STRIDE;
    start + one[start..].iter().zip(&other[start..]).take_while(|(one, other)| one == other).count()
}
