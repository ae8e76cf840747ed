//! What only a real socket shows: HTTP, the upgrade, the frames of WebSocket, limits on raw bytes, and how
//! connections end.

use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::{ClientMessage, Ping, SUBPROTOCOL, ServerMessage, SessionState};
use tickwire_protocol::time::Micros;
use tickwire_server::{Config, Server};
use tickwire_swarm::Swarm;
use tickwire_tests::sockets::{Guest, Running, config, end_of, session, soon, upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};

/// A frame as a client sends it. The mask is zero, which is one too.
fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => bytes.push(0x80 | length),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const BINARY_TO_BE_CONTINUED: u8 = 0x02;
const CONTINUED_AND_TO_BE_CONTINUED: u8 = 0x00;

fn hello() -> Vec<u8> {
    let mut hello = Vec::new();
    session("Ann").poll_hello(&mut hello).expect("a new session");
    hello
}

fn ping() -> Vec<u8> {
    let mut ping = Vec::new();
    ClientMessage::Ping(Ping { nonce: 5, sent: Micros(9) }).encode(&mut ping).expect("a ping is short");
    ping
}

/// Waits until a line stands in the metrics.
async fn metric(server: &Running, line: &str) {
    let is_there = async {
        while !server.page("/metrics").await.contains(line) {
            tokio::task::yield_now().await;
        }
    };
    soon(line, is_there).await;
}

#[tokio::test]
async fn a_client_joins_and_follows() {
    let server = Running::start(config()).await;
    let mut guest = Guest::join(&server, "Ann").await;
    let first = guest.session.view().unwrap().tick.0;
    guest.hear_until(|session| session.view().unwrap().tick.0 >= first + 100).await.unwrap();
    assert!(guest.session.poll_event(guest.session.view().unwrap().tick).is_some(), "it was told who it is");
    assert!(server.page("/rooms").await.contains(r#""id":1,"game":"swarm","players":1"#));
    assert!(server.page("/health").await.ends_with("ok\n"));
    let mut leave = Vec::new();
    guest.session.encode_leave(&mut leave).unwrap();
    guest.send(leave).await;
    assert_eq!(guest.ended().await, SessionEnd::Left);
    metric(&server, "tickwire_sessions{state=\"active\"} 0").await;
    server.stop().await;
}

#[tokio::test]
async fn a_text_frame_ends_the_session() {
    let server = Running::start(config()).await;
    let mut guest = Guest::join(&server, "Ann").await;
    guest.socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(guest.ended().await, SessionEnd::TextFrame);
    // As the first message too.
    let mut guest = Guest::arrive(&server, session("Bob")).await;
    guest.socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(guest.ended().await, SessionEnd::TextFrame);
    server.stop().await;
}

#[tokio::test]
async fn what_comes_after_as_much_as_a_tick_takes_counts_in_the_next() {
    let server = Running::start(config()).await;
    let mut guest = Guest::join(&server, "Ann").await;
    // A tick takes 256 messages of a client.
    let mut bytes = frame(BINARY, &ping()).repeat(260);
    bytes.extend(frame(TEXT, b"hello"));
    guest.socket.get_mut().write_all(&bytes).await.unwrap();
    assert_eq!(guest.ended().await, SessionEnd::TextFrame);
    server.stop().await;
}

#[tokio::test]
async fn only_the_subprotocol_of_tickwire_is_upgraded() {
    let server = Running::start(config()).await;
    for other in ["tickwire.2", "chat", "tickwire"] {
        match upgrade(&server, other).await {
            Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), 400),
            other => panic!("{other:?}"),
        }
    }
    assert!(server.page("/play").await.starts_with("HTTP/1.1 426"));
    assert!(server.page("/nowhere").await.starts_with("HTTP/1.1 404"));
    server.stop().await;
}

#[tokio::test]
async fn who_takes_too_long_for_a_request_or_a_hello_is_dropped() {
    let server = Running::start(Config { handshake_timeout: Duration::from_millis(300), ..config() }).await;
    // Half a head, and nothing else.
    let answer = server.exchange(b"GET /play HTTP/1.1\r\nhost: test\r\nx-slow: ").await;
    assert!(!answer.starts_with(b"HTTP/1.1 101"));
    // Not a byte.
    server.exchange(b"").await;
    let mut guest = Guest::arrive(&server, session("Ann")).await;
    assert_eq!(guest.ended().await, SessionEnd::HandshakeTimedOut);
    // A hello that is never finished.
    let mut guest = Guest::arrive(&server, session("Bob")).await;
    guest.socket.get_mut().write_all(&frame(BINARY, &hello())[..20]).await.unwrap();
    assert_eq!(guest.ended().await, SessionEnd::HandshakeTimedOut);
    server.stop().await;
}

#[tokio::test]
async fn a_flood_of_messages_is_too_many() {
    let server = Running::start(Config { client_messages_per_second: 10, ..config() }).await;
    let mut guest = Guest::join(&server, "Ann").await;
    // Frames of the WebSocket's own count too.
    let flood = frame(0x89, b"").repeat(80);
    guest.socket.get_mut().write_all(&flood).await.unwrap();
    assert_eq!(guest.ended().await, SessionEnd::TooMany);
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_never_ends_is_stopped_by_its_bytes() {
    let server = Running::start(Config { client_bytes_per_second: 2048, ..config() }).await;
    for has_joined in [true, false] {
        let mut guest = match has_joined {
            true => Guest::join(&server, "Ann").await,
            false => Guest::arrive(&server, session("Bob")).await,
        };
        let mut flood = frame(BINARY_TO_BE_CONTINUED, b"");
        flood.extend(frame(CONTINUED_AND_TO_BE_CONTINUED, b"").repeat(3000));
        guest.socket.get_mut().write_all(&flood).await.unwrap();
        assert_eq!(guest.ended().await, SessionEnd::TooMany);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_message_has_a_largest_size() {
    let server = Running::start(config()).await;
    let mut guest = Guest::join(&server, "Ann").await;
    guest.send(vec![2; 5000]).await;
    assert_eq!(guest.ended().await, SessionEnd::TooLarge);
    // A frame that only claims to be large.
    let mut guest = Guest::join(&server, "Bob").await;
    let mut claim = vec![BINARY, 0x80 | 127];
    claim.extend(u64::from(u32::MAX).to_be_bytes());
    claim.extend([0; 4]);
    guest.socket.get_mut().write_all(&claim).await.unwrap();
    assert_eq!(guest.ended().await, SessionEnd::TooLarge);
    server.stop().await;
}

#[tokio::test]
async fn what_breaks_the_rules_of_websocket_is_malformed() {
    let server = Running::start(config()).await;
    for bytes in [vec![0x82, 0x01, 0x06], frame(0xc2, b"\x06"), frame(0x83, b""), frame(0x80, b"x")] {
        let mut guest = Guest::join(&server, "Ann").await;
        guest.socket.get_mut().write_all(&bytes).await.unwrap();
        assert_eq!(guest.ended().await, SessionEnd::Malformed, "{bytes:02x?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_ping_of_the_websocket_is_answered() {
    let server = Running::start(config()).await;
    let mut guest = Guest::join(&server, "Ann").await;
    guest.socket.send(Message::Ping("are you there".into())).await.unwrap();
    loop {
        match soon("a pong", guest.socket.next()).await {
            Some(Ok(Message::Pong(text))) => break assert_eq!(&text[..], b"are you there"),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}

/// What comes over a raw connection after the head of the answer.
async fn upgraded(mut stream: TcpStream) -> WebSocketStream<TcpStream> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("the head", stream.read_u8()).await.expect("there is an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

#[tokio::test]
async fn bytes_right_behind_the_request_and_the_hello_are_not_lost() {
    let server = Running::start(config()).await;
    let request = format!(
        "GET /play HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n",
        server.address,
    );
    let (hello, ping) = (frame(BINARY, &hello()), frame(BINARY, &ping()));
    // All at once; and cut in the middle of each frame.
    for cuts in [vec![], vec![request.len() + 9], vec![request.len() + hello.len() + 7]] {
        let all = [request.as_bytes(), &hello, &ping].concat();
        let mut stream = server.connect().await;
        let mut start = 0;
        for end in cuts.iter().copied().chain([all.len()]) {
            stream.write_all(&all[start..end]).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
            start = end;
        }
        let mut socket = upgraded(stream).await;
        let mut is_welcome = false;
        loop {
            let Some(Ok(Message::Binary(bytes))) = soon("a message", socket.next()).await else {
                panic!("the connection ended")
            };
            match ServerMessage::decode(&bytes).unwrap() {
                ServerMessage::Welcome(_) => is_welcome = true,
                ServerMessage::Pong(pong) => break assert_eq!((pong.nonce, is_welcome), (5, true)),
                _ => assert!(is_welcome, "the welcome is the first"),
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let server = Running::start(Config { max_connections_per_address: 3, ..config() }).await;
    let mut guests = Vec::new();
    for number in 0..3 {
        guests.push(Guest::join(&server, &format!("walker {number}")).await);
    }
    assert_eq!(server.exchange(b"GET /health HTTP/1.1\r\nhost: test\r\n\r\n").await, b"");
    guests.pop();
    let page = async {
        while !server.page("/health").await.ends_with("ok\n") {
            tokio::task::yield_now().await;
        }
    };
    soon("a free connection", page).await;
    guests[0].hear_until(|session| session.view().unwrap().tick.0 > 20).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn when_the_server_closes_everybody_is_told() {
    let mut server = Running::start(config()).await;
    let mut guests = vec![Guest::join(&server, "Ann").await, Guest::join(&server, "Bob").await];
    server.shut_down();
    for guest in &mut guests {
        assert_eq!(guest.ended().await, SessionEnd::ServerClosing);
        assert_eq!(
            guest.session.state(),
            SessionState::Gone(SessionEnd::ServerClosing),
            "by a notice before"
        );
    }
    server.stop().await;
}

#[test]
fn everybody_is_told_before_the_program_ends() {
    // The server has a runtime of its own, which ends with it, as that of a program does.
    let (address, is_listening) = oneshot::channel();
    let (shutdown, is_shut_down) = oneshot::channel::<()>();
    let program = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            let server = Server::builder(config()).game::<Swarm>("swarm").build().unwrap();
            server.run(listener, async { drop(is_shut_down.await) }).await.unwrap();
        });
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Running::elsewhere(soon("the address", is_listening).await.unwrap());
        let mut guests = Vec::new();
        for number in 0..20 {
            guests.push(Guest::join(&server, &format!("walker {number}")).await);
        }
        shutdown.send(()).unwrap();
        for guest in &mut guests {
            assert_eq!(guest.ended().await, SessionEnd::ServerClosing);
        }
    });
    program.join().unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_player_in_the_world() {
    let server = Running::start(config()).await;
    let guest = Guest::join(&server, "Ann").await;
    let player = guest.session.welcome().unwrap().body.player;
    let Guest { socket, session: mut lost, .. } = guest;
    // A reset, as from a program that was killed with unread data.
    let stream = socket.into_inner();
    stream.set_zero_linger().unwrap();
    drop(stream);
    metric(&server, "tickwire_sessions{state=\"detached\"} 1").await;
    lost.handle_disconnected();
    let mut guest = Guest::greet(&server, lost).await;
    guest.hear_until(|session| session.view().is_some()).await.unwrap();
    let body = &guest.session.welcome().unwrap().body;
    assert!(body.resumed && body.player == player);
    metric(&server, "tickwire_sessions{state=\"detached\"} 0").await;
    // A close without a reason of Tickwire's leaves it there too.
    guest.socket.close(None).await.unwrap();
    metric(&server, "tickwire_sessions{state=\"detached\"} 1").await;
    server.stop().await;
}

#[tokio::test]
async fn a_takeover_tells_the_old_connection() {
    let server = Running::start(config()).await;
    let Guest { mut socket, session: mut half_open, .. } = Guest::join(&server, "Ann").await;
    half_open.handle_disconnected();
    let mut guest = Guest::greet(&server, half_open).await;
    guest.hear_until(|session| session.view().is_some()).await.unwrap();
    let frame = loop {
        match soon("the end", socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => break frame,
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end_of(&frame), SessionEnd::Replaced);
    assert!(guest.session.welcome().unwrap().body.resumed);
    server.stop().await;
}
