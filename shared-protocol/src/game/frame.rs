//! The frame: everything that is replicated at one tick, as the game says it.

use super::kind::Kind;
use crate::id::{EntityIndex, KindId};
use crate::schema::Replicate;
use glam::{Vec2, Vec3};
use std::ops::Range;
use thiserror::Error;

/// What [`Game::capture`](super::Game::capture) fills in each tick. Its memory is reused: once it has seen a
/// room's busiest tick, it allocates no more.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    entities: Vec<FrameEntity>,
    components: Vec<f64>,
    is_unordered: bool,
    error: Option<FrameError>,
}

/// An entity of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameEntity {
    /// Which entity it is.
    pub index: EntityIndex,
    /// Its kind.
    pub kind: KindId,
    /// Where it is, for interest; without a position it concerns everybody.
    pub position: Option<Vec3>,
    /// How much it matters when there is not room for all; 1 is ordinary.
    pub importance: f32,
    /// Where its components are: see [`Frame::components`].
    pub components: Range<u32>,
}

/// Where an entity is and how much it matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    position: Option<Vec3>,
    importance: f32,
}

/// What is wrong with a frame. It is a mistake of the game's.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum FrameError {
    /// An index stands twice in the frame.
    #[error("entity {} is in the frame twice", .0.0)]
    Duplicate(EntityIndex),
    /// An entity's position is not finite, or its importance is not a finite number above zero.
    #[error("the place of entity {} is not made of numbers that make sense", .0.0)]
    Place(EntityIndex),
}

impl Place {
    /// In space.
    #[must_use]
    pub fn at(position: Vec3) -> Place {
        Place { position: Some(position), importance: 1.0 }
    }

    /// In the plane, at z = 0.
    #[must_use]
    pub fn on_plane(position: Vec2) -> Place {
        Place::at(position.extend(0.0))
    }

    /// Nowhere in particular: it concerns everybody, like the score.
    #[must_use]
    pub fn everywhere() -> Place {
        Place { position: None, importance: 1.0 }
    }

    /// Of this importance: a finite number above zero, where 1 is ordinary and 2 is told of twice as eagerly.
    #[must_use]
    pub fn with_importance(self, importance: f32) -> Place {
        Place { importance, ..self }
    }
}

impl Frame {
    /// An empty frame.
    #[must_use]
    pub fn new() -> Frame {
        Frame::default()
    }

    /// Puts an entity into the frame. The order does not matter; ascending indices save a sort.
    ///
    /// Mistakes come out at the end: see [`Frame::finish`].
    pub fn put<T: Replicate>(&mut self, kind: Kind<T>, index: EntityIndex, value: &T, place: Place) {
        let is_sound = place.position.is_none_or(Vec3::is_finite)
            && place.importance.is_finite()
            && place.importance > 0.0;
        if !is_sound {
            self.error.get_or_insert(FrameError::Place(index));
        }
        self.is_unordered |= self.entities.last().is_some_and(|last| last.index >= index);
        let start = self.components.len();
        self.components.resize(start + T::COMPONENTS, 0.0);
        value.write_components(&mut self.components[start..]);
        self.entities.push(FrameEntity {
            index,
            kind: kind.id(),
            position: place.position,
            importance: place.importance,
            components: start as u32..self.components.len() as u32,
        });
    }

    /// Empties the frame for another tick.
    pub fn clear(&mut self) {
        self.entities.clear();
        self.components.clear();
        self.is_unordered = false;
        self.error = None;
    }

    /// Brings the entities into the order of their indices and looks for mistakes.
    ///
    /// # Errors
    /// [`FrameError`] for the first mistake found; the frame is then not to be sent.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        if self.is_unordered {
            self.entities.sort_unstable_by_key(|entity| entity.index);
            self.is_unordered = false;
            let twice = self.entities.windows(2).find(|pair| pair[0].index == pair[1].index);
            if let Some(pair) = twice {
                self.error.get_or_insert(FrameError::Duplicate(pair[0].index));
            }
        }
        self.error.map_or(Ok(()), Err)
    }

    /// The entities; after [`Frame::finish`] in ascending order of their indices, each once.
    #[must_use]
    pub fn entities(&self) -> &[FrameEntity] {
        &self.entities
    }

    /// The components of an entity of this frame, in the order of its kind's fields.
    ///
    /// # Panics
    /// For an entity of another frame that had more in it.
    #[must_use]
    pub fn components(&self, entity: &FrameEntity) -> &[f64] {
        &self.components[entity.components.start as usize..entity.components.end as usize]
    }

    /// The place of an entity in [`Frame::entities`] after [`Frame::finish`].
    #[must_use]
    pub fn find(&self, index: EntityIndex) -> Option<&FrameEntity> {
        let place = self.entities.binary_search_by_key(&index, |entity| entity.index).ok()?;
        Some(&self.entities[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_derive::Replicate;

    #[derive(Replicate)]
    struct Pair {
        low: u8,
        high: u8,
    }

    #[derive(Replicate)]
    struct Marker;

    const PAIR: Kind<Pair> = Kind::new(0);
    const MARKER: Kind<Marker> = Kind::new(1);

    #[test]
    fn entities_come_in_the_order_of_their_indices() {
        let mut frame = Frame::new();
        for round in 0..2 {
            frame.clear();
            frame.put(PAIR, EntityIndex(9), &Pair { low: 1, high: 2 }, Place::on_plane(Vec2::ONE));
            frame.put(MARKER, EntityIndex(4), &Marker, Place::everywhere().with_importance(3.0));
            frame.put(PAIR, EntityIndex(700), &Pair { low: 3, high: round }, Place::at(Vec3::ONE));
            assert_eq!(frame.finish(), Ok(()));
            let indices: Vec<u16> = frame.entities().iter().map(|entity| entity.index.0).collect();
            assert_eq!(indices, [4, 9, 700]);
            let values: Vec<&[f64]> =
                frame.entities().iter().map(|entity| frame.components(entity)).collect();
            assert_eq!(values, [&[][..], &[1.0, 2.0], &[3.0, f64::from(round)]]);
            assert_eq!((frame.entities()[0].position, frame.entities()[0].importance), (None, 3.0));
            assert_eq!(frame.find(EntityIndex(9)).unwrap().position, Some(Vec3::new(1.0, 1.0, 0.0)));
            assert_eq!(frame.find(EntityIndex(5)), None);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let mut frame = Frame::new();
        for index in [3, 5, 3] {
            frame.put(MARKER, EntityIndex(index), &Marker, Place::everywhere());
        }
        assert_eq!(frame.finish(), Err(FrameError::Duplicate(EntityIndex(3))));
        for place in [
            Place::at(Vec3::NAN),
            Place::everywhere().with_importance(0.0),
            Place::everywhere().with_importance(f32::INFINITY),
        ] {
            frame.clear();
            frame.put(MARKER, EntityIndex(8), &Marker, place);
            assert_eq!(frame.finish(), Err(FrameError::Place(EntityIndex(8))));
        }
        frame.clear();
        assert_eq!(frame.finish(), Ok(()));
    }
}
