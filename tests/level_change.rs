//! The room goes on in another level: clients are told in time, and nobody's knowledge or prediction suffers.

use tickwire_protocol::game::LevelId;
use tickwire_protocol::message::{LevelSource, NoticeKind};
use tickwire_protocol::time::Micros;
use tickwire_tests::duel::{ARENAS, DuelCommand, DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn world() -> World<Duelist> {
    let mut world = World::new(config(), DuelConfig::default(), 45);
    world.join_all(4, "duelist", Path::FAIR);
    world.run_ticks(60);
    world
}

#[test]
fn everybody_is_told_and_goes_on() {
    let mut world = world();
    world.command(0, &DuelCommand::Level(1));
    world.run_ticks(60);
    let hash = LevelId::of(ARENAS[1].as_bytes());
    for client in &world.clients {
        let levels = client.heard.notices.iter().filter_map(|notice| match &notice.kind {
            NoticeKind::Level(level) => Some(level.clone()),
            _ => None,
        });
        let levels: Vec<_> = levels.collect();
        assert_eq!(levels.len(), 1);
        assert_eq!((levels[0].epoch, levels[0].content_hash), (1, hash.0));
        let path = format!("/levels/{hash}");
        assert!(matches!(&levels[0].source, LevelSource::Fetch(source) if source.as_str() == path));
        let arenas = events(&client.heard).iter().filter(|event| **event == DuelEvent::Arena).count();
        assert_eq!(arenas, 1);
        assert_eq!((client.brain.corrected, client.heard.desyncs), (0, 0), "the step knows the new level");
    }
    // It is there to be fetched, and who comes now has it from the welcome.
    let published = world.room.card().level.lock().clone();
    assert_eq!((published.0, &published.1[..]), (hash.0, ARENAS[1].as_bytes()));
    let late = world.join("Late", Path::FAIR);
    world.run_ticks(20);
    let welcome = world.clients[late].session.welcome().expect("there is room");
    assert_eq!((welcome.body.level.epoch, welcome.body.level.content_hash), (1, hash.0));
    world.assert_sound();
}

#[test]
fn who_was_skipped_meanwhile_is_not_led_astray() {
    let mut world = world();
    let end = world.now() + Micros(1_500_000);
    for client in &world.clients[1..] {
        client.far.as_ref().expect("it is there").stall_until(end);
    }
    // The server has stopped sending to them by now: their next snapshots span the changes. The smaller arena
    // pushes whoever is outside of it to its walls, in ticks that they are not told.
    world.run(Micros(1_000_000));
    for level in [1, 0] {
        world.command(0, &DuelCommand::Level(level));
        world.run_ticks(4);
    }
    world.run_ticks(90);
    assert!(world.clients[2].heard.snapshots < world.clients[0].heard.snapshots - 10);
    world.assert_sound();
    assert!(world.clients.iter().all(|client| client.heard.desyncs == 0));
}
