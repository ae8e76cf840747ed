//! One connection: a task that opens it, carries messages both ways, and closes it in order.

use super::dial::{ConnectError, Dialer, Socket};
use super::fetch::LevelProblem;
use futures_util::{SinkExt, StreamExt};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tickwire_protocol::client::ConnectionId;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::LoadedLevel;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Message};

/// What a task tells the player, and when it came about.
pub(super) struct Heard<L> {
    pub(super) at: Instant,
    pub(super) report: Report<L>,
}

/// What came about.
pub(super) enum Report<L> {
    /// A connection is open.
    Opened(ConnectionId),
    /// It could not be opened.
    Failed(ConnectionId, ConnectError),
    /// A message came over it.
    Message(ConnectionId, Bytes),
    /// It is closed, with this code, or broken.
    Closed(ConnectionId, Option<u16>),
    /// A level is there.
    Level(LoadedLevel<L>),
    /// A level could not be had; it is tried again.
    NoLevel(LevelProblem),
}

/// What the player tells a task.
enum Order {
    Send(Vec<u8>),
    Close(SessionEnd),
}

/// The player's end of a connection.
pub(super) struct Connection {
    orders: mpsc::Sender<Order>,
    /// Goes with the connection, and then the task's time is up soon.
    _until: oneshot::Sender<()>,
}

/// The task's end of a connection.
pub(super) struct ConnectionTask<L> {
    id: ConnectionId,
    dialer: Arc<Dialer>,
    orders: mpsc::Receiver<Order>,
    until: oneshot::Receiver<()>,
    reports: mpsc::Sender<Heard<L>>,
}

/// Messages that may wait to be written: two seconds of a client that says much. Nobody takes them from a
/// connection on which so many wait, and the player gives it up.
const MAX_ORDERS: usize = 512;

/// How long closing may take: what is still to be sent, the close frame, and the answer to it.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// How long a server may take to close a connection on which the player has said goodbye.
const COURTESY: Duration = Duration::from_secs(1);

impl Connection {
    /// A connection and its task, which is to be spawned.
    pub(super) fn new<L>(
        id: ConnectionId,
        dialer: Arc<Dialer>,
        reports: mpsc::Sender<Heard<L>>,
    ) -> (Connection, ConnectionTask<L>) {
        let (orders, taken) = mpsc::channel(MAX_ORDERS);
        let (keep, until) = oneshot::channel();
        let task = ConnectionTask { id, dialer, orders: taken, until, reports };
        (Connection { orders, _until: keep }, task)
    }

    /// Sends a message after those before. False if too many wait already.
    pub(super) fn send(&self, message: Vec<u8>) -> bool {
        // Of a task that has ended, the report is on its way.
        !matches!(self.orders.try_send(Order::Send(message)), Err(TrySendError::Full(_)))
    }

    /// Closes it after what was sent, as far as that does not take long.
    pub(super) fn close(self, end: SessionEnd) {
        // With no place for the order nothing is taken any more, and the task is dropped when its time is up.
        let _ = self.orders.try_send(Order::Close(end));
    }
}

impl<L> ConnectionTask<L> {
    /// Opens the connection, and serves it until it is closed. With the code that the other side closed it
    /// with, if it did.
    pub(super) async fn run(self) -> Option<u16> {
        let ConnectionTask { id, dialer, mut orders, until, reports } = self;
        let late = async {
            // The sender never sends: this is over when it is dropped.
            let _ = until.await;
            tokio::time::sleep(LINGER).await;
        };
        let tell = async |report| {
            // If the player is gone, this task is about to end too.
            let _ = reports.send(Heard { at: Instant::now(), report }).await;
        };
        let serve = async {
            let opened = tokio::select! {
                biased;
                // Nothing is sent before it is open: this is a close.
                _ = orders.recv() => return None,
                opened = dialer.websocket() => opened,
            };
            let mut socket = match opened {
                Ok(socket) => socket,
                Err(error) => {
                    tell(Report::Failed(id, error)).await;
                    return None;
                }
            };
            tell(Report::Opened(id)).await;
            loop {
                let next = tokio::select! {
                    order = orders.recv() => match write(&mut socket, order, &mut orders).await {
                        ControlFlow::Continue(()) => continue,
                        ControlFlow::Break(Some(end)) => return close(&mut socket, end).await,
                        ControlFlow::Break(None) => last_words(&mut socket).await,
                    },
                    message = socket.next() => message,
                };
                match next {
                    Some(Ok(Message::Binary(bytes))) => tell(Report::Message(id, bytes)).await,
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map(|frame| u16::from(frame.code));
                        tell(Report::Closed(id, code)).await;
                        // The answer to the close frame goes out while the rest is read.
                        while let Some(Ok(_)) = socket.next().await {}
                        return code;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => {
                        tell(Report::Closed(id, None)).await;
                        return None;
                    }
                }
            }
        };
        tokio::select! {
            code = serve => code,
            () = late => None,
        }
    }
}

/// Writes what is ordered, and all that waits behind it at once. It ends with the order to close, or with
/// nothing when the connection is broken or the player is gone.
async fn write(
    socket: &mut Socket,
    order: Option<Order>,
    orders: &mut mpsc::Receiver<Order>,
) -> ControlFlow<Option<SessionEnd>> {
    let mut next = order;
    let end = loop {
        match next {
            Some(Order::Send(bytes)) => {
                if socket.feed(Message::from(bytes)).await.is_err() {
                    return ControlFlow::Break(None);
                }
            }
            Some(Order::Close(end)) => break Some(end),
            None => return ControlFlow::Break(None),
        }
        next = match orders.try_recv() {
            Ok(order) => Some(order),
            Err(TryRecvError::Empty) => break None,
            Err(TryRecvError::Disconnected) => None,
        };
    };
    match (socket.flush().await, end) {
        (Ok(()), None) => ControlFlow::Continue(()),
        (Ok(()), Some(end)) => ControlFlow::Break(Some(end)),
        (Err(_), _) => ControlFlow::Break(None),
    }
}

/// What the other side said at last on a connection that takes nothing any more: why it closed it, if it did.
async fn last_words(socket: &mut Socket) -> Option<Result<Message, tungstenite::Error>> {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() {
            return Some(Ok(message));
        }
    }
    None
}

/// Says that the connection is closed, and reads on until the other side says so too. Without that, the
/// system would reset the connection, and what was sent last might be lost.
async fn close(socket: &mut Socket, end: SessionEnd) -> Option<u16> {
    // Who has said goodbye lets the server close: it says then that it has heard it. A close frame right
    // behind the goodbye would be answered by the WebSocket before the room has.
    if end == SessionEnd::Left
        && let Ok(code) = tokio::time::timeout(COURTESY, read_close(socket)).await
    {
        return code;
    }
    // A lost connection has a code that is never sent.
    if end != SessionEnd::ConnectionLost {
        let frame = CloseFrame { code: CloseCode::from(end.code()), reason: end.name().into() };
        socket.send(Message::Close(Some(frame))).await.ok()?;
    }
    read_close(socket).await
}

/// Reads to the end of the connection, and gives the code that the other side closed it with, if it did.
async fn read_close(socket: &mut Socket) -> Option<u16> {
    let mut code = None;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(Some(frame)) = message {
            code = Some(u16::from(frame.code));
        }
    }
    code
}
