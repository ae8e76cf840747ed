//! The history of a room: what was published at each of the last ticks.
//!
//! Baselines are looked up here, and the news of an entity is told from here: an entity has news for who was
//! last told of it before its last change. A record is filled once per tick and never changed; the ring's
//! memory is used again.

use std::sync::Arc;
use thiserror::Error;
use tickwire_protocol::delta::{DeltaCodec, KindCodec, PublishError, Published};
use tickwire_protocol::game::{Frame, FrameEntity};
use tickwire_protocol::id::{EntityIndex, KindId};
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::time::Tick;

/// What was published at the last ticks.
#[derive(Debug)]
pub struct History {
    codec: Arc<DeltaCodec>,
    capacity: usize,
    /// One more than the largest index so far: columns by index are so long. What a game may use is mostly
    /// far more than what it does use.
    extent: usize,
    /// A record's place is its tick modulo the length.
    ring: Vec<Record>,
    newest: Option<Tick>,
    /// Of each entity of the newest record, in the same order. Nobody asks where entities were before, and
    /// it would be a third of the history's memory.
    standings: Vec<Standing>,
    truth: Truth,
    truth_before: Truth,
}

/// What the entities of a record were published from: mostly it stays as it was, and then need not be worked
/// out again. There are two: that of the newest record, and that of the next while it is made.
#[derive(Debug, Default)]
struct Truth {
    /// Of each entity of the record, in the same order: its first component.
    starts: Vec<u32>,
    components: Vec<f64>,
}

impl Truth {
    /// The components of the entity at a place of the record.
    fn of(&self, place: usize, components: usize) -> Option<&[f64]> {
        let start = *self.starts.get(place)? as usize;
        self.components.get(start..)?.get(..components)
    }
}

/// What was published at one tick. Entities are in ascending order of their index.
#[derive(Clone, Debug, Default)]
pub struct Record {
    tick: Tick,
    entities: Vec<Recorded>,
    lanes: Vec<i32>,
    /// Per index: the tick of the entity's last change, or [`GONE`].
    changed: Vec<Tick>,
    /// Per index: the place in `entities`, where there is one.
    places: Vec<u16>,
}

/// One entity of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// Its place in the room's table.
    pub index: EntityIndex,
    /// Its kind.
    pub kind: KindId,
    lanes: u32,
}

/// What decides whom an entity concerns, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Where it is; without a place it concerns everybody.
    pub position: Option<[f32; 3]>,
    /// How much it matters beside others at the same distance; one is usual.
    pub importance: f32,
}

/// The last change of an entity that is not there.
pub(crate) const GONE: Tick = Tick(u32::MAX);

/// Records in the ring: the current one, and those that a baseline may be.
const RECORDS: usize = MAX_BASELINE_AGE as usize + 1;

/// Why an entity is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum CaptureError {
    /// Its index is not above the one before, or not below the room's capacity.
    #[error("entity {} out of order or beyond the capacity", index.0)]
    Index {
        /// The index.
        index: EntityIndex,
    },
    /// Its kind is not in the schema.
    #[error("kind {} is not in the schema", kind.0)]
    Kind {
        /// The kind.
        kind: KindId,
    },
    /// It does not have its kind's number of components.
    #[error("entity {} has the wrong number of components", index.0)]
    Components {
        /// The index.
        index: EntityIndex,
    },
    /// A value cannot be published.
    #[error("entity {}: {error}", index.0)]
    Value {
        /// The index.
        index: EntityIndex,
        /// What is wrong with it.
        error: PublishError,
    },
}

/// A record that is being filled.
struct Capture<'a> {
    codec: &'a DeltaCodec,
    before: Option<(&'a Record, &'a Truth)>,
    record: &'a mut Record,
    standings: &'a mut Vec<Standing>,
    truth: &'a mut Truth,
}

impl History {
    /// An empty history of a room whose entity indices are below `capacity`.
    #[must_use]
    pub fn new(codec: Arc<DeltaCodec>, capacity: usize) -> History {
        let ring = vec![Record::default(); RECORDS];
        History {
            codec,
            capacity,
            extent: 1,
            ring,
            newest: None,
            standings: Vec::new(),
            truth: Truth::default(),
            truth_before: Truth::default(),
        }
    }

    /// The codec of the room's game.
    #[must_use]
    pub fn codec(&self) -> &Arc<DeltaCodec> {
        &self.codec
    }

    /// The number of indices that entities may have.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// One more than the largest index that an entity has had so far.
    #[must_use]
    pub fn extent(&self) -> usize {
        self.extent
    }

    /// The newest record.
    #[must_use]
    pub fn newest(&self) -> Option<&Record> {
        self.at(self.newest?)
    }

    /// The entities of the newest record with their standings.
    pub fn standings(&self) -> impl Iterator<Item = (EntityIndex, &Standing)> {
        let entities = self.newest().map_or(&[][..], Record::entities);
        entities.iter().map(|entity| entity.index).zip(&self.standings)
    }

    /// The standing of an entity of the newest record.
    #[must_use]
    pub fn standing(&self, index: EntityIndex) -> Option<&Standing> {
        self.standings.get(self.newest()?.place(index)?)
    }

    /// The record of a tick, if it is still there.
    #[inline]
    #[must_use]
    pub fn at(&self, tick: Tick) -> Option<&Record> {
        let age = self.newest?.since(tick)?;
        let record = &self.ring[tick.0 as usize % RECORDS];
        (age < RECORDS as u32 && record.tick == tick && !record.changed.is_empty()).then_some(record)
    }

    /// Publishes the entities of a frame as the record of the next tick. An entity that cannot be published
    /// is left out, as if it were gone, and `refused` is told why: it is a mistake of the game's that
    /// must not stop the room.
    ///
    /// # Panics
    /// When `tick` is not the one after the newest: a room's ticks are consecutive.
    pub fn capture(&mut self, tick: Tick, frame: &Frame, mut refused: impl FnMut(CaptureError)) {
        let largest = frame.entities().iter().map(|entity| usize::from(entity.index.0) + 1).max();
        self.extent = self.extent.max(largest.unwrap_or(0)).min(self.capacity.max(1));
        let mut capture = self.begin(tick);
        for entity in frame.entities() {
            if let Err(error) = capture.put(entity, frame.components(entity)) {
                refused(error);
            }
        }
    }

    fn begin(&mut self, tick: Tick) -> Capture<'_> {
        assert!(self.newest.is_none_or(|newest| newest.after(1) == Some(tick)), "ticks are consecutive");
        let place = tick.0 as usize % RECORDS;
        let mut record = std::mem::take(&mut self.ring[place]);
        record.tick = tick;
        record.entities.clear();
        record.lanes.clear();
        record.changed.clear();
        record.changed.resize(self.extent, GONE);
        record.places.resize(self.extent, 0);
        self.ring[place] = record;
        // The ring has more than one place, so the record of before is another one.
        let before = self.newest.map(|newest| newest.0 as usize % RECORDS);
        self.newest = Some(tick);
        let (low, high) = self.ring.split_at_mut(place.max(before.unwrap_or(0)));
        let (record, before) = match before {
            None => (&mut high[0], None),
            Some(before) if before < place => (&mut high[0], Some(&low[before])),
            Some(_) => (&mut low[place], Some(&high[0])),
        };
        self.standings.clear();
        std::mem::swap(&mut self.truth, &mut self.truth_before);
        self.truth.starts.clear();
        self.truth.components.clear();
        let (truth, before) = (&mut self.truth, before.map(|before| (before, &self.truth_before)));
        Capture { codec: &self.codec, before, record, standings: &mut self.standings, truth }
    }
}

impl Capture<'_> {
    /// Publishes an entity. Entities come in ascending order of their index.
    fn put(&mut self, entity: &FrameEntity, components: &[f64]) -> Result<(), CaptureError> {
        let FrameEntity { index, kind, importance, .. } = *entity;
        let codec = self.codec.kind(kind).ok_or(CaptureError::Kind { kind })?;
        let ordered = self.record.entities.last().is_none_or(|last| last.index < index);
        if !ordered || usize::from(index.0) >= self.record.changed.len() {
            return Err(CaptureError::Index { index });
        }
        if components.len() != codec.components() {
            return Err(CaptureError::Components { index });
        }
        let tick = self.record.tick;
        let start = self.record.lanes.len();
        self.record.lanes.resize(start + codec.lanes(), 0);
        let known = self.before.and_then(|(record, truth)| {
            let place = record.place(index)?;
            let recorded = record.entities.get(place).filter(|recorded| recorded.kind == kind)?;
            let value = truth.of(place, codec.components());
            Some((Published { state: record.state(codec, recorded), value }, record.changed_at(index)))
        });
        let before = known.map(|(known, _)| known);
        let state = &mut self.record.lanes[start..];
        if let Err(error) = codec.publish(components, before, tick, u32::from(index.0), state) {
            self.record.lanes.truncate(start);
            return Err(CaptureError::Value { index, error });
        }
        let slot = usize::from(index.0);
        self.record.changed[slot] = match known {
            Some((known, changed)) if known.state == state => changed,
            _ => tick,
        };
        self.truth.starts.push(self.truth.components.len() as u32);
        self.truth.components.extend_from_slice(components);
        // No larger than the index, as the indices ascend.
        self.record.places[slot] = self.record.entities.len() as u16;
        self.record.entities.push(Recorded { index, kind, lanes: start as u32 });
        let position = entity.position.map(|position| position.to_array());
        self.standings.push(Standing { position, importance });
        Ok(())
    }
}

impl Record {
    /// The tick.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The entities, in ascending order of their index.
    #[must_use]
    pub fn entities(&self) -> &[Recorded] {
        &self.entities
    }

    /// The entity with an index, if there is one.
    #[inline]
    #[must_use]
    pub fn find(&self, index: EntityIndex) -> Option<&Recorded> {
        self.entities.get(self.place(index)?)
    }

    #[inline]
    fn place(&self, index: EntityIndex) -> Option<usize> {
        let is_there = self.changed_at(index) != GONE;
        is_there.then(|| usize::from(self.places[usize::from(index.0)]))
    }

    /// The state of an entity of this record.
    #[inline]
    #[must_use]
    pub fn state(&self, codec: &KindCodec, recorded: &Recorded) -> &[i32] {
        &self.lanes[recorded.lanes as usize..][..codec.lanes()]
    }

    /// Per index: the tick of the entity's last change, or [`GONE`].
    pub(crate) fn changes(&self) -> &[Tick] {
        &self.changed
    }

    /// The tick of an entity's last change, or [`GONE`].
    #[inline]
    pub(crate) fn changed_at(&self, index: EntityIndex) -> Tick {
        self.changed.get(usize::from(index.0)).copied().unwrap_or(GONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::Replicate;
    use tickwire_protocol::game::{Kind, Place};
    use tickwire_protocol::schema::Schema;
    use tickwire_protocol::time::Micros;

    #[derive(Replicate)]
    struct Lamp {
        level: u8,
        #[replicate(ranged(min = 0.0, max = 1.0, step = 0.01))]
        hue: f32,
    }

    fn history() -> History {
        let schema = Schema::new(vec![Lamp::kind()]).expect("one kind of two fields");
        History::new(Arc::new(DeltaCodec::new(&schema, Micros::period_of(30))), 4)
    }

    fn record(history: &mut History, tick: u32, lamps: &[(u16, u8, f32)]) -> Vec<CaptureError> {
        let mut frame = Frame::new();
        for &(index, level, hue) in lamps {
            frame.put(Kind::<Lamp>::new(0), EntityIndex(index), &Lamp { level, hue }, Place::everywhere());
        }
        frame.finish().expect("each index is there once");
        let mut errors = Vec::new();
        history.capture(Tick(tick), &frame, |error| errors.push(error));
        errors
    }

    #[test]
    fn changes_are_dated() {
        let mut history = history();
        record(&mut history, 7, &[(1, 10, 0.5), (3, 10, 0.5)]);
        record(&mut history, 8, &[(1, 10, 0.5), (3, 11, 0.5)]);
        // A hue within tolerance of what is published is no change.
        record(&mut history, 9, &[(0, 1, 0.0), (1, 10, 0.5 + 0.006)]);
        let newest = history.newest().expect("three ticks are recorded");
        let dates = [0, 1, 2, 3, 4].map(|index| newest.changed_at(EntityIndex(index)));
        assert_eq!(dates, [Tick(9), Tick(7), GONE, GONE, GONE]);
        assert!(newest.find(EntityIndex(3)).is_none());
        let before = history.at(Tick(8)).expect("it is young");
        assert_eq!(before.changed_at(EntityIndex(3)), Tick(8));
        assert_eq!(before.entities().len(), 2);
    }

    #[test]
    fn what_cannot_be_published_is_left_out_and_named() {
        let mut history = history();
        let errors = record(&mut history, 0, &[(0, 1, 0.5), (1, 1, 2.0), (2, 1, f32::NAN), (9, 1, 0.5)]);
        assert!(matches!(
            errors[0],
            CaptureError::Value { index: EntityIndex(1), error: PublishError::OutOfRange { .. } }
        ));
        assert!(matches!(
            errors[1],
            CaptureError::Value { index: EntityIndex(2), error: PublishError::NotFinite { .. } }
        ));
        assert_eq!(errors[2], CaptureError::Index { index: EntityIndex(9) });
        let record = history.newest().expect("a tick is recorded");
        assert_eq!(record.entities().len(), 1);
        assert_eq!(record.changed_at(EntityIndex(1)), GONE);
    }

    #[test]
    fn records_are_held_as_long_as_a_baseline_may_be_old() {
        let mut history = history();
        for tick in 0..200 {
            record(&mut history, tick, &[(0, tick as u8, 0.5)]);
        }
        assert!(history.at(Tick(199 - MAX_BASELINE_AGE)).is_some());
        assert!(history.at(Tick(198 - MAX_BASELINE_AGE)).is_none());
        assert!(history.at(Tick(200)).is_none());
    }

    #[test]
    #[should_panic(expected = "ticks are consecutive")]
    fn a_tick_is_not_skipped() {
        let mut history = history();
        record(&mut history, 1, &[]);
        record(&mut history, 3, &[]);
    }
}
