//! The published past of a room, for lag compensation: the history as [`Rewind`].

use crate::history::{History, Record};
use tickwire_protocol::game::{Rewind, ViewTime, interpolate};
use tickwire_protocol::id::{EntityIndex, KindId};
use tickwire_protocol::limits::MAX_LANES;
use tickwire_protocol::time::Tick;

/// What was published, as a client showed it: interpolated between two ticks.
#[derive(Clone, Copy, Debug)]
pub struct PublishedPast<'a> {
    history: &'a History,
}

impl<'a> PublishedPast<'a> {
    /// The past that a history holds.
    #[must_use]
    pub fn new(history: &'a History) -> PublishedPast<'a> {
        PublishedPast { history }
    }

    /// Writes the components of an entity at a tick.
    fn at(&self, tick: Tick, entity: EntityIndex, kind: KindId, components: &mut [f64]) -> Option<&Record> {
        let record = self.history.at(tick)?;
        let recorded = record.find(entity).filter(|recorded| recorded.kind == kind)?;
        let codec = self.history.codec().kind(kind)?;
        if codec.components() != components.len() {
            return None;
        }
        codec.value(record.state(codec, recorded), tick, components);
        Some(record)
    }
}

impl Rewind for PublishedPast<'_> {
    fn components_at(
        &self,
        entity: EntityIndex,
        kind: KindId,
        time: ViewTime,
        components: &mut [f64],
    ) -> bool {
        let mut room = [0.0; MAX_LANES];
        let Some(from) = room.get_mut(..components.len()) else { return false };
        if self.at(time.tick, entity, kind, from).is_none() {
            return false;
        }
        let mut later = [0.0; MAX_LANES];
        let to = &mut later[..components.len()];
        let between = time.fraction > 0 && self.at(time.tick.next(), entity, kind, to).is_some();
        match self.history.codec().schema().kinds().get(usize::from(kind.0)) {
            Some(schema) if between => {
                interpolate(schema, from, to, f64::from(time.fraction) / 256.0, components);
            }
            // Its last tick: a client shows it there until it is told that the entity is gone.
            _ => components.copy_from_slice(from),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec2;
    use std::sync::Arc;
    use tickwire_protocol::Replicate;
    use tickwire_protocol::delta::DeltaCodec;
    use tickwire_protocol::game::{Frame, Kind, Place};
    use tickwire_protocol::schema::Schema;
    use tickwire_protocol::time::Micros;

    #[derive(Replicate)]
    struct Runner {
        #[replicate(ranged(min = -100.0, max = 100.0, step = 0.5))]
        position: Vec2,
        lives: u8,
    }

    #[test]
    fn the_past_is_shown_between_its_ticks() {
        let schema = Schema::new(vec![Runner::kind()]).unwrap();
        let mut history = History::new(Arc::new(DeltaCodec::new(&schema, Micros::period_of(30))), 4);
        for tick in 10..13 {
            let mut frame = Frame::new();
            let runner = Runner { position: Vec2::new(tick as f32, 4.0), lives: tick as u8 };
            frame.put(Kind::<Runner>::new(0), EntityIndex(2), &runner, Place::on_plane(runner.position));
            frame.finish().unwrap();
            history.capture(Tick(tick), &frame, |error| panic!("{error}"));
        }
        let past = PublishedPast::new(&history);
        let shown = |tick, fraction, entity| {
            let mut components = [0.0; 3];
            let time = ViewTime { tick: Tick(tick), fraction };
            past.components_at(EntityIndex(entity), KindId(0), time, &mut components).then_some(components)
        };
        assert_eq!(shown(11, 64, 2), Some([11.25, 4.0, 11.0]));
        assert_eq!(shown(12, 128, 2), Some([12.0, 4.0, 12.0]), "there is nothing newer");
        assert_eq!(shown(9, 0, 2), None);
        assert_eq!(shown(11, 0, 1), None);
    }
}
