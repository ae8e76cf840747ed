//! A player who loses the connection finds back to where it was, and only its token lets it.

use std::time::Duration;
use tickwire_protocol::client::Session;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::{ResumeToken, SessionState};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::Config;
use tickwire_server::session::TokenHash;
use tickwire_swarm::SwarmConfig;
use tickwire_tests::duel::{DuelCommand, DuelConfig, DuelEvent};
use tickwire_tests::duelist::{Duelist, events};
use tickwire_tests::net::{FromServer, Path};
use tickwire_tests::sim::{World, config};
use tickwire_tests::walker::Walker;

/// A room with Ann and Bob, a second old.
fn world() -> World<Duelist> {
    let settings = Config {
        grace: Duration::from_secs(5),
        dead_peer_timeout: Duration::from_secs(3),
        slow_reader_timeout: Duration::from_secs(3),
        ..config()
    };
    let game = DuelConfig { sight: 900.0, ..DuelConfig::default() };
    let mut world: World<Duelist> = World::new(settings, game, 30);
    world.join("Ann", Path::FAIR);
    world.join("Bob", Path::FAIR);
    world.run_ticks(30);
    world
}

fn gauges(world: &World<Duelist>) -> [i64; 2] {
    let metrics = &world.services.metrics;
    [metrics.sessions_active.get(), metrics.sessions_detached.get()]
}

fn said(world: &World<Duelist>, place: usize) -> Vec<String> {
    let texts = events(&world.clients[place].heard).into_iter().filter_map(|event| match event {
        DuelEvent::Said(_, text) => Some(text),
        _ => None,
    });
    texts.collect()
}

fn token(world: &World<Duelist>, place: usize) -> ResumeToken {
    world.clients[place].session.welcome().expect("it was let in").body.resume_token
}

/// The first event that a client has not heard.
fn next_event(world: &World<Duelist>, place: usize) -> u32 {
    world.clients[place].heard.events.len() as u32
}

#[test]
fn a_dropped_connection_is_taken_up_again() {
    let mut world = world();
    let player = world.clients[0].session.welcome().expect("she is welcome").body.player;
    world.command(1, &DuelCommand::SayAll("one".into()));
    world.run_ticks(10);
    world.clients[0].far.as_ref().expect("she is there").cut();
    world.run_ticks(10);
    assert_eq!((gauges(&world), world.room.sessions()), ([1, 1], 2));
    assert_eq!(world.clients[0].session.state(), SessionState::Detached);
    assert_eq!(world.room.card().taken(), 2, "her place is kept");
    for text in ["two", "three"] {
        world.command(1, &DuelCommand::SayAll(text.into()));
        world.run_ticks(10);
    }
    // Her fighter stands in the world for others to see, and slows down.
    assert_eq!(world.clients[1].session.view().expect("a view").entries().len(), 13);
    let before = world.clients[0].heard.snapshots;
    world.connect(0, Path::FAIR);
    world.run_ticks(10);
    world.command(1, &DuelCommand::SayAll("four".into()));
    world.run_ticks(60);
    let client = &world.clients[0];
    let welcome = &client.session.welcome().expect("she is welcome").body;
    assert!(welcome.resumed && client.is_active());
    assert_eq!((welcome.player, welcome.next_event), (player, 3));
    assert_eq!(said(&world, 0), ["one", "two", "three", "four"], "no gap and none twice");
    assert_eq!(said(&world, 1), ["one", "two", "three", "four"]);
    assert!(client.heard.snapshots > before + 60);
    assert_eq!(client.session.view().expect("a view").entries().len(), 13, "the view is told anew");
    assert_eq!((gauges(&world), world.room.card().taken()), ([2, 0], 2));
    assert_eq!(client.brain.corrected, 0);
    let moved = |event: &&DuelEvent| matches!(event, DuelEvent::Joined(..) | DuelEvent::Left(..));
    assert_eq!(events(&world.clients[1].heard).iter().filter(moved).count(), 2, "nobody left or came since");
    world.assert_sound();
}

#[test]
fn events_that_were_under_way_come_again() {
    let mut world = world();
    // What is sent into a silent cable is lost with it.
    world.clients[0].far.as_ref().expect("she is there").cut_silently();
    for number in 0..20 {
        world.command(1, &DuelCommand::SayAll(number.to_string()));
        world.run_ticks(2);
    }
    world.connect(0, Path::FAIR);
    world.run_ticks(30);
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(said(&world, 0), expected);
    assert_eq!(said(&world, 1), expected);
    world.assert_sound();
}

#[test]
fn commands_go_on_where_they_were() {
    let mut world = world();
    world.command(0, &DuelCommand::SayAll("a".into()));
    world.run_ticks(5);
    world.clients[0].far.as_ref().expect("she is there").cut();
    world.run_ticks(5);
    world.connect(0, Path::FAIR);
    world.run_ticks(10);
    assert_eq!(world.clients[0].session.welcome().expect("she is welcome").body.next_command, 1);
    world.command(0, &DuelCommand::SayAll("b".into()));
    world.run_ticks(10);
    assert_eq!(said(&world, 1), ["a", "b"]);
}

#[test]
fn a_half_open_connection_is_taken_over() {
    let mut world = world();
    let mut old = world.clients[0].far.take().expect("she is there");
    world.clients[0].session.handle_disconnected();
    world.connect(0, Path::FAIR);
    world.run_ticks(30);
    assert!(world.clients[0].is_active());
    assert_eq!((gauges(&world), world.room.sessions()), ([2, 0], 2));
    // The other end of the old connection, had it been alive, would have been told why.
    let mut last = None;
    while let Some(item) = old.poll(world.now()) {
        last = Some(item);
    }
    assert_eq!(last, Some(FromServer::Closed(SessionEnd::Replaced)));
    old = world.clients[0].far.take().expect("she is there");
    drop(old);
    world.assert_sound();
    assert!(events(&world.clients[1].heard).iter().all(|event| !matches!(event, DuelEvent::Left(..))));
}

#[test]
fn a_wrong_token_changes_nothing() {
    let mut world = world();
    let thief = world.join("Tom", Path::FAIR);
    world.run_ticks(10);
    let before = world.room.sessions();
    let hello = world.resuming(ResumeToken::new([9; 16]).expect("it is not empty"), 0);
    world.clients[thief].far = None;
    world.connect_with(thief, Path::FAIR, hello);
    world.run_ticks(20);
    assert_eq!(world.clients[thief].ended(), Some(SessionEnd::ResumeRefused));
    assert_eq!(world.room.sessions(), before);
    // A right token with an event that was never told.
    let hello = world.resuming(token(&world, 0), 4000);
    world.connect_with(thief, Path::FAIR, hello);
    world.run_ticks(20);
    assert_eq!(world.clients[thief].ended(), Some(SessionEnd::ResumeRefused));
    let ann = &world.clients[0];
    assert!(ann.is_active() && ann.heard.closed.is_empty());
    assert_eq!((ann.brain.corrected, ann.heard.disagreed), (0, 0));
    assert!(world.room.next_tick().0 - ann.heard.newest.expect("snapshots").0 < 4);
}

#[test]
fn the_old_token_is_valid_until_the_first_message() {
    let mut world = world();
    let first = token(&world, 0);
    // The welcome with the second token gets lost: the client never says a word after it.
    for _ in 0..3 {
        world.clients[0].far = None;
        let hello = world.resuming(first, next_event(&world, 0));
        world.connect_with(0, Path::FAIR, hello);
        let far = world.clients[0].far.as_ref().expect("she is there");
        far.stall_until(Micros(u64::MAX));
        world.run_ticks(10);
        let far = world.clients[0].far.as_ref().expect("she is there");
        assert!(far.pressure().most_held > 200, "she is let in, and does not hear of it");
    }
    assert_eq!(world.room.sessions(), 2);
    // The client itself still has the first token, and it is good.
    world.clients[0].session.handle_disconnected();
    world.clients[0].far = None;
    world.connect(0, Path::FAIR);
    world.run_ticks(20);
    assert!(world.clients[0].is_active());
    let second = token(&world, 0);
    assert_ne!(TokenHash::of(&first), TokenHash::of(&second));
    // It has spoken since: now only the second is.
    let thief = world.join("Tom", Path::FAIR);
    world.run_ticks(10);
    world.clients[thief].far = None;
    let hello = world.resuming(first, next_event(&world, 0));
    world.connect_with(thief, Path::FAIR, hello);
    world.run_ticks(10);
    assert_eq!(world.clients[thief].ended(), Some(SessionEnd::ResumeRefused));
    assert!(world.clients[0].is_active());
    // And the second is good for the next time.
    world.clients[0].far.as_ref().expect("she is there").cut();
    world.run_ticks(10);
    world.connect(0, Path::FAIR);
    world.run_ticks(20);
    assert!(world.clients[0].is_active());
    assert_eq!(world.clients[0].brain.corrected, 0);
}

#[test]
fn both_tokens_are_good_while_the_client_is_silent() {
    for take_second in [false, true] {
        let mut world = world();
        let first = token(&world, 0);
        world.clients[0].acts = false;
        world.connect(0, Path::FAIR);
        world.run_ticks(10);
        let second = token(&world, 0);
        assert_ne!(TokenHash::of(&first), TokenHash::of(&second));
        let hello = world.resuming(if take_second { second } else { first }, next_event(&world, 0));
        world.clients[0].far = None;
        world.clients[0].session = Session::new(world.session_config("Ann"));
        world.connect_with(0, Path::FAIR, hello);
        world.run_ticks(10);
        assert!(world.clients[0].heard.refusals.is_empty());
        assert_eq!(world.room.sessions(), 2);
        assert_eq!(gauges(&world), [2, 0]);
    }
}

#[test]
fn the_inputs_of_a_stream_keep_their_numbers() {
    let mut world: World<Walker> = World::new(config(), SwarmConfig::default(), 31);
    let ann = world.join("Ann", Path::DIRECT);
    world.run_ticks(10);
    // As many as a client sends in half an hour.
    for _ in 0..1400 {
        let mut message = Vec::new();
        let session = &mut world.clients[ann].session;
        session.encode_inputs(session.next_input(), &[127; 96], None, &mut message);
        world.clients[ann].send(message);
        world.run_ticks(1);
    }
    let accepted = world.services.metrics.inputs_accepted.get();
    assert!(accepted > 40_000);
    world.clients[ann].far.as_ref().expect("she is there").cut();
    world.run_ticks(5);
    world.connect(ann, Path::DIRECT);
    world.run_ticks(300);
    assert!(world.clients[ann].is_active(), "{:?}", world.clients[ann].ended());
    let metrics = &world.services.metrics;
    assert!(metrics.inputs_accepted.get() > accepted + 200);
    assert_eq!((metrics.inputs_duplicate.get(), metrics.inputs_rejected.get()), (0, 0));
    world.assert_sound();
}

#[test]
fn after_the_grace_time_the_player_is_gone() {
    let mut world = world();
    world.clients[0].far.as_ref().expect("she is there").cut();
    world.run(Micros(4_800_000));
    assert_eq!(gauges(&world), [1, 1]);
    world.run(Micros(400_000));
    assert_eq!((gauges(&world), world.room.sessions(), world.room.card().taken()), ([1, 0], 1, 1));
    assert!(
        matches!(events(&world.clients[1].heard).last(), Some(DuelEvent::Left(_, name)) if name == "Ann")
    );
    assert!(world.services.metrics.to_text().contains("session_ends_total{reason=\"connection-lost\"} 1"));
    world.connect(0, Path::FAIR);
    world.run_ticks(10);
    assert_eq!(world.clients[0].ended(), Some(SessionEnd::ResumeRefused));
    world.clients[1].leave();
    world.run_ticks(10);
    assert_eq!((gauges(&world), world.room.sessions(), world.room.card().taken()), ([0, 0], 0, 0));
}

#[test]
fn a_dead_connection_is_noticed_and_the_player_may_come_back() {
    let mut world = world();
    let cut = world.now();
    world.clients[0].far.as_ref().expect("she is there").cut_silently();
    world.run_until("she is detached", |world| gauges(world) == [1, 1]);
    let took = world.now().saturating_since(cut);
    assert!((Micros(2_800_000)..Micros(3_200_000)).contains(&took), "{took:?}");
    world.connect(0, Path::FAIR);
    world.run_ticks(30);
    assert!(world.clients[0].is_active());
    assert_eq!(gauges(&world), [2, 0]);
    world.assert_sound();
}

#[test]
fn who_resumes_in_another_program_is_told_everything_anew() {
    let mut world = world();
    let ticks: Vec<Tick> = world.clients[0].heard.arrivals.iter().map(|(tick, _)| *tick).collect();
    world.clients[0].brain.corrected = 0;
    for _ in 0..10 {
        world.clients[0].far.as_ref().expect("she is there").cut();
        world.run_ticks(3);
        world.connect(0, Path::FAIR);
        world.run_ticks(7);
    }
    world.run_ticks(20);
    assert!(world.clients[0].is_active());
    assert!(
        world.clients[0].heard.arrivals.first().expect("snapshots").0 > *ticks.last().expect("snapshots")
    );
    assert_eq!(world.clients[0].heard.welcomes, 11);
    world.assert_sound();
}
