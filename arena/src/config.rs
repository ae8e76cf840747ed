//! What whoever runs the server may set.

use crate::level::{MAX_PLAYERS, MapSource};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The settings of the arena.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArenaConfig {
    /// The levels, played one after another. Without any those in the box are.
    pub maps: Vec<MapSource>,
    /// Players who find room, from 1 to [`MAX_PLAYERS`](crate::level::MAX_PLAYERS). Others are refused.
    pub players: u32,
    /// As long as there are fewer players than this, NPCs fill the room up; they give way to people.
    pub npcs: u32,
    /// Whether two teams fight each other; without, everybody is for themselves.
    pub teams: bool,
    /// How long a round is, in seconds.
    pub round_seconds: u32,
    /// How many kills of a player, or of a team, end a round before its time; 0 for none.
    pub score_limit: u32,
}

impl Default for ArenaConfig {
    fn default() -> ArenaConfig {
        ArenaConfig {
            maps: Vec::new(),
            players: MAX_PLAYERS,
            npcs: 0,
            teams: false,
            round_seconds: 300,
            score_limit: 0,
        }
    }
}

impl ArenaConfig {
    /// The same settings, brought into what can be.
    #[must_use]
    pub fn within_limits(self) -> ArenaConfig {
        let players = self.players.clamp(1, MAX_PLAYERS);
        ArenaConfig {
            players,
            npcs: self.npcs.min(players),
            round_seconds: self.round_seconds.clamp(10, MAX_ROUND_SECONDS),
            score_limit: self.score_limit.min(u32::from(u16::MAX)),
            ..self
        }
    }

    /// The levels in their order.
    #[must_use]
    pub fn maps(&self) -> Cow<'_, [MapSource]> {
        if self.maps.is_empty() { MapSource::built_in().into() } else { Cow::Borrowed(&self.maps) }
    }

    /// The place of the level that is played after the one in this place: the next one that is made for so
    /// many players, or just the next one.
    #[must_use]
    pub(crate) fn next_map(&self, place: u32, players: u32) -> u32 {
        let maps = self.maps();
        let count = maps.len() as u32;
        let next = (place + 1) % count;
        let fits =
            |place: &u32| maps[*place as usize].read().is_ok_and(|map| map.players().contains(&players));
        (0..count).map(|step| (next + step) % count).find(fits).unwrap_or(next)
    }
}

/// The end of a round is told by the low bits of its tick.
const MAX_ROUND_SECONDS: u32 = 3600;
