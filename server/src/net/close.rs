//! Closing connections in order: the close frame, and the peer's answer to it, for a little while.

use super::link::Closing;
use std::time::Duration;
use tickwire_protocol::end::SessionEnd;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

/// How long a peer may take to answer a close frame.
const LINGER: Duration = Duration::from_secs(2);

/// Closes the connections that it is sent, until nobody is left to send one and all of them are closed.
pub(crate) async fn run_closer(mut connections: UnboundedReceiver<Closing>) {
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            closing = connections.recv() => match closing {
                Some(closing) => drop(under_way.spawn(close(closing))),
                None => break,
            },
            // What is done is forgotten. A close that panics concerns its own connection alone.
            Some(_) = under_way.join_next() => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn close(closing: Closing) {
    let Closing { mut websocket, end, permit } = closing;
    if websocket.socket_mut().move_to_runtime().is_err() {
        return;
    }
    let orderly = async {
        if end != SessionEnd::ConnectionLost {
            // A code without a frame of its own, like 1006, is never sent.
            websocket.close(close_frame(end)).await?;
        }
        // Without reading what is still on its way, the system would reset the connection, and the peer
        // might lose what it was told last.
        while websocket.next().await.is_ok() {}
        Ok::<(), tungstenite::Error>(())
    };
    // A peer that does not answer is dropped.
    let _ = tokio::time::timeout(LINGER, orderly).await;
    drop(permit);
}

/// The close frame of an end.
pub(crate) fn close_frame(end: SessionEnd) -> CloseFrame {
    CloseFrame { code: CloseCode::from(end.code()), reason: end.name().into() }
}
