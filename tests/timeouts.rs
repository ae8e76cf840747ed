//! Who is silent is not kept for ever.

use std::time::Duration;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::time::Micros;
use tickwire_server::Config;
use tickwire_tests::duel::DuelConfig;
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn world(change: impl FnOnce(&mut Config)) -> World<Duelist> {
    let mut settings = config();
    change(&mut settings);
    World::new(settings, DuelConfig::default(), 47)
}

#[test]
fn an_idle_player_is_removed_and_a_spectator_is_not() {
    let mut world = world(|config| config.idle_timeout = Some(Duration::from_secs(6)));
    let (ann, bob) = (world.join("Ann", Path::FAIR), world.join("Bob", Path::FAIR));
    let mut watching = world.session_config("Dee");
    watching.spectator = true;
    let dee = world.join_as(watching, Path::FAIR);
    world.clients[bob].brain.is_idle = true;
    world.run(Micros(5_800_000));
    assert!(world.clients[bob].is_active());
    world.run(Micros(600_000));
    assert_eq!(world.clients[bob].ended(), Some(SessionEnd::Kicked));
    world.run(Micros(6_000_000));
    assert!(world.clients[ann].is_active() && world.clients[dee].is_active());
}

#[test]
fn a_player_who_is_silent_and_reads_nothing_is_detached() {
    let mut world = world(|_| {});
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(30);
    // The program hangs. Nothing is heard from it, and so the connection counts as lost and not as slow.
    (world.clients[ann].reads, world.clients[ann].acts) = (false, false);
    world.run(Micros(10_500_000));
    let metrics = &world.services.metrics;
    assert_eq!((metrics.sessions_active.get(), metrics.sessions_detached.get()), (0, 1));
    // It wakes up, finds that the server has closed the connection, and goes on.
    (world.clients[ann].reads, world.clients[ann].acts) = (true, true);
    world.run_ticks(5);
    assert_eq!(world.clients[ann].ended(), Some(SessionEnd::TimedOut));
    world.connect(ann, Path::FAIR);
    world.run_ticks(30);
    assert!(world.clients[ann].is_active());
    assert_eq!(world.room.sessions(), 1);
}

#[test]
fn a_client_may_ask_for_the_time_as_long_as_it_is_there() {
    let mut world = world(|_| {});
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(10);
    for _ in 0..120 {
        let (mut message, now) = (Vec::new(), world.now());
        world.clients[ann].session.encode_ping(now, &mut message).expect("hardly any are under way");
        world.clients[ann].send(message);
        world.run(Micros(500_000));
    }
    world.assert_sound();
    let measured = world.clients[ann].session.round_trip().smoothed().expect("there are answers");
    // There and back, and up to a tick until it is read.
    assert!((Micros(50_000)..Micros(100_000)).contains(&measured), "{measured:?}");
    let text = world.services.metrics.to_text();
    let is_measured = text.lines().any(|line| line.starts_with("tickwire_round_trip_seconds_count 6"));
    assert!(is_measured, "the server has asked each second, and was answered:\n{text}");
}

#[test]
fn a_client_that_answers_no_pings_is_not_flooded_with_them() {
    let mut world = world(|_| {});
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(10);
    // Its inputs go on, and its pongs do not: a client of a poor sort, but not a dead one.
    world.clients[ann].pongs = false;
    world.run(Micros(30_000_000));
    assert!(world.clients[ann].is_active());
    world.assert_sound();
}
