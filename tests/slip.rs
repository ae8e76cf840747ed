//! A room whose clock falls behind gives up whole periods: it says so, and never makes up for them.

use tickwire_protocol::message::{Notice, NoticeKind};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::duel::{DuelConfig, Recorded, start_recording, stop_recording};
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn slips(notices: &[Notice]) -> Vec<(u16, u32)> {
    let slips = notices.iter().filter_map(|notice| match notice.kind {
        NoticeKind::Slip { epoch, ticks } => Some((epoch, ticks)),
        _ => None,
    });
    slips.collect()
}

#[test]
fn a_jump_of_the_clock_is_a_slip() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 40);
    world.join_all(4, "duelist", Path::FAIR);
    world.run_ticks(60);
    let (due, before) = (world.room.due(), world.room.next_tick());
    start_recording();
    // Ten and a half periods after the next tick was due.
    world.clock.advance(Micros(due.0 - world.now().0 + 350_000));
    world.step();
    assert_eq!(world.room.next_tick(), before.next(), "one tick and no more");
    let period = world.services.config.period();
    assert_eq!(world.room.due(), Micros(due.0 + 11 * period.0), "the rhythm is the old one");
    world.step();
    assert_eq!(world.room.next_tick(), before.next(), "no burst");
    world.run_ticks(120);
    assert_eq!(stop_recording().iter().filter(|entry| matches!(entry, Recorded::Tick(..))).count(), 121);
    world.assert_sound();
    for client in &world.clients {
        assert_eq!(slips(&client.heard.notices), [(1, 10)]);
        assert_eq!(client.session.view().expect("a view").epoch, 1);
        let ticks: Vec<Tick> = client.heard.arrivals.iter().map(|(tick, _)| *tick).collect();
        assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
        // Clients that anchor their clocks anew are in time again, and predict all along.
        assert!(client.brain.leads.iter().rev().take(60).all(|lead| (0..200).contains(lead)));
        assert_eq!(client.brain.corrected, 0);
    }
    let metrics = &world.services.metrics;
    assert_eq!((metrics.slipped_ticks.get(), metrics.late_ticks.get()), (10, 1));
}

#[test]
fn lateness_of_less_than_a_period_is_made_up_for() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 41);
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(30);
    let due = world.room.due();
    world.clock.advance(Micros(due.0 - world.now().0 + 25_000));
    world.step();
    assert_eq!(world.room.due(), Micros(due.0 + world.services.config.period().0));
    world.run_ticks(30);
    assert_eq!(
        (slips(&world.clients[ann].heard.notices), world.services.metrics.slipped_ticks.get()),
        (vec![], 0)
    );
    assert_eq!(world.services.metrics.late_ticks.get(), 1);
    assert_eq!(world.clients[ann].session.view().expect("a view").epoch, 0);
}

#[test]
fn who_joins_or_resumes_later_is_told_the_epoch() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 42);
    world.run_ticks(5);
    for _ in 0..3 {
        world.clock.advance(Micros(100_000));
        world.run_ticks(5);
    }
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(30);
    assert_eq!(world.clients[ann].session.welcome().expect("she is welcome").body.epoch, 3);
    assert_eq!(world.clients[ann].session.view().expect("a view").epoch, 3);
    assert_eq!(slips(&world.clients[ann].heard.notices), []);
    world.assert_sound();
}
