//! Getting about: along a way, around an enemy, out of a bolt's.

use super::path::{has_room, next_point};
use super::{Brain, Reason, View};
use crate::entities::Figure;
use crate::movement::PLAYER_RADIUS;
use crate::weapons::{BOLT_RADIUS, Weapon, direction, distance_to_circle};
use glam::Vec2;

impl Brain {
    /// Where it wants to walk in this tick.
    pub(super) fn steer(&mut self, view: &View<'_>, target: Option<&Figure>) -> Vec2 {
        let along = self.along_path(view);
        let Some(target) = target.filter(|target| view.is_in_sight(target)) else { return along };
        let here = view.avatar.position;
        let between = target.position - here;
        let distance = between.length();
        if distance < 1e-3 {
            return along;
        }
        let ahead = between / distance;
        // Who is after something that lies there goes for it, and shoots on the way.
        if self.goal.is_some_and(|goal| goal.why == Reason::Pickup) {
            return along;
        }
        if self.circling_seconds <= 0.0 {
            self.circling = if self.random.chance(0.5) { 1.0 } else { -1.0 };
            self.circling_seconds = self.random.f32_in(0.35, 1.1);
        }
        let (near, far) = match self.weapon {
            Weapon::Bolts => (3.0, 6.0),
            Weapon::Rail => (8.0, 14.0),
        };
        let retreats = view.avatar.health < 35;
        let closing = if distance < near || (retreats && distance < 10.0) {
            -0.8
        } else if distance > far {
            0.9
        } else {
            0.0
        };
        let aside = Vec2::new(-ahead.y, ahead.x);
        let mut way = aside * self.circling + ahead * closing;
        if !has_room(view.map, here, here + way) {
            self.circling = -self.circling;
            way = aside * self.circling + ahead * closing;
        }
        if !has_room(view.map, here, here + way) {
            way = if closing > 0.0 { along } else { aside * self.circling };
        }
        crate::movement::limited(way, 1.0)
    }

    fn along_path(&mut self, view: &View<'_>) -> Vec2 {
        let here = view.avatar.position;
        let Some(point) = next_point(view.map, here, &mut self.path) else { return Vec2::ZERO };
        let way = point - here;
        let length = way.length();
        if length > 1e-3 { way / length } else { Vec2::ZERO }
    }

    /// Dashes out of the way of a bolt that will hit, or of a rail gun that is charged at it: sometimes.
    pub(super) fn dodge(&mut self, view: &View<'_>) {
        if view.avatar.dash_cooldown > 0.0 {
            return;
        }
        let Some(danger) = self.danger(view) else { return };
        if !self.random.chance(0.15 + 0.45 * self.skill) {
            return;
        }
        let side = if self.random.chance(0.5) { 1.0 } else { -1.0 };
        let aside = Vec2::new(-danger.y, danger.x) * side;
        let here = view.avatar.position;
        for way in [aside, -aside] {
            if has_room(view.map, here, here + way * 2.5) {
                self.dash = Some(way);
                return;
            }
        }
    }

    /// Where something comes from that will hit: a direction of length 1.
    fn danger(&self, view: &View<'_>) -> Option<Vec2> {
        let here = view.avatar.position;
        let bolts = view.bolts.iter().filter(|bolt| bolt.owner != view.player.0);
        for bolt in bolts.filter(|bolt| !bolt.colour.is_with(view.colour)) {
            let speed = bolt.velocity.length();
            if speed < 1.0 {
                continue;
            }
            let way = bolt.velocity / speed;
            let radius = PLAYER_RADIUS + BOLT_RADIUS + 0.1;
            let distance = distance_to_circle(bolt.position, way, here, radius);
            if distance.is_some_and(|distance| distance < 0.35 * speed) {
                return Some(way);
            }
        }
        for figure in view.figures.iter().filter(|figure| figure.charging && view.is_enemy(figure)) {
            let way = direction(figure.aim);
            if distance_to_circle(figure.position, way, here, 1.0).is_some() && view.is_in_sight(figure) {
                return Some(way);
            }
        }
        None
    }
}
