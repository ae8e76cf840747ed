//! A full room refuses by name; a spectator takes a place of the room but none of the game.

use tickwire_protocol::end::{ComeBack, SessionEnd};
use tickwire_protocol::message::Refusal;
use tickwire_server::Config;
use tickwire_tests::duel::{DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn refusal<B: tickwire_tests::sim::Brain>(world: &World<B>, place: usize) -> Refusal {
    let refusals = &world.clients[place].heard.refusals;
    assert_eq!(refusals.len(), 1);
    assert_eq!(world.clients[place].ended(), Some(refusals[0].end()));
    refusals[0].clone()
}

#[test]
fn a_full_game_refuses_players_and_takes_spectators() {
    let game = DuelConfig { players: 2, sight: 900.0, ..DuelConfig::default() };
    let mut world: World<Duelist> = World::new(config(), game, 6);
    let ann = world.join("Ann", Path::FAIR);
    world.join("Bob", Path::FAIR);
    world.run_ticks(10);
    let cid = world.join("Cid", Path::FAIR);
    let mut watching = world.session_config("Dee");
    watching.spectator = true;
    let dee = world.join_as(watching, Path::FAIR);
    world.run_ticks(60);
    assert_eq!(refusal(&world, cid).end(), SessionEnd::RoomFull);
    assert_eq!(
        refusal(&world, cid).end().come_back(),
        ComeBack::After(tickwire_protocol::time::Micros(5_000_000))
    );
    assert_eq!((world.room.sessions(), world.room.card().taken()), (3, 3));
    // The one who was refused was never there, as far as others are told.
    let named = |event: &DuelEvent| matches!(event, DuelEvent::Joined(_, name) if name == "Cid");
    assert!(!events(&world.clients[ann].heard).iter().any(named));
    // A spectator has no avatar, is told of everybody, and acknowledges, or it would not be told for long.
    let client = &world.clients[dee];
    let profile = client.session.welcome().expect("she is welcome").body.profile;
    assert!(!profile.has_avatar && !profile.predicts);
    let view = client.session.view().expect("there are snapshots");
    assert_eq!((view.entries().len(), view.avatar.as_ref()), (14, None));
    assert!(client.heard.snapshots > 50);
    world.assert_sound();
    // Places come back.
    world.clients[ann].leave();
    world.run_ticks(10);
    let eve = world.join("Eve", Path::FAIR);
    world.run_ticks(10);
    assert!(world.clients[eve].is_active());
}

#[test]
fn a_room_has_places_for_so_many() {
    let settings = Config { room_capacity: 2, ..config() };
    let mut world: World<Duelist> = World::new(settings, DuelConfig::default(), 7);
    world.join("Ann", Path::FAIR);
    world.join("Bob", Path::FAIR);
    world.run_ticks(5);
    let cid = world.join("Cid", Path::FAIR);
    world.run_ticks(10);
    assert_eq!(refusal(&world, cid).end(), SessionEnd::RoomFull);
    assert_eq!(world.room.sessions(), 2);
}

#[test]
fn a_name_that_the_game_does_not_like() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 8);
    let nobody = world.join("Nobody", Path::FAIR);
    world.run_ticks(10);
    assert_eq!(refusal(&world, nobody).end(), SessionEnd::NameRefused);
    assert_eq!((world.room.sessions(), world.room.card().taken()), (0, 0));
}

#[test]
fn a_spectator_who_sends_inputs_is_out_of_order() {
    let mut world: World<Duelist> = World::new(config(), DuelConfig::default(), 9);
    let mut watching = world.session_config("Dee");
    watching.spectator = true;
    let dee = world.join_as(watching, Path::FAIR);
    world.run_ticks(30);
    let mut message = Vec::new();
    world.clients[dee].session.encode_inputs(31, &[0; 4], None, &mut message);
    world.clients[dee].send(message);
    world.run_ticks(5);
    assert_eq!(world.clients[dee].ended(), Some(SessionEnd::OutOfOrder));
}
