//! What a player knows beside who is visible: who leaves, who could enter, and who has news.
//!
//! This is done for each player in each tick, and of most entities there is nothing to say. So the two lists
//! are compared many entities at a time, and of those in both only few are looked at more closely: who has
//! stirred, as a column that all players share says, and of whom there is a note. They are marked first, in
//! bits by place, so that one loop finds them.

use super::known::{Known, Noted};
use super::shared::Shared;
use crate::history::{GONE, History, Record};
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
    /// By place, in words: who of those that stay has stirred.
    stirred: Vec<u64>,
    /// By place, in words: of whom of those that stay there is a note.
    noted: Vec<u64>,
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

/// Entities marked in a word.
const WORD: usize = u64::BITS as usize;

impl Walk {
    /// When nothing is known, all who are visible could enter.
    pub(super) fn begin(&mut self, visible: &[EntityIndex]) {
        self.clear();
        self.candidates.extend_from_slice(visible);
    }

    /// Compares what is known with who is visible.
    pub(super) fn compare(&mut self, present: &Present<'_>, visible: &[EntityIndex], shared: &mut Shared) {
        self.clear();
        self.meet(present.known.indices, visible);
        self.mark(&present.known, shared.stirred(present.table));
        self.look_at_marked(present, shared);
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

    /// Finds who is in one of the two lists only.
    fn meet(&mut self, known: &[EntityIndex], visible: &[EntityIndex]) {
        let (mut place, mut seen) = (0, 0);
        loop {
            let run = common_length(&known[place..], &visible[seen..]);
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

    /// Marks who has stirred or is noted, of those who stay.
    fn mark(&mut self, known: &Known<'_>, stirred: &[bool]) {
        // No branch for each: mostly it has not.
        let of = |index: &EntityIndex| u64::from(stirred[usize::from(index.0)]);
        let bits =
            |some: &[EntityIndex]| some.iter().zip(0..).fold(0, |bits, (one, bit)| bits | of(one) << bit);
        self.stirred.clear();
        self.stirred.extend(known.indices.chunks(WORD).map(|word| {
            // By strides, whose entities do not wait for each other.
            let (strides, rest) = word.as_chunks::<STRIDE>();
            let whole = strides.iter().zip((0..).step_by(STRIDE));
            let whole = whole.fold(0, |word, (stride, at)| word | bits(stride) << at);
            match word.last_chunk::<STRIDE>() {
                _ if rest.is_empty() => whole,
                // It overlaps the one before, which takes less than one entity after another.
                Some(last) => whole | bits(last) << (word.len() - STRIDE),
                None => bits(rest),
            }
        }));
        debug_assert!(known.notes.is_sorted_by(|one, next| one.place < next.place));
        self.noted.clear();
        self.noted.resize(self.stirred.len(), 0);
        for note in known.notes {
            self.noted[note.place as usize / WORD] |= 1 << (note.place as usize % WORD);
        }
        for place in &self.left {
            let (word, bit) = (*place as usize / WORD, 1 << (*place as usize % WORD));
            self.stirred[word] &= !bit;
            self.noted[word] &= !bit;
        }
    }

    fn look_at_marked(&mut self, present: &Present<'_>, shared: &mut Shared) {
        let mut notes = present.known.notes.iter();
        let mut left = 0;
        for word in 0..self.stirred.len() {
            let (stirred, noted) = (self.stirred[word], self.noted[word]);
            let mut bits = stirred | noted;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                let place = (word * WORD) as u32 + bit;
                while self.left.get(left).is_some_and(|left| *left < place) {
                    left += 1;
                }
                let is_in = |bits: u64| bits >> bit & 1 != 0;
                let note = if is_in(noted) { notes.find(|note| note.place == place) } else { None };
                let note = note.map(|note| note.what);
                if !self.look(present, place, place - left as u32, is_in(stirred), note, shared) {
                    self.left.insert(left, place);
                    left += 1;
                }
            }
        }
    }

    /// Looks at an entity that may have news, or is expected to: the one at `place`, and at `stay` of those
    /// that stay. Says whether it stays.
    #[inline]
    fn look(
        &mut self,
        present: &Present<'_>,
        place: u32,
        stay: u32,
        has_stirred: bool,
        note: Option<Noted>,
        shared: &mut Shared,
    ) -> bool {
        let Present { history, record, known, table, older, trends } = *present;
        let index = known.indices[place as usize];
        let (both, late) = match note {
            Some(Noted::Again(before)) => (Some(before) == older, None),
            Some(Noted::Waits(current)) => (false, Some(current)),
            None => (false, None),
        };
        let has_news = has_stirred || late.is_some();
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
                return false;
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
        true
    }
}

/// How far two lists are the same.
#[inline]
fn common_length(one: &[EntityIndex], other: &[EntityIndex]) -> usize {
    let (strides, others) = (one.as_chunks::<STRIDE>().0, other.as_chunks::<STRIDE>().0);
    for (place, (one, other)) in strides.iter().zip(others).enumerate() {
        if let Some(lane) = difference(one, other) {
            return place * STRIDE + lane;
        }
    }
    let length = one.len().min(other.len());
    // A last stride that overlaps the one before takes less than one entity after another.
    if let (Some(last), Some(other)) = (one[..length].last_chunk(), other[..length].last_chunk()) {
        return difference(last, other).map_or(length, |lane| length - STRIDE + lane);
    }
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// The first place at which two strides differ.
#[inline]
fn difference(one: &[EntityIndex; STRIDE], other: &[EntityIndex; STRIDE]) -> Option<usize> {
    // Without a branch for each, so that they are compared at once.
    let differ = one.iter().zip(other).fold(0, |bits, (one, other)| bits | (one.0 ^ other.0));
    let first = || one.iter().zip(other).position(|(one, other)| one != other);
    if differ == 0 { None } else { first() }
}
