//! Others are shown where they were, evenly: a straight walker never goes backwards.

use glam::Vec2;
use std::collections::BTreeMap;
use tickwire_arena::Arena;
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::game::ViewTime;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::party::{Party, Play};
use tickwire_tests::playable::hall;

/// How what was shown differs from what was.
struct Seen {
    frames: usize,
    backwards: usize,
    /// Distances to the true place at the time that was shown, in tiles, ascending.
    errors: Vec<f32>,
    /// How far the steps from frame to frame were from those of an even walk, in tiles, ascending.
    unevenness: Vec<f32>,
    delay_millis: u64,
}

/// Watches a walker for so many seconds.
fn watch(conditions: Conditions, seconds: u64) -> Seen {
    let mut party: Party<Arena> = Party::new(60, hall(), 11);
    party.join("Walker", Conditions::LAN, Play::Straight(110));
    let watcher = party.join("Watcher", conditions, Play::Idle);
    party.run(Micros(5_000_000));
    let start = party.now();
    party.run(Micros(seconds * 1_000_000));
    let truth = &party.members[0].log.confirmed;
    let member = &party.members[watcher];
    let frames: Vec<_> = member.log.frames.iter().filter(|(at, ..)| *at > start).collect();
    let mut seen = Seen {
        frames: frames.len(),
        backwards: 0,
        errors: Vec::new(),
        unevenness: Vec::new(),
        delay_millis: member.client.stats().interpolation_delay_micros / 1000,
    };
    for pair in frames.windows(2) {
        let ((at, _, from), (later, time, to)) = (pair[0], pair[1]);
        if later.0 - at.0 > 20_000 {
            continue;
        }
        let Some(place) = place_at(truth, *time) else { continue };
        seen.errors.push(place.distance(*to));
        // On its straight way: a quarter of a second before and after it walks with one velocity.
        let Some(velocity) = steady(truth, time.tick) else { continue };
        let step = *to - *from;
        seen.backwards += usize::from(step.dot(velocity) < -1e-4);
        let even = velocity * ((later.0 - at.0) as f32 / 1e6);
        seen.unevenness.push((step - even).length());
    }
    seen.errors.sort_by(f32::total_cmp);
    seen.unevenness.sort_by(f32::total_cmp);
    seen
}

fn place_at(truth: &BTreeMap<Tick, Vec2>, time: ViewTime) -> Option<Vec2> {
    let (from, to) = (truth.get(&time.tick)?, truth.get(&time.tick.next())?);
    Some(from.lerp(*to, f32::from(time.fraction) / 256.0))
}

fn steady(truth: &BTreeMap<Tick, Vec2>, tick: Tick) -> Option<Vec2> {
    let at = |ticks: i64| truth.get(&Tick(u32::try_from(i64::from(tick.0) + ticks).ok()?)).copied();
    let velocity = |ticks: i64| Some((at(ticks + 1)? - at(ticks)?) * 60.0);
    let now = velocity(0)?;
    let is_steady = (-15..15).all(|ticks| velocity(ticks).is_some_and(|then| then.distance(now) < 0.01));
    (is_steady && now.length() > 1.0).then_some(now)
}

#[test]
fn walkers_are_shown_evenly() {
    for conditions in Conditions::PRESETS {
        let seen = watch(conditions, 40);
        let quantile = |sorted: &[f32], share: f32| sorted[(sorted.len() as f32 * share) as usize];
        println!(
            "{:10} {} ms behind; off the true path by {:.3} tiles in the middle, {:.3} in one of a hundred \
             frames; uneven by {:.3} and {:.3}; {} of {} frames backwards",
            conditions.name,
            seen.delay_millis,
            quantile(&seen.errors, 0.5),
            quantile(&seen.errors, 0.99),
            quantile(&seen.unevenness, 0.5),
            quantile(&seen.unevenness, 0.99),
            seen.backwards,
            seen.frames,
        );
        assert!(seen.frames > 1500 && seen.unevenness.len() > 300, "{}: {}", conditions.name, seen.frames);
        // Where connections are cut there are gaps, in which anybody may have turned.
        assert!(seen.backwards == 0 || conditions.lives.is_some(), "{}", conditions.name);
        // What is published is within ¾ of a step of the truth, and a step is a 32nd of a tile.
        assert!(quantile(&seen.errors, 0.5) < 0.035, "{}", conditions.name);
    }
}
