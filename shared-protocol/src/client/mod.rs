//! The client, without sockets and without a clock of its own.
//!
//! [`Client`] is what a player's program is built on, in a browser as natively, and what bots are made of. It
//! predicts the own avatar, shows the others in the past, keeps its clock ahead of the server's, and knows
//! when to connect again. It does no I/O and never waits: bytes and the time go in (`handle_…`), bytes,
//! events and the next deadline come out (`poll_…`), and [`Client::view`] says what to draw. So it is the
//! same code everywhere, and a test can play an hour of it in a second, with a seed.
//!
//! # The contract
//!
//! - **Time** is microseconds on any clock that runs steadily, from any origin. A time before one that was
//!   told counts as that one. A call with the time may come at any time; between two of them nothing happens.
//! - **Connections** have numbers. The client says when to open one and when to close it
//!   ([`Client::poll_connection`]); its owner says when one is open, closed or could not be opened, and hands
//!   in each message with the number of its connection. Several may be under way at a time: when nothing is
//!   heard over the current one for 1.5 s, another is opened beside it, and the session goes over to the
//!   first that opens. What comes over any other than the current one is ignored.
//! - **Messages** that [`Client::poll_message`] gives out are sent whole and in order, before connections are
//!   closed. They are polled after each call that hands something in.
//! - **Inputs.** [`Client::handle_input`] says what the player wants from now on. The client makes an input
//!   of it for each tick when it is due, quantised, and steps what the server will read. A press that lasts
//!   for less than a tick is not lost. For a game with a stream of inputs each call is an input of its own.
//! - **Levels** are fetched by the owner: [`Client::poll_level`], [`Client::handle_level`]. Until the level
//!   is there, snapshots wait, for no avatar can be predicted without it.
//! - **Events** of the game come out when the view has reached their tick, status events at once.
//! - **Bad input.** Whatever a server sends, the client is in a state that [`Client::state`] names. A
//!   snapshot whose baseline is not held makes it ask for everything anew; silence makes it connect again;
//!   what breaks the protocol ends the session by name, and the table of ends says whether it comes back. It
//!   never panics.
//!
//! # The loop
//!
//! This is all that a program does. The order within a turn matters little; that each turn does all of it
//! does.
//!
//! ```
//! use std::sync::Arc;
//! use tickwire_protocol::client::*;
//! use tickwire_protocol::end::SessionEnd;
//! use tickwire_protocol::game::{LevelId, LoadedLevel, Simulation};
//! use tickwire_protocol::time::Micros;
//!
//! /// What the program has besides the client: sockets, files, a screen, a clock.
//! trait Machine<S: Simulation> {
//!     fn now(&self) -> Micros;
//!     fn open(&mut self, id: ConnectionId);
//!     fn close(&mut self, id: ConnectionId, end: SessionEnd);
//!     fn send(&mut self, id: ConnectionId, message: &[u8]);
//!     fn next_network_event(&mut self) -> Option<Network>;
//!     fn fetch_level(&mut self, id: LevelId) -> LoadedLevel<S::Level>;
//!     fn controls(&mut self) -> S::Input;
//!     fn draw(&mut self, scene: &Scene<'_, S>);
//!     fn sleep_until(&mut self, deadline: Option<Micros>);
//! }
//!
//! enum Network {
//!     Opened(ConnectionId),
//!     Message(ConnectionId, Vec<u8>),
//!     Closed(ConnectionId, Option<u16>),
//! }
//!
//! fn play<S: Simulation>(
//!     game: Arc<GameForm>,
//!     machine: &mut impl Machine<S>,
//! ) -> Result<SessionEnd, Box<dyn std::error::Error>> {
//!     let config = ClientConfig::new(SessionConfig::new(game, "Ann"), 7);
//!     let mut client: Client<S> = Client::new(config, machine.now())?;
//!     let mut message = Vec::new();
//!     loop {
//!         while let Some(event) = machine.next_network_event() {
//!             match event {
//!                 Network::Opened(id) => client.handle_opened(id, machine.now()),
//!                 Network::Message(id, bytes) => client.handle_message(id, &bytes, machine.now()),
//!                 Network::Closed(id, code) => client.handle_closed(id, code, machine.now()),
//!             }
//!         }
//!         client.handle_input(&machine.controls())?;
//!         client.handle_time(machine.now());
//!         while let Some(info) = client.poll_level() {
//!             let level = machine.fetch_level(LevelId(info.content_hash));
//!             client.handle_level(level, machine.now());
//!         }
//!         while let Some(id) = client.poll_message(&mut message) {
//!             machine.send(id, &message);
//!             message.clear();
//!         }
//!         while let Some(task) = client.poll_connection() {
//!             match task {
//!                 ConnectionTask::Open(id) => machine.open(id),
//!                 ConnectionTask::Close(id, end) => machine.close(id, end),
//!             }
//!         }
//!         while let Some(event) = client.poll_event() {
//!             if let ClientEvent::Ended { end, .. } = event {
//!                 return Ok(end);
//!             }
//!         }
//!         machine.draw(&client.view(machine.now()));
//!         machine.sleep_until(client.poll_deadline());
//!     }
//! }
//! ```
//!
//! # Where to find what
//!
//! `hub` is the client itself, `receive` what it does with messages, `turn` what it does as time passes. On
//! them stand its parts, each with the arithmetic that it needs and where that comes from: `clock` (when
//! inputs are made), `input` (what the player wants, and what was made of it), `predict` (the own avatar),
//! `interpolate` (the others), `connect` (when to connect), `account` (where the bytes went), `window`
//! (quantiles of delays), `stats` (the figures of a net graph).
//!
//! [`Session`] is the half of it that knows nothing of a game's types: one conversation with the server, over
//! one connection after another. It takes in the server's messages, keeps what is known of the world
//! ([`View`](crate::snapshot::View)), acknowledges, answers pings, and measures the round-trip time. Programs
//! that neither predict nor show can stand on it alone. [`GameForm`] is what a client was built with: the
//! game's schema and input, and the codecs that follow from them; all clients of a process share it.

mod account;
mod clock;
mod commands;
mod connect;
mod form;
mod hub;
mod input;
mod interpolate;
mod predict;
mod receive;
mod scene;
mod session;
mod stats;
mod turn;
mod window;

pub use account::ByteAccount;
pub use connect::{ConnectionId, ConnectionTask};
pub use form::GameForm;
pub use hub::{Client, ClientConfig, CommandError};
pub use interpolate::{Entities, ShownEntity};
pub use scene::{ClientEvent, ClientState, Scene};
pub use session::{Received, Session, SessionConfig};
pub use stats::ClientStats;
