//! Where the bots connect to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use thiserror::Error;
use tungstenite::http::Uri;

/// A server by its URL, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The WebSocket's URL.
    pub uri: Uri,
    /// The address behind it.
    pub address: SocketAddr,
}

/// Why a URL is no target.
#[derive(Debug, Error)]
pub enum TargetError {
    /// It is no URL of a WebSocket without TLS.
    #[error("{0:?} is no URL of the form ws://HOST[:PORT][/PATH]")]
    Url(String),
    /// Its host has no address.
    #[error("{host}: {error}")]
    Unknown {
        /// The host.
        host: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl Target {
    /// The target of a URL; without a path it is `/play`.
    ///
    /// # Errors
    /// [`TargetError`] says what is wrong with the URL, or that its host is not known.
    pub fn parse(url: &str) -> Result<Target, TargetError> {
        let wrong = || TargetError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let host = uri.host().ok_or_else(wrong)?;
        if uri.scheme_str() != Some("ws") {
            return Err(wrong());
        }
        let named = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let port = uri.port_u16().unwrap_or(80);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = (bare, port)
            .to_socket_addrs()
            .and_then(|mut found| found.next().ok_or_else(|| std::io::ErrorKind::NotFound.into()))
            .map_err(|error| TargetError::Unknown { host: host.to_owned(), error })?;
        let path = if uri.path() == "/" { "/play" } else { uri.path() };
        let uri = format!("ws://{named}{path}").parse().map_err(|_| wrong())?;
        Ok(Target { uri, address })
    }

    /// The address that the client with this number connects from, to spread clients over the addresses of
    /// the loopback: a server has a cap per address, and a port can be used once per address.
    #[must_use]
    pub fn source(&self, number: u32) -> Option<SocketAddr> {
        let is_loopback = matches!(self.address.ip(), IpAddr::V4(address) if address.is_loopback());
        let last = 2 + (number % SOURCES) as u8;
        is_loopback.then(|| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)))
    }
}

/// Addresses of the loopback that clients are spread over.
const SOURCES: u32 = 250;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_completed_or_refused() {
        let target = Target::parse("ws://127.0.0.1:7777").unwrap();
        assert_eq!(target.uri.to_string(), "ws://127.0.0.1:7777/play");
        assert_eq!(target.address, SocketAddr::from(([127, 0, 0, 1], 7777)));
        assert_eq!(Target::parse("ws://[::1]:9/other").unwrap().address.to_string(), "[::1]:9");
        assert_eq!(Target::parse("ws://127.0.0.1/").unwrap().address.port(), 80);
        for wrong in ["", "7777", "127.0.0.1:7777", "http://127.0.0.1", "wss://127.0.0.1", "ws://", "ws:// x"]
        {
            assert!(matches!(Target::parse(wrong), Err(TargetError::Url(_))), "{wrong}");
        }
    }

    #[test]
    fn clients_of_the_loopback_come_from_many_addresses() {
        let target = Target::parse("ws://127.0.0.1:7777").unwrap();
        let source = |number| target.source(number).unwrap().ip().to_string();
        assert_eq!(
            (source(0), source(249), source(250)),
            ("127.0.0.2".into(), "127.0.0.251".into(), source(0))
        );
        assert_eq!(Target::parse("ws://[::1]:1").unwrap().source(0), None);
    }
}
