//! A client's socket: a WebSocket over TCP that never blocks, from the connect to the close.

use crate::target::Target;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use thiserror::Error;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::limits::MAX_SERVER_MESSAGE_BYTES;
use tickwire_protocol::message::SUBPROTOCOL;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::http::HeaderValue;
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, Message, WebSocket, protocol::WebSocketConfig};

/// A connection in one of its states.
pub(crate) enum Socket {
    /// Not begun, or over.
    None,
    /// TCP is on its way.
    Connecting(Stream),
    /// The upgrade to a WebSocket is under way.
    Upgrading(MidHandshake<ClientHandshake<Stream>>),
    /// Messages flow.
    Open(WebSocket<Stream>),
}

/// Why a connection is of no more use.
#[derive(Debug, Error)]
pub(crate) enum Lost {
    /// The other side closed it, or it broke.
    #[error("{why}")]
    Closed {
        /// The close frame's reason, or what the system says.
        why: String,
        /// The close frame's code, if there was one.
        code: Option<u16>,
    },
    /// The other side broke the WebSocket's protocol.
    #[error("{0}")]
    Broken(Error),
}

impl Socket {
    /// Begins to connect.
    pub(crate) fn connect(
        target: &Target,
        source: Option<SocketAddr>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Socket> {
        let socket =
            socket2::Socket::new(Domain::for_address(target.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(source) = source {
            socket.bind(&source.into())?;
        }
        if let Err(error) = socket.connect(&target.address.into()) {
            // That the connect is in progress is told as an error too, and that kind has no stable name.
            let is_final = matches!(
                error.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::AddrInUse
                    | ErrorKind::AddrNotAvailable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::HostUnreachable
                    | ErrorKind::PermissionDenied
                    | ErrorKind::InvalidInput
            );
            if is_final {
                return Err(error);
            }
        }
        let mut tcp = TcpStream::from_std(socket.into());
        registry.register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Socket::Connecting(Stream { tcp, may_read: true, is_closing: false }))
    }

    /// Takes note that the system says something of the connection; `is_closing` if the other side has ended
    /// it.
    pub(crate) fn handle_ready(&mut self, is_closing: bool) {
        let stream = match self {
            Socket::Connecting(stream) => stream,
            Socket::Upgrading(handshake) => handshake.get_mut().get_mut(),
            Socket::Open(socket) => socket.get_mut(),
            Socket::None => return,
        };
        stream.may_read = true;
        stream.is_closing |= is_closing;
    }

    /// Goes on with connecting. True once the connection has been opened by this.
    pub(crate) fn poll_open(&mut self, target: &Target) -> Result<bool, Lost> {
        let shaken = match std::mem::replace(self, Socket::None) {
            Socket::Connecting(stream) => {
                if let Some(error) = stream.tcp.take_error().map_err(closed)? {
                    return Err(closed(error));
                }
                if stream.tcp.peer_addr().is_err() {
                    *self = Socket::Connecting(stream);
                    return Ok(false);
                }
                let mut request = (&target.uri).into_client_request().map_err(lost)?;
                let protocol = HeaderValue::from_static(SUBPROTOCOL);
                request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
                tungstenite::client::client_with_config(request, stream, Some(settings()))
            }
            Socket::Upgrading(handshake) => handshake.handshake(),
            other => {
                *self = other;
                return Ok(false);
            }
        };
        match shaken {
            Ok((socket, _)) => {
                *self = Socket::Open(socket);
                Ok(true)
            }
            Err(HandshakeError::Interrupted(handshake)) => {
                *self = Socket::Upgrading(handshake);
                Ok(false)
            }
            Err(HandshakeError::Failure(error)) => Err(lost(error)),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Socket::Open(_))
    }

    /// The next binary message that has come, or `None` until the system says that there is more.
    pub(crate) fn poll_message(&mut self) -> Result<Option<Bytes>, Lost> {
        let Socket::Open(socket) = self else { return Ok(None) };
        loop {
            match socket.read() {
                Ok(Message::Binary(bytes)) => return Ok(Some(bytes)),
                Ok(Message::Close(frame)) => {
                    let code = frame.as_ref().map(|frame| u16::from(frame.code));
                    return Err(Lost::Closed { why: reason(frame), code });
                }
                // tungstenite answers pings by itself.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Text(_)) => return Err(told("a text message")),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(lost(error)),
            }
        }
    }

    /// Sends a message. False if the other side takes in nothing, and so much waits already that it was
    /// dropped.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<bool, Lost> {
        let Socket::Open(socket) = self else { return Ok(false) };
        match socket.send(Message::Binary(Bytes::copy_from_slice(message))) {
            Ok(()) => Ok(true),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(Error::WriteBufferFull(_)) => Ok(false),
            Err(error) => Err(lost(error)),
        }
    }

    /// Closes the connection with a code, if that can still be said.
    pub(crate) fn close(&mut self, end: SessionEnd) {
        if let Socket::Open(socket) = self {
            let frame = CloseFrame { code: CloseCode::from(end.code()), reason: end.name().into() };
            // Whether the other side hears of it does not matter any more.
            let _ = socket.close(Some(frame));
        }
        *self = Socket::None;
    }
}

/// The buffers of a client: small, for there are thousands. Few snapshots have more than a hundred bytes, and
/// tungstenite clears as much memory before each read as it asks for.
fn settings() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(64 << 10)
        .max_message_size(Some(MAX_SERVER_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_SERVER_MESSAGE_BYTES))
}

fn reason(frame: Option<CloseFrame>) -> String {
    let Some(frame) = frame else { return "closed without a reason".to_owned() };
    let code = u16::from(frame.code);
    SessionEnd::from_code(code)
        .map_or_else(|| format!("{code} {}", frame.reason), |end| end.name().to_owned())
}

fn closed(error: io::Error) -> Lost {
    told(&error.to_string())
}

fn told(why: &str) -> Lost {
    Lost::Closed { why: why.to_owned(), code: None }
}

fn lost(error: Error) -> Lost {
    match error {
        Error::Io(error) => closed(error),
        Error::ConnectionClosed | Error::AlreadyClosed => told("closed"),
        Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            told(SessionEnd::ConnectionLost.name())
        }
        Error::Http(response) => told(&format!("the server answers {}", response.status())),
        other => Lost::Broken(other),
    }
}

/// A TCP stream that knows when there is nothing to read.
///
/// The system tells once that there is something. Whoever reads less than asked for has read all of it, and
/// the system call that would say so can be saved: it would be half of all reads. When the other side ends
/// the stream the rest is read to its end.
pub(crate) struct Stream {
    tcp: TcpStream,
    may_read: bool,
    is_closing: bool,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.may_read && !self.is_closing {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = self.tcp.read(buffer);
        self.may_read = matches!(read, Ok(count) if count == buffer.len());
        read
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
