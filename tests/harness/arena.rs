//! A level for the arena's own behaviours.

use tickwire_arena::ArenaConfig;
use tickwire_arena::level::MapSource;

/// An empty hall of 28 by 22 tiles. Players appear in it 16 tiles apart, each beside a cloak.
const WIDE_HALL: &str = "name: Hall
players: 2-4

##############################
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#....sc..............sc......#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
#............................#
##############################
";

/// The arena in the wide hall, for longer than any test.
#[must_use]
pub fn wide_hall() -> ArenaConfig {
    let map = MapSource { file: "wide-hall.txt".to_owned(), text: WIDE_HALL.to_owned() };
    ArenaConfig { maps: vec![map], round_seconds: 3600, ..ArenaConfig::default() }
}
