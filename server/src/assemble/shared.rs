//! Shared encodings: the bits of an entity, built once per tick and baseline form, and copied for every
//! player.

use super::recipient::{KnownEntity, NEVER};
use crate::history::{History, Record};
use std::collections::BTreeMap;
use tickwire_protocol::delta::{BaselineForm, Baselines, KindCodec};
use tickwire_protocol::id::{EntityIndex, KindId};
use tickwire_protocol::time::Tick;
use tickwire_protocol::wire::bits::{BitSpan, BitWriter};

/// The ticks of the snapshots that one is coded against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaselinePair {
    /// The newer one: the state that changes are told from.
    pub newer: Tick,
    /// The older one, for the trend.
    pub older: Option<Tick>,
}

/// Builds the snapshots of a tick.
#[derive(Debug, Default)]
pub struct Assembler {
    tick: Tick,
    pub(super) bits: BitWriter,
    entering: Vec<Slot>,
    pairs: Vec<PairTable>,
    /// Tables of pairs of ticks before, whose memory is used again.
    spare: Vec<PairTable>,
    /// Deltas against the state that an entity was last told in, for those whose news had to wait.
    late: BTreeMap<(EntityIndex, Tick), BitSpan>,
    count: Encodings,
    pub(super) work: super::snapshot::Work,
}

/// How many encodings were built in a tick, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encodings {
    /// Entities against the defaults of their kind.
    pub entering: usize,
    /// Entities against one baseline.
    pub one: usize,
    /// Entities against two baselines.
    pub two: usize,
    /// Entities against the state that they were last told in.
    pub late: usize,
    /// Distinct baseline pairs.
    pub pairs: usize,
}

/// Baseline pairs in one tick. A player whose own would be one more gets an older one that others have, if
/// possible.
const MAX_PAIRS: usize = 8;

/// The encodings against one pair of baselines.
#[derive(Debug)]
struct PairTable {
    pair: BaselinePair,
    one: BaselineForm,
    two: Option<BaselineForm>,
    slots: Vec<PairSlot>,
}

/// What has been worked out for one entity, if anything.
#[derive(Clone, Copy, Debug, Default)]
struct PairSlot {
    one: Slot,
    two: Slot,
    restless: Option<bool>,
}

type Slot = Option<BitSpan>;

/// How an entity's news are told to one player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) span: BitSpan,
    /// Whether the delta is against the state that the entity was last told in.
    pub(super) late: bool,
}

impl Assembler {
    /// An assembler with no memory yet.
    #[must_use]
    pub fn new() -> Assembler {
        Assembler::default()
    }

    /// Begins the tick of the newest record: everything built before is forgotten.
    ///
    /// # Panics
    /// When nothing has been recorded.
    pub fn begin(&mut self, history: &History) {
        let record = history.newest().expect("a tick is assembled after it has been captured");
        self.tick = record.tick();
        self.bits.clear();
        self.entering.clear();
        self.entering.resize(history.capacity(), None);
        self.spare.append(&mut self.pairs);
        self.late.clear();
        self.count = Encodings::default();
    }

    /// The tick that is being assembled.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// What has been built in this tick.
    #[must_use]
    pub fn encodings(&self) -> Encodings {
        Encodings { pairs: self.pairs.len(), ..self.count }
    }

    /// Chooses among the pairs that a player may be served with, the best first: one that is in use, or the
    /// best while there is room for more, or an older one that is in use. With none of these, the best
    /// all the same: a cap on work must not cost a player their snapshot.
    pub(super) fn choose(
        &mut self,
        history: &History,
        pairs: impl Iterator<Item = BaselinePair>,
    ) -> Option<usize> {
        let mut best = None;
        for pair in pairs {
            if let Some(place) = self.pairs.iter().position(|table| table.pair == pair) {
                return Some(place);
            }
            if best.is_none() {
                best = Some(pair);
                if self.pairs.len() < MAX_PAIRS {
                    break;
                }
            }
        }
        self.open(history, best?)
    }

    fn open(&mut self, history: &History, pair: BaselinePair) -> Option<usize> {
        let one = BaselineForm::new(self.tick, pair.newer, None).ok()?;
        let two = pair.older.and_then(|older| BaselineForm::new(self.tick, pair.newer, Some(older)).ok());
        let mut slots = self.spare.pop().map(|table| table.slots).unwrap_or_default();
        slots.clear();
        slots.resize(history.capacity(), PairSlot::default());
        self.pairs.push(PairTable { pair, one, two, slots });
        Some(self.pairs.len() - 1)
    }

    pub(super) fn pair(&self, table: usize) -> BaselinePair {
        self.pairs[table].pair
    }

    /// Whether an entity is expected to change by who was told of it at both baselines.
    #[inline]
    pub(super) fn is_restless(&mut self, history: &History, table: usize, entity: &KnownEntity) -> bool {
        let pair = self.pairs[table].pair;
        if !told_at_both(pair, entity) {
            return false;
        }
        let slot = &mut self.pairs[table].slots[usize::from(entity.index.0)];
        if let Some(restless) = slot.restless {
            return restless;
        }
        let states = both_states(history, pair, entity.index, entity.kind);
        let restless = states.is_some_and(|(codec, newer, older)| codec.is_restless(newer, older));
        slot.restless = Some(restless);
        restless
    }

    /// The bits of an entering entity.
    pub(super) fn entering(
        &mut self,
        history: &History,
        record: &Record,
        index: EntityIndex,
    ) -> Option<BitSpan> {
        let slot = usize::from(index.0);
        if let Some(span) = self.entering.get(slot).copied().flatten() {
            return Some(span);
        }
        let recorded = record.find(index)?;
        let codec = history.codec().kind(recorded.kind)?;
        let form = BaselineForm::entering(self.tick);
        let mark = self.bits.begin_span();
        codec.encode(&form, Baselines::Entering, record.state(codec, recorded), &mut self.bits);
        let span = self.bits.end_span(mark);
        self.entering[slot] = Some(span);
        self.count.entering += 1;
        Some(span)
    }

    /// The bits of an entity that a player knows and that has changed since. `None` when the state that the
    /// player knows is no longer held: the entity must leave, and may enter again.
    #[inline]
    pub(super) fn news(
        &mut self,
        history: &History,
        record: &Record,
        table: usize,
        entity: &KnownEntity,
    ) -> Option<News> {
        let PairTable { pair, one, two, slots } = &mut self.pairs[table];
        if entity.current_at != NEVER {
            return self.late_news(history, record, entity);
        }
        let baseline = history.at(pair.newer)?;
        let codec = history.codec().kind(entity.kind)?;
        let slot = &mut slots[usize::from(entity.index.0)];
        let trend = two.filter(|_| codec.has_trends() && told_at_both(*pair, entity));
        let built = if trend.is_some() { slot.two } else { slot.one };
        if let Some(span) = built {
            return Some(News { span, late: false });
        }
        let recorded = record.find(entity.index)?;
        let state = record.state(codec, recorded);
        let mark = self.bits.begin_span();
        match trend {
            Some(form) => {
                let (_, newer, older) = both_states(history, *pair, entity.index, entity.kind)?;
                codec.encode(&form, Baselines::Two(newer, older), state, &mut self.bits);
                self.count.two += 1;
            }
            None => {
                let newer = baseline.state(codec, baseline.find(entity.index)?);
                codec.encode(one, Baselines::One(newer), state, &mut self.bits);
                self.count.one += 1;
            }
        }
        let span = self.bits.end_span(mark);
        *(if trend.is_some() { &mut slot.two } else { &mut slot.one }) = Some(span);
        Some(News { span, late: false })
    }

    fn late_news(&mut self, history: &History, record: &Record, entity: &KnownEntity) -> Option<News> {
        if let Some(span) = self.late.get(&(entity.index, entity.told)) {
            return Some(News { span: *span, late: true });
        }
        let form = BaselineForm::late(self.tick);
        let told = history.at(entity.current_at)?;
        let recorded = record.find(entity.index)?;
        let codec = history.codec().kind(recorded.kind)?;
        let known = told.state(codec, told.find(entity.index)?);
        let mark = self.bits.begin_span();
        codec.encode(&form, Baselines::One(known), record.state(codec, recorded), &mut self.bits);
        let span = self.bits.end_span(mark);
        self.late.insert((entity.index, entity.told), span);
        self.count.late += 1;
        Some(News { span, late: true })
    }
}

/// Whether an entity was told at both ticks of a pair: then any player of whom that holds knows the same two
/// states.
#[inline]
fn told_at_both(pair: BaselinePair, entity: &KnownEntity) -> bool {
    entity.told == pair.newer && pair.older == Some(entity.told_before) && entity.told_before != NEVER
}

fn both_states(
    history: &History,
    pair: BaselinePair,
    index: EntityIndex,
    kind: KindId,
) -> Option<(&KindCodec, &[i32], &[i32])> {
    let codec = history.codec().kind(kind)?;
    let (newer, older) = (history.at(pair.newer)?, history.at(pair.older?)?);
    Some((codec, newer.state(codec, newer.find(index)?), older.state(codec, older.find(index)?)))
}
