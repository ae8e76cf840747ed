//! Where a server is: what a URL says, before any name is looked up.

use thiserror::Error;
use tungstenite::http::Uri;

/// What is to be reached over TCP, and what is wanted there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Whether it speaks TLS.
    pub(super) is_secure: bool,
    /// A name or an IP address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as a request names them.
    pub(super) authority: String,
    /// The path, with the query if there is one.
    pub(super) path: String,
}

/// A text is no URL of a server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{url:?} is no URL of the form {form}")]
pub struct AddressError {
    url: String,
    form: &'static str,
}

impl Address {
    /// The address of a `ws://` or `wss://` URL. Without a path it is `/play`.
    pub(super) fn of_game(url: &str) -> Result<Address, AddressError> {
        let form = "ws[s]://HOST[:PORT][/PATH]";
        let mut address =
            Address::parse(url, ["ws", "wss"]).ok_or(AddressError { url: url.to_owned(), form })?;
        if address.path == "/" {
            address.path = "/play".to_owned();
        }
        Ok(address)
    }

    /// The address of a `http://` or `https://` URL.
    pub(super) fn of_file(url: &str) -> Result<Address, AddressError> {
        let form = "http[s]://HOST[:PORT]/PATH";
        Address::parse(url, ["http", "https"]).ok_or(AddressError { url: url.to_owned(), form })
    }

    /// Another path at the same server.
    pub(super) fn at(&self, path: &str) -> Address {
        Address { path: path.to_owned(), ..self.clone() }
    }

    /// The URL of the WebSocket there.
    pub(super) fn websocket_url(&self) -> String {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        format!("{scheme}://{}{}", self.authority, self.path)
    }

    fn parse(url: &str, [plain, secure]: [&str; 2]) -> Option<Address> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?;
        let is_secure = scheme == secure;
        // Who is meant by `user@host` is not said here, and so it is refused instead of ignored.
        if !(is_secure || scheme == plain) || uri.authority()?.as_str().contains('@') {
            return None;
        }
        let named = uri.host().filter(|host| !host.is_empty())?;
        let port = uri.port_u16();
        let authority = port.map_or_else(|| named.to_owned(), |port| format!("{named}:{port}"));
        // What follows the host may be a colon and nonsense.
        if !authority.eq_ignore_ascii_case(uri.authority()?.as_str()) {
            return None;
        }
        Some(Address {
            is_secure,
            host: named.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: port.unwrap_or(if is_secure { 443 } else { 80 }),
            authority,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_completed() {
        let address = Address::of_game("wss://game.example").unwrap();
        assert_eq!((address.port, address.is_secure, address.path.as_str()), (443, true, "/play"));
        assert_eq!(address.websocket_url(), "wss://game.example/play");
        let address = Address::of_game("ws://[::1]:9/other?a=b").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", 9));
        assert_eq!(address.websocket_url(), "ws://[::1]:9/other?a=b");
        assert_eq!(address.at("/levels/0").websocket_url(), "ws://[::1]:9/levels/0");
        assert_eq!(Address::of_file("http://a/b").unwrap().port, 80);
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused() {
        for wrong in
            ["", "7777", "127.0.0.1:7777", "http://a", "ws://", "ws:// x", "ws://a:b", "ws://u@a", "/a"]
        {
            assert!(Address::of_game(wrong).is_err(), "{wrong}");
        }
        assert!(Address::of_file("ws://a/b").is_err() && Address::of_file("/b").is_err());
    }
}
