//! Bots against the real server, over real sockets, and against one that breaks the protocol.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tickwire_arena::Arena;
use tickwire_bot::conditioner::Conditions;
use tickwire_bot::{Behaviour, Report, RunConfig, RunError, Stall, Target, run};
use tickwire_protocol::message::SUBPROTOCOL;
use tickwire_protocol::time::Micros;
use tickwire_server::{Config, Server};
use tickwire_swarm::{Swarm, SwarmConfig};
use tokio::sync::oneshot;
use tungstenite::Message;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;

/// Runs what is given against a server of the swarm with so many places.
fn with_server<T>(players: u32, act: impl FnOnce(SocketAddr) -> T) -> T {
    let config = Config { room_threads: Some(1), ..Config::default() };
    let game = SwarmConfig { players, ..SwarmConfig::default() };
    let server =
        Server::builder(config).game_with::<Swarm>("swarm", game).build().expect("the swarm is a game");
    with(server, act)
}

fn with<T>(server: Server, act: impl FnOnce(SocketAddr) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let running = runtime.spawn(server.run(listener, async { drop(stopped.await) }));
    let result = act(address);
    drop(stop);
    runtime.block_on(running).expect("the server ends by itself").expect("and without an error");
    result
}

/// The same against a server of the arena.
fn with_arena(act: impl FnOnce(SocketAddr)) {
    let config = Config { room_threads: Some(1), tick_hz: 60, ..Config::default() };
    let server = Server::builder(config).game::<Arena>("arena").build().expect("the arena is a game");
    with(server, act);
}

fn config(address: SocketAddr, clients: u32) -> RunConfig {
    RunConfig {
        target: Target::parse(&format!("ws://{address}")).expect("an address makes a URL"),
        behaviour: Behaviour::Swarm,
        clients,
        measured: Duration::from_millis(1500),
        warm_up: Duration::from_millis(100),
        verify_every: 2,
        threads: 2,
        seed: 7,
        connects_per_second: 500,
        spread_sources: true,
        stall: None,
        accounts: true,
        conditions: None,
    }
}

/// The parts of what came are all of it.
fn assert_whole(report: &Report) {
    let sum: f64 = report.payload_parts.iter().map(|part| part.bytes_per_client_second).sum();
    let share = sum / report.payload_bytes_per_client_second;
    assert!((0.999..1.001).contains(&share), "{report}");
}

fn play(config: &RunConfig) -> Result<Report, RunError> {
    run(config, &AtomicBool::new(false), &mut |_| {})
}

#[test]
fn players_predict_what_the_server_says_on_a_good_network_and_a_bad_one() {
    with_arena(|address| {
        let runs = [(Behaviour::ArenaWalk, None), (Behaviour::Arena, Conditions::named("wifi"))];
        for (behaviour, conditions) in runs {
            let arena = RunConfig { behaviour, conditions, ..config(address, 12) };
            let report = play(&arena).unwrap();
            assert_eq!((report.clients, report.disconnects), (12, 0), "{report}");
            assert!(report.is_good() && report.predicted > 100 && report.latencies > 100, "{report}");
            assert!(!report.series.is_empty() && report.inputs_taken > 0, "{report}");
            assert_whole(&report);
        }
    });
}

#[test]
fn a_cut_connection_is_replaced_and_the_player_goes_on() {
    with_arena(|address| {
        let lives = Some(Micros(700_000));
        let short = Conditions { name: "short", lives, ..Conditions::LAN };
        let arena = RunConfig {
            behaviour: Behaviour::ArenaWalk,
            conditions: Some(short),
            measured: Duration::from_secs(4),
            ..config(address, 4)
        };
        let report = play(&arena).unwrap();
        assert_eq!(report.disconnects, 0, "{report}");
        assert!(report.resumes > 0 && report.connections_lost > 0, "{report}");
        assert!(report.is_good(), "{report}");
    });
}

#[test]
fn bots_play_and_find_everything_right() {
    with_server(60, |address| {
        let report = play(&config(address, 30)).unwrap();
        assert_eq!((report.clients, report.disconnects, report.missed_snapshots), (30, 0, 0), "{report}");
        assert!(report.is_good() && report.checks > 0 && report.latencies > 0, "{report}");
        assert_whole(&report);
        assert!(report.payload_bytes_per_client_second > 0.0 && report.snapshot_hz_mean > 0.0, "{report}");
        let idle = RunConfig { behaviour: Behaviour::Idle, threads: 1, ..config(address, 60) };
        let report = play(&idle).expect("those who left made room");
        assert!(report.is_good() && report.clients == 60, "{report}");
        assert_eq!(report.inputs_per_client_second, 0.0);
    });
}

#[test]
fn who_does_not_read_harms_nobody_else() {
    with_server(60, |address| {
        let stall = Some(Stall { after: Duration::from_millis(200), clients: 3 });
        let report = play(&RunConfig { stall, ..config(address, 10) }).unwrap();
        assert!(report.is_good() && report.checks > 0, "{report}");
    });
}

#[test]
fn a_full_room_fails_the_run() {
    with_server(4, |address| {
        let error = play(&config(address, 6)).unwrap_err();
        assert!(matches!(&error, RunError::Join { reason, .. } if reason.contains("full")), "{error}");
    });
}

#[test]
fn a_run_can_be_stopped() {
    with_server(10, |address| {
        let endless = RunConfig { measured: Duration::from_secs(86_400), ..config(address, 3) };
        let stop = AtomicBool::new(false);
        let report = thread::scope(|scope| {
            let running = scope.spawn(|| run(&endless, &stop, &mut |_| {}));
            stop.store(true, Ordering::Relaxed);
            running.join().unwrap().unwrap()
        });
        assert!(report.interrupted && report.protocol_errors == 0, "{report}");
    });
}

#[test]
fn a_server_that_breaks_the_protocol_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        #[expect(clippy::result_large_err, reason = "the callback's type is not ours")]
        let agree = |_: &Request, mut response: Response| {
            let protocol = HeaderValue::from_static(SUBPROTOCOL);
            response.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
            Ok(response)
        };
        let mut socket = tungstenite::accept_hdr(stream, agree).unwrap();
        assert!(socket.read().unwrap().is_binary(), "the hello");
        socket.send(Message::binary(vec![0x83, 1, 2, 3])).unwrap();
        // The client says why it goes.
        match socket.read().unwrap() {
            Message::Close(Some(frame)) => frame.reason.to_string(),
            other => panic!("{other:?}"),
        }
    });
    let error = play(&config(address, 1)).unwrap_err();
    assert!(error.to_string().contains("broke the protocol (out-of-order)"), "{error}");
    assert_eq!(server.join().unwrap(), "out-of-order");

    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = play(&config(unused, 1)).unwrap_err();
    assert!(matches!(error, RunError::Join { client: 0, .. }), "{error}");
}
