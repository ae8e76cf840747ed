//! Interest: which entities a player is told of.
//!
//! An entity that has come within the enter radius stays until it is beyond the leave radius. The problem:
//! that is to be known of each player in each tick, and to look through all that is near, in a grid,
//! takes longer than anything else that is done for a player. But things move little from tick to tick. So
//! when it is looked for who is visible, it is noted who is near one of the radii, and for a few ticks only
//! those are watched: the others cannot have come or gone, by how far anything has moved since.
//! What is seen is the same.

mod bitmap;
mod grid;
mod motion;
mod view;

pub use view::View;

use crate::history::History;
use bitmap::Bitmap;
use grid::{Grid, Near, Rings};
use motion::Motion;
use tickwire_protocol::game::Viewpoint;
use tickwire_protocol::id::EntityIndex;

/// Where everything is at a tick, and the memory for the work on it.
#[derive(Debug, Default)]
pub struct Interest {
    grid: Grid,
    motion: Motion,
    /// Entities that concern everybody.
    everywhere: Vec<EntityIndex>,
    /// Those of the tick before.
    everywhere_before: Vec<EntityIndex>,
    all: Vec<EntityIndex>,
    now: Bitmap,
    near: Vec<Near>,
    /// Those of them who are between the radii.
    between: Vec<Near>,
    /// Those who are visible and may leave, and those who are not and may enter.
    inside: Vec<EntityIndex>,
    outside: Vec<EntityIndex>,
    moved: Vec<u32>,
}

impl Interest {
    /// A world with nothing in it.
    #[must_use]
    pub fn new() -> Interest {
        Interest::default()
    }

    /// Begins a tick: takes in where everything is. `sight` is how far viewpoints see, about; it decides how
    /// large a cell is and for how long views are kept, and nothing else.
    pub fn begin(&mut self, history: &History, sight: f32) {
        self.all.clear();
        self.all.extend(history.standings().map(|(index, _)| index));
        std::mem::swap(&mut self.everywhere, &mut self.everywhere_before);
        self.everywhere.clear();
        let unplaced = history.standings().filter(|(_, standing)| standing.position.is_none());
        self.everywhere.extend(unplaced.map(|(index, _)| index));
        self.now.begin(history.extent());
        self.grid.begin(history, sight);
        self.motion.begin(history, sight);
        if self.everywhere != self.everywhere_before {
            self.motion.forget_all();
        }
        self.near.resize(self.grid.most(), Near::default());
        self.between.resize(self.near.len(), Near::default());
        for list in [&mut self.inside, &mut self.outside] {
            list.resize(self.near.len(), EntityIndex(0));
        }
    }

    /// Brings a view up to date with where it is from. `place` is a number that differs from view to view: by
    /// it they take turns in being looked at as a whole.
    pub fn look(&mut self, place: usize, viewpoint: Viewpoint, view: &mut View) {
        let (centre, enter, leave) = match viewpoint {
            Viewpoint::Everything => {
                view.clear();
                view.visible.extend_from_slice(&self.all);
                return;
            }
            Viewpoint::Around { centre, enter, leave } => {
                let enter = enter.max(0.0);
                (centre.to_array(), enter, leave.max(enter))
            }
        };
        let is_kept = view.made.as_ref().is_some_and(|made| {
            (made.enter, made.leave) == (enter, leave) && self.motion.keeps(place, made, centre)
        });
        if is_kept {
            view.watch(&self.motion, centre, [enter, leave], &mut self.moved);
        } else {
            self.look_around(centre, enter, leave, view);
        }
    }

    /// Looks for all that is visible, and for what may come or go soon.
    fn look_around(&mut self, centre: [f32; 3], enter: f32, leave: f32, view: &mut View) {
        view.made = self.motion.make(centre, enter, leave);
        let skin = view.made.map_or(0.0, |made| made.skin);
        let rings = Rings { inner: leave - skin, enter, leave, reach: leave.max(enter + skin) };
        let found = self.grid.gather(centre, &rings, &mut self.near);
        let (mut between, mut inside, mut outside) = (0, 0, 0);
        for near in &self.near[..found] {
            // No branch: it would be foreseen wrongly for each of those near.
            let index = near.index();
            self.now.insert_if(index, near.enters());
            self.between[between] = *near;
            between += usize::from(near.is_between());
            self.inside[inside] = index;
            inside += usize::from(near.enters() & near.may_leave());
            self.outside[outside] = index;
            outside += usize::from(near.is_beyond());
        }
        for near in &self.between[..between] {
            let index = near.index();
            let stays = view.visible.binary_search(&index).is_ok();
            self.now.insert_if(index, stays);
            self.inside[inside] = index;
            inside += usize::from(stays & near.may_leave());
            self.outside[outside] = index;
            outside += usize::from(!stays);
        }
        view.near.clear();
        view.near.extend_from_slice(&self.inside[..inside]);
        view.near.extend_from_slice(&self.outside[..outside]);
        view.inside = inside;
        for index in &self.everywhere {
            self.now.insert_if(*index, true);
        }
        self.now.drain_into(&mut view.visible, found + self.everywhere.len());
    }
}

#[cfg(test)]
mod tests {
    use super::view::Made;
    use super::*;
    use glam::{Vec2, Vec3};
    use std::collections::HashSet;
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
        hidden: Vec<bool>,
        sight: f32,
        tick: Tick,
    }

    struct Viewer {
        centre: Vec3,
        enter: f32,
        leave: f32,
        view: View,
    }

    impl Viewer {
        fn at(centre: Vec3) -> Viewer {
            Viewer { centre, enter: 600.0, leave: 640.0, view: View::default() }
        }

        fn viewpoint(&self) -> Viewpoint {
            Viewpoint::Around { centre: self.centre, enter: self.enter, leave: self.leave }
        }
    }

    impl World {
        fn new(places: Vec<Option<Vec3>>) -> World {
            let schema = Schema::new(vec![Dot::kind()]).unwrap();
            let history = History::new(Arc::new(DeltaCodec::new(&schema, Micros::period_of(30))), CAPACITY);
            let hidden = vec![false; places.len()];
            World { history, interest: Interest::new(), places, hidden, sight: 600.0, tick: Tick(0) }
        }

        fn begin(&mut self) {
            self.capture();
            self.interest.begin(&self.history, self.sight);
        }

        fn capture(&mut self) {
            let mut frame = Frame::new();
            for (index, place) in self.places.iter().enumerate().filter(|(index, _)| !self.hidden[*index]) {
                let place = place.map_or(Place::everywhere(), Place::at);
                frame.put(Kind::<Dot>::new(0), EntityIndex(index as u16), &Dot, place);
            }
            frame.finish().unwrap();
            self.tick = self.tick.next();
            self.history.capture(self.tick, &frame, |error| panic!("{error}"));
        }

        /// By the definition, without a grid.
        fn expected(&self, viewer: &Viewer) -> Vec<EntityIndex> {
            let before: HashSet<_> = viewer.view.visible().iter().collect();
            let sees = |index: EntityIndex, place: Vec3| {
                let radius = if before.contains(&index) { viewer.leave } else { viewer.enter };
                place.distance_squared(viewer.centre) <= radius * radius
            };
            let there = (0..self.places.len()).filter(|place| !self.hidden[*place]);
            let seen = there.map(|place| (EntityIndex(place as u16), self.places[place]));
            seen.filter(|(index, place)| place.is_none_or(|place| sees(*index, place)))
                .map(|(index, _)| index)
                .collect()
        }
    }

    /// Ticks of a world in which something is done to the places and to the viewers, and at each of them what
    /// is seen is what the definition says. Returns how many of the looks were kept views.
    fn live(
        world: &mut World,
        viewers: &mut [Viewer],
        mut change: impl FnMut(u32, &mut World, &mut [Viewer]),
    ) -> f64 {
        let mut kept = 0;
        for tick in 0..60 {
            change(tick, world, viewers);
            world.begin();
            for (place, viewer) in viewers.iter_mut().enumerate() {
                let expected = world.expected(viewer);
                let (before, viewpoint) = (viewer.view.made, viewer.viewpoint());
                world.interest.look(place, viewpoint, &mut viewer.view);
                assert_eq!(viewer.view.visible(), expected, "tick {tick}, viewer {place}");
                let number = |made: Option<Made>| made.map(|made| made.number);
                kept += usize::from(before.is_some() && number(before) == number(viewer.view.made));
            }
        }
        kept as f64 / (60 * viewers.len()) as f64
    }

    fn somewhere(random: &mut SimRng, axes: [bool; 3], reach: f32) -> Vec3 {
        let mut axis = |used| if used { random.f32_in(-reach, reach) } else { 7.0 };
        Vec3::new(axis(axes[0]), axis(axes[1]), axis(axes[2]))
    }

    fn everywhere(random: &mut SimRng, axes: [bool; 3]) -> (World, Vec<Viewer>) {
        let mut places: Vec<_> = (0..CAPACITY).map(|_| Some(somewhere(random, axes, 4000.0))).collect();
        places[17] = None;
        let viewers = (0..40).map(|_| Viewer::at(somewhere(random, axes, 5000.0))).collect();
        (World::new(places), viewers)
    }

    #[test]
    fn what_is_seen_is_what_the_definition_says() {
        let mut random = SimRng::from_u64(3);
        for axes in [[true, true, false], [true, false, true], [false, true, true], [false; 3]] {
            // At a jog, and so fast that nothing can be kept.
            for (pace, least, most) in [(5.0, 0.7, 0.9), (100.0, 0.0, 0.0)] {
                let (mut world, mut viewers) = everywhere(&mut random, axes);
                let kept = live(&mut world, &mut viewers, |_, world, viewers| {
                    let mut step = || somewhere(&mut random, axes, pace);
                    world.places.iter_mut().flatten().for_each(|place| *place += step());
                    viewers.iter_mut().for_each(|viewer| viewer.centre += step());
                });
                // Without an axis, a world moves as one.
                assert!((least..=most).contains(&kept) || axes == [false; 3], "{kept} at {pace} on {axes:?}");
            }
        }
    }

    #[test]
    fn who_comes_and_goes_and_leaps_is_seen() {
        let mut random = SimRng::from_u64(5);
        let axes = [true, true, false];
        let (mut world, mut viewers) = everywhere(&mut random, axes);
        let kept = live(&mut world, &mut viewers, |tick, world, viewers| {
            for place in world.places.iter_mut().flatten() {
                *place += somewhere(&mut random, axes, 4.0);
            }
            for _ in 0..3 {
                // Somebody is suddenly elsewhere, appears, vanishes, or is where somebody else was.
                let one = random.u32_in(20, CAPACITY as u32 - 1) as usize;
                match random.u32_in(0, 3) {
                    0 => world.places[one] = Some(somewhere(&mut random, axes, 4000.0)),
                    1 => world.hidden[one] = true,
                    2 => world.hidden[one] = false,
                    _ => world.places.swap(one, 19),
                }
            }
            match tick {
                // At once more than is noted.
                20 => world.hidden[300..500].fill(true),
                25 => world.hidden[300..450].fill(false),
                // Who concerned everybody has a place, and the other way round.
                30 => world.places[17] = Some(Vec3::ZERO),
                34 => world.places[18] = None,
                _ => {}
            }
            for (place, viewer) in viewers.iter_mut().enumerate() {
                match place % 4 {
                    0 => viewer.centre += somewhere(&mut random, axes, 4.0),
                    1 if random.chance(0.1) => viewer.centre = somewhere(&mut random, axes, 4000.0),
                    2 if random.chance(0.1) => viewer.enter = random.f32_in(300.0, 640.0),
                    3 if tick == 40 => viewer.centre = Vec3::NAN,
                    3 if tick == 45 => viewer.centre = Vec3::ZERO,
                    _ => {}
                }
            }
        });
        assert!(kept > 0.5, "{kept}");
    }

    #[test]
    fn who_starts_to_run_is_seen() {
        let mut random = SimRng::from_u64(11);
        let axes = [true, true, false];
        for (pace, of_viewers) in [(12.0, 0.0), (0.0, 12.0), (9.0, 9.0)] {
            let (mut world, mut viewers) = everywhere(&mut random, axes);
            live(&mut world, &mut viewers, |tick, world, viewers| {
                // Long enough in one direction that somebody gets somewhere.
                let runs = if tick % 20 > 10 { 1.0 } else { 0.01 };
                for (number, place) in world.places.iter_mut().flatten().enumerate() {
                    *place += Vec2::from_angle(number as f32).extend(0.0) * runs * pace;
                }
                for (number, viewer) in viewers.iter_mut().enumerate() {
                    viewer.centre -= Vec2::from_angle(number as f32).extend(0.0) * runs * of_viewers;
                }
            });
        }
    }

    #[test]
    fn who_is_not_looked_at_in_each_tick_is_seen() {
        let mut random = SimRng::from_u64(13);
        let axes = [true, true, false];
        let (mut world, mut viewers) = everywhere(&mut random, axes);
        let mut away = Vec::new();
        let kept = live(&mut world, &mut viewers, |tick, world, viewers| {
            let mut walk = |world: &mut World| {
                for place in world.places.iter_mut().flatten() {
                    *place += somewhere(&mut random, axes, 4.0);
                }
            };
            walk(world);
            if tick % 5 == 4 {
                // A tick of which nobody is told.
                world.capture();
                walk(world);
            }
            // Who has no connection for some ticks comes back with its view of before, or with none.
            if tick % 7 == 2 {
                away = viewers.iter().map(|viewer| viewer.view.clone()).collect();
            }
            if tick % 7 == 5 {
                for (place, (viewer, view)) in viewers.iter_mut().zip(&away).enumerate() {
                    viewer.view = if place % 3 == 0 { View::default() } else { view.clone() };
                }
            }
        });
        assert!(kept > 0.5, "{kept}");
    }

    #[test]
    fn the_others_sight_changes_nothing_of_what_is_seen() {
        let mut random = SimRng::from_u64(17);
        let axes = [true, true, false];
        let places = (0..CAPACITY).map(|_| Some(somewhere(&mut random, axes, 400.0))).collect();
        let mut world = World::new(places);
        let mut viewers: Vec<_> = (0..40).map(|_| Viewer::at(somewhere(&mut random, axes, 400.0))).collect();
        for (place, viewer) in viewers.iter_mut().enumerate() {
            viewer.leave = [0.0, 0.01, 20.0, 50.0, 640.0][place % 5];
            viewer.enter = viewer.leave * 0.9;
        }
        let odd = [640.0, 0.0, 1e30, f32::INFINITY, 1e-30, f32::NAN, -1.0];
        // For a while somebody sees farther than anything is, and then for long nobody does.
        let mut kept = Vec::new();
        for sights in [&odd[..], &[1e30], &[640.0], &[640.0], &[640.0], &[640.0], &[50_000.0]] {
            kept.push(live(&mut world, &mut viewers, |tick, world, _| {
                world.sight = sights[(tick / 4) as usize % sights.len()];
                for place in world.places.iter_mut().flatten() {
                    *place += somewhere(&mut random, axes, 1.5);
                }
                // Somebody flies so far that the ways of all others are nothing beside it.
                let flight = if tick % 9 == 0 { 1e18 } else { 0.0 };
                world.places[5] = Some(Vec3::new(flight, 0.0, 7.0));
            }));
        }
        assert!(kept[5] > 0.15, "that has passed by then: {kept:?}");
    }

    #[test]
    fn a_radius_below_zero_is_zero() {
        let mut world = World::new(vec![Some(Vec3::ZERO), Some(Vec3::X)]);
        world.begin();
        let mut view = View::default();
        for radius in [-5.0, f32::NAN, f32::NEG_INFINITY] {
            let mut sees = |enter: f32, leave: f32| {
                let viewpoint = Viewpoint::Around { centre: Vec3::ZERO, enter, leave };
                world.interest.look(0, viewpoint, &mut view);
                view.visible().len()
            };
            assert_eq!((sees(5.0, radius), sees(radius, radius)), (2, 1), "{radius}");
        }
    }

    #[test]
    fn a_world_at_rest_is_looked_at_in_turns() {
        let mut random = SimRng::from_u64(7);
        let (mut world, mut viewers) = everywhere(&mut random, [true; 3]);
        // Who stands right at a radius neither comes nor goes by rounding.
        for (place, viewer) in viewers.iter().enumerate() {
            world.places[100 + place] = Some(viewer.centre + Vec3::new(600.0, 0.0, 0.0));
            world.places[200 + place] = Some(viewer.centre + Vec3::new(0.0, 640.0, 0.0));
        }
        let kept = live(&mut world, &mut viewers, |_, _, _| {});
        assert!((0.85..0.9).contains(&kept), "{kept}");
    }

    #[test]
    fn extremes_are_seen_too() {
        let far = Vec2::splat(f32::MAX).extend(0.0);
        let mut world = World::new(vec![Some(Vec3::ZERO), Some(far), None, Some(-far)]);
        world.begin();
        let mut view = View { visible: vec![EntityIndex(1)], ..View::default() };
        world.interest.look(0, Viewpoint::around(Vec3::ZERO, 10.0), &mut view);
        assert_eq!(view.visible(), [EntityIndex(0), EntityIndex(2)]);
        for radius in [f32::MAX, f32::INFINITY] {
            world.interest.look(0, Viewpoint::around(Vec3::ZERO, radius), &mut view);
            assert_eq!(view.visible().len(), 4, "{radius}");
        }
        world.interest.look(0, Viewpoint::Everything, &mut view);
        assert_eq!(view.visible().len(), 4);
        world.places.clear();
        world.begin();
        world.interest.look(0, Viewpoint::around(Vec3::ZERO, 10.0), &mut view);
        assert_eq!(view.visible(), []);
    }
}
