//! Aiming like a hand does: late, off by a little that wanders, and better the longer it follows.

use super::{Brain, View};
use crate::entities::Figure;
use crate::weapons::{BOLT_SPEED, Weapon, direction};
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::determinism::{SimRng, float};

/// A hand that aims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hand {
    /// Where it points.
    angle: f32,
    /// What it thinks the velocity of the target is: it follows the true one slowly, which is its reaction.
    velocity: Vec2,
    /// How far it is off, in radians. It wanders about zero.
    error: f32,
    /// How long it has followed the target, in seconds.
    following: f32,
    /// How long it takes to notice a new target, in seconds.
    reaction: f32,
}

impl Hand {
    /// There is somebody else to aim at.
    pub(super) fn handle_new_target(&mut self, random: &mut SimRng, skill: f32) {
        self.following = 0.0;
        self.velocity = Vec2::ZERO;
        self.reaction = random.f32_in(0.16, 0.3) + 0.25 * (1.0 - skill);
        self.error = random.signed_unit_f32() * (0.12 + 0.2 * (1.0 - skill));
    }
}

impl Brain {
    /// Where it aims in this tick, and whether it pulls the trigger.
    pub(super) fn aim(&mut self, view: &View<'_>, target: Option<&Figure>, way: Vec2) -> (f32, bool) {
        let dt = view.dt;
        let Some(target) = target else {
            // It looks where it goes.
            if way.length_squared() > 0.01 {
                let heading = float::atan2(way.y, way.x);
                self.hand.angle = float::approach_angle(self.hand.angle, heading, 5.0 * dt);
            }
            return (self.hand.angle, false);
        };
        let hand = &mut self.hand;
        hand.following += dt;
        let follow = float::min(dt / (0.12 + 0.15 * (1.0 - self.skill)), 1.0);
        hand.velocity += (target.velocity - hand.velocity) * follow;
        // A random walk that is pulled back to zero: after a second it is mostly forgotten.
        let unsteady = 0.08 + 0.1 * (1.0 - self.skill);
        hand.error -= hand.error * float::min(2.5 * dt, 1.0);
        hand.error += self.random.signed_unit_f32() * unsteady * float::sqrt(5.0 * dt);
        let place = match self.weapon {
            Weapon::Bolts => intercept(view.avatar.position, target.position, hand.velocity),
            Weapon::Rail => target.position,
        };
        let between = place - view.avatar.position;
        let wanted = float::atan2(between.y, between.x) + hand.error;
        let turn = (5.0 + 7.0 * self.skill) * dt;
        hand.angle = float::approach_angle(hand.angle, wanted, turn);
        let is_noticed = hand.following > hand.reaction;
        let is_on_it = float::angle_difference(hand.angle, wanted).abs() < 0.25;
        let is_free = view.is_in_sight(target) && !self.is_friend_in_the_way(view, target);
        let is_worth_it =
            view.avatar.weapon == self.weapon && !(view.avatar.cloak > 4.0 && between.length() > 7.0);
        (self.hand.angle, is_noticed && is_on_it && is_free && is_worth_it)
    }

    fn is_friend_in_the_way(&self, view: &View<'_>, target: &Figure) -> bool {
        let from = view.avatar.position;
        let way = direction(self.hand.angle);
        let reach = target.position.distance(from);
        view.figures.iter().filter(|figure| view.is_friend(figure)).any(|figure| {
            crate::weapons::distance_to_circle(from, way, figure.position, 0.5)
                .is_some_and(|distance| distance < reach)
        })
    }
}

/// Where a bolt meets somebody who keeps going: the time of flight follows from the distance, and that from
/// the time; two rounds are near enough.
fn intercept(from: Vec2, place: Vec2, velocity: Vec2) -> Vec2 {
    let mut meeting = place;
    for _ in 0..2 {
        meeting = place + velocity * (meeting.distance(from) / BOLT_SPEED);
    }
    meeting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bolt_thrown_at_the_meeting_point_meets() {
        let (place, velocity) = (Vec2::new(8.0, 1.0), Vec2::new(-2.0, 5.0));
        let meeting = intercept(Vec2::ZERO, place, velocity);
        let time = meeting.length() / BOLT_SPEED;
        assert!((place + velocity * time).distance(meeting) < 0.15);
    }
}
