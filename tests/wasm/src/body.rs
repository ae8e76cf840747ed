//! A small body that does what a game's avatar does: turn, thrust, drag, dash, bounce, and now and then be
//! kicked.

use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::determinism::{SimRng, float, state_hash};

/// The state of the body. Lengths in units, time in seconds, angles in radians.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Steps taken.
    pub tick: u32,
    /// Within the walls: both components within `-HALF_ROOM..=HALF_ROOM`.
    pub position: Vec2,
    /// Units per second.
    pub velocity: Vec2,
    /// The direction of thrust, within `-PI..PI`.
    pub heading: f32,
    /// What a dash costs, within `0..=1`.
    pub stamina: f32,
    /// Where the kicks come from.
    pub rng: SimRng,
}

/// What the player does in one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stick {
    /// Where to, each component within `-1..=1`.
    pub direction: Vec2,
    /// Whether to dash.
    pub dash: bool,
}

impl Body {
    /// A body at rest in the middle of its room.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            tick: 0,
            position: Vec2::ZERO,
            velocity: Vec2::ZERO,
            heading: 0.0,
            stamina: 1.0,
            rng: SimRng::from_u64(seed),
        }
    }

    /// Steps by one tick.
    pub fn step(&mut self, stick: Stick) {
        self.tick += 1;
        self.steer(stick.direction);
        self.stamina = float::min(self.stamina + 0.4 * DT, 1.0);
        if stick.dash && self.stamina >= 0.5 {
            self.stamina -= 0.5;
            // The dash leads off the heading by up to half a radian, less the faster the body is.
            let off = 0.5 * float::exp(-0.1 * self.velocity.length()) * self.rng.signed_unit_f32();
            let (sine, cosine) = float::sin_cos(self.heading + off);
            self.velocity += Vec2::new(cosine, sine) * 9.0;
        }
        if self.rng.chance(0.02) {
            self.velocity += self.rng.unit_vec2() * self.rng.f32_in(0.5, 4.0);
        }
        self.velocity *= float::pow(0.3, DT);
        let speed = float::hypot(self.velocity.x, self.velocity.y);
        if speed > MAX_SPEED {
            self.velocity *= MAX_SPEED / speed;
        }
        self.position += self.velocity * DT;
        (self.position.x, self.velocity.x) = bounce(self.position.x, self.velocity.x);
        (self.position.y, self.velocity.y) = bounce(self.position.y, self.velocity.y);
    }

    fn steer(&mut self, direction: Vec2) {
        let deflection = float::hypot(direction.x, direction.y);
        if deflection > 0.1 {
            let wanted = float::atan2(direction.y, direction.x);
            self.heading = float::approach_angle(self.heading, wanted, 4.0 * DT);
            self.velocity += Vec2::from_angle(self.heading) * (12.0 * float::min(deflection, 1.0) * DT);
        }
    }
}

/// A digest over the states after all steps so far, at each 100th of 10,000 steps.
///
/// The hash of the state alone would not do: friction, limits and walls make two bodies that differ in the
/// last place of a number equal again after a few hundred steps, so a difference between two of the hashes
/// could go unseen.
pub(crate) fn digests() -> Vec<u64> {
    run(|body| body)
}

/// The same with the body saved as text and restored from it at each 100th step.
pub(crate) fn digests_with_restores() -> Vec<u64> {
    run(|body| {
        let saved = serde_json::to_string(&body).expect("the body holds plain numbers");
        serde_json::from_str(&saved).expect("what was written a line above can be read")
    })
}

fn run(restore: impl Fn(Body) -> Body) -> Vec<u64> {
    let mut body = Body::new(42);
    let mut player = body.rng.fork("player", 0);
    let mut stick = Stick { direction: Vec2::ZERO, dash: false };
    let mut digest = 0_u64;
    let mut digests = Vec::new();
    for step in 1..=STEPS {
        stick = next_stick(stick, &mut player);
        body.step(stick);
        digest = state_hash(&(digest, &body)).expect("the body's state holds no NaN");
        if step % REPORT_EVERY == 0 {
            digests.push(digest);
            body = restore(body);
        }
    }
    digests
}

/// A player who changes direction three times a second and presses dash twice.
fn next_stick(held: Stick, player: &mut SimRng) -> Stick {
    let direction = if player.chance(0.05) {
        Vec2::new(player.signed_unit_f32(), player.signed_unit_f32())
    } else {
        held.direction
    };
    Stick { direction, dash: player.chance(0.03) }
}

/// Keeps one coordinate within the walls, which give back three quarters of the speed.
fn bounce(position: f32, velocity: f32) -> (f32, f32) {
    let inside = float::clamp(position, -HALF_ROOM, HALF_ROOM);
    if inside == position { (position, velocity) } else { (inside, -0.75 * velocity) }
}

/// Seconds per tick, at 60 Hz.
const DT: f32 = 1.0 / 60.0;
/// Half the side of the square room, in units.
const HALF_ROOM: f32 = 10.0;
/// In units per second.
const MAX_SPEED: f32 = 15.0;
const STEPS: u32 = 10_000;
const REPORT_EVERY: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// The same on every platform: a change is a change of behaviour, of this body or of a dependency.
    const FINAL_DIGEST: u64 = 0x622e_451f_613b_f764;

    #[test]
    fn the_final_digest_is_the_known_one() {
        let digests = digests();
        assert_eq!(digests.len(), 100);
        assert_eq!(digests[99], FINAL_DIGEST, "{:#018x}", digests[99]);
    }

    #[test]
    fn saving_changes_nothing() {
        assert_eq!(digests_with_restores(), digests());
    }

    /// The comparison is worth something only if the body does everything that it can do.
    #[test]
    fn the_body_gets_about() {
        let mut body = Body::new(42);
        let mut player = body.rng.fork("player", 0);
        let mut stick = Stick { direction: Vec2::ZERO, dash: false };
        let (mut dashes, mut bounces, mut fastest) = (0, 0, 0.0);
        for _ in 0..STEPS {
            let stamina = body.stamina;
            stick = next_stick(stick, &mut player);
            body.step(stick);
            dashes += u32::from(body.stamina < stamina);
            bounces += u32::from(body.position.abs().max_element() == HALF_ROOM);
            fastest = float::max(fastest, body.velocity.length());
        }
        assert!(dashes > 50 && bounces > 50 && fastest > 0.99 * MAX_SPEED, "{dashes} {bounces} {fastest}");
    }
}
