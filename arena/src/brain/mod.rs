//! Brains: they play like people do, with what people know, and with a hand that is not quite steady.
//!
//! A brain is asked for an input in each tick. Ten times a second it thinks: whom to fight, with what, where
//! to go. In between it only steers, aims and pulls the trigger. All of it is part of a match's state,
//! follows from a seed, and is the same for an NPC of the server and for a bot on the network.

mod aim;
mod path;
mod senses;
mod steer;
mod view;

pub use senses::Senses;
pub use view::View;

use crate::avatar::FULL_HEALTH;
use crate::entities::Figure;
use crate::input::ArenaInput;
use crate::level::PickupKind;
use crate::weapons::Weapon;
use aim::Hand;
use glam::Vec2;
use path::Path;
use serde::{Deserialize, Serialize};
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::Tick;

/// Somebody's will.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Brain {
    random: SimRng,
    /// From 0, a beginner, to 1.
    skill: f32,
    /// At which part of a tenth of a second it thinks.
    phase: u32,
    hand: Hand,
    target: Option<PlayerId>,
    goal: Option<Goal>,
    path: Path,
    /// Seconds until it may look for a way again.
    path_age: f32,
    /// Which way it circles: 1 or −1, and for how much longer.
    circling: f32,
    circling_seconds: f32,
    /// A wish to dash, and where to.
    dash: Option<Vec2>,
    /// Where it was when it was last seen to get about, and how long ago that was.
    anchor: Vec2,
    anchor_seconds: f32,
    weapon: Weapon,
}

/// Where somebody wants to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Goal {
    place: Vec2,
    why: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Reason {
    /// Something lies there.
    Pickup,
    /// The enemy was seen there.
    Hunt,
    /// To see what is there.
    Roam,
}

impl Brain {
    /// The will that follows from a seed: how good it is, too.
    #[must_use]
    pub fn new(seed: u64) -> Brain {
        let mut random = SimRng::from_u64(seed);
        let skill = random.f32_in(0.25, 1.0);
        Brain {
            skill,
            phase: random.u32_in(0, 3600),
            hand: Hand::default(),
            target: None,
            goal: None,
            path: Path::new(),
            path_age: 0.0,
            circling: 1.0,
            circling_seconds: 0.0,
            dash: None,
            anchor: Vec2::ZERO,
            anchor_seconds: 0.0,
            weapon: Weapon::Bolts,
            random,
        }
    }

    /// It appears anew: what it was about to do is past.
    pub fn handle_spawned(&mut self) {
        (self.target, self.goal, self.dash) = (None, None, None);
        self.path.clear();
        self.anchor_seconds = 0.0;
    }

    /// Whether it decides in this tick, for which it looks at everything. In all others it needs to see
    /// nobody but whom it fights, and its friends.
    #[must_use]
    pub fn decides(&self, tick: Tick, dt: f32) -> bool {
        tick.0.wrapping_add(self.phase).is_multiple_of(float_ticks(THINK_SECONDS, dt))
    }

    /// Whom it fights.
    fn target(&self) -> Option<PlayerId> {
        self.target
    }

    /// What it wants in the tick of a view.
    pub fn think(&mut self, view: &View<'_>) -> ArenaInput {
        self.path_age += view.dt;
        self.circling_seconds -= view.dt;
        self.watch_progress(view);
        if self.decides(view.tick, view.dt) {
            self.decide(view);
        }
        let target = self.target.and_then(|player| view.figure(player));
        let way = self.steer(view, target);
        let (aim, fire) = self.aim(view, target, way);
        let dash = self.dash.take();
        let weapon = if self.weapon == view.avatar.weapon { 0 } else { self.weapon.number() };
        let way = dash.unwrap_or(way);
        // A direction of length 1 may be longer by a rounding, and the input has a range.
        let way = Vec2::new(float::clamp(way.x, -1.0, 1.0), float::clamp(way.y, -1.0, 1.0));
        ArenaInput { way, aim, fire, dash: dash.is_some(), weapon }
    }

    fn decide(&mut self, view: &View<'_>) {
        self.choose_target(view);
        self.choose_weapon(view);
        self.choose_goal(view);
        self.dodge(view);
    }

    /// The enemy that is easiest to fight: near, in sight, weak, and rather the one it fights already.
    fn choose_target(&mut self, view: &View<'_>) {
        let mut best: Option<(f32, PlayerId)> = None;
        for figure in view.figures.iter().filter(|figure| view.is_enemy(figure) && !figure.protected) {
            let distance = figure.position.distance(view.avatar.position);
            let player = PlayerId(figure.player);
            let mut trouble = distance + 0.4 * f32::from(figure.vitality);
            if !view.is_in_sight(figure) {
                trouble += 12.0;
            }
            if self.target == Some(player) {
                trouble -= 3.0;
            }
            // Who is cloaked is easily overlooked.
            let is_noticed = !figure.cloaked || distance < 2.5;
            if is_noticed && best.is_none_or(|(least, _)| trouble < least) {
                best = Some((trouble, player));
            }
        }
        let target = best.map(|(_, player)| player);
        if target != self.target {
            self.hand.handle_new_target(&mut self.random, self.skill);
        }
        self.target = target;
    }

    fn choose_weapon(&mut self, view: &View<'_>) {
        let Some(target) = self.target.and_then(|player| view.figure(player)) else { return };
        let distance = target.position.distance(view.avatar.position);
        // What is in the hands stays there between the two distances.
        if distance > 9.0 {
            self.weapon = Weapon::Rail;
        } else if distance < 5.5 || (view.avatar.rail_cooldown > 0.5 && distance < 9.0) {
            self.weapon = Weapon::Bolts;
        }
    }

    fn choose_goal(&mut self, view: &View<'_>) {
        let here = view.avatar.position;
        let is_there = |goal: &Goal| goal.place.distance_squared(here) < 0.6;
        let is_spent = self.goal.is_some_and(|goal| is_there(&goal) || self.is_gone(view, &goal));
        if is_spent {
            self.goal = None;
            self.path.clear();
        }
        let wanted = self.wanted_pickup(view).map(|place| Goal { place, why: Reason::Pickup });
        let hunted =
            self.target.and_then(|player| view.figure(player)).map(|figure: &Figure| figure.position);
        let goal = match (wanted, hunted, self.goal) {
            (Some(wanted), _, _) => wanted,
            (None, Some(place), _) => Goal { place, why: Reason::Hunt },
            (None, None, Some(goal)) if goal.why != Reason::Hunt || !self.path.is_empty() => goal,
            _ => self.roam(view),
        };
        let has_moved = self.goal.is_none_or(|old| old.place.distance_squared(goal.place) > 2.0);
        let is_old = self.path_age > 2.0 || (goal.why == Reason::Hunt && self.path_age > 0.6);
        if (has_moved && self.path_age > 0.25) || is_old || (self.path.is_empty() && self.path_age > 0.25) {
            self.path = path::find_path(view.map, here, goal.place);
            self.path_age = 0.0;
        }
        self.goal = Some(goal);
    }

    /// Whether what was wanted has been taken by somebody else.
    fn is_gone(&self, view: &View<'_>, goal: &Goal) -> bool {
        goal.why == Reason::Pickup
            && view.pickups.iter().any(|pickup| {
                let is_it = pickup.position.distance_squared(goal.place) < 0.1;
                is_it && !(pickup.present && pickup.what.is_useful_to(view.avatar))
            })
    }

    /// The place of what is worth a detour: health for the weak from anywhere, the rest from near by.
    fn wanted_pickup(&self, view: &View<'_>) -> Option<Vec2> {
        let avatar = view.avatar;
        let mut best: Option<(f32, Vec2)> = None;
        for pickup in view.pickups.iter().filter(|pickup| pickup.present) {
            if !pickup.what.is_useful_to(avatar) {
                continue;
            }
            let worth = match pickup.what {
                PickupKind::Health => 24.0 * (1.0 - f32::from(avatar.health) / f32::from(FULL_HEALTH)),
                PickupKind::Armour => 9.0 * (1.0 - f32::from(avatar.armour) / f32::from(FULL_HEALTH)),
                PickupKind::Cloak => 8.0,
            };
            let distance = pickup.position.distance(avatar.position);
            if distance < worth && best.is_none_or(|(most, _)| worth - distance > most) {
                best = Some((worth - distance, pickup.position));
            }
        }
        best.map(|(_, place)| place)
    }

    fn roam(&mut self, view: &View<'_>) -> Goal {
        let spawns = view.map.spawns();
        let pickups = view.map.pickups();
        let number = self.random.u32_up_to((spawns.len() + pickups.len()) as u32 - 1) as usize;
        let place = spawns
            .get(number)
            .map(|spawn| spawn.position)
            .or_else(|| pickups.get(number - spawns.len()).map(|spot| spot.position));
        Goal { place: place.unwrap_or(view.avatar.position), why: Reason::Roam }
    }

    /// Who has not got anywhere for a while forgets what it wanted.
    fn watch_progress(&mut self, view: &View<'_>) {
        if self.anchor.distance_squared(view.avatar.position) > 1.0 {
            self.anchor = view.avatar.position;
            self.anchor_seconds = 0.0;
            return;
        }
        self.anchor_seconds += view.dt;
        if self.anchor_seconds > 1.5 {
            self.anchor_seconds = 0.0;
            let goal = self.roam(view);
            self.path = path::find_path(view.map, view.avatar.position, goal.place);
            self.path_age = 0.0;
            self.goal = Some(goal);
            self.circling = -self.circling;
        }
    }
}

/// A time in whole ticks, at least one.
fn float_ticks(seconds: f32, dt: f32) -> u32 {
    ((seconds / dt).round() as u32).max(1)
}

/// How often a brain thinks, in seconds.
const THINK_SECONDS: f32 = 0.1;
