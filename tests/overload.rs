//! The ladder of overload: before a room slips it sends every second snapshot, says so, and comes back.

use tickwire_protocol::message::{Notice, NoticeKind};
use tickwire_protocol::snapshot::RateMode;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::duel::DuelConfig;
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn rates(notices: &[Notice]) -> Vec<RateMode> {
    let rates = notices.iter().filter_map(|notice| match notice.kind {
        NoticeKind::Rate(rate) => Some(rate),
        _ => None,
    });
    rates.collect()
}

#[test]
fn a_room_short_of_time_sends_every_second_snapshot() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 43);
    world.join_all(6, "duelist", Path::FAIR);
    world.run_ticks(60);
    world.tick_cost = Micros(31_500);
    world.run_ticks(120);
    for client in &world.clients {
        assert_eq!(rates(&client.heard.notices), [RateMode::EverySecondTick]);
        assert_eq!(client.session.view().expect("a view").rate, RateMode::EverySecondTick);
    }
    let before: Vec<u32> = world.clients.iter().map(|client| client.heard.snapshots).collect();
    let seen = world.clients[0].heard.arrivals.len();
    world.run_ticks(60);
    for (client, before) in world.clients.iter().zip(before) {
        let told = client.heard.snapshots - before;
        assert!((29..=31).contains(&told), "{told} snapshots in 60 ticks");
    }
    let ticks: Vec<Tick> = world.clients[0].heard.arrivals[seen..].iter().map(|(tick, _)| *tick).collect();
    assert!(ticks.iter().all(|tick| tick.0.is_multiple_of(2)), "{ticks:?}");
    // Somebody who comes now is told.
    let late = world.join("Late", Path::FAIR);
    world.run_ticks(30);
    let welcome = world.clients[late].session.welcome().expect("there is room");
    assert_eq!(welcome.body.rate, RateMode::EverySecondTick);
    world.tick_cost = Micros(2_000);
    world.run_ticks(90);
    for client in &world.clients {
        assert_eq!(rates(&client.heard.notices).last(), Some(&RateMode::EveryTick));
        assert_eq!(client.session.view().expect("a view").rate, RateMode::EveryTick);
        assert_eq!(client.brain.corrected, 0);
    }
    world.assert_sound();
    let metrics = &world.services.metrics;
    assert_eq!(metrics.slipped_ticks.get(), 0);
    assert!(metrics.thinned_ticks.get() > 60);
    assert_eq!(metrics.inputs_rejected.get(), 0, "no input is dropped because the server is late");
}

#[test]
fn beyond_that_it_slips() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 44);
    world.join_all(3, "duelist", Path::FAIR);
    world.run_ticks(60);
    world.tick_cost = Micros(50_000);
    let (before, start) = (world.room.next_tick(), world.now());
    world.run_ticks(60);
    let took = world.now().saturating_since(start);
    assert!(took >= Micros(60 * 50_000), "ticks are never squeezed: {took:?}");
    assert_eq!(world.room.next_tick(), Tick(before.0 + 60));
    assert!(world.services.metrics.slipped_ticks.get() >= 29);
    world.tick_cost = Micros(0);
    world.run_ticks(120);
    world.assert_sound();
    assert!(world.clients.iter().all(|client| client.is_active()));
}
