//! Shared encodings: the bits of an entity, built once per tick and baseline form, and copied for every
//! player.

use crate::history::{History, Record};
use std::collections::BTreeMap;
use tickwire_protocol::delta::{BaselineForm, Baselines, KindCodec};
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::time::Tick;
use tickwire_protocol::wire::bits::{BitSpan, BitWriter};

/// The ticks of the snapshots that one is coded against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaselinePair {
    /// The newer one: the state that changes are told from.
    pub newer: Tick,
    /// The older one, for the trend.
    pub older: Option<Tick>,
}

/// Builds the snapshots of a tick.
#[derive(Debug, Default)]
pub struct Assembler {
    pub(super) shared: Shared,
    pub(super) work: super::snapshot::Work,
}

/// What all snapshots of a tick share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    tick: Tick,
    /// Whether a kind follows trends.
    has_trends: bool,
    pub(super) bits: BitWriter,
    entering: Vec<Slot>,
    pairs: Vec<PairTable>,
    /// Tables of pairs of ticks before, whose memory is used again.
    spare: Vec<PairTable>,
    /// Deltas against the state that an entity was last told in, for those whose news had to wait.
    late: BTreeMap<(EntityIndex, Tick), BitSpan>,
    count: Encodings,
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

/// What is known of all entities against one pair of baselines, in columns by index.
#[derive(Debug, Default)]
struct PairTable {
    pair: BaselinePair,
    /// With one baseline and, where there is an older one, with two.
    forms: Option<(BaselineForm, Option<BaselineForm>)>,
    /// Whether the entity has changed since the newer baseline, or is gone.
    stirred: Vec<bool>,
    /// The encodings for those who were told at the newer baseline alone, if that.
    one: Vec<Slot>,
    /// The encodings for those who were told at both.
    both: Vec<Slot>,
    /// Whether those who were told at both are expected to change, if that has been worked out.
    restless: Vec<Option<bool>>,
}

/// What has been built for one entity, if anything.
type Slot = Option<BitSpan>;

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
        self.shared.begin(history);
    }

    /// The tick that is being assembled.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.shared.tick
    }

    /// What has been built in this tick.
    #[must_use]
    pub fn encodings(&self) -> Encodings {
        Encodings { pairs: self.shared.pairs.len(), ..self.shared.count }
    }
}

impl Shared {
    fn begin(&mut self, history: &History) {
        let record = history.newest().expect("a tick is assembled after it has been captured");
        self.tick = record.tick();
        self.has_trends = history.codec().has_trends();
        self.bits.clear();
        self.entering.clear();
        self.entering.resize(history.extent(), None);
        self.spare.append(&mut self.pairs);
        self.late.clear();
        self.count = Encodings::default();
    }

    pub(super) fn tick(&self) -> Tick {
        self.tick
    }

    /// Whether a kind follows trends, so that a second baseline is of use.
    pub(super) fn has_trends(&self) -> bool {
        self.has_trends
    }

    /// The table of a pair, if there is one already.
    #[inline]
    pub(super) fn in_use(&self, pair: BaselinePair) -> Option<usize> {
        self.pairs.iter().position(|table| table.pair == pair)
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
            if let Some(place) = self.in_use(pair) {
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
        let record = history.newest()?;
        let one = BaselineForm::new(self.tick, pair.newer, None).ok()?;
        let two = pair.older.and_then(|older| BaselineForm::new(self.tick, pair.newer, Some(older)).ok());
        let mut table = self.spare.pop().unwrap_or_default();
        (table.pair, table.forms) = (pair, Some((one, two)));
        table.stirred.clear();
        table.stirred.extend(record.changes().iter().map(|changed| *changed > pair.newer));
        for slots in [&mut table.one, &mut table.both] {
            slots.clear();
            slots.resize(history.extent(), None);
        }
        table.restless.clear();
        table.restless.resize(history.extent(), None);
        self.pairs.push(table);
        Some(self.pairs.len() - 1)
    }

    pub(super) fn pair(&self, table: usize) -> BaselinePair {
        self.pairs[table].pair
    }

    /// Per index: whether the entity has changed since the newer baseline of a pair, or is gone.
    pub(super) fn stirred(&self, table: usize) -> &[bool] {
        &self.pairs[table].stirred
    }

    /// Whether an entity is expected to change by who was told of it at both baselines.
    #[inline]
    pub(super) fn is_restless(&mut self, history: &History, table: usize, index: EntityIndex) -> bool {
        let PairTable { pair, restless, .. } = &mut self.pairs[table];
        let slot = &mut restless[usize::from(index.0)];
        if let Some(restless) = *slot {
            return restless;
        }
        let differs = || -> Option<bool> {
            let newer = history.at(pair.newer)?;
            let recorded = newer.find(index)?;
            let codec = history.codec().kind(recorded.kind)?;
            let older = older_state(history, *pair, codec, index)?;
            Some(codec.is_restless(newer.state(codec, recorded), older))
        };
        *slot.insert(differs().unwrap_or(false))
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

    /// The bits of an entity that has changed since the newer baseline, for a player who knows its state then
    /// and was told of it at `both` baselines or not. `None` when there is no such state.
    #[inline]
    pub(super) fn news(
        &mut self,
        history: &History,
        record: &Record,
        table: usize,
        index: EntityIndex,
        both: bool,
    ) -> Option<BitSpan> {
        let PairTable { one, both: two, .. } = &self.pairs[table];
        let built = if both { two } else { one }[usize::from(index.0)];
        built.or_else(|| self.build(history, record, table, index, both))
    }

    #[cold]
    fn build(
        &mut self,
        history: &History,
        record: &Record,
        table: usize,
        index: EntityIndex,
        both: bool,
    ) -> Option<BitSpan> {
        let slot = usize::from(index.0);
        let pair = self.pairs[table].pair;
        let (one, two) = self.pairs[table].forms?;
        let baseline = history.at(pair.newer)?;
        let known = baseline.find(index)?;
        let codec = history.codec().kind(known.kind)?;
        let newer = baseline.state(codec, known);
        let (form, baselines) = match two.filter(|_| both && codec.has_trends()) {
            Some(two) => (two, Baselines::Two(newer, older_state(history, pair, codec, index)?)),
            None => (one, Baselines::One(newer)),
        };
        // Without a trend the older baseline is nothing to the bits: those of any pair with the same newer
        // one will do, and also for who was told at both.
        let is_one = form.older().is_none();
        let same = |table: &&PairTable| is_one && table.pair.newer == pair.newer;
        let span = match self.pairs.iter().filter(same).find_map(|table| table.one[slot]) {
            Some(span) => span,
            None => {
                let state = record.state(codec, record.find(index)?);
                let mark = self.bits.begin_span();
                codec.encode(&form, baselines, state, &mut self.bits);
                *(if is_one { &mut self.count.one } else { &mut self.count.two }) += 1;
                self.bits.end_span(mark)
            }
        };
        let table = &mut self.pairs[table];
        if is_one {
            table.one[slot] = Some(span);
        }
        if both {
            table.both[slot] = Some(span);
        }
        Some(span)
    }

    /// The bits of an entity whose news had to wait, for a player who was last told of it at `told` and knows
    /// its state at `current`. `None` when that state is no longer held.
    pub(super) fn late_news(
        &mut self,
        history: &History,
        record: &Record,
        index: EntityIndex,
        told: Tick,
        current: Tick,
    ) -> Option<BitSpan> {
        if let Some(span) = self.late.get(&(index, told)) {
            return Some(*span);
        }
        let form = BaselineForm::late(self.tick);
        let baseline = history.at(current)?;
        let recorded = record.find(index)?;
        let codec = history.codec().kind(recorded.kind)?;
        let known = baseline.state(codec, baseline.find(index)?);
        let mark = self.bits.begin_span();
        codec.encode(&form, Baselines::One(known), record.state(codec, recorded), &mut self.bits);
        let span = self.bits.end_span(mark);
        self.late.insert((index, told), span);
        self.count.late += 1;
        Some(span)
    }
}

/// The state of an entity at the older one of two baselines.
fn older_state<'h>(
    history: &'h History,
    pair: BaselinePair,
    codec: &KindCodec,
    index: EntityIndex,
) -> Option<&'h [i32]> {
    let older = history.at(pair.older?)?;
    Some(older.state(codec, older.find(index)?))
}
