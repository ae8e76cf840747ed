//! The spectator in plain JavaScript, written from `docs/PROTOCOL.md` alone, understands what a server says.
#![expect(clippy::unwrap_used, reason = "all of it is a test, which fails by panicking")]

use futures_util::{SinkExt, StreamExt};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use tickwire_protocol::end::{ComeBack, SESSION_ENDS};
use tickwire_protocol::game::{InputForm, Simulation};
use tickwire_protocol::message::{
    BoundedText, ClientMessage, Features, Hello, HelloBody, InputHeader, RoomWish, SUBPROTOCOL,
};
use tickwire_protocol::wire::bits::BitWriter;
use tickwire_server::{Config, Server};
use tickwire_swarm::{Intent, Swarm, SwarmConfig, SwarmInput};
use tickwire_tests::repository;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Snapshots that are compared. A third into them the spectator loses its views, two thirds in its
/// connection.
const SNAPSHOTS: u64 = 420;
const PLAYERS: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spectator_in_javascript_knows_what_the_server_knows() {
    let Some(node) = node() else {
        eprintln!("skipped: there is no node (node --version fails)");
        return;
    };
    let config = Config { tick_hz: 60, room_threads: Some(1), seed: Some(7), ..Config::default() };
    let game = SwarmConfig { players: 32, ..SwarmConfig::default() };
    let server = Server::builder(config).game_with::<Swarm>("swarm", game).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, is_shut_down) = oneshot::channel();
    let serving = tokio::spawn(server.run(listener, async { drop(is_shut_down.await) }));

    // The players act when the spectator has seen another snapshot: so it sees all that they do.
    let (saw, seen) = watch::channel(0);
    let players: Vec<_> = (0..PLAYERS).map(|seed| tokio::spawn(play(address, seed, seen.clone()))).collect();
    let watching = tokio::task::spawn_blocking(move || watch_with(node, address, &saw));
    let counted = watching.await.unwrap();
    for player in players {
        player.await.unwrap();
    }
    shutdown.send(()).unwrap();
    serving.await.unwrap().unwrap();

    println!("{counted}");
    let count = |name: &str| counted[name].as_u64().unwrap();
    assert_eq!((count("equal"), count("unequal")), (SNAPSHOTS, 0), "{counted}");
    assert!(count("restarts") >= 1 && count("resumed") == 1, "{counted}");
    assert!(count("entered") > PLAYERS && count("left") > 0 && count("changed") > 100, "{counted}");
}

/// The command that runs node with a WebSocket, if there is node.
fn node() -> Option<Command> {
    let output =
        Command::new("node").arg("--version").output().ok().filter(|output| output.status.success())?;
    let version = String::from_utf8(output.stdout).unwrap();
    let major: u32 = version.trim_start_matches('v').split('.').next()?.parse().unwrap();
    let mut node = Command::new("node");
    // From 22 on it is there without being asked for.
    node.args((major < 22).then_some("--experimental-websocket"));
    Some(node)
}

/// Runs the spectator, tells how many snapshots it has seen, and returns what it counted.
fn watch_with(mut node: Command, address: SocketAddr, saw: &watch::Sender<u64>) -> serde_json::Value {
    node.arg(repository().join("tests/browser/spectator.mjs"))
        .args([format!("ws://{address}"), SNAPSHOTS.to_string()])
        .stdout(Stdio::piped());
    let mut process = Ended(node.spawn().unwrap());
    let mut counted = None;
    for line in BufReader::new(process.0.stdout.take().unwrap()).lines() {
        match serde_json::from_str(&line.unwrap()).unwrap() {
            serde_json::Value::Number(number) => drop(saw.send(number.as_u64().unwrap())),
            value => counted = Some(value),
        }
    }
    assert!(process.0.wait().unwrap().success(), "the spectator failed, and says above why");
    counted.expect("a spectator that succeeds has counted")
}

/// A process that does not outlive a test that fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has ended by itself where the test went well.
        let _ = self.0.kill();
    }
}

/// A player who joins, walks for a while, leaves, and comes again, until nobody watches any more.
async fn play(address: SocketAddr, seed: u64, mut seen: watch::Receiver<u64>) {
    let form = InputForm::<SwarmInput>::new().unwrap();
    let mut intent = Intent::new(seed);
    for stay in (0..).map(|turn| 20 + (seed * 11 + turn * 17) % 60) {
        let mut socket = join(address).await;
        let mut is_watched = true;
        for number in 1..=stay {
            socket.send(Message::Binary(walk(&form, &intent.next_input(), number).into())).await.unwrap();
            is_watched = seen.changed().await.is_ok();
            if !is_watched {
                break;
            }
        }
        let mut leave = Vec::new();
        ClientMessage::Leave.encode(&mut leave).unwrap();
        socket.send(Message::Binary(leave.into())).await.unwrap();
        // What is unread when a connection is dropped would take the good-bye with it.
        while let Some(Ok(_)) = socket.next().await {}
        if !is_watched {
            return;
        }
    }
}

async fn join(address: SocketAddr) -> WebSocketStream<TcpStream> {
    let mut request = format!("ws://{address}/play").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let hello = Hello::new(HelloBody {
        fingerprint: Swarm::fingerprint().unwrap(),
        tables_id: None,
        features: Features(0),
        game: BoundedText::new("swarm").unwrap(),
        room: RoomWish::QuickPlay,
        name: BoundedText::new("Walker").unwrap(),
        credential: None,
        resume: None,
        spectator: false,
    });
    let mut bytes = Vec::new();
    ClientMessage::Hello(Box::new(hello)).encode(&mut bytes).unwrap();
    socket.send(Message::Binary(bytes.into())).await.unwrap();
    socket
}

/// The message of an input. Snapshots are not acknowledged: no player stays for as long as that may be so.
fn walk(form: &InputForm<SwarmInput>, input: &SwarmInput, number: u64) -> Vec<u8> {
    let mut row = vec![0; form.codec().lanes()];
    form.quantize(input, &mut row).unwrap();
    let header = InputHeader { first: number as u16, count: 1, ..InputHeader::default() };
    let mut bytes = Vec::new();
    header.encode(form.codec(), &row, &mut BitWriter::new(), &mut bytes);
    bytes
}

/// The page has the table of session ends in its own words; it must not lack one that the server has.
#[test]
fn the_page_knows_each_session_end() {
    let script = std::fs::read_to_string(repository().join("assets/web/spectator/protocol.js")).unwrap();
    for row in SESSION_ENDS {
        let (back, after) = match row.come_back {
            ComeBack::Never => ("never", None),
            ComeBack::Resume => ("resume", None),
            ComeBack::Now => ("new", None),
            ComeBack::After(time) => ("new", Some(time.0 / 1000)),
        };
        let after = after.map_or(String::new(), |millis| format!(", {millis}"));
        let line = format!("[{}, '{}', '{back}', '{}'{after}],", row.code, row.name, row.text);
        assert!(script.contains(&line), "{line} is not in protocol.js");
    }
}
