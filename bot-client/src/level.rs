//! Fetching levels: those of a room's game, which a client needs to predict.

use crate::target::Target;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use thiserror::Error;
use tickwire_protocol::limits::MAX_LEVEL_BYTES;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Why a level could not be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The system says no.
    #[error("the level: {0}")]
    System(#[from] std::io::Error),
    /// The other side breaks HTTP.
    #[error("the level: {0}")]
    Http(String),
    /// The server has no such level.
    #[error("the level: the server answers {0}")]
    Answer(StatusCode),
    /// It takes too long.
    #[error("the level does not come")]
    Late,
}

/// How long a level may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches what is at a path of the server.
///
/// # Errors
/// [`FetchError`] says what came instead.
pub async fn fetch(target: &Target, path: &str) -> Result<Vec<u8>, FetchError> {
    tokio::time::timeout(PATIENCE, get(target, path)).await.unwrap_or(Err(FetchError::Late))
}

async fn get(target: &Target, path: &str) -> Result<Vec<u8>, FetchError> {
    let host = target.uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    fetch_over(TcpStream::connect(target.address).await?, host, path).await
}

/// Fetches what is at a path of the host at the other end of a connection, inside TLS or not. It takes as
/// long as it takes.
pub(crate) async fn fetch_over(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    host: &str,
    path: &str,
) -> Result<Vec<u8>, FetchError> {
    let wrong = |error: &dyn std::fmt::Display| FetchError::Http(error.to_string());
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| wrong(&error))?;
    let request = Request::get(path).header(HOST, host).body(Empty::<Bytes>::new());
    let request = request.map_err(|error| wrong(&error))?;
    // The connection ends with what is asked over it.
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| wrong(&error))?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Answer(response.status()));
        }
        let body = Limited::new(response.into_body(), MAX_LEVEL_BYTES).collect().await;
        Ok(body.map_err(|error| wrong(&error))?.to_bytes().to_vec())
    };
    tokio::pin!(connection, answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(wrong(&error)),
        },
    }
}
