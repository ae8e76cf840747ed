//! The client's half of a session, without sockets and without a clock of its own.
//!
//! [`Session`] is what every client needs, whether it predicts, only watches, or is a program that plays. It
//! takes in the server's messages, keeps what is known of the world ([`View`](crate::snapshot::View)),
//! acknowledges, answers pings, measures the round-trip time, and knows how the session stands. Whoever owns
//! the socket moves bytes:
//!
//! 1. open the connection, and send what [`Session::poll_hello`] writes;
//! 2. give each message that comes to [`Session::handle_message`];
//! 3. then send what [`Session::poll_message`] writes, until there is nothing;
//! 4. send inputs as the game wants them, with [`Session::encode_inputs`], or, where there are none, now and
//!    then [`Session::encode_acknowledgement`]: the server stops sending to who acknowledges nothing;
//! 5. when the connection breaks, say so ([`Session::handle_disconnected`]), and begin again: the hello then
//!    asks to go on.
//!
//! A [`GameForm`] is what the client was built with: the game's schema and input, and the codecs that follow
//! from them. It is made once and shared by all sessions of a process.
//!
//! Prediction, the client's clock and interpolation stand on this: the first two learn what they need from
//! the header of each snapshot, which [`Session::handle_message_with`] shows them before it is applied.

mod form;
mod session;

pub use form::GameForm;
pub use session::{Received, Session, SessionConfig};
