//! Who leaves is gone at once: others are told, the entity goes, the place is free, and nothing is left over.

use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::message::SessionState;
use tickwire_tests::duel::{DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

fn world() -> World<Duelist> {
    World::new(config(), DuelConfig { sight: 900.0, ..DuelConfig::default() }, 5)
}

#[test]
fn an_orderly_leave() {
    let mut world = world();
    let (ann, bob) = (world.join("Ann", Path::FAIR), world.join("Bob", Path::FAIR));
    world.run_ticks(30);
    assert_eq!(world.room.card().taken(), 2);
    assert_eq!(world.clients[ann].session.view().expect("a view").entries().len(), 13);
    world.clients[bob].leave();
    world.run_ticks(10);
    assert_eq!(world.clients[bob].ended(), Some(SessionEnd::Left));
    assert_eq!(world.clients[bob].session.state(), SessionState::Gone(SessionEnd::Left));
    let left = DuelEvent::Left(PlayerId(1), "Bob".to_owned());
    assert_eq!(events(&world.clients[ann].heard).last(), Some(&left));
    assert_eq!(world.clients[ann].session.view().expect("a view").entries().len(), 12);
    assert_eq!((world.room.sessions(), world.room.card().taken()), (1, 1));
    let metrics = &world.services.metrics;
    assert_eq!((metrics.sessions_active.get(), metrics.sessions_detached.get()), (1, 0));
    assert!(metrics.to_text().contains("tickwire_session_ends_total{reason=\"left\"} 1"));
    world.assert_sound();
}

#[test]
fn a_player_number_rests_before_it_is_somebody_elses() {
    let mut world = world();
    let ann = world.join("Ann", Path::DIRECT);
    world.run_ticks(5);
    world.clients[ann].leave();
    world.run_ticks(5);
    let bob = world.join("Bob", Path::DIRECT);
    world.run_ticks(5);
    assert_eq!(world.clients[bob].session.welcome().expect("he is welcome").body.player, PlayerId(1));
}

#[test]
fn a_token_is_worth_nothing_after_leaving() {
    let mut world = world();
    let (ann, bob) = (world.join("Ann", Path::FAIR), world.join("Bob", Path::FAIR));
    world.run_ticks(30);
    let welcome = world.clients[ann].session.welcome().expect("she is welcome");
    let (token, next_event) = (welcome.body.resume_token, world.clients[ann].heard.events.len() as u32);
    world.clients[ann].leave();
    world.run_ticks(10);
    assert_eq!(world.clients[ann].ended(), Some(SessionEnd::Left));
    let hello = world.resuming(token, next_event);
    world.connect_with(ann, Path::FAIR, hello);
    world.run_ticks(10);
    assert_eq!(world.clients[ann].ended(), Some(SessionEnd::ResumeRefused));
    assert!(world.clients[bob].is_active() && world.room.sessions() == 1);
}

#[test]
fn the_last_one_out_lets_the_room_close() {
    let mut world = world();
    let ann = world.join("Ann", Path::FAIR);
    world.run_ticks(10);
    assert!(!world.room.poll_reaped(world.now()));
    world.clients[ann].leave();
    world.run_ticks(10);
    assert!(!world.room.poll_reaped(world.now()), "not before the grace time of empty rooms");
    world.run_ticks(301);
    assert!(world.room.poll_reaped(world.now()));
    assert!(world.room.card().take_place().is_none(), "it takes nobody in now");
}
