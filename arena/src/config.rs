//! What whoever runs the server may set.

use crate::level::MapSource;
use serde::{Deserialize, Serialize};

/// The settings of the arena.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArenaConfig {
    /// The levels, played one after another. Without any those in the box are.
    pub maps: Vec<MapSource>,
    /// Players who find room, from 1 to [`MAX_PLAYERS`](crate::level::MAX_PLAYERS). Others are refused.
    pub players: u32,
}

impl Default for ArenaConfig {
    fn default() -> ArenaConfig {
        ArenaConfig { maps: Vec::new(), players: 64 }
    }
}

impl ArenaConfig {
    /// The level that is played in this place of the order.
    #[must_use]
    pub fn map(&self, number: usize) -> MapSource {
        let built_in;
        let maps = if self.maps.is_empty() {
            built_in = MapSource::built_in();
            &built_in
        } else {
            &self.maps
        };
        maps[number % maps.len()].clone()
    }
}
