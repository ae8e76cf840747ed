//! A player of a native game: the client core with sockets, TLS and a clock around it, on tokio.
//!
//! [`Player`] is what a game holds. It connects to a `ws://` or `wss://` URL, enters a room as
//! [`PlayerOptions`] say, fetches levels, and connects again whenever the core ([`Client`]) asks for it, over
//! several connections at a time if need be. The game says what the player wants, draws the view, and hears
//! what happens:
//!
//! ```no_run
//! use tickwire_arena::{Arena, ArenaInput};
//! use tickwire_bot::native::{Player, PlayerEvent, PlayerOptions};
//!
//! # async fn play() -> Result<(), Box<dyn std::error::Error>> {
//! let mut player = Player::<Arena>::connect("ws://127.0.0.1:7777", PlayerOptions::new("Ann"))?;
//! let mut frame = tokio::time::interval(std::time::Duration::from_millis(16));
//! loop {
//!     tokio::select! {
//!         event = player.next_event() => match event {
//!             Some(PlayerEvent::Client(event)) => println!("{event:?}"),
//!             Some(PlayerEvent::Trouble(trouble)) => eprintln!("{trouble}"),
//!             None => return Ok(()),
//!         },
//!         _ = frame.tick() => {
//!             player.set_input(&ArenaInput::default())?;
//!             let scene = player.view();
//!             // Draw `scene.avatar` and `scene.entities`.
//!         }
//!     }
//! }
//! # }
//! ```
//!
//! A game whose loop is not asynchronous enters a runtime, calls [`Player::connect`], and then
//! [`Player::try_next_event`] and [`Player::view`] in each frame.
//!
//! The player lives where it is called: each of its methods takes in what came and sends what is due. Beside
//! it are only tasks for its sockets, one per connection (`connection`), and one that fetches a level
//! (`fetch`). They speak to it through bounded queues, hold nothing of it, and end when it is dropped.
//!
//! [`Client`]: tickwire_protocol::client::Client

mod address;
mod connection;
mod dial;
mod fetch;
mod options;
mod player;
mod trust;

pub use address::AddressError;
pub use dial::ConnectError;
pub use fetch::LevelProblem;
pub use options::PlayerOptions;
pub use player::{LeaveError, Player, PlayerEvent, StartError, Trouble};
pub use trust::{Trust, TrustError};
