//! The HTTP side: pages, health, metrics, levels, and the upgrade to a WebSocket.

mod upgrade;
mod web;

use crate::run::Lobby;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use std::sync::Arc;

/// The routes of a server.
pub(crate) fn router(lobby: Arc<Lobby>) -> Router {
    web::prepare();
    Router::new()
        .route("/play", any(upgrade::play))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/rooms", get(rooms))
        .route("/levels/{id}", get(level))
        .route("/games", get(games))
        .route("/", get(|headers: HeaderMap| async move { web::page("index.html", &headers) }))
        .route("/lobby", get(|headers: HeaderMap| async move { web::page("lobby.html", &headers) }))
        .route(
            "/spectator",
            get(|headers: HeaderMap| async move { web::page("spectator/index.html", &headers) }),
        )
        .route("/web/{*file}", get(web::file))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        .layer(axum::middleware::map_response(harden))
        .with_state(lobby)
}

async fn health(State(lobby): State<Arc<Lobby>>) -> Response {
    if lobby.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    "ok\n".into_response()
}

async fn metrics(State(lobby): State<Arc<Lobby>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], lobby.services.metrics.to_text()).into_response()
}

/// The names of the games, the first one first.
async fn games(State(lobby): State<Arc<Lobby>>) -> Response {
    let names: Vec<_> = lobby.games.iter().map(|game| &game.name).collect();
    ([web::ANY_ORIGIN], axum::Json(names)).into_response()
}

/// A public room, as the list tells it.
#[derive(serde::Serialize)]
struct ListedRoom {
    id: u32,
    game: String,
    players: usize,
    capacity: usize,
}

async fn rooms(State(lobby): State<Arc<Lobby>>) -> Response {
    let rooms = lobby.services.directory.rooms();
    let public = rooms.iter().filter(|card| card.code.is_none() && card.is_open());
    let listed: Vec<_> = public
        .map(|card| ListedRoom {
            id: card.id.0,
            game: lobby.games[card.game].name.clone(),
            players: card.taken(),
            capacity: card.capacity,
        })
        .collect();
    ([web::ANY_ORIGIN], axum::Json(listed)).into_response()
}

/// A level by its content hash. What it holds never changes, so that it may be cached for ever.
async fn level(State(lobby): State<Arc<Lobby>>, Path(id): Path<String>) -> Response {
    let wanted = u64::from_str_radix(&id, 16).ok();
    let found = lobby.services.directory.rooms().into_iter().find_map(|card| {
        let level = card.level.lock();
        (Some(level.0) == wanted).then(|| Arc::clone(&level.1))
    });
    match found {
        Some(content) => {
            let cache =
                (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
            ([cache, web::ANY_ORIGIN], bytes::Bytes::copy_from_slice(&content)).into_response()
        }
        None => (StatusCode::NOT_FOUND, "No room has this level.\n").into_response(),
    }
}

/// What every page is served with: nothing from elsewhere, no inline script, no guessing of types.
/// WebAssembly may be compiled, which is all that `'wasm-unsafe-eval'` means.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; \
                  frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
