//! The arena: Tickwire's game in the box, a top-down shooter for 2 to 64 players.
//!
//! Where to find what:
//!
//! - [`level`]: walls, pits, where players appear and what lies about, read from text and checked;
//! - what a player sends: [`ArenaInput`]; what its client predicts: [`Avatar`]. The step goes through
//!   `movement` and [`weapons`], and says by [`ArenaEffect`] what is to be seen at once;
//! - what others see: [`entities`], each field with what it means for whoever draws it; [`ArenaEvent`] for
//!   what happens once; [`ArenaCommand`] for what players say;
//! - the server's side: `rules` (the order of a tick), `combat` (damage, death, coming back), `pickups`,
//!   `round`, `talk` (chat, names, teams, and what is refused), `capture` (what is told, and hidden), `npcs`;
//! - [`brain`]: who plays when no person does. It knows what a person would, so that a bot on the network has
//!   the same.
//!
//! # Drawing it
//!
//! x grows to the right, y downwards, one unit is a tile; a window of 32 by 18 tiles around the own player
//! shows nothing that is not replicated ([`SIGHT`] is 20). The own player is drawn from its avatar,
//! everything else from the interpolated entities. Own shots are drawn from effects, those of others from
//! bolts and [`ArenaEvent::Rail`].
#![forbid(unsafe_code)]

mod avatar;
pub mod brain;
mod capture;
mod combat;
mod config;
pub mod entities;
mod events;
mod fighter;
mod input;
pub mod level;
mod movement;
mod npcs;
mod pickups;
mod round;
mod rules;
mod talk;
pub mod teams;
pub mod weapons;

pub use avatar::{Avatar, FULL_HEALTH, PROTECTION_SECONDS};
pub use combat::RESPAWN_SECONDS;
pub use config::ArenaConfig;
pub use events::{ArenaCommand, ArenaEffect, ArenaEvent, Refusal, RosterEntry, Winner};
pub use fighter::{FIRST_NPC, is_npc};
pub use input::ArenaInput;
pub use movement::{DASH_COOLDOWN_SECONDS, DASH_SECONDS, DASH_SPEED, PLAYER_RADIUS, TOP_SPEED, WALK_SPEED};
pub use pickups::{CLOAK_SECONDS, CLOAK_SIGHT};
pub use round::{PAUSE_SECONDS, Phase};
pub use rules::{Arena, SIGHT};
pub use talk::{MAX_CHAT_CHARACTERS, Refused};
