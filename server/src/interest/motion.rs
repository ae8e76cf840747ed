//! How far things move from tick to tick: it decides for how long what a viewpoint sees need not be looked
//! for anew.
//!
//! Nearly everything moves a little. The largest of those ways is added up over the ticks, so that one number
//! bounds how far anything has come since any tick. What appears, vanishes, or is suddenly elsewhere is
//! noted with its places, and concerns only who is near them.

use super::view::Made;
use crate::history::History;
use tickwire_protocol::id::EntityIndex;

/// Where everything is, and how it came there.
#[derive(Debug, Default)]
pub(super) struct Motion {
    /// By index.
    spots: Vec<Spot>,
    placed: usize,
    /// The number of the tick, from one.
    number: u32,
    /// The sum of the largest ways of all ticks.
    drift: f64,
    /// The largest way of the last ticks, about.
    pace: f32,
    /// What was made before the tick of this number is not kept.
    floor: u32,
    /// Oldest first.
    jumps: Vec<Jump>,
    /// Ticks after which a view is made anew.
    turns: u32,
    /// How far distances may change meanwhile.
    skin: f32,
}

/// The place of an entity at a tick.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// Not numbers, for one without a place.
    position: [f32; 3],
    number: u32,
}

const NOWHERE: [f32; 3] = [f32::NAN; 3];

/// A place at which something appeared or vanished.
#[derive(Clone, Copy, Debug)]
struct Jump {
    position: [f32; 3],
    number: u32,
}

/// Ticks for which a view is kept: with more, more must be watched meanwhile.
const MAX_TURNS: u32 = 8;

/// Jumps that are noted of [`MAX_TURNS`] ticks. With more, all views are made anew.
const MAX_JUMPS: usize = 64;

/// The part of the sight that is a jump, if something moves that far in a tick.
const JUMP: f32 = 1.0 / 16.0;

/// The part of the sight that the skin may be: with more, more is watched than is seen.
const MAX_SKIN: f32 = 1.0 / 4.0;

/// The part of the sight that the skin is at least.
const MIN_SKIN: f32 = 1.0 / 64.0;

/// The parts of a view's own radius, and of the sum of the ways, that its skin is at least: rounding is far
/// less than the rest that [`Motion::keeps`] leaves for it.
const LEAST_OF_RADIUS: f32 = 1.0 / 4096.0;
const LEAST_OF_DRIFT: f64 = 1.0 / (1_u64 << 32) as f64;

/// How many times the sight the ways may add up to before the sum begins anew.
const MAX_DRIFT: f64 = (1 << 20) as f64;

impl Motion {
    /// Takes in where everything is.
    pub(super) fn begin(&mut self, history: &History, sight: f32) {
        self.number += 1;
        // What was made longer ago has had its turn.
        self.floor = self.floor.max(self.number.saturating_sub(MAX_TURNS));
        let floor = self.floor;
        self.jumps.retain(|jump| jump.number > floor);
        // It never becomes shorter: who is watched has a spot for ever.
        let length = self.spots.len().max(history.extent());
        self.spots.resize(length, Spot { position: NOWHERE, number: 0 });
        let jump = (sight * JUMP) * (sight * JUMP);
        let (mut placed, mut appeared, mut way) = (0, 0, 0.0_f32);
        for (index, standing) in history.standings() {
            let Some(position) = standing.position else { continue };
            let before = &mut self.spots[usize::from(index.0)];
            let moved = squared_distance(position, before.position);
            placed += 1;
            // Of what was nowhere the way is not a number.
            if moved <= jump {
                way = way.max(moved);
            } else {
                let was = before.position;
                appeared += usize::from(was[0].is_nan());
                self.note(was);
                self.note(position);
            }
            self.spots[usize::from(index.0)] = Spot { position, number: self.number };
        }
        if placed < self.placed + appeared {
            self.forget_vanished();
        }
        self.placed = placed;
        let way = way.sqrt();
        self.drift += f64::from(way);
        // From when things were seen farther, there may be ways that would outlast everything.
        self.pace = way.max((self.pace * PACE_DECAY).min(sight));
        let is_small = self.drift <= f64::from(sight) * MAX_DRIFT;
        if !is_small {
            self.drift = 0.0;
        }
        if !is_small || self.jumps.len() > MAX_JUMPS {
            self.forget_all();
        }
        self.plan(sight);
    }

    fn note(&mut self, position: [f32; 3]) {
        if !position[0].is_nan() && self.jumps.len() <= MAX_JUMPS {
            self.jumps.push(Jump { position, number: self.number });
        }
    }

    fn forget_vanished(&mut self) {
        for place in 0..self.spots.len() {
            let Spot { position, number } = self.spots[place];
            if number != self.number {
                self.note(position);
                self.spots[place].position = NOWHERE;
            }
        }
    }

    /// All views are to be made anew.
    pub(super) fn forget_all(&mut self) {
        self.floor = self.number;
        self.jumps.clear();
    }

    /// Decides for how long the views of this tick are kept, and how far distances may change meanwhile.
    fn plan(&mut self, sight: f32) {
        // Of an entity and of who looks at it, with something for rounding.
        let way = 2.02 * self.pace;
        let most = sight * MAX_SKIN;
        let (mut turns, mut skin) = (MAX_TURNS, 0.0);
        while turns > 1 {
            skin = way * (turns - 1) as f32;
            if skin <= most {
                break;
            }
            turns /= 2;
        }
        self.turns = turns;
        self.skin = if turns > 1 { skin.max(sight * MIN_SKIN) } else { 0.0 };
    }

    /// What is to be remembered of a view that is made now, or none if it would not be kept.
    pub(super) fn make(&self, centre: [f32; 3], enter: f32, leave: f32) -> Option<Made> {
        let (number, drift) = (self.number, self.drift);
        // Who sees less far than others must not watch all that it sees.
        let skin = self.skin.min(leave * MAX_SKIN);
        let is_exact = skin >= leave * LEAST_OF_RADIUS && f64::from(skin) >= drift * LEAST_OF_DRIFT;
        (skin > 0.0 && is_exact).then_some(Made { centre, enter, leave, skin, drift, number })
    }

    /// Whether what a view was made of still says who can be in sight. `place` spreads the views over the
    /// ticks: they are made anew in turns.
    pub(super) fn keeps(&self, place: usize, made: &Made, centre: [f32; 3]) -> bool {
        let is_due = (place as u32).wrapping_add(self.number).is_multiple_of(self.turns);
        if is_due || made.number < self.floor {
            return false;
        }
        let spent = (self.drift - made.drift) as f32 + squared_distance(centre, made.centre).sqrt();
        // The rest is for rounding. And where a centre is not of numbers, nothing is.
        let is_within = spent <= made.skin * (1.0 - 1.0 / 256.0);
        if !is_within {
            return false;
        }
        let reach = made.leave + made.skin;
        let concerns = |jump: &Jump| squared_distance(jump.position, made.centre) <= reach * reach;
        !self.jumps.iter().rev().take_while(|jump| jump.number > made.number).any(concerns)
    }

    /// Where an entity is that has been somewhere; not numbers, if it is nowhere now.
    #[inline]
    pub(super) fn position(&self, index: EntityIndex) -> [f32; 3] {
        self.spots[usize::from(index.0)].position
    }
}

/// What remains of the largest way after a tick without such a one.
const PACE_DECAY: f32 = 0.98;

#[inline]
pub(super) fn squared_distance(one: [f32; 3], other: [f32; 3]) -> f32 {
    let away = [one[0] - other[0], one[1] - other[1], one[2] - other[2]];
    away[0] * away[0] + away[1] * away[1] + away[2] * away[2]
}
