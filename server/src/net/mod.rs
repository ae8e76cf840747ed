//! From the network to a room: a connection is accepted, speaks HTTP, becomes a WebSocket, says hello, and
//! moves to the thread of its room.

mod close;
mod handshake;
pub mod limit;
pub mod link;
mod listen;
mod socket;
pub mod tls;
mod websocket;

pub(crate) use close::run_closer;
pub(crate) use handshake::shake_hands;
pub(crate) use listen::{Accepted, Listening, listen};
