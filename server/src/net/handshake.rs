//! From an upgraded connection to a room: the hello is read, checked, and handed to the room that it asks
//! for.

use super::limit::ConnectionPermit;
use super::link::{Closing, DirectLink, LinkEnd, binary};
use super::socket::{Socket, bucket};
use super::websocket::WebSocket;
use crate::clock::Clock;
use crate::inbox::inbox;
use crate::room::{Admission, GameEntry, PlaceTaken, RoomCard};
use crate::run::Lobby;
use crate::session::TokenHash;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::message::{
    BoundedText, ClientMessage, Features, Hello, MessageError, PlayerName, Refusal, RefusalReason, RoomWish,
    ServerMessage, VERSION,
};

/// Why a connection does not get into a room.
pub(crate) enum Rejection {
    /// The client is told so.
    Refused(Refusal),
    /// The session ends before it began.
    Ended(SessionEnd),
}

impl From<SessionEnd> for Rejection {
    fn from(end: SessionEnd) -> Rejection {
        if end.is_refusal() {
            Rejection::Refused(Refusal::new(RefusalReason::End(end)))
        } else {
            Rejection::Ended(end)
        }
    }
}

/// Takes an upgraded connection, reads its hello and hands it to a room, or tells it why not.
pub(crate) async fn shake_hands(
    upgraded: Upgraded,
    peer: SocketAddr,
    permit: ConnectionPermit,
    lobby: Arc<Lobby>,
) {
    let mut websocket = websocket(upgraded, &lobby);
    let hello = tokio::time::timeout(lobby.services.config.handshake_timeout, read_hello(&mut websocket));
    let hello = hello.await.unwrap_or(Err(SessionEnd::HandshakeTimedOut.into()));
    let destination = hello.and_then(|hello| {
        let name = player_name(&hello)?;
        let destination = lobby.find(&hello)?;
        Ok((hello, name, destination))
    });
    match destination {
        Ok((hello, name, destination)) => {
            if let Err(error) = hand_over(websocket, hello, name, destination, peer, permit, &lobby) {
                tracing::warn!(%peer, %error, "a connection could not be handed to its room");
            }
        }
        Err(rejection) => reject(websocket, rejection, peer, permit, &lobby).await,
    }
}

fn websocket(upgraded: Upgraded, lobby: &Lobby) -> WebSocket {
    let limit = bucket(lobby.services.config.client_bytes_per_second, lobby.clock.now());
    match upgraded.downcast::<TokioIo<tokio::net::TcpStream>>() {
        Ok(parts) => {
            let socket = Socket::new(parts.io.into_inner(), limit);
            // What came right behind the request has been read already.
            WebSocket::new(socket, parts.read_buf.to_vec(), lobby.clock)
        }
        Err(upgraded) => {
            let socket = Socket::wrapped(Box::new(TokioIo::new(upgraded)), limit);
            WebSocket::new(socket, Vec::new(), lobby.clock)
        }
    }
}

async fn read_hello(websocket: &mut WebSocket) -> Result<Hello, Rejection> {
    loop {
        let bytes = match binary(websocket.next().await) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(LinkEnd::Lost) => return Err(SessionEnd::ConnectionLost.into()),
            Err(LinkEnd::Broken(end)) => return Err(end.into()),
        };
        return match ClientMessage::decode(&bytes) {
            Ok(ClientMessage::Hello(hello)) => Ok(*hello),
            Ok(_) => Err(SessionEnd::OutOfOrder.into()),
            Err(MessageError::Version(_)) => {
                let reason = RefusalReason::WrongVersion { lowest: VERSION, highest: VERSION };
                Err(Rejection::Refused(Refusal::new(reason)))
            }
            Err(error) => Err(error.end().into()),
        };
    }
}

fn player_name(hello: &Hello) -> Result<PlayerName, Rejection> {
    PlayerName::new(hello.body.name.as_str()).map_err(|error| {
        let refusal = Refusal::new(RefusalReason::End(SessionEnd::NameRefused));
        Rejection::Refused(Refusal { text: BoundedText::cut(&error.to_string()), ..refusal })
    })
}

/// Checks that a client's idea of the game is the server's.
pub(crate) fn check_fingerprint(hello: &Hello, game: &GameEntry) -> Result<(), Rejection> {
    let learns = hello.body.fingerprint == 0 && hello.body.features.has(Features::WANTS_SCHEMA);
    if learns || hello.body.fingerprint == game.fingerprint {
        return Ok(());
    }
    let reason = RefusalReason::WrongSchema { fingerprint: game.fingerprint };
    Err(Rejection::Refused(Refusal::new(reason)))
}

/// Where a connection goes.
pub(crate) struct Destination {
    pub(crate) card: Arc<RoomCard>,
    /// For a new player; one who resumes has a place.
    pub(crate) place: Option<PlaceTaken>,
}

impl Lobby {
    /// The room that a hello asks for, with a place in it.
    fn find(&self, hello: &Hello) -> Result<Destination, Rejection> {
        if self.is_draining() {
            return Err(SessionEnd::DrainingRefused.into());
        }
        let (number, game) = self.game(hello.body.game.as_str()).ok_or(SessionEnd::UnknownGame)?;
        check_fingerprint(hello, game)?;
        if let Some(resume) = &hello.body.resume {
            let card = self.services.directory.room_of_token(&TokenHash::of(&resume.token));
            let card = card.filter(|card| card.game == number).ok_or(SessionEnd::ResumeRefused)?;
            return Ok(Destination { card, place: None });
        }
        let directory = &self.services.directory;
        let card = match hello.body.room {
            RoomWish::QuickPlay => return self.quick_play(number),
            RoomWish::Create { private } => self.open_room(number, private, false)?,
            // A private room is not there for those who know its number alone.
            RoomWish::Room(id) => {
                directory.room(id).filter(|card| card.code.is_none()).ok_or(SessionEnd::UnknownRoom)?
            }
            RoomWish::Code(code) => directory.room_with_code(code).ok_or(SessionEnd::UnknownRoom)?,
        };
        if card.game != number {
            return Err(SessionEnd::UnknownRoom.into());
        }
        let place = card.take_place().ok_or(SessionEnd::RoomFull)?;
        Ok(Destination { card, place: Some(place) })
    }

    /// A place where others play, or in a new room when there is none.
    fn quick_play(&self, game: usize) -> Result<Destination, Rejection> {
        let directory = &self.services.directory;
        let find =
            || directory.quick_place(game).map(|(card, place)| Destination { card, place: Some(place) });
        if let Some(found) = find() {
            return Ok(found);
        }
        // Who comes at the same time waits, and finds the room that the first one opens.
        let _opening = self.opening.lock();
        if let Some(found) = find() {
            return Ok(found);
        }
        let card = self.open_room(game, false, false)?;
        let place = card.take_place().ok_or(SessionEnd::RoomFull)?;
        Ok(Destination { card, place: Some(place) })
    }
}

fn hand_over(
    websocket: WebSocket,
    hello: Hello,
    name: PlayerName,
    destination: Destination,
    peer: SocketAddr,
    permit: ConnectionPermit,
    lobby: &Lobby,
) -> std::io::Result<()> {
    let (writer, inbox) = inbox();
    let messages = bucket(lobby.services.config.client_messages_per_second, lobby.clock.now());
    let link = DirectLink::new(websocket, writer, messages, peer, lobby.closer.clone(), permit)?;
    let Destination { card, place } = destination;
    lobby.admit(&card, Admission { link: Box::new(link), inbox, hello, name, place });
    Ok(())
}

async fn reject(
    mut websocket: WebSocket,
    rejection: Rejection,
    peer: SocketAddr,
    permit: ConnectionPermit,
    lobby: &Lobby,
) {
    let end = match &rejection {
        Rejection::Refused(refusal) => refusal.end(),
        Rejection::Ended(end) => *end,
    };
    lobby.services.metrics.end(end);
    lobby.services.log_end(Some(peer), end, None, lobby.clock.now());
    if let Rejection::Refused(refusal) = rejection {
        let mut bytes = Vec::new();
        if ServerMessage::Refusal(refusal).encode(&mut bytes).is_ok() {
            // The connection may be gone, or nobody may read there: then nobody is left to be told.
            let told =
                tokio::time::timeout(lobby.services.config.handshake_timeout, websocket.send_now(&bytes));
            let _ = told.await;
        }
    }
    let _ = lobby.closer.send(Closing { websocket, end, permit });
}
