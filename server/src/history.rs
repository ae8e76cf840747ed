//! The history of a room: what was published at each of the last ticks.
//!
//! Baselines are looked up here, and the news of an entity is told from here: an entity has news for who was last told of
//! it before its last change. A record is filled once per tick and never changed; the ring's memory is used again.

use std::sync::Arc;
use thiserror::Error;
use tickwire_protocol::delta::{DeltaCodec, KindCodec, PublishError};
use tickwire_protocol::id::{EntityIndex, KindId};
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::time::Tick;

/// What was published at the last ticks.
#[derive(Debug)]
pub struct History {
    codec: Arc<DeltaCodec>,
    capacity: usize,
    /// A record's place is its tick modulo the length.
    ring: Vec<Record>,
    newest: Option<Tick>,
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
    places: Vec<u32>,
}

/// One entity of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// Its place in the room's table.
    pub index: EntityIndex,
    /// Its kind.
    pub kind: KindId,
    /// Where it is, for interest; without a place it concerns everybody.
    pub position: Option<[f32; 3]>,
    /// How much it matters beside others at the same distance; one is usual.
    pub importance: f32,
    lanes: u32,
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
#[derive(Debug)]
pub struct Capture<'a> {
    codec: &'a DeltaCodec,
    before: Option<&'a Record>,
    record: &'a mut Record,
}

impl History {
    /// An empty history of a room whose entity indices are below `capacity`.
    #[must_use]
    pub fn new(codec: Arc<DeltaCodec>, capacity: usize) -> History {
        History { codec, capacity, ring: vec![Record::default(); RECORDS], newest: None }
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

    /// The newest record.
    #[must_use]
    pub fn newest(&self) -> Option<&Record> {
        self.at(self.newest?)
    }

    /// The record of a tick, if it is still there.
    #[inline]
    #[must_use]
    pub fn at(&self, tick: Tick) -> Option<&Record> {
        let age = self.newest?.since(tick)?;
        let record = &self.ring[tick.0 as usize % RECORDS];
        (age < RECORDS as u32 && record.tick == tick && !record.changed.is_empty()).then_some(record)
    }

    /// Begins the record of the next tick.
    ///
    /// # Panics
    /// When `tick` is not the one after the newest: a room's ticks are consecutive.
    pub fn begin(&mut self, tick: Tick) -> Capture<'_> {
        assert!(self.newest.is_none_or(|newest| newest.after(1) == Some(tick)), "ticks are consecutive");
        let place = tick.0 as usize % RECORDS;
        let mut record = std::mem::take(&mut self.ring[place]);
        record.tick = tick;
        record.entities.clear();
        record.lanes.clear();
        record.changed.clear();
        record.changed.resize(self.capacity.max(1), GONE);
        record.places.resize(self.capacity.max(1), 0);
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
        Capture { codec: &self.codec, before, record }
    }
}

impl Capture<'_> {
    /// Publishes an entity with these components. Entities come in ascending order of their index.
    ///
    /// # Errors
    /// [`CaptureError`] when it cannot be; it is then left out of this tick.
    pub fn put(
        &mut self,
        index: EntityIndex,
        kind: KindId,
        components: &[f64],
        position: Option<[f32; 3]>,
        importance: f32,
    ) -> Result<(), CaptureError> {
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
        let before = self.before.and_then(|before| Some((before, before.find(index)?)));
        let before = before.filter(|(_, recorded)| recorded.kind == kind);
        let known = before.map(|(record, recorded)| record.state(codec, recorded));
        let state = &mut self.record.lanes[start..];
        if let Err(error) = codec.publish(components, known, tick, u32::from(index.0), state) {
            self.record.lanes.truncate(start);
            return Err(CaptureError::Value { index, error });
        }
        let slot = usize::from(index.0);
        self.record.changed[slot] = match before {
            Some((record, _)) if known == Some(&*state) => record.changed[slot],
            _ => tick,
        };
        self.record.places[slot] = self.record.entities.len() as u32;
        self.record.entities.push(Recorded { index, kind, position, importance, lanes: start as u32 });
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
        if self.changed_at(index) == GONE {
            return None;
        }
        self.entities.get(self.places[usize::from(index.0)] as usize)
    }

    /// The state of an entity of this record.
    #[inline]
    #[must_use]
    pub fn state(&self, codec: &KindCodec, recorded: &Recorded) -> &[i32] {
        &self.lanes[recorded.lanes as usize..][..codec.lanes()]
    }

    /// The tick of an entity's last change, or [`GONE`].
    #[inline]
    pub(crate) fn changed_at(&self, index: EntityIndex) -> Tick {
        self.changed.get(usize::from(index.0)).copied().unwrap_or(GONE)
    }
}
