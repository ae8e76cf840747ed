//! Opening connections: TCP, TLS if the address asks for it, and the upgrade to a WebSocket.

use super::address::Address;
use super::trust::{Trust, TrustError};
use rustls::CertificateError;
use rustls::pki_types::ServerName;
use std::io;
use thiserror::Error;
use tickwire_protocol::limits::MAX_SERVER_MESSAGE_BYTES;
use tickwire_protocol::message::SUBPROTOCOL;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tungstenite::http::{HeaderValue, StatusCode};
use tungstenite::protocol::WebSocketConfig;

/// Why a connection could not be opened.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The host is not known, does not answer, or refuses.
    #[error("{0}")]
    Network(#[source] io::Error),
    /// The server shows a certificate that is not trusted, or not good for its name.
    #[error("the server's certificate is not trusted: {0}")]
    Untrusted(CertificateError),
    /// TLS fails otherwise.
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    /// TLS cannot be set up on this machine.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The host's name is none that a certificate could have.
    #[error("{0:?} is no name of a host")]
    Name(String),
    /// The server answers with this instead of a WebSocket.
    #[error("the server answers {0} instead of opening a WebSocket")]
    Answer(StatusCode),
    /// The server does not open a WebSocket as it should.
    #[error("no WebSocket: {0}")]
    Upgrade(#[source] Box<tungstenite::Error>),
}

/// A stream of bytes, inside TLS or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A WebSocket over either.
pub(super) type Socket = WebSocketStream<Box<dyn Stream>>;

/// What opens connections to a server. Shared by all tasks of a player.
pub(super) struct Dialer {
    address: Address,
    trust: Trust,
    /// Made once for a server that speaks TLS.
    connector: Option<TlsConnector>,
}

/// What is read at a time. The default, 128 KiB, is cleared before each read, and few messages have more than
/// a hundred bytes.
const READ_BUFFER_BYTES: usize = 4 << 10;

impl Dialer {
    pub(super) fn new(address: Address, trust: Trust) -> Result<Dialer, TrustError> {
        let connector = address.is_secure.then(|| trust.connector()).transpose()?;
        Ok(Dialer { address, trust, connector })
    }

    /// Where the game is.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Opens a WebSocket to the game.
    pub(super) async fn websocket(&self) -> Result<Socket, ConnectError> {
        let stream = self.stream(&self.address).await?;
        let mut request = self.address.websocket_url().into_client_request().map_err(upgrade)?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        let settings = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(MAX_SERVER_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_SERVER_MESSAGE_BYTES));
        let (socket, _) = client_async_with_config(request, stream, Some(settings)).await.map_err(upgrade)?;
        Ok(socket)
    }

    /// Opens a connection for bytes to any address.
    pub(super) async fn stream(&self, address: &Address) -> Result<Box<dyn Stream>, ConnectError> {
        let to = (address.host.as_str(), address.port);
        let tcp = TcpStream::connect(to).await.map_err(ConnectError::Network)?;
        tcp.set_nodelay(true).map_err(ConnectError::Network)?;
        if !address.is_secure {
            return Ok(Box::new(tcp));
        }
        let connector = match &self.connector {
            Some(connector) => connector.clone(),
            None => self.trust.connector()?,
        };
        let name = ServerName::try_from(address.host.clone());
        let name = name.map_err(|_| ConnectError::Name(address.host.clone()))?;
        Ok(Box::new(connector.connect(name, tcp).await.map_err(tls)?))
    }
}

fn upgrade(error: tungstenite::Error) -> ConnectError {
    match error {
        tungstenite::Error::Http(answer) => ConnectError::Answer(answer.status()),
        tungstenite::Error::Io(error) => ConnectError::Network(error),
        error => ConnectError::Upgrade(Box::new(error)),
    }
}

/// What the TLS handshake failed of, which is hidden in an error of the system.
fn tls(error: io::Error) -> ConnectError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => ConnectError::Untrusted(problem.clone()),
        Some(_) => ConnectError::Tls(error),
        None => ConnectError::Network(error),
    }
}
