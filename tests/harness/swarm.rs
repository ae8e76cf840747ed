//! The swarm's motion: walkers who keep a heading until an input picks another one, as every comparison is
//! measured on.

use glam::Vec2;
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::game::{Frame, Kind, Place};
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::Tick;
use tickwire_server::history::History;

/// One of the swarm.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Walker {
    /// Where it is, shown within a tenth of a unit: three quarters of a step.
    #[replicate(ranged(min = -64.0, max = 13_000.0, step = 0.133), velocity = velocity)]
    pub position: Vec2,
    /// Units per second.
    #[replicate(ranged(min = -300.0, max = 300.0, step = 0.02))]
    pub velocity: Vec2,
    /// The heading that the player wished for last.
    #[replicate(angle(step = 1e-4))]
    pub angle: f32,
    /// How well it is.
    #[replicate(default = 100)]
    pub hp: u8,
    /// What the player signals.
    pub flags: u8,
}

/// All of the swarm.
#[derive(Clone, Debug)]
pub struct Swarm {
    walkers: Vec<Walker>,
    /// Per walker: where in the time between two inputs it is, in ticks.
    phases: Vec<f32>,
    /// Per walker: who it sees, ascending.
    pub visible: Vec<Vec<EntityIndex>>,
    side: f32,
    random: SimRng,
}

const TICK_HZ: f32 = 30.0;
const INPUT_HZ: f32 = 25.0;
const ENTER: f32 = 600.0;
const LEAVE: f32 = 640.0;

/// The schema of the swarm.
///
/// # Panics
/// Never: the declaration above is within the limits.
#[must_use]
pub fn schema() -> Schema {
    Schema::new(vec![Walker::kind()]).expect("the kind is within the limits")
}

impl Swarm {
    /// A swarm of `count` in a square of the size that shows each about 25 others.
    #[must_use]
    pub fn new(seed: u64, count: usize) -> Swarm {
        let mut random = SimRng::from_u64(seed);
        let side = (196.6 * (count as f32).sqrt()).round();
        let mut walkers = Vec::new();
        let mut phases = Vec::new();
        for _ in 0..count {
            let position = Vec2::new(random.f32_in(0.0, side), random.f32_in(0.0, side));
            let mut walker = Walker { position, hp: 100, ..Walker::default() };
            take_input(&mut walker, &mut random);
            walkers.push(walker);
            phases.push(random.unit_f32());
        }
        let mut swarm = Swarm { walkers, phases, visible: vec![Vec::new(); count], side, random };
        swarm.look();
        swarm
    }

    /// Where a walker is.
    #[must_use]
    pub fn position(&self, walker: usize) -> [f32; 3] {
        self.walkers[walker].position.extend(0.0).to_array()
    }

    /// One tick.
    pub fn step(&mut self) {
        for (walker, phase) in self.walkers.iter_mut().zip(&mut self.phases) {
            *phase += INPUT_HZ / TICK_HZ;
            while *phase >= 1.0 {
                *phase -= 1.0;
                if self.random.chance(1.0 / 25.0) {
                    take_input(walker, &mut self.random);
                    walker.flags = walker.flags.wrapping_add(1);
                    walker.hp = if walker.hp == 1 { 100 } else { walker.hp - 1 };
                }
            }
            walker.position += walker.velocity / TICK_HZ;
            for axis in 0..2 {
                let beyond = walker.position[axis] < 0.0 || walker.position[axis] > self.side;
                if beyond {
                    let edge = if walker.position[axis] < 0.0 { 0.0 } else { self.side };
                    walker.position[axis] = 2.0 * edge - walker.position[axis];
                    walker.velocity[axis] = -walker.velocity[axis];
                }
            }
        }
        self.look();
    }

    /// Records the present.
    ///
    /// # Panics
    /// When a walker cannot be published: then the motion is wrong.
    pub fn capture(&self, tick: Tick, history: &mut History) {
        let mut frame = Frame::new();
        for (index, walker) in self.walkers.iter().enumerate() {
            let place = Place::on_plane(walker.position);
            frame.put(Kind::new(0), EntityIndex(index as u16), walker, place);
        }
        frame.finish().expect("each index is there once");
        history.capture(tick, &frame, |error| panic!("{error}"));
    }

    fn look(&mut self) {
        let cells = Cells::new(&self.walkers, self.side);
        for (viewer, visible) in self.visible.iter_mut().enumerate() {
            let here = self.walkers[viewer].position;
            let mut next = Vec::with_capacity(visible.len() + 8);
            cells.around(here, |other| {
                let index = EntityIndex(other as u16);
                let range = if visible.binary_search(&index).is_ok() { LEAVE } else { ENTER };
                if self.walkers[other].position.distance_squared(here) <= range * range {
                    next.push(index);
                }
            });
            next.sort_unstable();
            *visible = next;
        }
    }
}

/// An input with a new heading, as eight-bit numbers.
fn take_input(walker: &mut Walker, random: &mut SimRng) {
    let way = random.unit_vec2() * (random.f32_in(150.0, 300.0) / 300.0 * 127.0);
    let (dx, dy) = (way.x.round(), way.y.round());
    walker.velocity = Vec2::new(dx, dy) * (300.0 / 127.0);
    walker.angle = float::atan2(dy, dx);
}

/// Who is in which square of the size of the sight.
struct Cells {
    across: usize,
    members: Vec<Vec<usize>>,
}

impl Cells {
    fn new(walkers: &[Walker], side: f32) -> Cells {
        let across = (side / LEAVE) as usize + 2;
        let mut members = vec![Vec::new(); across * across];
        for (index, walker) in walkers.iter().enumerate() {
            let (x, y) = Cells::cell(walker.position);
            members[y * across + x].push(index);
        }
        Cells { across, members }
    }

    fn cell(position: Vec2) -> (usize, usize) {
        ((position.x / LEAVE) as usize, (position.y / LEAVE) as usize)
    }

    fn around(&self, position: Vec2, mut each: impl FnMut(usize)) {
        let (x, y) = Cells::cell(position);
        for y in y.saturating_sub(1)..(y + 2).min(self.across) {
            for x in x.saturating_sub(1)..(x + 2).min(self.across) {
                self.members[y * self.across + x].iter().for_each(|&member| each(member));
            }
        }
    }
}
