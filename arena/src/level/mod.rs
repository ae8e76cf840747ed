//! The level: walls, pits, where players appear and what lies about. Both ends read it from the same text.
//!
//! A tile is one unit wide. x grows to the right with the columns of the text, y downwards with its lines;
//! the tile in column c and line r of the picture covers `c..c + 1` by `r..r + 1`.

mod check;
mod maps;
mod text;
mod trace;

pub use check::{MapProblem, check};
pub use maps::{BUILT_IN, MapSource};
pub use text::MapError;

use glam::Vec2;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use tickwire_protocol::game::{Level, LevelError};
use tickwire_protocol::{Replicate, game::TeamId};

/// What a place of the level is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// Free to walk and to shoot over.
    Floor,
    /// Stops walkers and shots.
    Wall,
    /// Stops walkers; shots fly over it, and one can look across.
    Pit,
}

/// A level.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub(crate) name: String,
    pub(crate) players: RangeInclusive<u32>,
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// Line by line.
    pub(crate) tiles: Vec<Tile>,
    pub(crate) spawns: Vec<Spawn>,
    pub(crate) pickups: Vec<PickupSpot>,
    /// The line of the text in which the picture begins, from 1, for messages.
    pub(crate) first_line: u32,
}

/// A place where players appear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spawn {
    /// The middle of its tile.
    pub position: Vec2,
    /// Whose it is when teams play; `None` is anybody's. Without teams all are.
    pub team: Option<TeamId>,
}

/// A place where something lies to be taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PickupSpot {
    /// The middle of its tile.
    pub position: Vec2,
    /// What lies there.
    pub what: PickupKind,
}

/// What can be picked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Replicate)]
pub enum PickupKind {
    /// Restores health.
    #[default]
    Health,
    /// Takes most of the damage for a while.
    Armour,
    /// Hides its wearer from whoever is not close by.
    Cloak,
}

/// Fewest and most tiles in a line, and lines.
pub const MAP_SIDE: RangeInclusive<i32> = 8..=128;

/// Most spawns, and most pickups.
pub const MAX_SPOTS: usize = 128;

/// Most players that a level can be made for.
pub const MAX_PLAYERS: u32 = 64;

impl Map {
    /// The level's name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For how many players it is made.
    #[must_use]
    pub fn players(&self) -> RangeInclusive<u32> {
        self.players.clone()
    }

    /// Tiles in a line, and lines.
    #[must_use]
    pub fn size(&self) -> (i32, i32) {
        (self.width, self.height)
    }

    /// The tile in a column and line; beyond the edges there is wall.
    #[must_use]
    pub fn tile(&self, column: i32, line: i32) -> Tile {
        if column < 0 || line < 0 || column >= self.width || line >= self.height {
            return Tile::Wall;
        }
        self.tiles[(line * self.width + column) as usize]
    }

    /// The tile at a point.
    #[must_use]
    pub fn tile_at(&self, point: Vec2) -> Tile {
        let (column, line) = tile_of(point);
        self.tile(column, line)
    }

    /// Where players appear: never nowhere.
    #[must_use]
    pub fn spawns(&self) -> &[Spawn] {
        &self.spawns
    }

    /// What lies where, in the order of the text.
    #[must_use]
    pub fn pickups(&self) -> &[PickupSpot] {
        &self.pickups
    }
}

impl Tile {
    /// Whether nobody can stand there.
    #[must_use]
    pub fn stops_walkers(self) -> bool {
        self != Tile::Floor
    }

    /// Whether shots end there, and looks.
    #[must_use]
    pub fn stops_shots(self) -> bool {
        self == Tile::Wall
    }
}

impl Level for Map {
    fn parse(content: &[u8]) -> Result<Map, LevelError> {
        text::parse(content).map_err(|error| LevelError::new(error.to_string()))
    }
}

/// The column and line of the tile at a point.
pub(crate) fn tile_of(point: Vec2) -> (i32, i32) {
    (point.x.floor() as i32, point.y.floor() as i32)
}

/// The middle of a tile.
pub(crate) fn middle_of(column: i32, line: i32) -> Vec2 {
    Vec2::new(column as f32 + 0.5, line as f32 + 0.5)
}
