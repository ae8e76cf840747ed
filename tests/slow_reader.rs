//! A client that stops reading costs nobody else anything, and is gone when its time is over.

use std::time::Duration;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::time::Micros;
use tickwire_server::Config;
use tickwire_swarm::SwarmConfig;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};
use tickwire_tests::walker::Walker;

const NARROW: Path = Path { window: 8 << 10, ..Path::FAIR };

fn world(slow: bool) -> World<Walker> {
    let settings = Config { slow_reader_timeout: Duration::from_secs(4), ..config() };
    let game = SwarmConfig { players: 30, ..SwarmConfig::default() };
    let mut world: World<Walker> = World::new(settings, game, 18);
    world.join_all(30, "walker", NARROW);
    world.run_ticks(60);
    world.clients[7].reads = !slow;
    world
}

#[test]
fn neighbours_notice_nothing() {
    let told = |slow: bool| -> Vec<(u32, usize)> {
        let mut world = world(slow);
        world.run(Micros(3_500_000));
        world.assert_sound();
        let others = world.clients.iter().enumerate().filter(|(place, _)| *place != 7);
        others.map(|(_, client)| (client.heard.snapshots, client.heard.bytes)).collect()
    };
    assert_eq!(told(true), told(false));
}

#[test]
fn it_ends_within_the_configured_time() {
    let mut world = world(true);
    let stopped = world.now();
    // It goes on sending: it is not dead, it just does not read.
    world.run_until("the slow reader is gone", |world| world.room.sessions() == 29);
    let took = world.now().saturating_since(stopped);
    assert!((Micros(3_900_000)..Micros(4_300_000)).contains(&took), "{took:?}");
    world.clients[7].reads = true;
    world.run(Micros(200_000));
    assert_eq!(world.clients[7].ended(), Some(SessionEnd::SlowReader));
    assert!(world.services.metrics.to_text().contains("session_ends_total{reason=\"slow-reader\"} 1"));
}

#[test]
fn what_is_under_way_to_it_is_bounded() {
    let mut world = world(true);
    world.run(Micros(3_500_000));
    let pressure = world.clients[7].far.as_ref().expect("it is still there").pressure();
    assert!(pressure.most_held <= NARROW.window, "{pressure:?}");
    // Beyond the window a message or two wait in the server, and then nothing is made any more.
    assert!(pressure.most_unsent <= 2048, "{pressure:?}");
    let metrics = &world.services.metrics;
    assert!(metrics.skips_unacknowledged.get() + metrics.skips_unwritten.get() > 60);
    // When it reads again it gets what was under way, and goes on from there.
    world.clients[7].reads = true;
    world.run(Micros(2_000_000));
    assert!(world.clients[7].is_active());
    let newest = world.clients[7].heard.newest.expect("it has snapshots");
    assert!(world.room.next_tick().0 - newest.0 < 5);
    world.assert_sound();
}
