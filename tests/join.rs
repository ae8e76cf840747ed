//! Who joins is welcomed with what it needs, sees the world, and is announced to others.

use tickwire_protocol::game::LevelId;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::message::{Features, InputNumbering, LevelSource, VERSION};
use tickwire_protocol::snapshot::RateMode;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::duel::{ARENAS, DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};
use tickwire_tests::walker::Walker;

#[test]
fn the_welcome_tells_what_was_agreed_on() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 1);
    world.run_ticks(10);
    let ann = world.join("Ann", Path::FAIR);
    world.run_until("Ann is in", |world| world.clients[ann].is_active());
    let welcome = world.clients[ann].session.welcome().expect("she is welcome").clone();
    let body = &welcome.body;
    assert_eq!(body.version, VERSION);
    assert_eq!(body.features, Features::PREDICTS.or(Features::WANTS_CHECKS));
    assert_eq!((body.room.id, body.room.code), (world.room.card().id, None));
    assert_eq!(body.room.name.as_str(), "duel 1");
    assert!(!body.resumed && !body.tables_follow && !body.schema_follows);
    assert_eq!((body.tick_period, body.rate, body.epoch), (Micros::period_of(30), RateMode::EveryTick, 0));
    assert!(body.profile.has_avatar && body.profile.predicts);
    assert_eq!(body.profile.capacity, 512);
    assert_eq!((body.history, body.grace), (64, Micros(30_000_000)));
    assert_eq!(body.level.content_hash, LevelId::of(ARENAS[0].as_bytes()).0);
    assert!(matches!(&body.level.source, LevelSource::Fetch(path) if path.as_str().starts_with("/levels/")));
    assert_eq!((body.next_event, body.next_command), (0, 0));
    assert_eq!((body.inputs, body.rewind_limit), (InputNumbering::Ticks, Micros(250_000)));
    assert!(body.tick.0 >= 11 && body.tick <= world.room.next_tick());
    assert!(welcome.software.is_some_and(|software| software.as_str().starts_with("tickwire/")));
}

#[test]
fn who_joins_is_announced_and_sees_those_who_are_there() {
    let mut world: World<Duelist> =
        World::new(config(), DuelConfig { sight: 900.0, ..DuelConfig::default() }, 2);
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(30);
    let bob = world.join("Bob", Path::FAIR);
    world.run_ticks(30);
    let joined = |player, name: &str| DuelEvent::Joined(PlayerId(player), name.to_owned());
    assert_eq!(events(&world.clients[ann].heard), [joined(0, "Ann"), joined(1, "Bob")]);
    assert_eq!(events(&world.clients[bob].heard), [joined(1, "Bob")]);
    // The twelve drones and the other: one's own fighter is predicted and not told.
    for place in [ann, bob] {
        let view = world.clients[place].session.view().expect("there are snapshots");
        assert_eq!(view.entries().len(), 13);
        assert!(view.avatar.is_some());
    }
    // The first snapshot of a player is of the tick that it came in with.
    let first = world.clients[bob].heard.arrivals.first().expect("there are snapshots").0;
    let welcome = world.clients[bob].session.welcome().expect("he is welcome");
    assert_eq!(first, welcome.body.tick);
    assert_eq!(world.room.sessions(), 2);
    assert_eq!(world.services.metrics.sessions_active.get(), 2);
    world.assert_sound();
}

#[test]
fn there_is_a_snapshot_for_each_tick() {
    let mut world: World<Walker> = World::new(config(), tickwire_swarm::SwarmConfig::default(), 3);
    world.join_all(8, "walker", Path::FAIR);
    world.run_ticks(300);
    for client in &world.clients {
        let ticks: Vec<Tick> = client.heard.arrivals.iter().map(|(tick, _)| *tick).collect();
        assert!(ticks.len() > 290, "{} snapshots in 300 ticks", ticks.len());
        assert!(ticks.windows(2).all(|pair| pair[1] == pair[0].next()), "no tick is left out");
    }
    world.assert_sound();
}

#[test]
fn a_client_that_wants_the_schema_and_the_tables_gets_them_first() {
    let mut world: World<Walker> = World::new(config(), tickwire_swarm::SwarmConfig::default(), 4);
    let mut wishes = world.session_config("Ann");
    wishes.features = wishes.features.or(Features::WANTS_SCHEMA);
    let ann = world.join_as(wishes, Path::FAIR);
    world.run_ticks(30);
    assert!(world.clients[ann].session.welcome().expect("she is welcome").body.schema_follows);
    assert!(world.clients[ann].heard.snapshots > 20);
    world.assert_sound();
}
