//! One player's snapshot: what they know against what is visible, and the bits of the difference.

use super::priority::{claim, squared_distance};
use super::recipient::{Known, KnownEntity, NEVER, Recipient, Transport};
use super::shared::{Assembler, BaselinePair, News};
use crate::history::{GONE, History, Record};
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
    left: Vec<u32>,
    changed: Vec<Change>,
    candidates: Vec<EntityIndex>,
    entering: Vec<(EntityIndex, KindId, BitSpan)>,
    entered: Vec<(EntityIndex, KindId)>,
    surprises: Vec<u32>,
    late: Vec<u32>,
    claims: Vec<(f32, Claimant)>,
    waiting: Vec<(EntityIndex, Tick)>,
    /// Those who wait because a client holds no more entities than it does.
    beyond: Vec<(EntityIndex, Tick)>,
    indices: Vec<u32>,
    writer: BitWriter,
}

/// An entity that stays and has news.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// Its place among the baseline's entities.
    place: u32,
    /// Its place among those that stay.
    stay: u32,
    /// Its news, or `None` when they wait.
    news: Option<News>,
}

#[derive(Clone, Copy, Debug)]
enum Claimant {
    Change(usize),
    Enter(usize),
}

/// Bits of the lists that an entity's news take besides its own, as the budget reckons.
const LIST_BITS_CHANGED: u32 = 6;
const LIST_BITS_ENTERING: u32 = 12;

impl Assembler {
    /// The baselines that the next snapshot of a player will be coded against, or `None` when everything
    /// enters. It holds until the snapshot is written in the same tick.
    #[must_use]
    pub fn baselines(&mut self, history: &History, recipient: &Recipient) -> Option<BaselinePair> {
        let table = self.table(history, recipient)?;
        Some(self.pair(table))
    }

    fn table(&mut self, history: &History, recipient: &Recipient) -> Option<usize> {
        let tick = self.tick();
        let held = |pair: &BaselinePair| history.at(pair.newer).is_some();
        let pairs = recipient.pairs(tick, history.codec().has_trends()).filter(held);
        self.choose(history, pairs)
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
        avatar: &AvatarNews<'_>,
        out: &mut Vec<u8>,
    ) -> Told {
        let record = history.newest().expect("a tick is assembled after it has been captured");
        assert!(recipient.newest_sent() < Some(record.tick()), "a player has one snapshot of a tick");
        debug_assert!(request.visible.is_sorted_by(|one, next| one < next), "ascending, each once");
        let table = self.table(history, recipient);
        let pair = table.map(|table| self.pair(table));
        // The work leaves the assembler while the encodings, which are there too, are added to.
        let mut work = std::mem::take(&mut self.work);
        let mut next = recipient.spare.pop().unwrap_or_default();
        let baseline = pair.and_then(|pair| recipient.find(pair.newer));
        let nothing = Known::default();
        let known = baseline.unwrap_or(&nothing);

        let compare = Compare { history, record, request, table, known };
        compare.walk(self, &mut work);
        compare.enter(self, recipient, &mut work);
        compare.fit(&mut work);
        let told = work.write(&compare, self, recipient, pair, avatar);
        work.take_for_told(&compare, &mut next);

        work.writer.write_to(out);
        std::mem::swap(&mut recipient.waiting, &mut work.waiting);
        self.work = work;
        recipient.keep(next);
        told
    }
}

/// A player's knowledge beside the present.
struct Compare<'a> {
    history: &'a History,
    record: &'a Record,
    request: &'a SnapshotRequest<'a>,
    table: Option<usize>,
    known: &'a Known,
}

impl Compare<'_> {
    /// Walks what the player knows beside what is visible: finds who leaves, who has news, and who could
    /// enter.
    fn walk(&self, assembler: &mut Assembler, work: &mut Work) {
        work.left.clear();
        work.changed.clear();
        work.candidates.clear();
        work.surprises.clear();
        let mut visible = self.request.visible;
        let mut stay = 0;
        let trends = self.history.codec().has_trends();
        for (place, entity) in self.known.entries.iter().enumerate() {
            while let Some((&index, rest)) = visible.split_first()
                && index < entity.index
            {
                work.candidates.push(index);
                visible = rest;
            }
            let place = place as u32;
            let is_visible = visible.first() == Some(&entity.index);
            if is_visible {
                visible = &visible[1..];
            }
            let changed_at = self.record.changed_at(entity.index);
            if !is_visible || changed_at == GONE {
                work.left.push(place);
                continue;
            }
            let has_news = changed_at > entity.told;
            if has_news {
                let news =
                    self.table.and_then(|table| assembler.news(self.history, self.record, table, entity));
                if news.is_none() {
                    // The state that the player knows is no longer held.
                    work.left.push(place);
                    continue;
                }
                work.changed.push(Change { place, stay, news });
            }
            if trends
                && let Some(table) = self.table
                && assembler.is_restless(self.history, table, entity) != has_news
            {
                work.surprises.push(stay);
            }
            stay += 1;
        }
        work.candidates.extend_from_slice(visible);
        if !trends {
            work.surprises.extend(work.changed.iter().map(|change| change.stay));
        }
    }

    /// Builds the bits of those who could enter.
    fn enter(&self, assembler: &mut Assembler, recipient: &Recipient, work: &mut Work) {
        work.entering.clear();
        work.waiting.clear();
        work.beyond.clear();
        let since = |index: EntityIndex| {
            let before = recipient.waiting.binary_search_by_key(&index, |(index, _)| *index);
            before.map_or(self.record.tick(), |place| recipient.waiting[place].1)
        };
        let room = MAX_VISIBLE - (self.known.entries.len() - work.left.len());
        if work.candidates.len() > room {
            let claim = |index: &EntityIndex| self.claim(*index, self.waited(since(*index)));
            work.candidates.sort_unstable_by(|one, other| claim(other).total_cmp(&claim(one)));
            work.beyond.extend(work.candidates.drain(room..).map(|index| (index, since(index))));
            work.candidates.sort_unstable();
        }
        for &index in &work.candidates {
            let Some(recorded) = self.record.find(index) else { continue };
            let Some(span) = assembler.entering(self.history, self.record, index) else { continue };
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
        let changed: usize = work.changed.iter().map(cost_of_change).sum();
        let entering: usize = work.entering.iter().map(cost_of_entering).sum();
        work.claims.clear();
        if changed + entering <= budget {
            work.waiting.clear();
            work.waiting.append(&mut work.beyond);
            work.waiting.sort_unstable();
            return;
        }
        for (place, change) in work.changed.iter().enumerate() {
            let entity = &self.known.entries[change.place as usize];
            work.claims.push((self.claim(entity.index, self.waited(entity.told)), Claimant::Change(place)));
        }
        for (place, (index, since)) in work.waiting.iter().enumerate() {
            work.claims.push((self.claim(*index, self.waited(*since)), Claimant::Enter(place)));
        }
        work.claims.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let mut spent = 0;
        let mut full = false;
        let mut refused = vec![false; work.entering.len()];
        for (_, claimant) in &work.claims {
            let cost = match claimant {
                Claimant::Change(place) => cost_of_change(&work.changed[*place]),
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
                Claimant::Change(place) => work.changed[*place].news = None,
                Claimant::Enter(place) => refused[*place] = true,
            }
        }
        self.delay(&refused, work);
    }

    /// Takes out of the lists who waits.
    fn delay(&self, refused: &[bool], work: &mut Work) {
        let mut refusals = refused.iter();
        work.waiting.retain(|_| refusals.next() == Some(&true));
        work.waiting.append(&mut work.beyond);
        work.waiting.sort_unstable();
        let mut refusals = refused.iter();
        work.entering.retain(|_| refusals.next() == Some(&false));
        // Those who change and wait are as if they had not: a surprise less, or one more where it was
        // expected.
        for change in work.changed.iter().filter(|change| change.news.is_none()) {
            match work.surprises.binary_search(&change.stay) {
                Ok(place) => drop(work.surprises.remove(place)),
                Err(place) => work.surprises.insert(place, change.stay),
            }
        }
    }

    fn claim(&self, index: EntityIndex, waited: u32) -> f32 {
        let Some(recorded) = self.record.find(index) else { return 0.0 };
        let distance = recorded.position.map(|position| squared_distance(position, self.request.center));
        claim(waited, distance, recorded.importance)
    }
}

fn cost_of_change(change: &Change) -> usize {
    change.news.map_or(0, |news| (news.span.bits + LIST_BITS_CHANGED) as usize)
}

fn cost_of_entering((_, _, span): &(EntityIndex, KindId, BitSpan)) -> usize {
    (span.bits + LIST_BITS_ENTERING) as usize
}

impl Work {
    fn write(
        &mut self,
        compare: &Compare<'_>,
        assembler: &Assembler,
        recipient: &Recipient,
        pair: Option<BaselinePair>,
        avatar: &AvatarNews<'_>,
    ) -> Told {
        let request = compare.request;
        let codec = compare.history.codec();
        let header = SnapshotHeader {
            tick: assembler.tick(),
            newer: pair.map(|pair| pair.newer),
            older: pair.and_then(|pair| pair.older),
            epoch: request.epoch,
            rate: request.rate,
            lead: request.lead,
            consumed: avatar.consumed.clone(),
        };
        let ordered = recipient.transport == Transport::Ordered;
        let sent = |back: usize| {
            let place = recipient.known.len().checked_sub(back)?;
            recipient.known.get(place).filter(|_| ordered).map(|known| known.tick)
        };
        let context = HeaderContext {
            profile: recipient.profile,
            trends: codec.has_trends(),
            newest: sent(1),
            before_newest: sent(2),
            near: header.tick,
        };
        let room = pair.map(|_| (compare.known.epoch, compare.known.rate));
        self.writer.clear();
        context.write(&header, room, &mut self.writer);
        let header_bits = self.writer.bits();
        let mut told_avatar = AvatarTold::AsExpected;
        if recipient.profile.has_avatar {
            let check = recipient.profile.predicts && carries_check(header.tick, header.newer);
            told_avatar = write_avatar(avatar.avatar, avatar.expected, avatar.whole, check, &mut self.writer);
        }
        let avatar_bits = self.writer.bits() - header_bits;
        self.write_lists(compare, recipient);
        let list_bits = self.writer.bits() - avatar_bits - header_bits;
        for (_, _, span) in &self.entering {
            self.writer.append(&assembler.bits, *span);
        }
        let entered_bits = self.writer.bits() - list_bits - avatar_bits - header_bits;
        let mut changed = 0;
        for news in self.changed.iter().filter_map(|change| change.news) {
            self.writer.append(&assembler.bits, news.span);
            changed += 1;
        }
        Told {
            entered: self.entering.len(),
            left: self.left.len(),
            changed,
            waiting: self.changed.len() - changed + self.waiting.len(),
            avatar: told_avatar,
            header_bits,
            avatar_bits,
            list_bits,
            entered_bits,
            changed_bits: self.writer.bits() - entered_bits - list_bits - avatar_bits - header_bits,
        }
    }

    fn write_lists(&mut self, compare: &Compare<'_>, recipient: &Recipient) {
        self.entered.clear();
        self.entered.extend(self.entering.iter().map(|(index, kind, _)| (*index, *kind)));
        self.late.clear();
        let told = self.changed.iter().filter_map(|change| change.news);
        self.late.extend(told.enumerate().filter(|(_, news)| news.late).map(|(place, _)| place as u32));
        let changed = self.changed.iter().filter(|change| change.news.is_some()).count();
        let context = ListContext {
            capacity: recipient.profile.capacity,
            kinds: compare.history.codec().schema().kinds().len(),
        };
        let lists = EntityLists {
            known: compare.known.entries.len() as u32,
            left: &self.left,
            entered: &self.entered,
            surprises: &self.surprises,
            changed: changed as u32,
            late: &self.late,
        };
        context.write(&lists, &mut self.indices, &mut self.writer);
    }

    /// Works out what the player knows when they have read the snapshot.
    fn take_for_told(&self, compare: &Compare<'_>, next: &mut Known) {
        let tick = compare.record.tick();
        (next.tick, next.epoch, next.rate) = (tick, compare.request.epoch, compare.request.rate);
        next.entries.clear();
        let old = &compare.known.entries;
        if self.left.is_empty() && self.entering.is_empty() {
            // The usual case: nobody comes or goes.
            next.entries.extend_from_slice(old);
            for change in &self.changed {
                tell(&mut next.entries[change.place as usize], change, compare.known.tick, tick);
            }
            return;
        }
        let mut left = self.left.iter().peekable();
        let mut changed = self.changed.iter().peekable();
        let mut entering = self.entering.iter().peekable();
        for (place, entity) in old.iter().enumerate() {
            let place = place as u32;
            let news = changed.next_if(|change| change.place == place);
            if left.next_if_eq(&&place).is_some() {
                continue;
            }
            while let Some((index, kind, _)) = entering.next_if(|(index, _, _)| *index < entity.index) {
                next.entries.push(entered(*index, *kind, tick));
            }
            next.entries.push(*entity);
            if let (Some(change), Some(entity)) = (news, next.entries.last_mut()) {
                tell(entity, change, compare.known.tick, tick);
            }
        }
        next.entries.extend(entering.map(|(index, kind, _)| entered(*index, *kind, tick)));
    }
}

/// Takes an entity's news for told at `tick`, or notes that they wait, since the `baseline` at the latest.
fn tell(entity: &mut KnownEntity, change: &Change, baseline: Tick, tick: Tick) {
    if change.news.is_some() {
        *entity = KnownEntity { told: tick, told_before: entity.told, current_at: NEVER, ..*entity };
    } else if entity.current_at == NEVER {
        entity.current_at = baseline;
    }
}

fn entered(index: EntityIndex, kind: KindId, tick: Tick) -> KnownEntity {
    KnownEntity { index, kind, told: tick, told_before: NEVER, current_at: NEVER }
}
