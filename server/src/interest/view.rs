//! What a viewpoint sees, from tick to tick.

use super::motion::{Motion, squared_distance};
use std::hint::black_box;
use tickwire_protocol::id::EntityIndex;

/// Who is visible from a viewpoint, and who may come or go soon.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Ascending.
    pub(super) visible: Vec<EntityIndex>,
    /// Those who may enter or leave while the view is kept: first those who are visible.
    pub(super) near: Vec<EntityIndex>,
    /// How many of them are visible.
    pub(super) inside: usize,
    /// What that was worked out from, if it may be kept.
    pub(super) made: Option<Made>,
}

/// What a view was worked out from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) centre: [f32; 3],
    pub(super) enter: f32,
    pub(super) leave: f32,
    /// How far distances may change while the view is kept.
    pub(super) skin: f32,
    /// See [`Motion`].
    pub(super) drift: f64,
    pub(super) number: u32,
}

impl View {
    /// Who is visible, ascending.
    #[must_use]
    pub fn visible(&self) -> &[EntityIndex] {
        &self.visible
    }

    /// Whether it is known what the view was worked out from.
    pub(crate) fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// Begins to fetch the lists into the cache.
    pub(crate) fn prefetch(&self) {
        let View { visible, near, .. } = self;
        for list in [visible, near] {
            black_box((list.first().copied(), list.last().copied()));
        }
    }

    /// Forgets who was visible.
    pub fn clear(&mut self) {
        self.visible.clear();
        self.made = None;
    }

    /// Brings the view up to date, which is kept: only those near the radii can have come or gone. `moved` is
    /// memory that is used again.
    pub(super) fn watch(
        &mut self,
        motion: &Motion,
        centre: [f32; 3],
        [enter, leave]: [f32; 2],
        moved: &mut Vec<u32>,
    ) {
        moved.resize(moved.len().max(self.near.len()), 0);
        let mut count = 0;
        let (inside, outside) = self.near.split_at(self.inside);
        for (place, index) in (0..).zip(inside) {
            moved[count] = place;
            // Also of who is nowhere.
            let stays = squared_distance(motion.position(*index), centre) <= leave * leave;
            count += usize::from(!stays);
        }
        let leaving = count;
        for (place, index) in (inside.len() as u32..).zip(outside) {
            moved[count] = place;
            let enters = squared_distance(motion.position(*index), centre) <= enter * enter;
            count += usize::from(enters);
        }
        // From the last to the first: what takes the place of one that leaves does not leave.
        for place in moved[..leaving].iter().rev() {
            self.remove(*place as usize);
        }
        // From the first to the last: what takes the place of one that enters does not enter.
        for place in &moved[leaving..count] {
            self.insert(*place as usize);
        }
    }

    fn remove(&mut self, place: usize) {
        let index = self.near[place];
        self.inside -= 1;
        self.near.swap(place, self.inside);
        if let Ok(place) = self.visible.binary_search(&index) {
            self.visible.remove(place);
        }
    }

    fn insert(&mut self, place: usize) {
        let index = self.near[place];
        self.near.swap(place, self.inside);
        self.inside += 1;
        if let Err(place) = self.visible.binary_search(&index) {
            self.visible.insert(place, index);
        }
    }
}
