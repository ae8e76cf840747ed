//! Interest: which entities a player is told of.
//!
//! All positions of a tick go into a grid, in the order of its cells, so that what is near a viewpoint stands
//! in a few runs of memory. An entity that has come within the enter radius stays until it is beyond the
//! leave radius: only of those between the two, which are few, is it looked up whether they were visible
//! before. Who is visible now is gathered in a bitmap, and reading that one out yields the list in ascending
//! order without a sort.

use crate::history::History;
use std::ops::Range;
use tickwire_protocol::game::Viewpoint;
use tickwire_protocol::id::EntityIndex;

/// The grid of one tick, and the memory for the work on it.
#[derive(Debug, Default)]
pub struct Interest {
    /// The axes that the grid divides: the two along which the world is widest.
    axes: [usize; 2],
    origin: [f32; 2],
    /// Cells per unit.
    scale: [f32; 2],
    cells: [usize; 2],
    /// Per cell, row by row, where its entities begin; and where the last one's end.
    starts: Vec<u32>,
    placed: Placed,
    /// Entities that concern everybody.
    everywhere: Vec<EntityIndex>,
    all: Vec<EntityIndex>,
    now: Bitmap,
    /// Entities within the leave radius; those within the enter radius are marked with [`ENTERS`].
    near: Vec<u32>,
    /// The others of them.
    between: Vec<EntityIndex>,
    scratch: Vec<u32>,
}

/// The mark of an index that is within the enter radius.
const ENTERS: u32 = 1 << 31;

/// The placed entities in the order of their cells, as columns.
#[derive(Debug, Default)]
struct Placed {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    index: Vec<EntityIndex>,
}

/// A set of entity indices.
#[derive(Debug, Default)]
struct Bitmap {
    words: Vec<u64>,
    /// Bit n of word w: `words[64 * w + n]` is not zero.
    filled: Vec<u64>,
}

/// Cells along an axis: finer ones would cost more to clear than they save.
const MAX_CELLS: usize = 128;

/// Cells along the distance that a viewpoint sees: with more, less is looked at in vain, in more runs.
const CELLS_PER_SIGHT: f32 = 2.0;

impl Interest {
    /// A grid with nothing in it.
    #[must_use]
    pub fn new() -> Interest {
        Interest::default()
    }

    /// Begins a tick: takes in where everything is. `sight` is how far viewpoints see, about; it decides how
    /// large a cell is, and nothing else.
    pub fn begin(&mut self, history: &History, sight: f32) {
        self.all.clear();
        self.all.extend(history.standings().map(|(index, _)| index));
        self.everywhere.clear();
        let unplaced = history.standings().filter(|(_, standing)| standing.position.is_none());
        self.everywhere.extend(unplaced.map(|(index, _)| index));
        self.now.begin(history.extent());
        self.divide(history, sight);
        self.place(history);
        self.near.resize(self.placed.index.len() + BLOCK, 0);
        self.between.resize(self.near.len(), EntityIndex(0));
    }

    fn divide(&mut self, history: &History, sight: f32) {
        let (mut low, mut high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        for position in history.standings().filter_map(|(_, standing)| standing.position) {
            for axis in 0..3 {
                low[axis] = low[axis].min(position[axis]);
                high[axis] = high[axis].max(position[axis]);
            }
        }
        let extent: [f32; 3] = std::array::from_fn(|axis| (high[axis] - low[axis]).max(0.0));
        let narrowest = if extent[2] <= extent[0].min(extent[1]) {
            2
        } else if extent[1] <= extent[0] {
            1
        } else {
            0
        };
        self.axes = match narrowest {
            2 => [0, 1],
            1 => [0, 2],
            _ => [1, 2],
        };
        for (side, &axis) in self.axes.iter().enumerate() {
            let cells = CELLS_PER_SIGHT * extent[axis] / sight.max(f32::MIN_POSITIVE);
            let cells = cells.floor().clamp(0.0, MAX_CELLS as f32 - 1.0);
            self.cells[side] = cells as usize + 1;
            self.origin[side] = if low[axis].is_finite() { low[axis] } else { 0.0 };
            self.scale[side] = self.cells[side] as f32 / extent[axis].max(1.0);
        }
    }

    /// Sorts the entities by their cells, counting: a cell's entities stay in the order of their indices.
    fn place(&mut self, history: &History) {
        let cells = self.cells[0] * self.cells[1];
        self.starts.clear();
        self.starts.resize(cells + 1, 0);
        let mut cell_of = std::mem::take(&mut self.scratch);
        cell_of.clear();
        let positions = || {
            let standings = history.standings();
            standings.filter_map(|(index, standing)| Some((index, standing.position?)))
        };
        for (_, position) in positions() {
            let cell = self.cell(1, position) * self.cells[0] + self.cell(0, position);
            cell_of.push(cell as u32);
            self.starts[cell] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += std::mem::replace(start, sum);
        }
        let placed = &mut self.placed;
        // Whole blocks can be read from each place.
        for column in [&mut placed.x, &mut placed.y, &mut placed.z] {
            column.resize(cell_of.len() + BLOCK, 0.0);
        }
        placed.index.resize(cell_of.len() + BLOCK, EntityIndex(0));
        for ((index, [x, y, z]), &cell) in positions().zip(&cell_of) {
            let start = &mut self.starts[cell as usize];
            let place = *start as usize;
            *start += 1;
            (placed.x[place], placed.y[place], placed.z[place], placed.index[place]) = (x, y, z, index);
        }
        // Each start has moved to its cell's end, which is the start of the next.
        self.starts.rotate_right(1);
        self.starts[0] = 0;
        self.scratch = cell_of;
    }

    /// The column or row of a position's cell; of a position beyond the grid that at its edge.
    fn cell(&self, side: usize, position: [f32; 3]) -> usize {
        let cell = (position[self.axes[side]] - self.origin[side]) * self.scale[side];
        // A negative number or a NaN becomes zero.
        (cell as usize).min(self.cells[side] - 1)
    }

    /// Brings the list of who is visible from a viewpoint up to date: ascending, each once.
    pub fn look(&mut self, viewpoint: Viewpoint, visible: &mut Vec<EntityIndex>) {
        let (centre, enter, leave) = match viewpoint {
            Viewpoint::Everything => {
                visible.clear();
                visible.extend_from_slice(&self.all);
                return;
            }
            Viewpoint::Around { centre, enter, leave } => (centre.to_array(), enter, leave.max(enter)),
        };
        // It has long left the cache. By the time that it is searched it will be back.
        std::hint::black_box(visible.get(visible.len() / 2).copied());
        let low = std::array::from_fn(|axis| centre[axis] - leave);
        let high = std::array::from_fn(|axis| centre[axis] + leave);
        let columns = self.cell(0, low)..self.cell(0, high) + 1;
        let mut found = 0;
        for row in self.cell(1, low)..self.cell(1, high) + 1 {
            let row = row * self.cells[0];
            let run = self.starts[row + columns.start] as usize..self.starts[row + columns.end] as usize;
            let squares = [enter * enter, leave * leave];
            found += self.placed.gather(run, centre, squares, &mut self.near[found..]);
        }
        let mut between = 0;
        for near in &self.near[..found] {
            // No branch: it would be foreseen wrongly for each of those between.
            let (index, enters) = (EntityIndex(*near as u16), near & ENTERS != 0);
            self.now.insert_if(index, enters);
            self.between[between] = index;
            between += usize::from(!enters);
        }
        for index in &self.between[..between] {
            self.now.insert_if(*index, visible.binary_search(index).is_ok());
        }
        for index in &self.everywhere {
            self.now.insert_if(*index, true);
        }
        self.now.drain_into(visible, found + self.everywhere.len());
    }
}

/// Distances worked out at a time: as many as a run of a few cells has entities.
const BLOCK: usize = 16;

impl Placed {
    /// Finds those of a run within a distance whose square is `leave`, marks those within that of `enter`,
    /// and says how many they are.
    ///
    /// A run is gone through in whole blocks, with no branch for each entity and no end that differs from run
    /// to run: what is near is as good as random, and so is how long a run is. First several at a time are
    /// compared, then those that are near are moved together.
    fn gather(
        &self,
        run: Range<usize>,
        [x, y, z]: [f32; 3],
        [enter, leave]: [f32; 2],
        near: &mut [u32],
    ) -> usize {
        let mut found = 0;
        for first in run.clone().step_by(BLOCK) {
            let [xs, ys, zs] = [&self.x, &self.y, &self.z].map(|column| block(column, first));
            let indices = block(&self.index, first);
            let rest = (run.end - first) as u32;
            let (mut marked, mut is_near) = ([0; BLOCK], [0; BLOCK]);
            for lane in 0..BLOCK {
                let away = [xs[lane] - x, ys[lane] - y, zs[lane] - z];
                let squared = away[0] * away[0] + away[1] * away[1] + away[2] * away[2];
                let enters = if squared <= enter { ENTERS } else { 0 };
                marked[lane] = u32::from(indices[lane].0) | enters;
                is_near[lane] = u32::from(squared <= leave) & u32::from((lane as u32) < rest);
            }
            let near = near[found..].first_chunk_mut::<BLOCK>().expect("there is room for a block more");
            let mut count = 0;
            for lane in 0..BLOCK {
                // At most as many as lanes before: the remainder is for the compiler, which then knows.
                near[count as usize % BLOCK] = marked[lane];
                count += is_near[lane];
            }
            found += count as usize;
        }
        found
    }
}

/// A block of a column, which has that much beyond its last place.
fn block<T>(column: &[T], first: usize) -> &[T; BLOCK] {
    column[first..].first_chunk().expect("a block follows the last place")
}

impl Bitmap {
    /// Makes room for indices below `capacity`. It is empty then, as it was.
    fn begin(&mut self, capacity: usize) {
        self.words.resize(capacity.div_ceil(64), 0);
        self.filled.resize(self.words.len().div_ceil(64), 0);
    }

    /// Adds an index below the capacity.
    fn insert_if(&mut self, index: EntityIndex, condition: bool) {
        let (place, bit) = (usize::from(index.0) / 64, index.0 % 64);
        self.words[place] |= u64::from(condition) << bit;
        self.filled[place / 64] |= u64::from(condition) << (place % 64);
    }

    /// Makes a list of the indices, ascending; there are no more than `most`. It is empty then.
    fn drain_into(&mut self, list: &mut Vec<EntityIndex>, most: usize) {
        list.resize(most + AT_ONCE, EntityIndex(0));
        let mut count = 0;
        for (group, filled) in self.filled.iter_mut().enumerate() {
            let mut filled = std::mem::take(filled);
            while filled != 0 {
                let place = group * 64 + filled.trailing_zeros() as usize;
                filled &= filled - 1;
                let mut bits = std::mem::take(&mut self.words[place]);
                // How many bits a word has cannot be foreseen, and to be wrong costs more than to write some
                // in vain.
                while bits != 0 {
                    for _ in 0..AT_ONCE {
                        list[count] = EntityIndex((place * 64) as u16 | (bits.trailing_zeros() & 63) as u16);
                        count += usize::from(bits != 0);
                        bits &= bits.wrapping_sub(1);
                    }
                }
            }
        }
        list.truncate(count);
    }
}

/// Bits of a word that are read out at a time.
const AT_ONCE: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use glam::{Vec2, Vec3};
    use std::sync::Arc;
    use tickwire_protocol::Replicate;
    use tickwire_protocol::delta::DeltaCodec;
    use tickwire_protocol::determinism::SimRng;
    use tickwire_protocol::game::{Frame, Kind, Place};
    use tickwire_protocol::schema::Schema;
    use tickwire_protocol::time::{Micros, Tick};

    #[derive(Replicate)]
    struct Dot;

    const CAPACITY: usize = 900;

    struct World {
        history: History,
        interest: Interest,
        places: Vec<Option<Vec3>>,
        tick: Tick,
    }

    impl World {
        fn new(places: Vec<Option<Vec3>>) -> World {
            let schema = Schema::new(vec![Dot::kind()]).unwrap();
            let history = History::new(Arc::new(DeltaCodec::new(&schema, Micros::period_of(30))), CAPACITY);
            World { history, interest: Interest::new(), places, tick: Tick(0) }
        }

        fn begin(&mut self) {
            let mut frame = Frame::new();
            for (index, place) in self.places.iter().enumerate() {
                let place = place.map_or(Place::everywhere(), Place::at);
                frame.put(Kind::<Dot>::new(0), EntityIndex(index as u16), &Dot, place);
            }
            frame.finish().unwrap();
            self.tick = self.tick.next();
            self.history.capture(self.tick, &frame, |error| panic!("{error}"));
            self.interest.begin(&self.history, 600.0);
        }

        /// By the definition, without a grid.
        fn expected(&self, centre: Vec3, before: &[EntityIndex]) -> Vec<EntityIndex> {
            let sees = |index: EntityIndex, place: Vec3| {
                let radius = if before.contains(&index) { 640.0 } else { 600.0 };
                place.distance_squared(centre) <= radius * radius
            };
            let indices = (0..self.places.len()).map(|index| EntityIndex(index as u16));
            let seen = indices.zip(&self.places);
            seen.filter(|(index, place)| place.is_none_or(|place| sees(*index, place)))
                .map(|(index, _)| index)
                .collect()
        }
    }

    #[test]
    fn what_is_seen_is_what_the_definition_says() {
        let mut random = SimRng::from_u64(3);
        for axes in [[true, true, false], [true, false, true], [false, true, true], [false; 3]] {
            let mut somewhere = |reach: f32| {
                let mut axis = |used| if used { random.f32_in(-reach, reach) } else { 7.0 };
                Vec3::new(axis(axes[0]), axis(axes[1]), axis(axes[2]))
            };
            let mut places: Vec<_> = (0..CAPACITY).map(|_| Some(somewhere(4000.0))).collect();
            places[17] = None;
            let mut viewers: Vec<_> = (0..40).map(|_| (somewhere(5000.0), Vec::new())).collect();
            let mut world = World::new(places);
            for _ in 0..20 {
                world.places.iter_mut().flatten().for_each(|place| *place += somewhere(30.0));
                world.begin();
                for (centre, visible) in &mut viewers {
                    *centre += somewhere(20.0);
                    let expected = world.expected(*centre, visible);
                    let viewpoint = Viewpoint::Around { centre: *centre, enter: 600.0, leave: 640.0 };
                    world.interest.look(viewpoint, visible);
                    assert_eq!(*visible, expected);
                }
            }
        }
    }

    #[test]
    fn extremes_are_seen_too() {
        let far = Vec2::splat(f32::MAX).extend(0.0);
        let mut world = World::new(vec![Some(Vec3::ZERO), Some(far), None, Some(-far)]);
        world.begin();
        let mut visible = vec![EntityIndex(1)];
        world.interest.look(Viewpoint::around(Vec3::ZERO, 10.0), &mut visible);
        assert_eq!(visible, [EntityIndex(0), EntityIndex(2)]);
        world.interest.look(Viewpoint::Everything, &mut visible);
        assert_eq!(visible.len(), 4);
        world.places.clear();
        world.begin();
        world.interest.look(Viewpoint::around(Vec3::ZERO, 10.0), &mut visible);
        assert_eq!(visible, []);
    }
}
