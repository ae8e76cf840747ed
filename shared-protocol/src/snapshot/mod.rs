//! A snapshot: what one player is told of one tick, as a change to a snapshot that the player holds.
//!
//! The bits come in this order, and each part has a file: the [`header`] (tick, baselines, consumed inputs,
//! input lead), the [`avatar`], then the [`entities`]: who left, who entered, who changed, and the bit
//! strings of the last two, which the server builds once for all players. A [`view`] is what a client knows
//! after a snapshot; [`decoder`] applies snapshots to views, whole or not at all.
//!
//! There is no full snapshot. Without a baseline everything enters.

mod account;
pub mod avatar;
pub mod decoder;
pub mod entities;
pub mod header;
pub mod view;

pub use account::{KindAccount, SnapshotAccount};
pub use avatar::{AvatarTold, avatar_check, carries_check};
pub use decoder::{Applied, Incoming, SnapshotDecoder, SnapshotError};
pub use header::{Consumed, InputLead, RateMode, SnapshotHeader, StreamProfile};
pub use view::{Entry, View};
