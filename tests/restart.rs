//! A client that acknowledges nothing any more is told everything anew, and so finds back to the truth.

use tickwire_protocol::message::InputHeader;
use tickwire_protocol::time::Micros;
use tickwire_tests::duel::DuelConfig;
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

/// The message of a client that holds no snapshot.
fn nothing() -> Vec<u8> {
    let form = tickwire_protocol::game::InputForm::<tickwire_tests::duel::Stick>::new();
    let (mut bytes, mut scratch) = (Vec::new(), tickwire_protocol::wire::bits::BitWriter::new());
    InputHeader::default().encode(form.expect("a stick has a form").codec(), &[], &mut scratch, &mut bytes);
    bytes
}

fn world() -> World<Duelist> {
    let mut world = World::new(config(), DuelConfig { sight: 900.0, ..DuelConfig::default() }, 46);
    world.join_all(3, "duelist", Path::FAIR);
    world.run_ticks(60);
    world
}

#[test]
fn who_acknowledges_none_is_told_everything_anew() {
    let mut world = world();
    assert_eq!(world.clients[1].brain.anew, 1);
    world.clients[1].send(nothing());
    world.run_ticks(20);
    assert_eq!(world.clients[1].brain.anew, 2, "once, and not for each message");
    world.run_ticks(60);
    world.assert_sound();
    assert_eq!(world.clients[1].session.view().expect("a view").entries().len(), 14);
    assert!(world.clients.iter().all(|client| client.brain.corrected == 0));
    assert_eq!((world.clients[0].brain.anew, world.clients[2].brain.anew), (1, 1));
}

#[test]
fn a_wrong_prediction_is_found_and_healed() {
    let mut world = world();
    world.clients[0].brain.confusion = 3;
    world.run_ticks(30);
    let heard = &world.clients[0].heard;
    assert!(heard.disagreed > 0 && heard.desyncs == 1, "it was wrong and found out: {heard:?}");
    let wrong = heard.disagreed;
    assert!(wrong <= 12, "within eight ticks and the round trip: {wrong}");
    world.run_ticks(90);
    let client = &world.clients[0];
    assert_eq!((client.heard.disagreed, client.heard.desyncs, client.brain.anew), (wrong, 1, 2));
    assert_eq!(client.session.restarts(), 1);
    assert!(world.clients.iter().skip(1).all(|client| client.heard.disagreed == 0));
}

#[test]
fn who_never_had_a_snapshot_is_told_everything_anew_too() {
    let mut world = world();
    let late = world.join("Late", Path::FAIR);
    // It reads, but whatever it says, it says that it holds nothing.
    world.clients[late].acts = false;
    let mut anew = 0;
    for _ in 0..40 {
        world.run(Micros(100_000));
        world.clients[late].send(nothing());
        anew = world.clients[late].brain.anew;
    }
    assert!((3..=8).contains(&anew), "about once in the time that acknowledgements may take: {anew}");
    world.clients[late].acts = true;
    world.run_ticks(90);
    assert!(world.clients[late].is_active());
    world.assert_sound();
}
