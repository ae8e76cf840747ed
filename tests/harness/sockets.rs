//! A server on a real socket, and clients that speak to it over TCP, well or badly.

use futures_util::{SinkExt, StreamExt};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tickwire_protocol::client::{GameForm, Received, Session, SessionConfig};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::SUBPROTOCOL;
use tickwire_protocol::time::Micros;
use tickwire_server::clock::{Clock, MonotonicClock};
use tickwire_server::{Config, Server};
use tickwire_swarm::Swarm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};

/// Longer than anything in these tests takes, on a machine that has other things to do.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a test waits for, or the end of its patience.
///
/// # Panics
/// When patience is over.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: it did not come"))
}

/// A server of the swarm on a port of its own.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    shutdown: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), tickwire_server::ServerError>>>,
}

/// Settings for these tests: one thread, and 60 ticks a second.
#[must_use]
pub fn config() -> Config {
    Config { room_threads: Some(1), seed: Some(7), ..Config::default() }
}

impl Running {
    /// Starts a server.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(config: Config) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it listens");
        let server = Server::builder(config).game::<Swarm>("swarm").build().expect("the swarm can be hosted");
        let (shutdown, is_shut_down) = oneshot::channel::<()>();
        let server = tokio::spawn(server.run(listener, async { drop(is_shut_down.await) }));
        Running { address, shutdown: Some(shutdown), server: Some(server) }
    }

    /// A server that somebody else runs.
    #[must_use]
    pub fn elsewhere(address: SocketAddr) -> Running {
        Running { address, shutdown: None, server: None }
    }

    /// Shuts the server down and waits for it.
    ///
    /// # Panics
    /// When it fails.
    pub async fn stop(mut self) {
        self.shut_down();
        let Some(server) = self.server.take() else { return };
        let ended = soon("the server's end", server).await;
        ended.expect("the server does not panic").expect("it ends in order");
    }

    /// Tells the server to shut down.
    pub fn shut_down(&mut self) {
        // Somebody may have been faster.
        let _ = self.shutdown.take().map(|shutdown| shutdown.send(()));
    }

    /// A TCP connection.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn connect(&self) -> TcpStream {
        soon("a connection", TcpStream::connect(self.address)).await.expect("somebody listens")
    }

    /// A page of the server.
    pub async fn page(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        let answer = self.exchange(request.as_bytes()).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends bytes over a connection of their own, and gives back all that comes until the server closes it.
    ///
    /// # Panics
    /// When the server does not close the connection.
    pub async fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        // The server may close before all is written, which is an answer too.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = soon("the server's answer", stream.read_to_end(&mut answer)).await;
        answer
    }
}

/// A client over a WebSocket.
pub struct Guest {
    /// The connection.
    pub socket: WebSocketStream<TcpStream>,
    /// The session.
    pub session: Session,
    clock: MonotonicClock,
}

/// Opens a WebSocket with a subprotocol.
///
/// # Errors
/// What the server answers instead.
///
/// # Panics
/// When there is no connection to be had.
pub async fn upgrade(
    server: &Running,
    subprotocol: &'static str,
) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
    let mut request = format!("ws://{}/play", server.address).into_client_request().expect("an address");
    let value = HeaderValue::from_static(subprotocol);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, value);
    let stream = server.connect().await;
    let upgraded = soon("the upgrade", tokio_tungstenite::client_async(request, stream)).await;
    upgraded.map(|(socket, _)| socket)
}

/// A session of the swarm before its first connection.
///
/// # Panics
/// Never: the swarm is a game.
#[must_use]
pub fn session(name: &str) -> Session {
    session_with(name, |_| {})
}

/// The same, with other wishes.
///
/// # Panics
/// Never: the swarm is a game.
#[must_use]
pub fn session_with(name: &str, change: impl FnOnce(&mut SessionConfig)) -> Session {
    let form = GameForm::of::<Swarm>().expect("the swarm is a game");
    let mut config = SessionConfig::new(Arc::new(form), name);
    change(&mut config);
    Session::new(config)
}

impl Guest {
    /// A client that has not said hello yet.
    ///
    /// # Panics
    /// When it is not let in by HTTP.
    pub async fn arrive(server: &Running, session: Session) -> Guest {
        let socket = upgrade(server, SUBPROTOCOL).await.expect("the upgrade is in order");
        Guest { socket, session, clock: MonotonicClock::start() }
    }

    /// A client that has said hello.
    ///
    /// # Panics
    /// When it cannot be said.
    pub async fn greet(server: &Running, session: Session) -> Guest {
        let mut guest = Guest::arrive(server, session).await;
        let mut hello = Vec::new();
        guest.session.poll_hello(&mut hello).expect("a new connection begins with it");
        guest.send(hello).await;
        guest
    }

    /// A client that is in.
    ///
    /// # Panics
    /// When it is not let in.
    pub async fn join(server: &Running, name: &str) -> Guest {
        let mut guest = Guest::greet(server, session(name)).await;
        guest.hear_until(|session| session.view().is_some()).await.expect("it is let in");
        guest
    }

    /// Sends a binary message.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::Binary(bytes.into())).await.expect("the connection is there");
    }

    /// The next message that is not of the WebSocket's own, or how the connection ended.
    ///
    /// # Errors
    /// The close frame, if there is one.
    pub async fn hear(&mut self) -> Result<Received, Option<CloseFrame>> {
        loop {
            match soon("a message", self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => {
                    let now = self.clock.now();
                    let received = self.session.handle_message(&bytes, now);
                    return Ok(received.expect("the server makes no mistakes"));
                }
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Takes in messages, and acknowledges, until something is so.
    ///
    /// # Errors
    /// The close frame, if there is one, when the connection ends before.
    pub async fn hear_until(
        &mut self,
        mut is_so: impl FnMut(&Session) -> bool,
    ) -> Result<(), Option<CloseFrame>> {
        while !is_so(&self.session) {
            let received = self.hear().await?;
            if let Received::Snapshot(_) = received {
                let mut message = Vec::new();
                self.session.encode_acknowledgement(&mut message);
                // The server may be about to close; then that is what is heard next.
                let _ = self.socket.send(Message::Binary(message.into())).await;
            }
            let mut message = Vec::new();
            while self.session.poll_message(self.clock.now(), &mut message) {
                let _ = self.socket.send(Message::Binary(std::mem::take(&mut message).into())).await;
            }
        }
        Ok(())
    }

    /// How the server ends this connection. What it says before is not looked at.
    ///
    /// # Panics
    /// When it ends without a close frame of Tickwire's, or with a name that is not its code's.
    pub async fn ended(&mut self) -> SessionEnd {
        loop {
            match soon("the end of the connection", self.socket.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return end_of(&frame),
                Some(Ok(Message::Binary(bytes))) => {
                    // Words for a session that has ended already are not for this one.
                    let _ = self.session.handle_message(&bytes, Micros(0));
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame but {other:?}"),
            }
        }
    }
}

/// The end that a close frame tells, by code and by name.
///
/// # Panics
/// When code and name do not belong together.
#[must_use]
pub fn end_of(frame: &CloseFrame) -> SessionEnd {
    let end = SessionEnd::from_code(frame.code.into()).expect("a code of the table");
    assert_eq!(frame.reason.as_str(), end.name());
    end
}
