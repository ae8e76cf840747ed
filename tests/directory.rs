//! Who wants to play finds a room: the fullest with a place, a certain one, a private one, or a new one.

use tickwire_protocol::client::{Received, Session};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::{BoundedText, ClientMessage, Refusal, RoomCode, RoomId, RoomWish, Version};
use tickwire_server::Config;
use tickwire_tests::sockets::{Guest, Running, config, session, session_with};

async fn room_of(server: &Running, wish: RoomWish) -> (Guest, RoomId, Option<RoomCode>) {
    let wishing = session_with("Ann", |config| config.room = wish);
    let mut guest = Guest::greet(server, wishing).await;
    guest.hear_until(|session| session.view().is_some()).await.expect("it is let in");
    let room = &guest.session.welcome().expect("it is let in").body.room;
    let (id, code) = (room.id, room.code);
    (guest, id, code)
}

async fn refused(server: &Running, session: Session) -> Refusal {
    let mut guest = Guest::greet(server, session).await;
    let refusal = match guest.hear().await.expect("there is an answer") {
        Received::Refusal(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(guest.ended().await, refusal.end(), "the close has the same code");
    refusal
}

#[tokio::test]
async fn quick_play_fills_rooms_one_after_another() {
    let server = Running::start(Config { room_capacity: 3, ..config() }).await;
    let mut guests = Vec::new();
    let mut rooms = Vec::new();
    for _ in 0..5 {
        let (guest, room, _) = room_of(&server, RoomWish::QuickPlay).await;
        guests.push(guest);
        rooms.push(room.0);
    }
    assert_eq!(rooms, [1, 1, 1, 2, 2]);
    let full = session_with("Eve", |config| config.room = RoomWish::Room(RoomId(1)));
    assert_eq!(refused(&server, full).await.end(), SessionEnd::RoomFull);
    let (_host, room, code) = room_of(&server, RoomWish::Create { private: false }).await;
    assert_eq!((room, code), (RoomId(3), None));
    // The second has two players and the third has one.
    let (_fifth, room, _) = room_of(&server, RoomWish::QuickPlay).await;
    assert_eq!(room, RoomId(2));
    let (_guest, room, _) = room_of(&server, RoomWish::Room(RoomId(3))).await;
    assert_eq!(room, RoomId(3));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_come_at_once_meet() {
    for _ in 0..10 {
        let server = Running::start(Config { room_capacity: 8, ..config() }).await;
        let coming = (0..8).map(|_| room_of(&server, RoomWish::QuickPlay));
        let guests = futures_util::future::join_all(coming).await;
        assert!(guests.iter().all(|(_, room, _)| *room == RoomId(1)), "there was a place in the first room");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_private_room_is_for_those_who_know_its_code() {
    let server = Running::start(config()).await;
    let (_host, room, code) = room_of(&server, RoomWish::Create { private: true }).await;
    let code = code.expect("a private room has one");
    let (_friend, same, _) = room_of(&server, RoomWish::Code(code)).await;
    assert_eq!(same, room);
    let (_stranger, other, _) = room_of(&server, RoomWish::QuickPlay).await;
    assert_ne!(other, room);
    for wish in [RoomWish::Room(room), RoomWish::Room(RoomId(99)), RoomWish::Code(RoomCode::from_bits(1))] {
        let wishing = session_with("Eve", |config| config.room = wish);
        assert_eq!(refused(&server, wishing).await.end(), SessionEnd::UnknownRoom);
    }
    assert!(!server.page("/rooms").await.contains(&format!("\"id\":{}", room.0)), "it is not listed");
    server.stop().await;
}

#[tokio::test]
async fn there_are_so_many_rooms() {
    let server = Running::start(Config { max_rooms: 1, room_capacity: 1, ..config() }).await;
    let _guest = room_of(&server, RoomWish::QuickPlay).await;
    assert_eq!(refused(&server, session("Bob")).await.end(), SessionEnd::RoomFull);
    server.stop().await;
}

#[tokio::test]
async fn a_hello_that_does_not_fit_is_refused_by_name() {
    let server = Running::start(config()).await;
    let nameless = session_with("  \u{200b} ", |_| {});
    let refusal = refused(&server, nameless).await;
    assert_eq!(refusal.end(), SessionEnd::NameRefused);
    assert!(!refusal.text.as_str().is_empty(), "it says which rule it was");
    for (change, end) in [
        (change as fn(&mut ClientMessage<'_>), SessionEnd::WrongSchema),
        (rename, SessionEnd::UnknownGame),
        (age, SessionEnd::WrongVersion),
    ] {
        let mut bytes = Vec::new();
        session("Ann").poll_hello(&mut bytes).expect("a new session");
        let mut hello = ClientMessage::decode(&bytes).expect("it is a hello");
        change(&mut hello);
        let mut bytes = Vec::new();
        hello.encode(&mut bytes).expect("it is short");
        let mut guest = Guest::arrive(&server, session("Ann")).await;
        // The session is to think that it has greeted.
        guest.session.poll_hello(&mut Vec::new()).expect("a new session");
        guest.send(bytes).await;
        assert_eq!(guest.ended().await, end);
    }
    server.stop().await;
}

fn change(hello: &mut ClientMessage<'_>) {
    if let ClientMessage::Hello(hello) = hello {
        hello.body.fingerprint ^= 1;
    }
}

fn rename(hello: &mut ClientMessage<'_>) {
    if let ClientMessage::Hello(hello) = hello {
        hello.body.game = BoundedText::cut("chess");
    }
}

fn age(hello: &mut ClientMessage<'_>) {
    if let ClientMessage::Hello(hello) = hello {
        hello.version = Version { major: 9, minor: 0 };
    }
}
