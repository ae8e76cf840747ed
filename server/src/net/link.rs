//! A link: the connection of a session, as the tick sees it.

use crate::inbox::{InboxWriter, Received};
use crate::net::limit::{ConnectionPermit, TokenBucket};
use crate::net::socket::TooManyBytes;
use crate::net::websocket::WebSocket;
use crate::outbox::HEADROOM;
use bytes::Bytes;
use std::hint::black_box;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};
use thiserror::Error;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::time::Micros;
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message};

/// The connection of a session. Everything is polled by the tick and nothing waits.
///
/// A simulated network is one too.
pub trait Link: Send {
    /// Moves the messages that have come into the connection's inbox, until there are no more or it is full.
    ///
    /// # Errors
    /// [`LinkEnd`] when no more will come. What came before is in the inbox.
    fn poll_receive(&mut self, now: Micros) -> Result<Polled, LinkEnd>;

    /// Takes a message. It goes out with the next [`Link::poll_flush`].
    fn send(&mut self, message: &[u8]);

    /// Writes what was taken, as far as the network has room: true when nothing is left.
    ///
    /// # Errors
    /// [`LinkEnd`] when nothing can be written any more.
    fn poll_flush(&mut self) -> Result<bool, LinkEnd>;

    /// Takes a message and writes it, as [`Link::send`] and [`Link::poll_flush`] do. It stands behind
    /// [`HEADROOM`] bytes that are the link's to use.
    ///
    /// # Errors
    /// [`LinkEnd`] when nothing can be written any more.
    fn poll_send(&mut self, bytes: &mut [u8]) -> Result<bool, LinkEnd> {
        self.send(&bytes[HEADROOM..]);
        self.poll_flush()
    }

    /// Begins to fetch into the cache what the next [`Link::poll_receive`] needs. Only a connection of which
    /// there may be thousands has a use for it.
    fn prefetch_receiving(&self) {}

    /// Begins to fetch into the cache what the next [`Link::poll_send`] needs.
    fn prefetch_sending(&self) {}

    /// Closes the connection for this reason, after what was taken has been written, or soon.
    fn close(self: Box<Self>, end: SessionEnd);

    /// The peer's address, for logs.
    fn peer(&self) -> Option<SocketAddr>;
}

/// How far the reading of a link got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// There is no more for now.
    Drained,
    /// The inbox is full, and there may be more.
    Full,
}

/// Why a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkEnd {
    /// It broke, or the peer closed it.
    #[error("the connection is gone")]
    Lost,
    /// The peer did what ends the session.
    #[error(transparent)]
    Broken(#[from] SessionEnd),
}

/// A WebSocket that the tick itself reads and writes.
pub(crate) struct DirectLink {
    websocket: WebSocket,
    inbox: InboxWriter,
    messages: TokenBucket,
    peer: SocketAddr,
    closer: Closer,
    permit: ConnectionPermit,
}

/// Where connections go to be closed in order: to the runtime, which can wait for the peer.
pub(crate) type Closer = tokio::sync::mpsc::UnboundedSender<Closing>;

/// A connection that is to be closed.
pub(crate) struct Closing {
    pub(crate) websocket: WebSocket,
    pub(crate) end: SessionEnd,
    pub(crate) permit: ConnectionPermit,
}

impl DirectLink {
    /// Takes a connection over from the runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new(
        mut websocket: WebSocket,
        inbox: InboxWriter,
        messages: TokenBucket,
        peer: SocketAddr,
        closer: Closer,
        permit: ConnectionPermit,
    ) -> std::io::Result<DirectLink> {
        websocket.socket_mut().move_to_tick()?;
        Ok(DirectLink { websocket, inbox, messages, peer, closer, permit })
    }
}

impl Link for DirectLink {
    fn poll_receive(&mut self, now: Micros) -> Result<Polled, LinkEnd> {
        self.websocket.socket_mut().rearm();
        let mut context = Context::from_waker(Waker::noop());
        let DirectLink { websocket, inbox, messages, .. } = self;
        let mut may_send = true;
        let plain = websocket.poll_plain(&mut context, now, |message| {
            may_send = may_send && (inbox.is_full() || messages.take(1, now));
            may_send && inbox.push(Received::new(now, message)).is_ok()
        });
        if !may_send {
            return Err(SessionEnd::TooMany.into());
        }
        plain.map_err(|error| link_end(&Error::Io(error)))?;
        while !inbox.is_full() {
            let Poll::Ready(next) = websocket.poll_next(&mut context, now) else {
                return Ok(Polled::Drained);
            };
            if !messages.take(1, now) {
                return Err(SessionEnd::TooMany.into());
            }
            if let Some(bytes) = binary(next)? {
                let pushed = inbox.push(Received::new(now, &bytes));
                debug_assert!(pushed.is_ok(), "there was room, and nobody else writes");
            }
        }
        Ok(Polled::Full)
    }

    fn send(&mut self, message: &[u8]) {
        self.websocket.send(message);
    }

    fn poll_flush(&mut self) -> Result<bool, LinkEnd> {
        flushed(self.websocket.poll_flush(&mut Context::from_waker(Waker::noop())))
    }

    fn poll_send(&mut self, bytes: &mut [u8]) -> Result<bool, LinkEnd> {
        flushed(self.websocket.poll_send(&mut Context::from_waker(Waker::noop()), bytes))
    }

    fn prefetch_receiving(&self) {
        self.websocket.prefetch_reading();
        black_box((self.messages, self.inbox.is_full()));
    }

    fn prefetch_sending(&self) {
        self.websocket.prefetch_writing();
    }

    fn close(self: Box<Self>, end: SessionEnd) {
        let closing = Closing { websocket: self.websocket, end, permit: self.permit };
        // Without a runtime the connection is dropped, which is all that is left to do.
        let _ = self.closer.send(closing);
    }

    fn peer(&self) -> Option<SocketAddr> {
        Some(self.peer)
    }
}

/// Whether nothing is left to be written.
fn flushed(polled: Poll<std::io::Result<()>>) -> Result<bool, LinkEnd> {
    match polled {
        Poll::Pending => Ok(false),
        Poll::Ready(Ok(())) => Ok(true),
        Poll::Ready(Err(_)) => Err(LinkEnd::Lost),
    }
}

/// The bytes of a binary message, or none of what the WebSocket layer sees to itself.
pub(crate) fn binary(next: Result<Message, Error>) -> Result<Option<Bytes>, LinkEnd> {
    match next {
        Ok(Message::Binary(bytes)) => Ok(Some(bytes)),
        Ok(Message::Text(_)) => Err(SessionEnd::TextFrame.into()),
        Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Ok(None),
        Ok(Message::Close(Some(frame))) if frame.code == CloseCode::Normal => Err(SessionEnd::Left.into()),
        Ok(Message::Close(_)) => Err(LinkEnd::Lost),
        Err(error) => Err(link_end(&error)),
    }
}

/// What an error of the WebSocket layer means for the session.
fn link_end(error: &Error) -> LinkEnd {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => SessionEnd::TooLarge.into(),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => LinkEnd::Lost,
        Error::Protocol(_) | Error::Utf8(_) => SessionEnd::Malformed.into(),
        Error::Io(error) if is_too_many(error) => SessionEnd::TooMany.into(),
        _ => LinkEnd::Lost,
    }
}

fn is_too_many(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooManyBytes>())
}
