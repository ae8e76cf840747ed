//! The native client against the real server: over TCP and TLS, through cuts, silence and restarts, refused,
//! and leaving. The example `native` plays here too.

#![allow(clippy::unwrap_used, reason = "all of this is a test, the functions that tests share too")]

#[allow(dead_code, reason = "its main is not called")]
#[path = "../examples/native.rs"]
mod example;
#[path = "native/host.rs"]
mod host;

use clap::Parser;
use host::{Host, Proxy, config, self_signed, soon};
use tickwire_arena::{Arena, ArenaCommand, ArenaEvent, ArenaInput};
use tickwire_bot::native::{ConnectError, LeaveError, Player, PlayerEvent, PlayerOptions, StartError};
use tickwire_bot::native::{Trouble, Trust};
use tickwire_protocol::client::{ClientEvent, ClientState};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::{RoomCode, RoomId, RoomWish};
use tickwire_server::Config;

fn connect(url: &str, options: PlayerOptions) -> Player<Arena> {
    Player::connect(url, options).expect("the URL is good")
}

/// Goes on until an event is the one that is waited for.
async fn until<T>(
    player: &mut Player<Arena>,
    what: &str,
    mut wanted: impl FnMut(&PlayerEvent<ArenaEvent>) -> Option<T>,
) -> T {
    let look = async {
        loop {
            let event = player.next_event().await.unwrap_or_else(|| panic!("{what}: it is over"));
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    soon(what, look).await
}

/// Waits for a welcome, and says whether it was a resume.
async fn welcomed(player: &mut Player<Arena>) -> bool {
    until(player, "a welcome", |event| match event {
        PlayerEvent::Client(ClientEvent::Welcomed { resumed }) => Some(*resumed),
        _ => None,
    })
    .await
}

/// Waits for the end, before which nothing else happens.
async fn ended(player: &mut Player<Arena>) -> SessionEnd {
    until(player, "the end", |event| match event {
        PlayerEvent::Client(ClientEvent::Ended { end, .. }) => Some(*end),
        other => panic!("{other:?}"),
    })
    .await
}

/// Waits until the own avatar is there, which takes the level.
async fn in_play(player: &mut Player<Arena>) {
    let play = async {
        while player.client().avatar().is_none() || player.state() != ClientState::Playing {
            let frame = tokio::time::sleep(std::time::Duration::from_millis(10));
            tokio::select! {
                event = player.next_event() => assert!(event.is_some(), "it is over"),
                () = frame => player.set_input(&ArenaInput::default()).expect("hands off is an input"),
            }
        }
    };
    soon("an avatar", play).await;
}

/// Comes in for the first time, and waits until it plays.
async fn enter(url: &str, options: PlayerOptions) -> Player<Arena> {
    let mut player = connect(url, options);
    assert!(!welcomed(&mut player).await, "it was never here");
    in_play(&mut player).await;
    player
}

fn ann() -> PlayerOptions {
    PlayerOptions::new("Ann")
}

/// The event that tells that a connection was lost or refused, and how.
fn disconnected(event: &PlayerEvent<ArenaEvent>) -> Option<SessionEnd> {
    match event {
        PlayerEvent::Client(ClientEvent::Disconnected(end)) => Some(*end),
        _ => None,
    }
}

fn public_id(player: &Player<Arena>) -> u16 {
    player.client().session().welcome().expect("it was let in").body.player.0
}

async fn run_example(arguments: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    let arguments = example::Arguments::try_parse_from([&["native"], arguments].concat()).unwrap();
    soon("the example", example::play(arguments, &mut |line| lines.push(line))).await.unwrap();
    lines
}

/// The example came in, walked, and left.
fn check(lines: &[String]) {
    let places: Vec<_> = lines.iter().filter(|line| line.starts_with("at (")).collect();
    assert!(lines.contains(&"in the room".to_owned()) && lines.last().unwrap() == "left", "{lines:?}");
    assert!(places.len() >= 2 && places.iter().any(|place| place != &places[0]), "{lines:?}");
}

#[tokio::test]
async fn the_example_walks_and_leaves() {
    let host = Host::start(config());
    check(&run_example(&[&host.url(), "--seconds", "4"]).await);
    host.metric("tickwire_sessions{state=\"active\"} 0").await;
    host.metric("tickwire_sessions{state=\"detached\"} 0").await;
}

#[tokio::test]
async fn the_example_walks_over_tls() {
    // As programs make them that are asked for a self-signed certificate: it calls itself an authority, and
    // has another name than the address.
    let (files, der) = self_signed("example", true);
    let host = Host::start(Config { tls: Some(files.clone()), ..config() });
    let certificate = files.certificate.to_str().unwrap();
    check(&run_example(&[&host.url(), "--seconds", "4", "--certificate", certificate]).await);
    // Without it, nobody is let near.
    let options = PlayerOptions { trust: Trust::nobody(), ..ann() };
    let mut stranger = connect(&host.url(), options);
    until(&mut stranger, "a refusal", |event| match event {
        PlayerEvent::Trouble(Trouble::Connect(ConnectError::Untrusted(_))) => Some(()),
        other => panic!("{other:?}"),
    })
    .await;
    assert_eq!(stranger.leave().await, Err(LeaveError::NotConnected));
    // Another one does not help, and with the right one all is well.
    let (_, other) = self_signed("other", false);
    for (der, is_trusted) in [(other, false), (der, true)] {
        let trust = Trust::nobody().and_certificate(der);
        let mut player = connect(&host.url(), PlayerOptions { trust, ..ann() });
        let first = soon("an event", player.next_event()).await;
        match first.unwrap() {
            PlayerEvent::Trouble(trouble) => assert!(!is_trusted, "{trouble}"),
            PlayerEvent::Client(event) => assert!(is_trusted, "{event:?}"),
        }
        assert_eq!(player.leave().await.is_ok(), is_trusted);
    }
}

#[tokio::test]
async fn a_cut_connection_is_resumed_by_the_same_player() {
    let host = Host::start(config());
    let proxy = Proxy::start(host.address).await;
    let mut player = enter(&proxy.url(), ann()).await;
    let before = public_id(&player);
    for _ in 0..2 {
        proxy.cut();
        assert!(welcomed(&mut player).await);
        in_play(&mut player).await;
        assert_eq!(public_id(&player), before);
    }
    assert_eq!(player.leave().await, Ok(()));
    host.metric("tickwire_sessions{state=\"detached\"} 0").await;
}

#[tokio::test]
async fn a_silent_connection_is_taken_over() {
    let host = Host::start(config());
    let proxy = Proxy::start(host.address).await;
    let mut player = enter(&proxy.url(), ann()).await;
    let before = public_id(&player);
    // No byte comes through any more, and nothing says so.
    proxy.freeze();
    assert!(welcomed(&mut player).await);
    assert_eq!(public_id(&player), before);
    assert_eq!(player.client().stats().resumes, 1);
    assert_eq!(player.leave().await, Ok(()));
}

#[tokio::test]
async fn after_a_restart_it_comes_back_as_a_new_player() {
    let first = Host::start(config());
    let proxy = Proxy::start(first.address).await;
    let mut player = enter(&proxy.url(), ann()).await;
    // The server is gone from one moment to the next, and nobody listens.
    proxy.forward_to(None);
    proxy.cut();
    until(&mut player, "that it cannot connect", |event| match event {
        PlayerEvent::Trouble(Trouble::Connect(_)) => Some(()),
        _ => None,
    })
    .await;
    assert!(matches!(player.state(), ClientState::Reconnecting { .. }));
    // Another process, which knows nobody.
    let second = Host::start(config());
    proxy.forward_to(Some(second.address));
    assert!(!welcomed(&mut player).await);
    in_play(&mut player).await;
    assert_eq!(player.leave().await, Ok(()));
    second.metric("tickwire_sessions{state=\"active\"} 0").await;
}

#[tokio::test]
async fn a_server_that_closes_says_so() {
    let mut host = Host::start(config());
    let mut player = enter(&host.url(), ann()).await;
    host.shut_down();
    let end = until(&mut player, "the end", disconnected).await;
    assert_eq!(end, SessionEnd::ServerClosing);
    assert!(matches!(player.state(), ClientState::Waiting { after: SessionEnd::ServerClosing, .. }));
}

#[tokio::test]
async fn who_is_refused_hears_why() {
    let host = Host::start(Config { max_rooms: 1, room_capacity: 1, ..config() });
    let _player = enter(&host.url(), ann()).await;
    // Full is not for ever: it waits, as the table of ends says.
    let mut late = connect(&host.url(), PlayerOptions::new("Bob"));
    assert_eq!(until(&mut late, "a refusal", disconnected).await, SessionEnd::RoomFull);
    assert!(matches!(late.state(), ClientState::Waiting { after: SessionEnd::RoomFull, .. }));
    let nowhere = [RoomWish::Room(RoomId(77)), RoomWish::Code(RoomCode::from_bits(5))];
    for room in nowhere {
        let mut lost = connect(&host.url(), PlayerOptions { room, ..PlayerOptions::new("Cid") });
        let end = ended(&mut lost).await;
        assert_eq!(end, SessionEnd::UnknownRoom);
        assert!(soon("the end", lost.next_event()).await.is_none());
        assert_eq!(lost.state(), ClientState::Ended(SessionEnd::UnknownRoom));
        assert_eq!(lost.leave().await, Ok(()), "it was over before");
    }
    let other = PlayerOptions { game_name: Some("chess".to_owned()), ..PlayerOptions::new("Dan") };
    let mut other = connect(&host.url(), other);
    assert_eq!(ended(&mut other).await, SessionEnd::UnknownGame);
}

#[tokio::test]
async fn a_private_room_is_entered_by_its_code_and_who_leaves_is_gone_at_once() {
    let host = Host::start(config());
    let room = RoomWish::Create { private: true };
    let mut ann = enter(&host.url(), PlayerOptions { room, ..ann() }).await;
    let room = ann.client().session().welcome().unwrap().body.room.clone();
    let code = RoomWish::Code(room.code.expect("a private room has a code"));
    let mut bob = enter(&host.url(), PlayerOptions { room: code, ..PlayerOptions::new("Bob") }).await;
    assert_eq!(bob.client().session().welcome().unwrap().body.room.id, room.id);
    let said_by = public_id(&bob);
    bob.command(&ArenaCommand::Say("good night".to_owned())).unwrap();
    let said = until(&mut ann, "what Bob says", |event| match event {
        PlayerEvent::Client(ClientEvent::Game(_, ArenaEvent::Said { player, text, .. })) => {
            Some((player.0, text.clone()))
        }
        _ => None,
    })
    .await;
    assert_eq!(said, (said_by, "good night".to_owned()));
    assert_eq!(bob.leave().await, Ok(()));
    until(&mut ann, "that Bob is gone", |event| match event {
        PlayerEvent::Client(ClientEvent::Game(_, ArenaEvent::Left { player })) => {
            (player.0 == said_by).then_some(())
        }
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn no_task_is_left_behind() {
    // The server has a runtime of its own, so that those of this one are the player's.
    let host = Host::start(config());
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let none_left = async || {
        while alive() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let player = enter(&host.url(), ann()).await;
    assert!(alive() > 0, "its connection is a task");
    drop(player);
    soon("the end of all tasks", none_left()).await;
    host.metric("tickwire_sessions{state=\"detached\"} 1").await;
    let mut player = connect(&host.url(), ann());
    welcomed(&mut player).await;
    assert_eq!(player.leave().await, Ok(()));
    assert_eq!(alive(), 0);
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    let start = |url| Player::<Arena>::connect(url, ann());
    assert!(matches!(start("ws://127.0.0.1:1"), Err(StartError::Runtime(_))));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    assert!(matches!(start("http://127.0.0.1:1"), Err(StartError::Address(_))));
    assert!(start("ws://127.0.0.1:1").is_ok(), "that nobody listens there is told later");
}
