//! With every input consumed as sent and nobody interfering, the server never corrects an avatar.

use tickwire_protocol::snapshot::Consumed;
use tickwire_tests::duel::{DuelCommand, DuelConfig};
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

#[test]
fn nobody_is_corrected_without_a_reason() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 16);
    world.join_all(8, "duelist", Path::FAIR);
    world.run_ticks(1800);
    world.assert_sound();
    for client in &world.clients {
        let brain = &client.brain;
        assert_eq!((brain.corrected, client.heard.desyncs), (0, 0));
        assert!(brain.predicted > 1750, "{} of 1800 were predicted", brain.predicted);
        let others = brain.consumed.values().filter(|consumed| **consumed != Consumed::Own).count();
        assert!(others < 10, "{others} inputs were not the own, all of them at the start");
        assert!(brain.leads.len() > 1700 && brain.leads.iter().skip(10).all(|lead| *lead >= 0));
    }
}

#[test]
fn a_shove_costs_one_correction_each() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 17);
    world.join_all(4, "duelist", Path::FAIR);
    world.run_ticks(60);
    for _ in 0..5 {
        world.command(0, &DuelCommand::Shove);
        world.run_ticks(20);
    }
    world.assert_sound();
    let corrected: Vec<u32> = world.clients.iter().map(|client| client.brain.corrected).collect();
    assert_eq!(corrected, [0, 5, 5, 5]);
    assert!(world.clients.iter().all(|client| client.heard.desyncs == 0));
}
