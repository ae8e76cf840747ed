//! A server of the arena, and a way to it that can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tickwire_arena::{Arena, ArenaConfig};
use tickwire_server::net::tls::TlsFiles;
use tickwire_server::{Config, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Longer than anything in these tests takes, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a test waits for, or the end of its patience.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: it did not come"))
}

/// Settings for these tests.
pub(crate) fn config() -> Config {
    Config { room_threads: Some(1), tick_hz: 60, ..Config::default() }
}

/// A server in a thread and a runtime of its own. It closes when this is dropped.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    is_tls: bool,
    shutdown: Option<oneshot::Sender<()>>,
}

impl Host {
    pub(crate) fn start(config: Config) -> Host {
        let is_tls = config.tls.is_some();
        let (bound, address) = std::sync::mpsc::channel();
        let (shutdown, is_shut_down) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let game = ArenaConfig { npcs: 3, ..ArenaConfig::default() };
                let server = Server::builder(config).game_with::<Arena>(ARENA, game).build().unwrap();
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                server.run(listener, async { drop(is_shut_down.await) }).await.unwrap();
            });
        });
        Host { address: address.recv().unwrap(), is_tls, shutdown: Some(shutdown) }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.is_tls { "wss" } else { "ws" }, self.address)
    }

    /// Asks it to close.
    pub(crate) fn shut_down(&mut self) {
        self.shutdown = None;
    }

    /// Waits until a line stands in the metrics.
    pub(crate) async fn metric(&self, line: &str) {
        let is_there = async {
            loop {
                let mut stream = TcpStream::connect(self.address).await.unwrap();
                let request = b"GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
                stream.write_all(request).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                if answer.lines().any(|found| found == line) {
                    return;
                }
            }
        };
        soon(line, is_there).await;
    }
}

/// The name that clients ask for, which is the game's own.
const ARENA: &str = <Arena as tickwire_protocol::game::Simulation>::NAME;

/// A way to a server, with a network that fails at will.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    listening: JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct State {
    /// Where connections go; without it they are closed at once.
    to: Option<SocketAddr>,
    /// Connections that began before so many cuts are over.
    cuts: u32,
    /// Connections that began before so many freezes carry nothing any more, and stay open.
    freezes: u32,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State { to: Some(to), cuts: 0, freezes: 0 });
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(stream, seen.clone()));
            }
        });
        Proxy { address, state, listening }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub(crate) fn forward_to(&self, to: Option<SocketAddr>) {
        self.state.send_modify(|state| state.to = to);
    }

    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    pub(crate) fn freeze(&self) {
        self.state.send_modify(|state| state.freezes += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn carry(mut client: TcpStream, mut state: watch::Receiver<State>) {
    let begun = *state.borrow_and_update();
    let Some(to) = begun.to else { return };
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    let mut freezing = state.clone();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = state.wait_for(|now| now.cuts > begun.cuts) => return,
        _ = freezing.wait_for(|now| now.freezes > begun.freezes) => {}
    }
    // Both streams stay open until the test is over.
    let _ = state.wait_for(|now| now.cuts > begun.cuts).await;
}

/// A self-signed certificate of another host, with its key, in files, and its DER form.
pub(crate) fn self_signed(name: &str, is_authority: bool) -> (TlsFiles, Vec<u8>) {
    let mut parameters = rcgen::CertificateParams::new(vec!["some.lan".to_owned()]).unwrap();
    if is_authority {
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let write = |ending: &str, content: String| -> PathBuf {
        let file = folder.join(format!("native-{name}-{ending}.pem"));
        std::fs::write(&file, content).unwrap();
        file
    };
    let files = TlsFiles {
        certificate: write("certificate", certificate.pem()),
        key: write("key", key.serialize_pem()),
    };
    (files, certificate.der().to_vec())
}
