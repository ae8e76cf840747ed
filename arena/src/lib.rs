//! The arena: Tickwire's game in the box, a top-down shooter for 2 to 64 players.
//!
//! What a player sends is in [`input`](ArenaInput), what a client predicts in [`avatar`](Avatar), how it
//! moves in `movement`, what others see in [`entities`], what is told in `events`, and where all of it
//! happens in [`level`]. [`Arena`] is the match: its step is run by both ends, its rules by the server.
#![forbid(unsafe_code)]

mod avatar;
mod config;
pub mod entities;
mod events;
mod input;
pub mod level;
mod movement;
mod rules;
pub mod teams;

pub use avatar::Avatar;
pub use config::ArenaConfig;
pub use events::{ArenaCommand, ArenaEffect, ArenaEvent};
pub use input::ArenaInput;
pub use movement::{DASH_COOLDOWN_SECONDS, DASH_SECONDS, DASH_SPEED, PLAYER_RADIUS, TOP_SPEED, WALK_SPEED};
pub use rules::{Arena, SIGHT};
