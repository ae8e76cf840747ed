//! The decoder: what a client must hold to read its snapshots, and how it applies one.
//!
//! A snapshot is coded against one that the client holds, and with news for some of its entities. For each
//! entity both ends derive what its delta is against, from two things that both know: the ticks that it was
//! last told at (`told`) and before that (`told_before`), as of the baseline.
//!
//! - The state is the one told last. Where nothing was told since, the entity has followed its segment or
//!   stayed.
//! - The age that its codes see is that of the baseline, because its state is still the baseline tick's. If
//!   it is not, as the news had to wait, the snapshot says so (a *late* entity), and the age is taken to be
//!   the largest.
//! - The trend of the older baseline is used where the entity was told at both ticks; any other client that
//!   holds the same baselines then has the same two states, and the bits can be shared.

use super::account::SnapshotAccount;
use super::avatar::{AvatarTold, carries_check, read_avatar};
use super::entities::ListContext;
use super::header::{HeaderContext, SnapshotHeader, StreamProfile};
use super::view::{Entry, View};
use crate::delta::{BaselineForm, Baselines, DeltaCodec, DeltaError, FormError, KindCodec};
use crate::id::{EntityIndex, KindId};
use crate::limits::{MAX_BASELINE_AGE, MAX_VISIBLE, ROUND_BASELINE_TICKS};
use crate::time::Tick;
use crate::wire::bits::{BitReader, OutOfBits, TrailingBits};
use crate::wire::gaps::GapsError;
use crate::wire::varint::VarintError;
use std::collections::VecDeque;
use std::sync::Arc;
use thiserror::Error;

/// Why a snapshot is refused. Nothing of it has been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// It ends early.
    #[error(transparent)]
    OutOfBits(#[from] OutOfBits),
    /// A number in it cannot be.
    #[error(transparent)]
    Number(#[from] VarintError),
    /// A list in it cannot be.
    #[error(transparent)]
    Gaps(#[from] GapsError),
    /// Something follows it.
    #[error(transparent)]
    Trailing(#[from] TrailingBits),
    /// An entity's bits are refused.
    #[error("entity {}: {error}", index.0)]
    Entity {
        /// The entity.
        index: EntityIndex,
        /// What is wrong with its bits.
        error: DeltaError,
    },
    /// An entity's baselines are out of order or too old.
    #[error(transparent)]
    Form(#[from] FormError),
    /// It claims to follow the newest snapshot, and does not.
    #[error("the snapshot does not follow the one before")]
    OutOfSequence,
    /// It is not newer than the newest one.
    #[error("a snapshot of {tick} after one of {newest}")]
    NotNewer {
        /// Its tick.
        tick: Tick,
        /// That of the newest snapshot.
        newest: Tick,
    },
    /// Its tick is far from any that could be.
    #[error("{tick} is far from now")]
    FarOff {
        /// Its tick.
        tick: Tick,
    },
    /// It is coded against a snapshot that is not held.
    #[error("the snapshot of {tick} that it is coded against is not held")]
    UnknownBaseline {
        /// The tick of that snapshot.
        tick: Tick,
    },
    /// A baseline is before the first tick.
    #[error("a baseline before the first tick")]
    BeforeFirstTick,
    /// It has no baseline, and does not tell the state of the room.
    #[error("neither a baseline nor the state of the room")]
    NoRoomState,
    /// The avatar is told in a form that does not exist.
    #[error("an avatar in an unknown form")]
    UnknownForm,
    /// The avatar is told by its difference to one that is not expected.
    #[error("an avatar by difference, where none is expected")]
    NoExpectedAvatar,
    /// The avatar is too long.
    #[error("an avatar of {bytes} bytes")]
    AvatarTooLong {
        /// Its length.
        bytes: usize,
    },
    /// An entity has a kind that the schema does not have.
    #[error("kind {kind} is unknown")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// An entity enters that is there.
    #[error("entity {} enters twice", index.0)]
    EntersTwice {
        /// The entity.
        index: EntityIndex,
    },
    /// There are more entities than a client must hold.
    #[error("more than {MAX_VISIBLE} entities")]
    TooMany,
}

/// Ticks that a snapshot may be away from the newest one, or from the welcome's: far more than a live room
/// skips.
const FAR_OFF: u32 = 1 << 14;

/// Reads the snapshots of one stream.
#[derive(Debug)]
pub struct SnapshotDecoder {
    codec: Arc<DeltaCodec>,
    profile: StreamProfile,
    lists: ListContext,
    trends: bool,
    origin: Tick,
    in_order: bool,
    /// The views held, oldest first.
    views: VecDeque<View>,
    spare: Vec<View>,
    /// The entities that entered with the newest snapshot.
    entered: Vec<EntityIndex>,
    scratch: Lists,
}

/// A snapshot whose header has been read: what the client needs to work out the avatar that it expects.
#[derive(Debug)]
pub struct Incoming<'d, 'b> {
    decoder: &'d mut SnapshotDecoder,
    header: SnapshotHeader,
    reader: BitReader<'b>,
}

/// What a snapshot brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its tick.
    pub tick: Tick,
    /// How the avatar was told.
    pub avatar: AvatarTold,
    /// Whether the avatar's check shows that the expected avatar is wrong. The client then acknowledges no
    /// snapshot, and is told everything anew, the whole avatar with it.
    pub desync: bool,
    /// The number of entities whose bits it had, the entering ones included.
    pub told: usize,
}

impl SnapshotDecoder {
    /// A decoder for a stream that was agreed on at `origin`, the tick of the welcome.
    #[must_use]
    pub fn new(codec: Arc<DeltaCodec>, profile: StreamProfile, origin: Tick) -> SnapshotDecoder {
        let kinds = codec.schema().kinds().len();
        SnapshotDecoder {
            // An index has 16 bits, whatever was agreed on.
            lists: ListContext { capacity: profile.capacity.min(1 << 16), kinds },
            trends: codec.has_trends(),
            codec,
            profile,
            origin,
            in_order: false,
            views: VecDeque::new(),
            spare: Vec::new(),
            entered: Vec::new(),
            scratch: Lists::default(),
        }
    }

    /// On a transport that keeps the order: of the older views only those are held that the server may still
    /// name, which are the one before the newest and those of round ticks. A client then takes a sixth of the
    /// memory.
    #[must_use]
    pub fn in_order(self) -> SnapshotDecoder {
        SnapshotDecoder { in_order: true, ..self }
    }

    /// The codec of entities.
    #[must_use]
    pub fn codec(&self) -> &Arc<DeltaCodec> {
        &self.codec
    }

    /// What is known after the newest snapshot.
    #[must_use]
    pub fn newest(&self) -> Option<&View> {
        self.views.back()
    }

    /// What was known after the snapshot of a tick, if that is still held.
    #[must_use]
    pub fn view(&self, tick: Tick) -> Option<&View> {
        let place = self.views.binary_search_by_key(&tick, |view| view.tick).ok()?;
        self.views.get(place)
    }

    /// The entities that entered with the newest snapshot, in ascending order.
    #[must_use]
    pub fn entered(&self) -> &[EntityIndex] {
        &self.entered
    }

    /// Forgets all snapshots; the next one must have no baseline.
    pub fn restart(&mut self) {
        self.origin = self.newest().map_or(self.origin, |view| view.tick);
        self.spare.extend(self.views.drain(..));
        self.entered.clear();
    }

    /// Reads the header of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`] when the header is broken or names what is not held.
    pub fn begin<'d, 'b>(&'d mut self, body: &'b [u8]) -> Result<Incoming<'d, 'b>, SnapshotError> {
        let newest = self.newest().map(|view| view.tick);
        let context = HeaderContext {
            profile: self.profile,
            trends: self.trends,
            newest,
            before_newest: self.views.iter().rev().nth(1).map(|view| view.tick),
            near: newest.unwrap_or(self.origin),
        };
        let mut reader = BitReader::new(body);
        let timely = |tick: Tick| match newest {
            Some(newest) if tick <= newest => Err(SnapshotError::NotNewer { tick, newest }),
            _ if tick.0.abs_diff(newest.unwrap_or(self.origin).0) > FAR_OFF => {
                Err(SnapshotError::FarOff { tick })
            }
            _ => Ok(()),
        };
        // A snapshot that was overtaken may name a baseline that is gone by now; that it is late says more.
        let room = |tick, newer| {
            timely(tick)?;
            let view = self.view(newer).ok_or(SnapshotError::UnknownBaseline { tick: newer })?;
            Ok((view.epoch, view.rate))
        };
        let header = context.read(&mut reader, room)?;
        timely(header.tick)?;
        if let Some(older) = header.older
            && self.view(older).is_none()
        {
            return Err(SnapshotError::UnknownBaseline { tick: older });
        }
        Ok(Incoming { decoder: self, header, reader })
    }

    fn read_entities(
        &mut self,
        header: &SnapshotHeader,
        reader: &mut BitReader<'_>,
        next: &mut View,
        account: Option<&mut SnapshotAccount>,
    ) -> Result<usize, SnapshotError> {
        // The views stay borrowed while the lists are filled; so these leave the decoder meanwhile.
        let mut lists = std::mem::take(&mut self.scratch);
        let nothing = View::default();
        let baseline = header.newer.and_then(|tick| self.view(tick)).unwrap_or(&nothing);
        let older = header.older.and_then(|tick| self.view(tick));
        let work = Work { codec: &self.codec, context: &self.lists, header, baseline, older };
        let told = work.read(&mut lists, reader, next, account);
        self.scratch = lists;
        told
    }

    fn keep(&mut self, view: View) {
        let newest = view.tick;
        self.entered.clear();
        self.entered.extend(self.scratch.entered.iter().map(|(index, _)| *index));
        let before = self.views.len().checked_sub(2).filter(|_| self.in_order);
        if let Some(place) = before
            && !self.views[place].tick.0.is_multiple_of(ROUND_BASELINE_TICKS)
        {
            self.spare.extend(self.views.remove(place));
        }
        self.views.push_back(view);
        while let Some(oldest) = self.views.front()
            && newest.0 - oldest.tick.0 >= MAX_BASELINE_AGE
        {
            self.spare.extend(self.views.pop_front());
        }
    }
}

impl Incoming<'_, '_> {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The avatar of the baseline: what a prediction starts from, and what a client that does not predict
    /// expects.
    #[must_use]
    pub fn baseline_avatar(&self) -> Option<&[u8]> {
        self.decoder.view(self.header.newer?)?.avatar.as_deref()
    }

    /// Applies the snapshot, whole or not at all. `expected` is the avatar that the client expects; without a
    /// baseline none is.
    ///
    /// # Errors
    /// [`SnapshotError`] says what is wrong; the decoder is as it was.
    pub fn apply(self, expected: Option<&[u8]>) -> Result<Applied, SnapshotError> {
        self.apply_with(expected, None)
    }

    /// The same, and counts where the bits went.
    ///
    /// # Errors
    /// Those of [`Incoming::apply`].
    pub fn apply_counted(
        self,
        expected: Option<&[u8]>,
        account: &mut SnapshotAccount,
    ) -> Result<Applied, SnapshotError> {
        self.apply_with(expected, Some(account))
    }

    fn apply_with(
        mut self,
        expected: Option<&[u8]>,
        account: Option<&mut SnapshotAccount>,
    ) -> Result<Applied, SnapshotError> {
        let mut next = self.decoder.spare.pop().unwrap_or_default();
        next.clear();
        let applied = self.read_into(expected, &mut next, account);
        match applied {
            Ok(applied) => {
                self.decoder.keep(next);
                Ok(applied)
            }
            Err(error) => {
                self.decoder.spare.push(next);
                Err(error)
            }
        }
    }

    fn read_into(
        &mut self,
        expected: Option<&[u8]>,
        next: &mut View,
        mut account: Option<&mut SnapshotAccount>,
    ) -> Result<Applied, SnapshotError> {
        let header = &self.header;
        let begun = self.reader.position();
        (next.tick, next.epoch, next.rate) = (header.tick, header.epoch, header.rate);
        let mut applied =
            Applied { tick: header.tick, avatar: AvatarTold::AsExpected, desync: false, told: 0 };
        if self.decoder.profile.has_avatar {
            let check = self.decoder.profile.predicts && carries_check(header.tick, header.newer);
            let expected = expected.filter(|_| header.newer.is_some());
            let read = read_avatar(expected, check, &mut self.reader)?;
            next.avatar = read.avatar;
            applied.avatar = read.told;
            applied.desync = read.desync;
        }
        if let Some(account) = account.as_deref_mut() {
            account.snapshots += 1;
            account.header_bits += begun as u64;
            account.avatar_bits += (self.reader.position() - begun) as u64;
        }
        let counts = account.as_deref_mut();
        applied.told = self.decoder.read_entities(header, &mut self.reader, next, counts)?;
        self.reader.clone().finish()?;
        if let Some(account) = account {
            account.padding_bits += self.reader.remaining() as u64;
        }
        Ok(applied)
    }
}

/// The lists of a snapshot as read, in memory that is used again.
#[derive(Debug, Default)]
struct Lists {
    left: Vec<u32>,
    entered: Vec<(EntityIndex, KindId)>,
    stay: Vec<Stay>,
    /// Per entity that stays: whether it changed.
    changed: Vec<bool>,
    late: Vec<u32>,
}

/// An entity of the baseline that stays.
#[derive(Clone, Copy, Debug)]
struct Stay {
    /// Its place in the new view.
    place: u32,
    /// Its place in the baseline.
    known: u32,
    /// Its place in the older baseline, where its trend is used.
    older: Option<u32>,
}

/// What a snapshot's entities are read with.
struct Work<'a> {
    codec: &'a DeltaCodec,
    context: &'a ListContext,
    header: &'a SnapshotHeader,
    baseline: &'a View,
    older: Option<&'a View>,
}

/// The forms that a snapshot's deltas have: they divide, and are the same for all of its entities.
struct Forms {
    trend: Result<BaselineForm, FormError>,
    plain: Result<BaselineForm, FormError>,
    late: BaselineForm,
}

impl Forms {
    fn of(header: &SnapshotHeader) -> Forms {
        let newer = header.newer.unwrap_or(header.tick);
        Forms {
            trend: BaselineForm::new(header.tick, newer, header.older),
            plain: BaselineForm::new(header.tick, newer, None),
            late: BaselineForm::late(header.tick),
        }
    }
}

impl Work<'_> {
    /// Reads the entities into `next` and returns how many were told of.
    fn read(
        &self,
        lists: &mut Lists,
        reader: &mut BitReader<'_>,
        next: &mut View,
        mut account: Option<&mut SnapshotAccount>,
    ) -> Result<usize, SnapshotError> {
        let begun = reader.position();
        let known = self.baseline.entries.len() as u32;
        self.context.read_left_and_entered(known, reader, &mut lists.left, &mut lists.entered)?;
        if self.baseline.entries.len() - lists.left.len() + lists.entered.len() > MAX_VISIBLE {
            return Err(SnapshotError::TooMany);
        }
        self.merge(lists, next)?;
        self.context.read_changed(reader, &mut lists.changed, &mut lists.late)?;
        if let Some(account) = account.as_deref_mut() {
            account.list_bits += (reader.position() - begun) as u64;
        }
        let entering = BaselineForm::entering(self.header.tick);
        for (index, kind) in &lists.entered {
            let codec = self.kind(*kind)?;
            let place = next.entries.partition_point(|entry| entry.index < *index);
            let start = next.entries[place].lanes as usize;
            let state = &mut next.lanes[start..start + codec.lanes()];
            let before = reader.position();
            codec
                .decode(&entering, Baselines::Entering, reader, state)
                .map_err(|error| SnapshotError::Entity { index: *index, error })?;
            if let Some(account) = account.as_deref_mut() {
                account.count_entered(*kind, reader.position() - before);
            }
        }
        let told = self.read_changed(lists, reader, next, account)?;
        Ok(told + lists.entered.len())
    }

    /// Lays out `next`: the entities that stay, with their states, and room for those that enter. Fills in
    /// who stays, and who of them is expected to change.
    fn merge(&self, lists: &mut Lists, next: &mut View) -> Result<(), SnapshotError> {
        lists.stay.clear();
        lists.changed.clear();
        let mut left = lists.left.iter().copied().peekable();
        let mut entered = lists.entered.iter().copied().peekable();
        // The place in the older baseline, which is in the same order.
        let mut before = 0;
        for (known, entry) in self.baseline.entries.iter().enumerate() {
            if left.next_if_eq(&(known as u32)).is_some() {
                continue;
            }
            while let Some((index, kind)) = entered.next_if(|(index, _)| *index < entry.index) {
                self.make_room(index, kind, next)?;
            }
            if entered.peek().is_some_and(|(index, _)| *index == entry.index) {
                return Err(SnapshotError::EntersTwice { index: entry.index });
            }
            let codec = self.kind(entry.kind)?;
            let state = state_of(self.baseline, entry, codec);
            let older = self.older_entry(entry, codec, &mut before);
            let is_restless = |(view, entry)| codec.is_restless(state, state_of(view, entry, codec));
            lists.changed.push(older.is_some_and(is_restless));
            let older = older.map(|_| before as u32);
            lists.stay.push(Stay { place: next.entries.len() as u32, known: known as u32, older });
            next.entries.push(Entry { lanes: next.lanes.len() as u32, ..*entry });
            next.lanes.extend_from_slice(state);
        }
        for (index, kind) in entered {
            self.make_room(index, kind, next)?;
        }
        Ok(())
    }

    fn make_room(&self, index: EntityIndex, kind: KindId, next: &mut View) -> Result<(), SnapshotError> {
        let lanes = next.lanes.len() as u32;
        let told = self.header.tick;
        next.entries.push(Entry { index, kind, told, told_before: None, lanes });
        next.lanes.resize(lanes as usize + self.kind(kind)?.lanes(), 0);
        Ok(())
    }

    /// Reads the deltas of those who changed into `next` and returns how many there are.
    fn read_changed(
        &self,
        lists: &Lists,
        reader: &mut BitReader<'_>,
        next: &mut View,
        mut account: Option<&mut SnapshotAccount>,
    ) -> Result<usize, SnapshotError> {
        let forms = Forms::of(self.header);
        let mut late = lists.late.iter().copied().peekable();
        let mut count = 0;
        for (stay, _) in lists.stay.iter().zip(&lists.changed).filter(|(_, changed)| **changed) {
            let is_late = late.next_if_eq(&count).is_some();
            count += 1;
            let known = &self.baseline.entries[stay.known as usize];
            let codec = self.kind(known.kind)?;
            let state = state_of(self.baseline, known, codec);
            let older = self.older.zip(stay.older);
            let older = older.map(|(view, place)| state_of(view, &view.entries[place as usize], codec));
            let (form, baselines) = match older {
                _ if is_late => (forms.late, Baselines::One(state)),
                Some(older) => (forms.trend?, Baselines::Two(state, older)),
                None => (forms.plain?, Baselines::One(state)),
            };
            let entry = &mut next.entries[stay.place as usize];
            let start = entry.lanes as usize;
            let before = reader.position();
            codec
                .decode(&form, baselines, reader, &mut next.lanes[start..start + codec.lanes()])
                .map_err(|error| SnapshotError::Entity { index: entry.index, error })?;
            if let Some(account) = account.as_deref_mut() {
                account.count_changed(entry.kind, reader.position() - before);
            }
            entry.told = self.header.tick;
            entry.told_before = Some(known.told);
        }
        Ok(count as usize)
    }

    /// The entity at the older baseline, where its trend is used: its kind follows trends, and it was told at
    /// both baselines. `place` moves on to where it is; entities are asked for in ascending order.
    fn older_entry(&self, entry: &Entry, codec: &KindCodec, place: &mut usize) -> Option<(&View, &Entry)> {
        let older = self.older?;
        let both = Some(entry.told) == self.header.newer && entry.told_before == Some(older.tick);
        if !both || !codec.has_trends() {
            return None;
        }
        while older.entries.get(*place).is_some_and(|before| before.index < entry.index) {
            *place += 1;
        }
        let before = older.entries.get(*place)?;
        (before.index == entry.index && before.kind == entry.kind).then_some((older, before))
    }

    fn kind(&self, kind: KindId) -> Result<&KindCodec, SnapshotError> {
        self.codec.kind(kind).ok_or(SnapshotError::UnknownKind { kind: kind.0 })
    }
}

fn state_of<'v>(view: &'v View, entry: &Entry, codec: &KindCodec) -> &'v [i32] {
    let start = entry.lanes as usize;
    &view.lanes[start..start + codec.lanes()]
}
