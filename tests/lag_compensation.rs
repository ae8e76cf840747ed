//! A rail shot hits what its player aimed at, however old the picture is, up to the clamp.

use glam::Vec2;
use std::time::Duration;
use tickwire_arena::entities::FIGURE;
use tickwire_arena::{Arena, ArenaEvent, ArenaInput, PLAYER_RADIUS, WALK_SPEED};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::Config;
use tickwire_tests::arena::wide_hall;
use tickwire_tests::party::{Party, Play};

/// How the target behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Motion {
    /// It stands.
    Rest,
    /// It walks up and down, across the line of fire.
    Walk,
    /// It does whatever comes to mind, dashes included.
    Wild,
}

/// What came of the shots of one match.
#[derive(Debug, Default)]
struct Shots {
    fired: u32,
    hit: u32,
    /// How far the victim of a hit was from where it was hit, at most, by the server's own reckoning.
    farthest: f32,
}

/// Somebody who charges, and aims at whoever is shown at the moment.
fn marksman() -> Play<Arena> {
    Play::Own(Box::new(|client, now| {
        let mut scene = client.view(now);
        let own = scene.avatar.map(|avatar| avatar.position);
        let target = scene.entities.find_map(|entity| entity.get(FIGURE));
        let (Some(own), Some(target)) = (own, target) else { return Some(ArenaInput::default()) };
        let between = target.position - own;
        let aim = float::atan2(between.y, between.x);
        Some(ArenaInput { aim, fire: true, weapon: 2, ..ArenaInput::default() })
    }))
}

fn mover(motion: Motion) -> Play<Arena> {
    match motion {
        Motion::Rest => Play::Idle,
        Motion::Walk => Play::Own(Box::new(|client, _| {
            let tick = client.input_tick().map_or(0, |tick| tick.0);
            let way = if (tick / 80).is_multiple_of(2) { Vec2::Y } else { Vec2::NEG_Y };
            Some(ArenaInput { way, ..ArenaInput::default() })
        })),
        Motion::Wild => {
            let (mut random, mut input) = (SimRng::from_u64(5), ArenaInput::default());
            Play::Own(Box::new(move |_, _| {
                input.dash = random.chance(0.03);
                if random.chance(0.06) {
                    input.way = random.unit_vec2() * random.f32_in(0.3, 0.99);
                }
                Some(input)
            }))
        }
    }
}

fn shoot(conditions: Conditions, motion: Motion, rewind_millis: u64) -> Shots {
    let rewind_limit = Duration::from_millis(rewind_millis);
    let config = Config { tick_hz: 60, seed: Some(9), rewind_limit, ..Config::default() };
    let mut party: Party<Arena> = Party::with(config, wide_hall(), 9);
    let shooter = party.join("Ann", conditions, marksman());
    let target = party.join("Ben", Conditions::LAN, mover(motion));
    party.run(Micros(SECONDS * 1_000_000));
    let me = party.members[shooter].client.session().welcome().expect("Ann is in the room").body.player;
    let truth = &party.members[target].log.confirmed;
    let mut shots = Shots::default();
    for (tick, event) in &party.members[shooter].heard {
        let ArenaEvent::Rail { by, to, victim, .. } = event else { continue };
        // Until its clock has settled, a client does not know what it sees.
        if *by != me || tick.0 < 5 * 60 {
            continue;
        }
        shots.fired += 1;
        if victim.is_some() {
            shots.hit += 1;
            let was = truth.range(..=Tick(tick.0)).next_back().map(|(_, place)| place.distance(*to));
            shots.farthest = shots.farthest.max(was.unwrap_or(f32::INFINITY));
        }
    }
    shots
}

const SECONDS: u64 = 100;

/// The share of hits in a hundred.
fn percent(shots: &Shots) -> f32 {
    100.0 * shots.hit as f32 / shots.fired.max(1) as f32
}

#[test]
fn what_is_aimed_at_is_hit() {
    for conditions in [Conditions::BROADBAND, Conditions::WIFI] {
        for motion in [Motion::Rest, Motion::Walk, Motion::Wild] {
            let with = shoot(conditions, motion, 250);
            let without = shoot(conditions, motion, 0);
            println!(
                "{:9} {motion:?}: {} of {} hit, {:.0} %; without compensation {} of {}, {:.0} %; a victim \
                 was at most {:.2} tiles from where it was hit",
                conditions.name,
                with.hit,
                with.fired,
                percent(&with),
                without.hit,
                without.fired,
                percent(&without),
                with.farthest,
            );
            assert!(with.fired >= 25, "{} shots", with.fired);
            assert!(percent(&with) >= 95.0);
            match motion {
                Motion::Rest => assert!(percent(&without) >= 95.0, "it would not be needed"),
                Motion::Walk => assert!(percent(&without) < 30.0, "compensation makes a difference"),
                Motion::Wild => assert!(percent(&without) < percent(&with) - 20.0),
            }
        }
    }
}

/// On a line with half a second there and back the picture is older than the clamp: a shot hits nobody
/// farther back.
#[test]
fn nothing_is_rewound_beyond_the_clamp() {
    let slow = Conditions { delay: (Micros(240_000), Micros(250_000)), ..Conditions::BROADBAND };
    let shots = shoot(slow, Motion::Walk, 250);
    // What a walker goes in the time of the clamp, a tick, its own size, and the rounding of what is
    // published.
    let most = WALK_SPEED * (0.25 + 1.0 / 60.0) + PLAYER_RADIUS + 0.1;
    println!("{} of {} hit; at most {:.2} of {most:.2} tiles away", shots.hit, shots.fired, shots.farthest);
    assert!(shots.fired >= 25 && percent(&shots) < 50.0);
    assert!(shots.farthest < most);
    let farther = shoot(slow, Motion::Walk, 900);
    println!("with a clamp of 900 ms {} of {} hit", farther.hit, farther.fired);
    assert!(percent(&farther) >= 90.0, "it is the clamp that spares them");
}
