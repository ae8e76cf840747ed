//! Events reach those whom they are for, and what is hidden is not on the wire.

use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::Micros;
use tickwire_tests::duel::{DuelCommand, DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn said(world: &World<Duelist>, place: usize) -> Vec<String> {
    let texts = events(&world.clients[place].heard).into_iter().filter_map(|event| match event {
        DuelEvent::Said(_, text) => Some(text),
        _ => None,
    });
    texts.collect()
}

fn world(sight: f32) -> World<Duelist> {
    let mut world = World::new(config(), DuelConfig { sight, ..DuelConfig::default() }, 48);
    world.join_all(4, "duelist", Path::FAIR);
    world.run_ticks(30);
    world
}

#[test]
fn talk_goes_to_all_to_a_team_or_to_those_who_are_near() {
    let mut world = world(900.0);
    world.command(0, &DuelCommand::SayAll("all".into()));
    world.command(0, &DuelCommand::SayTeam("team".into()));
    world.command(1, &DuelCommand::SayNear("near".into(), 1000.0));
    world.command(1, &DuelCommand::SayNear("here".into(), 4.0));
    world.run_ticks(20);
    assert_eq!(said(&world, 0), ["all", "team", "near"]);
    assert_eq!(said(&world, 1), ["all", "near", "here"]);
    assert_eq!(said(&world, 2), ["all", "team", "near"]);
    assert_eq!(said(&world, 3), ["all", "near"]);
}

#[test]
fn a_cloaked_fighter_is_only_told_to_its_team() {
    let mut world = world(900.0);
    let sees = |world: &World<Duelist>| -> Vec<usize> {
        world.clients.iter().map(|client| client.session.view().expect("a view").entries().len()).collect()
    };
    assert_eq!(sees(&world), [15; 4]);
    world.command(0, &DuelCommand::Cloak(true));
    world.run_ticks(10);
    assert_eq!(sees(&world), [15, 14, 15, 14]);
    // Nor does its voice betray where it stands.
    world.command(0, &DuelCommand::SayNear("psst".into(), 1000.0));
    world.run_ticks(10);
    assert_eq!([0, 1, 2, 3].map(|place| said(&world, place).len()), [1, 0, 1, 0]);
    world.command(0, &DuelCommand::Cloak(false));
    world.run_ticks(10);
    assert_eq!(sees(&world), [15; 4]);
    world.assert_sound();
}

#[test]
fn what_is_far_is_not_told() {
    let mut world = world(60.0);
    world.run_ticks(300);
    let most =
        world.clients.iter().map(|client| client.session.view().expect("a view").entries().len()).max();
    assert!(most < Some(12), "{most:?}");
    world.assert_sound();
}

#[test]
fn many_events_are_told_over_several_ticks_and_do_not_displace_snapshots() {
    let mut world = world(120.0);
    let before = world.clients[1].heard.snapshots;
    for _ in 0..3 {
        world.command(0, &DuelCommand::Babble(600, 20));
        world.run_ticks(10);
    }
    world.run_ticks(30);
    assert_eq!(said(&world, 1).len(), 1800);
    assert!(world.clients[1].heard.snapshots - before > 55);
    world.assert_sound();
}

#[test]
fn who_does_not_acknowledge_events_is_ended_by_name() {
    let mut world = world(120.0);
    let far = world.clients[3].far.as_ref().expect("it is there");
    far.stall_until(world.now() + Micros(8_000_000));
    for _ in 0..5 {
        world.command(0, &DuelCommand::Babble(1000, 10));
        world.run_ticks(30);
    }
    assert_eq!(world.room.sessions(), 3);
    assert!(world.services.metrics.to_text().contains("session_ends_total{reason=\"event-overflow\"} 1"));
    world.run(Micros(8_000_000));
    assert_eq!(world.clients[3].ended(), Some(SessionEnd::EventOverflow));
    assert_eq!(said(&world, 1).len(), 5000);
    let left = DuelEvent::Left(PlayerId(3), "duelist 3".to_owned());
    assert!(events(&world.clients[1].heard).contains(&left));
}
