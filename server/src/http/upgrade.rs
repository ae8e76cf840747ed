//! The upgrade of an HTTP request to a WebSocket, as RFC 6455 (section 4.2) has it.

use crate::net::{Accepted, shake_hands};
use crate::run::Lobby;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;
use tickwire_protocol::message::SUBPROTOCOL;
use tungstenite::handshake::derive_accept_key;

/// Answers the request to speak WebSocket, and sees the connection off to its handshake.
pub(super) async fn play(State(lobby): State<Arc<Lobby>>, mut request: Request) -> Response {
    let key = match check(request.method(), request.headers()) {
        Ok(key) => key,
        Err(refusal) => return refusal.into_response(),
    };
    let accepted = request.extensions().get::<Accepted>().cloned();
    let permit = accepted.as_ref().and_then(|accepted| accepted.permit.lock().take());
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let (Some(accepted), Some(permit), Some(upgrade)) = (accepted, permit, upgrade) else {
        return (StatusCode::BAD_REQUEST, "This connection cannot be upgraded.\n").into_response();
    };
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => shake_hands(upgraded, accepted.peer, permit, lobby).await,
            Err(error) => tracing::debug!(peer = %accepted.peer, %error, "an upgrade failed"),
        }
    });
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL)),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// The accept key of a request that is in order, or the answer to one that is not.
fn check(method: &Method, headers: &HeaderMap) -> Result<HeaderValue, (StatusCode, &'static str)> {
    let bad = |text| Err((StatusCode::BAD_REQUEST, text));
    if method != Method::GET || !has_token(headers, header::UPGRADE, "websocket") {
        return Err((StatusCode::UPGRADE_REQUIRED, "This address speaks WebSocket.\n"));
    }
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return bad("The connection header does not ask for an upgrade.\n");
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return bad("Only version 13 of WebSocket is spoken here.\n");
    }
    if !has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return bad("Only the subprotocol tickwire.1 is spoken here.\n");
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return bad("There is no WebSocket key.\n");
    };
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).or(bad("The WebSocket key is none.\n"))
}

/// Whether a header that is a list has this item.
fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut HeaderMap)) -> Result<HeaderValue, (StatusCode, &'static str)> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::UPGRADE, "WebSocket"),
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_PROTOCOL, "other, tickwire.1"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        change(&mut headers);
        check(&Method::GET, &headers)
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        assert_eq!(request(|_| ()).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_upgrade_is_told_why() {
        let status = |result: Result<HeaderValue, (StatusCode, &'static str)>| result.unwrap_err().0;
        let without = |name| request(move |headers| drop(headers.remove(name)));
        assert_eq!(status(without(header::UPGRADE)), StatusCode::UPGRADE_REQUIRED);
        for name in [header::CONNECTION, header::SEC_WEBSOCKET_VERSION, header::SEC_WEBSOCKET_KEY] {
            assert_eq!(status(without(name)), StatusCode::BAD_REQUEST);
        }
        assert!(without(header::SEC_WEBSOCKET_PROTOCOL).unwrap_err().1.contains("subprotocol"));
    }
}
