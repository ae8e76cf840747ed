//! The bare system calls that a server of this kind cannot do without: per client and tick one non-blocking
//! read, and one small write. What they cost is what a client of Tickwire is measured by.
//!
//! `bare serve CLIENTS SECONDS` listens, prints its address, waits for the clients, and prints its own CPU
//! time per client and tick. `bare peer ADDRESS CLIENTS SECONDS` is the clients: 25 small writes a second
//! each, at their own phase, and a read whenever something has come. Without arguments (as `cargo bench`
//! calls it) it runs both for a moment, so that it cannot rot.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TICK: Duration = Duration::from_nanos(1_000_000_000 / 30);
const INPUT: Duration = Duration::from_millis(40);
/// A snapshot of the swarm with its frame, and an input with its own.
const SNAPSHOT_BYTES: usize = 22;
const INPUT_BYTES: usize = 18;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", clients, seconds] => serve(number(clients), number(seconds)),
        ["peer", address, clients, seconds] => {
            peer(address.parse().expect("an address"), number(clients), number(seconds));
        }
        _ => both(),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn both() {
    let this = std::env::current_exe().expect("it runs");
    let mut server =
        Command::new(&this).args(["serve", "100", "2"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let out = server.stdout.take().expect("it is piped");
    let mut out = std::io::BufReader::new(out);
    std::io::BufRead::read_line(&mut out, &mut line).expect("it prints its address");
    let peer = Command::new(&this).args(["peer", line.trim(), "100", "2"]).status().expect("it starts");
    assert!(peer.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("it prints what it measured");
    assert!(server.wait().expect("it ends").success());
    print!("{rest}");
}

fn serve(clients: usize, seconds: usize) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    let mut sockets: Vec<TcpStream> = (0..clients).map(|_| accept(&listener)).collect();
    let message = [0x5a; SNAPSHOT_BYTES];
    let mut buffer = [0; 1024];
    let ticks = seconds * 30;
    // The first half second is for the caches.
    let warm_up = 15;
    let begin = Instant::now();
    let mut before = 0.0;
    let mut lengths = 0;
    for tick in 0..ticks + warm_up {
        if tick == warm_up {
            before = cpu_seconds();
        }
        let due = TICK * tick as u32;
        if let Some(ahead) = due.checked_sub(begin.elapsed()) {
            std::thread::sleep(ahead);
        }
        for socket in &mut sockets {
            match socket.read(&mut buffer) {
                Ok(length) => lengths += length,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        for socket in &mut sockets {
            socket.write_all(&message).expect("a small write fits");
        }
    }
    let micros = (cpu_seconds() - before) * 1e6 / (clients * ticks) as f64;
    println!("{micros:.2} µs of CPU per client and tick, {clients} clients, {lengths} bytes read");
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (socket, _) = listener.accept().expect("the peer connects");
    socket.set_nonblocking(true).expect("the system can");
    socket.set_nodelay(true).expect("the system can");
    socket
}

/// Clients as real ones are: each sleeps until something comes for it. To wake them is a part of what a write
/// costs, and it is the writer who pays for it.
fn peer(address: SocketAddr, clients: usize, seconds: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
    runtime.block_on(async {
        for number in 0..clients {
            let socket = tokio::net::TcpStream::connect(address).await.expect("the server listens");
            socket.set_nodelay(true).expect("the system can");
            let phase = INPUT.mul_f64(number as f64 / clients as f64);
            tokio::spawn(client(socket, phase));
        }
        tokio::time::sleep(Duration::from_secs(seconds as u64 + 1)).await;
    });
}

async fn client(mut socket: tokio::net::TcpStream, phase: Duration) {
    let mut inputs = tokio::time::interval_at(tokio::time::Instant::now() + phase, INPUT);
    let mut buffer = [0; 4096];
    // The server may have ended, and then so does this.
    loop {
        tokio::select! {
            read = socket.read(&mut buffer) => if !read.is_ok_and(|bytes| bytes > 0) { return },
            _ = inputs.tick() => if socket.write_all(&[0xa5; INPUT_BYTES]).await.is_err() { return },
        }
    }
}

/// The CPU time of this process, in seconds.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    // One thread; the first number is its time on a CPU in nanoseconds.
    text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}
