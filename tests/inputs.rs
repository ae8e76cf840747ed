//! Inputs early, late, twice and out of the window: what the game takes of them, and what is counted.

use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::TickInputs;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::snapshot::Consumed;
use tickwire_tests::duel::{DuelConfig, Recorded, Stick, start_recording, stop_recording};
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

/// A room with one client that sends nothing by itself.
fn world() -> World<Duelist> {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 22);
    let ann = world.join("Ann", Path::DIRECT);
    world.clients[ann].brain.is_idle = true;
    world.run_ticks(10);
    world
}

/// Sends an input for the tick that is `ahead` of the next, with a mark.
fn send(world: &mut World<Duelist>, ahead: i64, mark: i32, dash: bool) {
    let tick = (i64::from(world.room.next_tick().0) + ahead) as u32;
    let mut message = Vec::new();
    world.clients[0].session.encode_inputs(tick, &[254, 127, i32::from(dash), mark], None, &mut message);
    world.clients[0].send(message);
}

/// What the game takes in the next ticks: whose input, its mark, and whether it dashes.
fn taken(world: &mut World<Duelist>, ticks: u32) -> Vec<(Consumed, u8, bool)> {
    start_recording();
    world.run_ticks(ticks);
    let ann = PlayerId(0);
    let of = |inputs: &TickInputs<Stick>| {
        let stick = inputs.of(ann);
        (inputs.consumed(ann), stick.mark, stick.dash)
    };
    let ticks = stop_recording().into_iter().filter_map(|recorded| match recorded {
        Recorded::Tick(inputs, _) => Some(of(&inputs)),
        _ => None,
    });
    ticks.collect()
}

/// Accepted, early, late, missing, duplicate, rejected.
fn counters(world: &World<Duelist>) -> [u64; 6] {
    let metrics = &world.services.metrics;
    [
        metrics.inputs_accepted.get(),
        metrics.inputs_early.get(),
        metrics.inputs_late.get(),
        metrics.inputs_missing.get(),
        metrics.inputs_duplicate.get(),
        metrics.inputs_rejected.get(),
    ]
}

use Consumed::{Held, Neutral, Own};

#[test]
fn each_waits_for_its_own_tick() {
    let mut world = world();
    for (ahead, mark) in [(0, 1), (2, 3), (1, 2)] {
        send(&mut world, ahead, mark, false);
    }
    let expected = [(Own, 1, false), (Own, 2, false), (Own, 3, false), (Held, 3, false)];
    assert_eq!(taken(&mut world, 4), expected);
    assert_eq!(counters(&world), [3, 2, 0, 1, 0, 0]);
}

#[test]
fn the_first_of_two_counts() {
    let mut world = world();
    for mark in [1, 2] {
        send(&mut world, 1, mark, false);
    }
    assert_eq!(taken(&mut world, 2), [(Neutral, 0, false), (Own, 1, false)]);
    send(&mut world, -1, 3, false);
    assert_eq!(taken(&mut world, 1), [(Held, 1, false)]);
    assert_eq!(counters(&world), [1, 1, 0, 2, 2, 0]);
}

#[test]
fn a_missing_one_is_held_for_a_while_and_then_neutral() {
    let mut world = world();
    send(&mut world, 0, 5, true);
    let taken = taken(&mut world, 9);
    assert_eq!(taken[0], (Own, 5, true));
    // The dash is not repeated.
    assert_eq!(taken[1..7], [(Held, 5, false); 6]);
    assert_eq!(taken[7..], [(Neutral, 0, false); 2]);
    assert_eq!(counters(&world)[3], 8);
}

#[test]
fn a_late_dash_is_merged_into_the_next_input() {
    let mut world = world();
    send(&mut world, 0, 1, false);
    assert_eq!(taken(&mut world, 2), [(Own, 1, false), (Held, 1, false)]);
    send(&mut world, -1, 2, true);
    send(&mut world, 0, 3, false);
    assert_eq!(taken(&mut world, 2), [(Own, 3, true), (Held, 3, false)]);
    assert_eq!(counters(&world), [2, 0, 1, 2, 0, 0]);
}

#[test]
fn what_is_out_of_the_window_is_rejected() {
    let mut world = world();
    send(&mut world, 31, 9, false);
    send(&mut world, 32, 10, false);
    send(&mut world, 5000, 11, false);
    let taken = taken(&mut world, 34);
    assert_eq!(taken[31], (Own, 9, false), "the furthest that fits");
    assert!(taken.iter().all(|(_, mark, _)| [0, 9].contains(mark)));
    assert_eq!(counters(&world)[..3], [1, 1, 0]);
    assert_eq!(counters(&world)[5], 2);
    assert!(world.clients[0].is_active());
}

#[test]
fn a_clock_that_stays_wrong_ends_the_session_by_name() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 23);
    let (ann, bob) = (world.join("Ann", Path::FAIR), world.join("Bob", Path::FAIR));
    world.run_ticks(60);
    world.clients[ann].brain.skew = 400;
    world.run_ticks(250);
    assert!(world.clients[ann].is_active(), "for eight seconds it is only rejected");
    world.run_ticks(100);
    assert_eq!(world.clients[ann].ended(), Some(SessionEnd::InputOutOfWindow));
    assert!(world.clients[bob].is_active());
    assert_eq!(world.clients[bob].brain.corrected, 0);
}

#[test]
fn inputs_sent_twice_are_taken_once() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 24);
    let ann = world.join("Ann", Path::FAIR);
    world.clients[ann].brain.doubles = true;
    world.run_ticks(300);
    let [accepted, _, _, _, duplicate, rejected] = counters(&world);
    assert!(accepted > 280 && duplicate + 4 > accepted, "{accepted} accepted, {duplicate} duplicates");
    assert_eq!((rejected, world.clients[ann].brain.corrected), (0, 0));
    world.assert_sound();
}

#[test]
fn after_a_stall_everything_comes_at_once_and_is_late() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 25);
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(60);
    let end = world.now() + tickwire_protocol::time::Micros(3_000_000);
    world.clients[ann].far.as_ref().expect("she is there").stall_until(end);
    world.run_ticks(300);
    let [_, _, late, missing, duplicate, rejected] = counters(&world);
    assert!((70..100).contains(&late) && (70..100).contains(&missing), "{late} late, {missing} missing");
    assert_eq!((duplicate, rejected), (0, 0));
    assert!(world.clients[ann].is_active());
    assert_eq!(world.clients[ann].brain.corrected, 0, "both ends know what was taken instead");
    world.assert_sound();
}
