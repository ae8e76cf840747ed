//! The grid of a tick: the placed entities in the order of its cells, so that what is near a viewpoint stands
//! in a few runs of memory.

use crate::history::History;
use std::ops::Range;
use tickwire_protocol::id::EntityIndex;

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// The axes that the grid divides: the two along which the world is widest.
    axes: [usize; 2],
    origin: [f32; 2],
    /// Cells per unit.
    scale: [f32; 2],
    cells: [usize; 2],
    /// Per cell, row by row, where its entities begin; and where the last one's end.
    starts: Vec<u32>,
    placed: Placed,
    cell_of: Vec<u32>,
}

/// The placed entities in the order of their cells, as columns.
#[derive(Debug, Default)]
struct Placed {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    index: Vec<EntityIndex>,
}

/// Distances around a viewpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rings {
    /// Of what does not leave while the view is kept; below zero for nothing.
    pub(super) inner: f32,
    /// Of what comes into view.
    pub(super) enter: f32,
    /// Of what stays in view.
    pub(super) leave: f32,
    /// Of what may enter while the view is kept, and of all that is nearer.
    pub(super) reach: f32,
}

/// An entity within reach: its index, and marks of the rings that it is within.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Near(u32);

impl Near {
    pub(super) fn index(self) -> EntityIndex {
        EntityIndex(self.0 as u16)
    }

    /// Whether it may leave while the view is kept, if it is visible.
    pub(super) fn may_leave(self) -> bool {
        self.0 & INNER == 0
    }

    pub(super) fn enters(self) -> bool {
        self.0 & ENTERS != 0
    }

    /// Whether it is beyond the distance for entering, and not beyond that for leaving.
    pub(super) fn is_between(self) -> bool {
        self.0 & (ENTERS | STAYS) == STAYS
    }

    /// Whether it is beyond the distance for leaving.
    pub(super) fn is_beyond(self) -> bool {
        self.0 & STAYS == 0
    }
}

const INNER: u32 = 1 << 31;
const ENTERS: u32 = 1 << 30;
const STAYS: u32 = 1 << 29;

/// Cells along an axis: finer ones would cost more to clear than they save.
const MAX_CELLS: usize = 128;

/// Cells along the distance that a viewpoint sees: with more, less is looked at in vain, in more runs.
const CELLS_PER_SIGHT: f32 = 2.0;

/// Distances worked out at a time: as many as a run of a few cells has entities.
const BLOCK: usize = 16;

impl Grid {
    /// Takes in where everything is. `sight` is how far viewpoints see, about.
    pub(super) fn begin(&mut self, history: &History, sight: f32) {
        self.divide(history, sight);
        self.place(history);
    }

    /// How long the memory is to be that [`Grid::gather`] writes to: for all that is placed, and a block.
    pub(super) fn most(&self) -> usize {
        self.placed.index.len()
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
        let mut cell_of = std::mem::take(&mut self.cell_of);
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
        self.cell_of = cell_of;
    }

    /// The column or row of a position's cell; of a position beyond the grid that at its edge.
    fn cell(&self, side: usize, position: [f32; 3]) -> usize {
        let cell = (position[self.axes[side]] - self.origin[side]) * self.scale[side];
        // A negative number or a NaN becomes zero.
        (cell as usize).min(self.cells[side] - 1)
    }

    /// Finds who is within reach of a point, and says how many they are. `near` is as long as
    /// [`Grid::most`] says.
    pub(super) fn gather(&self, centre: [f32; 3], rings: &Rings, near: &mut [Near]) -> usize {
        let low = std::array::from_fn(|axis| centre[axis] - rings.reach);
        let high = std::array::from_fn(|axis| centre[axis] + rings.reach);
        let columns = self.cell(0, low)..self.cell(0, high) + 1;
        // The square of what is below zero would not be.
        let inner = if rings.inner < 0.0 { -1.0 } else { rings.inner * rings.inner };
        let squares =
            [inner, rings.enter * rings.enter, rings.leave * rings.leave, rings.reach * rings.reach];
        let mut found = 0;
        for row in self.cell(1, low)..self.cell(1, high) + 1 {
            let row = row * self.cells[0];
            let run = self.starts[row + columns.start] as usize..self.starts[row + columns.end] as usize;
            found += self.placed.gather(run, centre, squares, &mut near[found..]);
        }
        found
    }
}

impl Placed {
    /// Finds those of a run within the largest of four distances, given by their squares.
    ///
    /// A run is gone through in whole blocks, with no branch for each entity and no end that differs from run
    /// to run: what is near is as good as random, and so is how long a run is. First several at a time are
    /// compared, then those that are near are moved together.
    fn gather(
        &self,
        run: Range<usize>,
        [x, y, z]: [f32; 3],
        [inner, enter, leave, reach]: [f32; 4],
        near: &mut [Near],
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
                let mark = |square: f32, mark: u32| if squared <= square { mark } else { 0 };
                let marks = mark(inner, INNER) | mark(enter, ENTERS) | mark(leave, STAYS);
                marked[lane] = u32::from(indices[lane].0) | marks;
                is_near[lane] = u32::from(squared <= reach) & u32::from((lane as u32) < rest);
            }
            let near = near[found..].first_chunk_mut::<BLOCK>().expect("there is room for a block more");
            let mut count = 0;
            for lane in 0..BLOCK {
                // At most as many as lanes before: the remainder is for the compiler, which then knows.
                near[count as usize % BLOCK] = Near(marked[lane]);
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
