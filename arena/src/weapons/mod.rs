//! The weapons, as both ends run them: which is in the hands, when it goes off. What a shot does is the
//! server's to judge, in `rail` and `bolt`.

pub(crate) mod bolt;
pub(crate) mod rail;

pub use bolt::{BOLT_DAMAGE, BOLT_RADIUS, BOLT_RANGE, BOLT_SPEED, BoltShot};
pub use rail::{RAIL_CHARGE_SECONDS, RAIL_DAMAGE, RAIL_RANGE};

use crate::avatar::Avatar;
use crate::events::ArenaEffect;
use crate::input::ArenaInput;
use crate::movement::{TOP_SPEED, limited};
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::float;
use tickwire_protocol::game::Effects;

/// What a player has in its hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Replicate)]
pub enum Weapon {
    /// Throws bolts that fly for a while, five a second.
    #[default]
    Bolts,
    /// Hits at once and hard, after it has been charged.
    Rail,
}

impl Weapon {
    /// The weapon with this number, as an input names it.
    #[must_use]
    pub fn by_number(number: u8) -> Option<Weapon> {
        match number {
            1 => Some(Weapon::Bolts),
            2 => Some(Weapon::Rail),
            _ => None,
        }
    }

    /// Its number in an input.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Weapon::Bolts => 1,
            Weapon::Rail => 2,
        }
    }
}

/// The direction of an aim.
#[must_use]
pub fn direction(aim: f32) -> Vec2 {
    let (sine, cosine) = float::sin_cos(aim);
    Vec2::new(cosine, sine)
}

/// Takes another weapon into the hands, if the input names one.
pub(crate) fn select(avatar: &mut Avatar, number: u8) {
    if let Some(weapon) = Weapon::by_number(number)
        && weapon != avatar.weapon
    {
        avatar.weapon = weapon;
        avatar.charge = 0.0;
        avatar.rail_cooldown = float::max(avatar.rail_cooldown, DRAW_SECONDS);
        avatar.bolt_cooldown = float::max(avatar.bolt_cooldown, DRAW_SECONDS);
    }
}

/// The trigger's part of a step.
pub(crate) fn trigger(avatar: &mut Avatar, input: &ArenaInput, dt: f32, effects: &mut Effects<ArenaEffect>) {
    let way = direction(avatar.aim);
    match avatar.weapon {
        Weapon::Bolts if input.fire && avatar.bolt_cooldown == 0.0 => {
            avatar.bolt_cooldown = bolt::INTERVAL_SECONDS;
            let number = shoot(avatar);
            effects.emit(ArenaEffect::Bolt { number, from: avatar.position, velocity: way * BOLT_SPEED });
        }
        Weapon::Rail if input.fire && avatar.rail_cooldown == 0.0 => {
            avatar.charge += dt;
            if avatar.charge > RAIL_CHARGE_SECONDS - 0.5 * dt {
                avatar.charge = 0.0;
                avatar.rail_cooldown = rail::COOLDOWN_SECONDS;
                let number = shoot(avatar);
                avatar.velocity = limited(avatar.velocity - way * rail::RECOIL, TOP_SPEED);
                effects.emit(ArenaEffect::Rail { number, from: avatar.position, way });
            }
        }
        _ => avatar.charge = 0.0,
    }
}

/// What every shot costs. Returns its number.
fn shoot(avatar: &mut Avatar) -> u16 {
    avatar.shots = avatar.shots.wrapping_add(1);
    avatar.cloak = 0.0;
    avatar.protection = 0.0;
    avatar.shots
}

/// How far along a line a circle is hit, if it is. `way` has length 1.
pub(crate) fn distance_to_circle(from: Vec2, way: Vec2, centre: Vec2, radius: f32) -> Option<f32> {
    let to = centre - from;
    let along = to.dot(way);
    let beside_squared = to.length_squared() - along * along;
    let half_squared = radius * radius - beside_squared;
    if half_squared < 0.0 {
        return None;
    }
    let half = float::sqrt(half_squared);
    if along + half < 0.0 { None } else { Some(float::max(along - half, 0.0)) }
}

/// How long a weapon that was just taken into the hands does nothing, in seconds.
const DRAW_SECONDS: f32 = 0.2;

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f32 = 1.0 / 60.0;

    /// Steps the trigger alone, and says in which ticks what was shot.
    fn shots(avatar: &mut Avatar, input: ArenaInput, ticks: u32) -> Vec<(u32, ArenaEffect)> {
        let mut effects = Effects::new();
        let mut shots = Vec::new();
        for tick in 0..ticks {
            avatar.tick_down(DT);
            avatar.aim = input.aim;
            select(avatar, input.weapon);
            trigger(avatar, &input, DT, &mut effects);
            shots.extend(effects.drain().map(|effect| (tick, effect)));
        }
        shots
    }

    #[test]
    fn bolts_come_five_a_second() {
        let mut avatar = Avatar::at(Vec2::ZERO);
        let fired = shots(&mut avatar, ArenaInput { fire: true, ..ArenaInput::default() }, 60);
        let ticks: Vec<u32> = fired.iter().map(|(tick, _)| *tick).collect();
        assert_eq!(ticks, [0, 12, 24, 36, 48]);
        assert_eq!((avatar.shots, avatar.protection), (5, 0.0));
    }

    #[test]
    fn the_rail_gun_goes_off_when_it_is_charged_and_not_before() {
        let mut avatar = Avatar { cloak: 5.0, ..Avatar::at(Vec2::ZERO) };
        let held = ArenaInput { fire: true, weapon: Weapon::Rail.number(), ..ArenaInput::default() };
        // A fifth of a second to draw it, two fifths to charge it; then the cooldown and the charge again.
        let fired = shots(&mut avatar, held, 240);
        let ticks: Vec<u32> = fired.iter().map(|(tick, _)| *tick).collect();
        assert_eq!(ticks, [35, 35 + 95, 35 + 190]);
        assert_eq!(avatar.cloak, 0.0, "a shot ends the cloak");
        let mut avatar = Avatar { weapon: Weapon::Rail, ..Avatar::at(Vec2::ZERO) };
        assert!(shots(&mut avatar, held, 20).is_empty());
        assert!(avatar.charge > 0.3);
        assert!(shots(&mut avatar, ArenaInput::default(), 1).is_empty());
        assert_eq!(avatar.charge, 0.0, "who lets go begins anew");
    }

    #[test]
    fn an_unknown_weapon_is_none() {
        let mut avatar = Avatar::at(Vec2::ZERO);
        for number in [0, 3, 15] {
            select(&mut avatar, number);
            assert_eq!((avatar.weapon, avatar.bolt_cooldown), (Weapon::Bolts, 0.0));
        }
    }

    #[test]
    fn a_line_meets_a_circle_where_it_enters_it() {
        let hit = |from, way, centre| distance_to_circle(from, way, centre, 0.5);
        assert_eq!(hit(Vec2::ZERO, Vec2::X, Vec2::new(3.0, 0.0)), Some(2.5));
        assert_eq!(hit(Vec2::ZERO, Vec2::X, Vec2::new(3.0, 0.5)), Some(3.0));
        assert_eq!(hit(Vec2::ZERO, Vec2::X, Vec2::new(3.0, 0.6)), None);
        assert_eq!(hit(Vec2::ZERO, Vec2::X, Vec2::new(-3.0, 0.0)), None, "behind");
        assert_eq!(hit(Vec2::ZERO, Vec2::X, Vec2::new(0.2, 0.1)), Some(0.0), "within");
    }
}
