//! One player's snapshot: what they know against what is visible, and the bits of the difference.

use super::known::{Known, Next, Outcome};
use super::priority::{claim, squared_distance};
use super::recipient::{Recipient, Transport};
use super::shared::{Assembler, BaselinePair, Shared};
use super::walk::{Change, Present, Walk};
use crate::history::{History, Record};
use tickwire_protocol::id::{EntityIndex, KindId};
use tickwire_protocol::limits::MAX_VISIBLE;
use tickwire_protocol::snapshot::avatar::write_avatar;
use tickwire_protocol::snapshot::entities::{EntityLists, ListContext};
use tickwire_protocol::snapshot::header::HeaderContext;
use tickwire_protocol::snapshot::{AvatarTold, Consumed, InputLead, RateMode, SnapshotHeader, carries_check};
use tickwire_protocol::time::Tick;
use tickwire_protocol::wire::bits::{BitSpan, BitWriter};

/// What a snapshot is made of, besides the history.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotRequest<'a> {
    /// The entities that the player may see, ascending.
    pub visible: &'a [EntityIndex],
    /// Where the player looks from; the nearest come first.
    pub center: [f32; 3],
    /// Bytes that the entities may take; what does not fit waits.
    pub budget_bytes: usize,
    /// How many times the room's clock has slipped.
    pub epoch: u16,
    /// How often the room sends snapshots.
    pub rate: RateMode,
    /// How early the newest input came, if there is news of it.
    pub lead: Option<InputLead>,
}

/// What a snapshot tells of the player's own avatar. It depends on the baseline, which is chosen first.
#[derive(Clone, Debug, Default)]
pub struct AvatarNews<'a> {
    /// The bytes of the avatar, if there is one.
    pub avatar: Option<&'a [u8]>,
    /// The bytes that the client expects.
    pub expected: Option<&'a [u8]>,
    /// Whether the client's expectation is known to be wrong.
    pub whole: bool,
    /// For a player who predicts: the inputs consumed in the ticks after the baseline, up to this one.
    pub consumed: Vec<Consumed>,
}

/// What a snapshot told, and where its bits went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Entities that entered.
    pub entered: usize,
    /// Entities that left.
    pub left: usize,
    /// Entities whose change was told.
    pub changed: usize,
    /// Entities whose news did not fit.
    pub waiting: usize,
    /// How the avatar was told.
    pub avatar: AvatarTold,
    /// Bits of the header.
    pub header_bits: usize,
    /// Bits of the avatar.
    pub avatar_bits: usize,
    /// Bits of the lists of who left, entered and changed.
    pub list_bits: usize,
    /// Bits of entering entities.
    pub entered_bits: usize,
    /// Bits of changed entities.
    pub changed_bits: usize,
}

/// Memory that is used again for each snapshot.
#[derive(Debug, Default)]
pub(super) struct Work {
    walk: Walk,
    entering: Vec<(EntityIndex, KindId, BitSpan)>,
    entered: Vec<(EntityIndex, KindId)>,
    late: Vec<u32>,
    claims: Vec<(f32, Claimant)>,
    /// Per entering entity: whether it waits.
    refused: Vec<bool>,
    surprises: Vec<u32>,
    waiting: Vec<(EntityIndex, Tick)>,
    /// Those who wait because a client holds no more entities than it does.
    beyond: Vec<(EntityIndex, Tick)>,
    writer: BitWriter,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Claimant {
    Change(usize),
    Enter(usize),
}

/// Bits of the lists that an entering entity takes besides its own, as the budget reckons.
const LIST_BITS_ENTERING: u32 = 12;

impl Assembler {
    /// The baselines that the next snapshot of a player will be coded against, or `None` when everything
    /// enters. It holds until the snapshot is written in the same tick.
    #[must_use]
    pub fn baselines(&mut self, history: &History, recipient: &Recipient) -> Option<BaselinePair> {
        let table = self.shared.table(history, recipient)?;
        Some(self.shared.pair(table))
    }

    /// Appends a player's snapshot to `out` and takes it for told.
    ///
    /// # Panics
    /// When the tick was not begun, or this player has its snapshot of it.
    pub fn write(
        &mut self,
        history: &History,
        recipient: &mut Recipient,
        request: &SnapshotRequest<'_>,
        avatar: AvatarNews<'_>,
        out: &mut Vec<u8>,
    ) -> Told {
        let record = history.newest().expect("a tick is assembled after it has been captured");
        assert!(recipient.newest_sent() < Some(record.tick()), "a player has one snapshot of a tick");
        debug_assert!(request.visible.is_sorted_by(|one, next| one < next), "ascending, each once");
        let Assembler { shared, work } = self;
        let table = shared.table(history, recipient);
        let pair = table.map(|table| shared.pair(table));
        let baseline = pair.and_then(|pair| recipient.known(pair.newer));
        let known = baseline.unwrap_or_default();
        match table.filter(|_| baseline.is_some()) {
            Some(table) => {
                let older = shared.pair(table).older;
                let trends = shared.has_trends();
                let present = Present { history, record, known, table, older, trends };
                work.walk.compare(&present, request.visible, shared);
            }
            None => work.walk.begin(request.visible),
        }
        let compare = Compare { history, record, request, known };
        compare.enter(shared, recipient, work);
        compare.fit(work);
        let told = work.write(&compare, shared, recipient, pair, avatar);
        work.take_for_told(&compare, shared.has_trends());

        work.writer.write_to(out);
        // Not swapped: see `Knowledge::advance`.
        recipient.waiting.clone_from(&work.waiting);
        recipient.keep(&work.next, pair.map(|pair| pair.newer));
        told
    }
}

impl Shared {
    /// The table of the pair that the next snapshot of a player is coded against.
    fn table(&mut self, history: &History, recipient: &Recipient) -> Option<usize> {
        // That its states are held was seen when its table was opened.
        let usual = recipient.usual_pair(self.tick(), self.has_trends());
        if let Some(table) = usual.and_then(|usual| self.in_use(usual)) {
            return Some(table);
        }
        let held = |pair: &BaselinePair| history.at(pair.newer).is_some();
        let pairs = recipient.pairs(self.tick(), self.has_trends()).filter(held);
        self.choose(history, pairs)
    }
}

/// A player's knowledge beside the present.
struct Compare<'a> {
    history: &'a History,
    record: &'a Record,
    request: &'a SnapshotRequest<'a>,
    known: Known<'a>,
}

impl Compare<'_> {
    /// Builds the bits of those who could enter.
    fn enter(&self, shared: &mut Shared, recipient: &Recipient, work: &mut Work) {
        work.entering.clear();
        work.waiting.clear();
        work.beyond.clear();
        let since = |index: EntityIndex| {
            let before = recipient.waiting.binary_search_by_key(&index, |(index, _)| *index);
            before.map_or(self.record.tick(), |place| recipient.waiting[place].1)
        };
        let room = MAX_VISIBLE - (self.known.indices.len() - work.walk.left.len());
        if work.walk.candidates.len() > room {
            let claim = |index: &EntityIndex| self.claim(*index, self.waited(since(*index)));
            work.walk.candidates.sort_unstable_by(|one, other| claim(other).total_cmp(&claim(one)));
            work.beyond.extend(work.walk.candidates.drain(room..).map(|index| (index, since(index))));
            work.walk.candidates.sort_unstable();
        }
        for &index in &work.walk.candidates {
            let Some(recorded) = self.record.find(index) else { continue };
            let Some(span) = shared.entering(self.history, self.record, index) else { continue };
            work.entering.push((index, recorded.kind, span));
            work.waiting.push((index, since(index)));
        }
    }

    fn waited(&self, since: Tick) -> u32 {
        self.record.tick().since(since).unwrap_or(0)
    }

    /// Decides who waits, if not all fit.
    fn fit(&self, work: &mut Work) {
        let budget = self.request.budget_bytes.saturating_mul(8);
        let changed = work.walk.cost;
        let entering: usize = work.entering.iter().map(cost_of_entering).sum();
        work.claims.clear();
        if changed + entering <= budget {
            work.waiting.clear();
            work.waiting.append(&mut work.beyond);
            work.waiting.sort_unstable();
            return;
        }
        for (place, change) in work.walk.changed.iter().enumerate() {
            let known = change.place as usize;
            let claim = self.claim(self.known.indices[known], self.waited(self.known.told[known]));
            work.claims.push((claim, Claimant::Change(place)));
        }
        for (place, (index, since)) in work.waiting.iter().enumerate() {
            work.claims.push((self.claim(*index, self.waited(*since)), Claimant::Enter(place)));
        }
        work.claims.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let mut spent = 0;
        let mut full = false;
        work.refused.clear();
        work.refused.resize(work.entering.len(), false);
        for (_, claimant) in &work.claims {
            let cost = match claimant {
                Claimant::Change(place) => work.walk.changed[*place].cost(),
                Claimant::Enter(place) => cost_of_entering(&work.entering[*place]),
            };
            // The first always goes out, so that a budget below the size of one entity holds nothing up for
            // ever.
            full |= spent > 0 && spent + cost > budget;
            if !full {
                spent += cost;
                continue;
            }
            match claimant {
                Claimant::Change(place) => {
                    work.walk.changed[*place].news = None;
                    work.walk.told -= 1;
                }
                Claimant::Enter(place) => work.refused[*place] = true,
            }
        }
        work.delay();
    }

    fn claim(&self, index: EntityIndex, waited: u32) -> f32 {
        let Some(standing) = self.history.standing(index) else { return 0.0 };
        let distance = standing.position.map(|position| squared_distance(position, self.request.center));
        claim(waited, distance, standing.importance)
    }
}

fn cost_of_entering((_, _, span): &(EntityIndex, KindId, BitSpan)) -> usize {
    (span.bits + LIST_BITS_ENTERING) as usize
}

impl Work {
    /// Takes out of the lists who waits.
    fn delay(&mut self) {
        let mut refusals = self.refused.iter();
        self.waiting.retain(|_| refusals.next() == Some(&true));
        self.waiting.append(&mut self.beyond);
        self.waiting.sort_unstable();
        let mut refusals = self.refused.iter();
        self.entering.retain(|_| refusals.next() == Some(&false));
        // Those who change and wait are as if they had not: a surprise less, or one more where it was
        // expected.
        let mut surprises = self.walk.surprises.iter().copied().peekable();
        self.surprises.clear();
        for change in self.walk.changed.iter().filter(|change| change.news.is_none()) {
            while let Some(before) = surprises.next_if(|surprise| *surprise < change.stay) {
                self.surprises.push(before);
            }
            if surprises.next_if_eq(&change.stay).is_none() {
                self.surprises.push(change.stay);
            }
        }
        self.surprises.extend(surprises);
        std::mem::swap(&mut self.surprises, &mut self.walk.surprises);
    }

    fn write(
        &mut self,
        compare: &Compare<'_>,
        shared: &Shared,
        recipient: &Recipient,
        pair: Option<BaselinePair>,
        avatar: AvatarNews<'_>,
    ) -> Told {
        let request = compare.request;
        let header = SnapshotHeader {
            tick: shared.tick(),
            newer: pair.map(|pair| pair.newer),
            older: pair.and_then(|pair| pair.older),
            epoch: request.epoch,
            rate: request.rate,
            lead: request.lead,
            consumed: avatar.consumed,
        };
        let ordered = recipient.transport == Transport::Ordered;
        let [newest, before_newest] = recipient.last_sent().map(|sent| sent.filter(|_| ordered));
        let context = HeaderContext {
            profile: recipient.profile,
            trends: shared.has_trends(),
            newest,
            before_newest,
            near: header.tick,
        };
        let room = pair.map(|_| (compare.known.epoch, compare.known.rate));
        self.gather_lists();
        let Work { walk, entering, entered, late, waiting, writer, .. } = self;
        writer.clear();
        let mut batch = writer.batch();
        context.write(&header, room, &mut batch);
        let header_bits = batch.bits();
        let mut told_avatar = AvatarTold::AsExpected;
        if recipient.profile.has_avatar {
            batch.finish();
            let check = recipient.profile.predicts && carries_check(header.tick, header.newer);
            told_avatar = write_avatar(avatar.avatar, avatar.expected, avatar.whole, check, writer);
            batch = writer.batch();
        }
        let avatar_bits = batch.bits() - header_bits;
        let context = ListContext {
            capacity: recipient.profile.capacity,
            kinds: compare.history.codec().schema().kinds().len(),
        };
        let lists = EntityLists {
            known: compare.known.indices.len() as u32,
            left: &walk.left,
            entered,
            surprises: &walk.surprises,
            changed: walk.told as u32,
            late,
        };
        context.write(&lists, &mut batch);
        let list_bits = batch.bits() - avatar_bits - header_bits;
        for (_, _, span) in &*entering {
            batch.append(&shared.bits, *span);
        }
        let entered_bits = batch.bits() - list_bits - avatar_bits - header_bits;
        for news in walk.changed.iter().filter_map(|change| change.news) {
            batch.append(&shared.bits, news.span);
        }
        let changed_bits = batch.bits() - entered_bits - list_bits - avatar_bits - header_bits;
        batch.finish();
        Told {
            entered: entering.len(),
            left: walk.left.len(),
            changed: walk.told,
            waiting: walk.changed.len() - walk.told + waiting.len(),
            avatar: told_avatar,
            header_bits,
            avatar_bits,
            list_bits,
            entered_bits,
            changed_bits,
        }
    }

    /// Makes the lists that are not there as they are written.
    fn gather_lists(&mut self) {
        self.entered.clear();
        self.entered.extend(self.entering.iter().map(|(index, kind, _)| (*index, *kind)));
        self.late.clear();
        if self.walk.has_late {
            let told = self.walk.changed.iter().filter_map(|change| change.news);
            self.late.extend(told.zip(0..).filter(|(news, _)| news.late).map(|(_, place)| place));
        }
    }

    /// Works out what the player knows when they have read the snapshot.
    fn take_for_told(&mut self, compare: &Compare<'_>, trends: bool) {
        let next = &mut self.next;
        (next.tick, next.epoch, next.rate) =
            (compare.record.tick(), compare.request.epoch, compare.request.rate);
        next.begin(&self.walk.left, self.entering.iter().map(|(index, ..)| *index));
        let outcome = |change: &Change| {
            let Change { place, stay, news } = *change;
            Outcome { place, stay, told: news.is_some() }
        };
        next.tell(&compare.known, self.walk.changed.iter().map(outcome), trends);
    }
}
