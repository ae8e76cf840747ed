//! Whatever the network does, each client knows what the server thinks that it knows, after every snapshot.

use std::time::Duration;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::time::Micros;
use tickwire_server::Config;
use tickwire_swarm::SwarmConfig;
use tickwire_tests::duel::DuelConfig;
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{Brain, World, config};
use tickwire_tests::walker::Walker;

const ROUGH: Path = Path { delay: Micros(40_000), jitter: Micros(60_000), window: 64 << 10 };

/// Stalls every connection now and then, for up to two seconds.
fn run_rough<B: Brain>(world: &mut World<B>, seed: u64, seconds: u32) {
    let mut random = SimRng::from_u64(seed);
    for _ in 0..seconds * 10 {
        world.run(Micros(100_000));
        for client in &world.clients {
            if let Some(far) = client.far.as_ref().filter(|_| random.chance(0.02)) {
                far.stall_until(world.now() + Micros(u64::from(random.u32_up_to(2_000_000))));
            }
        }
    }
}

#[test]
fn walkers_converge_through_stalls_and_jitter() {
    let game = SwarmConfig { players: 40, ..SwarmConfig::default() };
    let mut world: World<Walker> = World::new(config(), game, 10);
    world.join_all(40, "walker", ROUGH);
    run_rough(&mut world, 11, 60);
    world.assert_sound();
    let metrics = &world.services.metrics;
    assert!(metrics.skips_unacknowledged.get() > 100, "stalls make the server skip");
    let agreed: u32 = world.clients.iter().map(|client| client.heard.agreed).sum();
    assert!(agreed > 20 * 30 * 40, "{agreed} checks in a minute for the 20 clients who want them");
    assert!(world.clients.iter().all(|client| client.is_active()), "a stall ends nothing");
}

#[test]
fn a_tight_budget_makes_news_wait_and_confuses_nobody() {
    let game = SwarmConfig { players: 60, ..SwarmConfig::default() };
    let settings = Config { snapshot_budget_bytes: 64, ..config() };
    let mut world: World<Walker> = World::new(settings, game, 12);
    world.join_all(60, "walker", ROUGH);
    run_rough(&mut world, 13, 30);
    world.assert_sound();
    assert!(world.services.metrics.encodings_late.get() > 0, "some news were late");
}

#[test]
fn duelists_converge_and_their_predictions_heal() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 14);
    world.join_all(16, "duelist", ROUGH);
    run_rough(&mut world, 15, 60);
    for client in &world.clients {
        assert_eq!((client.heard.error, client.heard.disagreed), (None, 0));
        assert!(client.is_active() && client.heard.snapshots > 30 * 40);
        // Held, neutral and late inputs are known to both ends alike.
        assert_eq!((client.brain.corrected, client.heard.desyncs, client.heard.missed), (0, 0, 0));
    }
    assert!(world.services.metrics.inputs_missing.get() > 100, "stalls starve the server of inputs");
}

#[test]
fn people_come_and_go_and_nobody_is_taken_for_another() {
    let settings = Config { grace: Duration::from_secs(2), room_capacity: 40, ..config() };
    let game = DuelConfig { players: 40, drones: 4, sight: 900.0 };
    let mut world: World<Duelist> = World::new(settings, game, 18);
    let mut random = SimRng::from_u64(19);
    world.join_all(20, "duelist", ROUGH);
    for _ in 0..120 {
        world.run(Micros(500_000));
        let there: Vec<usize> =
            (0..world.clients.len()).filter(|at| world.clients[*at].is_active()).collect();
        let place = *random.pick(&there).expect("there is somebody");
        match random.u32_up_to(2) {
            0 => world.clients[place].leave(),
            1 => world.clients[place].far.iter().for_each(|far| far.cut()),
            _ => {
                world.clients[place].far.iter().for_each(|far| far.cut());
                world.run(Micros(u64::from(random.u32_up_to(1_500_000))));
                world.connect(place, ROUGH);
            }
        }
        if there.len() < 24 {
            world.join_all(1, "duelist", ROUGH);
        }
    }
    world.run(Micros(4_000_000));
    world.assert_sound();
    let there = world.clients.iter().filter(|client| client.is_active()).count();
    let metrics = &world.services.metrics;
    assert_eq!((world.room.sessions(), world.room.card().taken()), (there, there));
    let gauges = (metrics.sessions_active.get(), metrics.sessions_detached.get());
    assert_eq!(gauges, (there as i64, 0));
    for client in world.clients.iter().filter(|client| client.is_active()) {
        assert_eq!(client.session.view().expect("a view").entries().len(), 4 + there - 1, "{}", client.name);
        assert_eq!((client.brain.corrected, client.heard.desyncs), (0, 0), "{}", client.name);
    }
}
