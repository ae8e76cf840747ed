//! Tickwire's server: rooms that tick at a fixed rate, and the sessions of those who play in them.
//!
//! The data goes round in a ring. The modules, in its order:
//!
//! - [`net`] listens, upgrades to WebSocket and reads the hello, on a tokio runtime; then the connection
//!   moves to the thread of its room, as a [`net::link::Link`];
//! - [`inbox`]: what a client sends, on its way to the tick;
//! - [`tick`]: the threads, each of which runs the ticks of its rooms when they are due;
//! - [`room`]: one match. [`room::Room::tick`] is the list of the stages of a tick;
//! - [`history`], [`interest`], [`assemble`]: what was published, who sees what of it, and what each player
//!   is told;
//! - [`outbox`]: messages on their way to the sockets.
//!
//! Beside them are [`session`] (who is there), [`config`], [`metrics`], [`clock`], [`http`] (pages and
//! health) and [`run`], where a server is put together.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod clock;
pub mod config;
pub mod history;
pub mod http;
pub mod inbox;
pub mod interest;
pub mod metrics;
pub mod net;
pub mod outbox;
pub mod rewind;
pub mod room;
pub mod run;
pub mod session;
pub mod tick;

pub use config::{Config, ConfigError};
pub use run::{Server, ServerBuilder, ServerError};

/// The name and version of this program, as clients are told.
pub const SOFTWARE: &str = concat!("tickwire/", env!("CARGO_PKG_VERSION"));
