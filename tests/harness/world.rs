//! A world of entities that come, move, rest, change and go, from one seed: what the snapshot tests and
//! benches run on.

use glam::{Quat, Vec2, Vec3};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{Frame, Kind, Place};
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::Tick;
use tickwire_server::history::History;

/// A thing that walks: published as segments.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Walker {
    /// Where it is.
    #[replicate(ranged(min = -2048.0, max = 2048.0, step = 0.125), velocity = velocity)]
    pub position: Vec2,
    /// Units per second.
    #[replicate(ranged(min = -300.0, max = 300.0, step = 0.05))]
    pub velocity: Vec2,
    /// Where it looks.
    #[replicate(angle(steps = 4096))]
    pub heading: f32,
    /// How well it is.
    #[replicate(int(min = 0, max = 100), default = 100)]
    pub health: u8,
    /// What it carries.
    pub carries: Carried,
}

/// What a walker carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Replicate)]
pub enum Carried {
    /// Nothing.
    #[default]
    Nothing,
    /// A torch.
    Torch,
    /// A flag.
    Flag,
}

/// A thing that is thrown about: it follows trends.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Crate {
    /// Where it is.
    #[replicate(ranged(min = -2048.0, max = 2048.0, step = 0.05), predict = linear)]
    pub position: Vec3,
    /// How it is turned.
    #[replicate(quat(bits = 9), predict = linear)]
    pub rotation: Quat,
    /// Whether it burns.
    pub burning: bool,
}

/// A thing that stands and is switched.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Switch {
    /// Where it is.
    #[replicate(ranged(min = -2048.0, max = 2048.0, step = 0.5))]
    pub position: Vec2,
    /// Its setting.
    pub setting: u16,
}

/// The schema of the world.
///
/// # Panics
/// Never: the declarations above are within the limits.
#[must_use]
pub fn schema() -> Schema {
    Schema::new(vec![Walker::kind(), Crate::kind(), Switch::kind()]).expect("the kinds are within the limits")
}

/// One entity.
#[derive(Clone, Debug)]
pub enum Thing {
    /// A walker.
    Walker(Walker),
    /// A crate, its velocity, its spin about each axis in radians per second.
    Crate(Crate, Vec3, Vec3),
    /// A switch.
    Switch(Switch),
}

impl Thing {
    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Vec3 {
        match self {
            Thing::Walker(walker) => walker.position.extend(0.0),
            Thing::Crate(body, ..) => body.position,
            Thing::Switch(switch) => switch.position.extend(0.0),
        }
    }
}

/// All entities, by index.
#[derive(Clone, Debug)]
pub struct World {
    /// Per index, what is there.
    pub things: Vec<Option<Thing>>,
    /// Per index: from which tick on it may be used.
    free_from: Vec<Tick>,
    random: SimRng,
    dt: f32,
}

/// How far from the middle things are.
const REACH: f32 = 1500.0;

impl World {
    /// A world of `count` things among `capacity` indices.
    #[must_use]
    pub fn new(seed: u64, count: usize, capacity: usize, dt: f32) -> World {
        let random = SimRng::from_u64(seed);
        let (things, free_from) = (vec![None; capacity], vec![Tick(0); capacity]);
        let mut world = World { things, free_from, random, dt };
        for _ in 0..count {
            world.spawn(Tick(0));
        }
        world
    }

    /// One step: things move, a few change their mind, one dies now and then and another takes its place.
    pub fn step(&mut self, tick: Tick) {
        let (random, dt) = (&mut self.random, self.dt);
        for thing in self.things.iter_mut().flatten() {
            match thing {
                Thing::Walker(walker) => step_walker(walker, random, dt),
                Thing::Crate(body, velocity, spin) => step_crate(body, velocity, spin, random, dt),
                Thing::Switch(switch) => {
                    if random.chance(0.01) {
                        switch.setting = switch.setting.wrapping_add(random.u32_up_to(9) as u16);
                    }
                }
            }
        }
        if random.chance(0.2) {
            let index = random.u32_up_to(self.things.len() as u32 - 1) as usize;
            if self.things[index].take().is_some() {
                // No index is used again while a client may hold a snapshot in which it was somebody else.
                self.free_from[index] = Tick(tick.0 + MAX_BASELINE_AGE + 1);
                self.spawn(tick);
            }
        }
    }

    /// A step in which every thing changes.
    pub fn shake(&mut self) {
        let random = &mut self.random;
        for thing in self.things.iter_mut().flatten() {
            match thing {
                Thing::Walker(walker) => walker.position += random.unit_vec2(),
                Thing::Crate(body, ..) => body.position += random.unit_vec3(),
                Thing::Switch(switch) => switch.setting = switch.setting.wrapping_add(1),
            }
        }
    }

    fn spawn(&mut self, tick: Tick) {
        let free = |index: &usize| self.things[*index].is_none() && self.free_from[*index] <= tick;
        let Some(index) = (0..self.things.len()).find(free) else { return };
        let random = &mut self.random;
        let position = Vec2::new(random.f32_in(-REACH, REACH), random.f32_in(-REACH, REACH));
        self.things[index] = Some(match random.u32_up_to(3) {
            0 | 1 => Thing::Walker(Walker { position, health: 100, ..Walker::default() }),
            2 => {
                let body = Crate { position: position.extend(0.0), ..Crate::default() };
                Thing::Crate(body, Vec3::ZERO, Vec3::ZERO)
            }
            _ => Thing::Switch(Switch { position, setting: 7 }),
        });
    }

    /// Records the present.
    ///
    /// # Panics
    /// When a thing cannot be published: then the world is wrong.
    pub fn capture(&self, tick: Tick, history: &mut History) {
        let mut frame = Frame::new();
        for (index, thing) in self.things.iter().enumerate() {
            let Some(thing) = thing else { continue };
            let (index, place) = (EntityIndex(index as u16), Place::at(thing.position()));
            match thing {
                Thing::Walker(walker) => frame.put(Kind::new(0), index, walker, place),
                Thing::Crate(body, ..) => frame.put(Kind::new(1), index, body, place),
                Thing::Switch(switch) => frame.put(Kind::new(2), index, switch, place),
            }
        }
        frame.finish().expect("each index is there once");
        history.capture(tick, &frame, |error| panic!("{error}"));
    }
}

fn step_walker(walker: &mut Walker, random: &mut SimRng, dt: f32) {
    if random.chance(0.03) {
        let speed = if random.chance(0.3) { 0.0 } else { random.f32_in(20.0, 250.0) };
        let way = random.unit_vec2();
        walker.velocity = way * speed;
        walker.heading = tickwire_protocol::determinism::float::atan2(way.y, way.x);
    }
    if random.chance(0.01) {
        walker.health = walker.health.saturating_sub(7);
        walker.carries = [Carried::Nothing, Carried::Torch, Carried::Flag][random.u32_up_to(2) as usize];
    }
    walker.position += walker.velocity * dt;
    for axis in 0..2 {
        if walker.position[axis].abs() > REACH {
            walker.position[axis] = walker.position[axis].signum() * REACH;
            walker.velocity[axis] = -walker.velocity[axis];
        }
    }
}

fn step_crate(body: &mut Crate, velocity: &mut Vec3, spin: &mut Vec3, random: &mut SimRng, dt: f32) {
    if random.chance(0.01) {
        *velocity = random.unit_vec3() * random.f32_in(10.0, 200.0);
        *spin = random.unit_vec3() * random.f32_in(0.0, 6.0);
        body.burning = random.chance(0.5);
    }
    *velocity *= 0.97;
    *spin *= 0.97;
    if velocity.length() < 1.0 {
        (*velocity, *spin) = (Vec3::ZERO, Vec3::ZERO);
    }
    body.position += *velocity * dt;
    for axis in 0..3 {
        if body.position[axis].abs() > REACH {
            body.position[axis] = body.position[axis].signum() * REACH;
        }
    }
    body.rotation = (Quat::from_scaled_axis(*spin * dt) * body.rotation).normalize();
}
