//! Accepting connections and serving HTTP on them, with a deadline for each request's head.

use super::limit::{ConnectionCaps, ConnectionPermit};
use super::socket::tune;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What a request handler knows of the connection that the request came on.
#[derive(Clone)]
pub(crate) struct Accepted {
    pub(crate) peer: SocketAddr,
    /// Whose turn it is to count the connection: a WebSocket takes it along.
    pub(crate) permit: Arc<parking_lot::Mutex<Option<ConnectionPermit>>>,
}

/// How connections are accepted and served.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) router: axum::Router,
    pub(crate) caps: Arc<ConnectionCaps>,
    /// How long the TLS handshake may take, and the head of each request.
    pub(crate) head_timeout: Duration,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Accepts connections until `closing` says so, and serves each with the router.
pub(crate) async fn listen(listener: TcpListener, how: Listening, mut closing: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closing.wait_for(|is_closing| *is_closing) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(permit) = how.caps.enter(peer.ip()) else {
                    // An answer would cost what the cap is there to save.
                    tracing::debug!(%peer, "too many connections");
                    continue;
                };
                if tune(&stream).is_ok() {
                    tokio::spawn(serve(stream, peer, permit, how.clone()));
                }
            }
            Err(error) => {
                // Out of descriptors, most likely: they come back as others leave.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a request's head. A longer one is refused.
const MAX_HEAD_BYTES: usize = 16 << 10;

async fn serve(stream: TcpStream, peer: SocketAddr, permit: ConnectionPermit, how: Listening) {
    let Some(tls) = &how.tls else {
        return serve_http(TokioIo::new(stream), peer, permit, how).await;
    };
    match tokio::time::timeout(how.head_timeout, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve_http(TokioIo::new(stream), peer, permit, how).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
        Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
    }
}

async fn serve_http<S>(stream: S, peer: SocketAddr, permit: ConnectionPermit, how: Listening)
where
    S: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let permit = Arc::new(parking_lot::Mutex::new(Some(permit)));
    let router = how.router.layer(axum::Extension(Accepted { peer, permit: Arc::clone(&permit) }));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(how.head_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(stream, TowerToHyperService::new(router))
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%peer, %error, "an HTTP connection ended early");
    }
}
