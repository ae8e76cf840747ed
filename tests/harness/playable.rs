//! What the tests of the client core must know of a game, so that they can be run with any that predicts.

use crate::arena::wide_hall;
use crate::duel::{ARENAS, Duel, FIGURE, Fighter, Stick};
use glam::Vec2;
use tickwire_arena::level::MapSource;
use tickwire_arena::{Arena, ArenaConfig, ArenaInput, Avatar, entities};
use tickwire_protocol::client::ShownEntity;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{Game, LevelId, LoadedLevel, Simulation};

/// A game whose avatars walk on a plane.
pub trait Playable: Game {
    /// A level that the room may have, by its name.
    fn level(id: LevelId) -> Option<LoadedLevel<Self::Level>>;

    /// To walk in this direction, at most of length 1.
    fn walk(way: Vec2) -> Self::Input;

    /// Whatever a wild player may do next, given what it did before.
    fn whim(before: &Self::Input, random: &mut SimRng) -> Self::Input;

    /// Where an avatar is.
    fn position(avatar: &Self::Avatar) -> Vec2;

    /// Where another player's avatar is shown; `None` for everything else.
    fn shown(entity: &ShownEntity<'_>) -> Option<Vec2>;
}

impl Playable for Duel {
    fn level(id: LevelId) -> Option<LoadedLevel<<Duel as Simulation>::Level>> {
        let text = ARENAS.into_iter().find(|text| LevelId::of(text.as_bytes()) == id)?;
        LoadedLevel::parse(text.as_bytes()).ok()
    }

    fn walk(way: Vec2) -> Stick {
        Stick { way, ..Stick::default() }
    }

    fn whim(before: &Stick, random: &mut SimRng) -> Stick {
        let mut stick = Stick { dash: random.chance(0.05), mark: before.mark.wrapping_add(1), ..*before };
        if random.chance(0.08) {
            stick.way = random.unit_vec2() * random.unit_f32();
        }
        if random.chance(0.02) {
            stick.way = Vec2::ZERO;
        }
        stick
    }

    fn position(avatar: &Fighter) -> Vec2 {
        avatar.position
    }

    fn shown(entity: &ShownEntity<'_>) -> Option<Vec2> {
        entity.get(FIGURE).map(|figure| figure.position)
    }
}

/// A hall with a few pillars, and nothing to pick up.
const HALL: &str = "name: Hall
players: 2-8

########################
#......................#
#..s.....s.......s...s.#
#......................#
#......................#
#..s..................s#
#..........##..........#
#..........##..........#
########################
";

/// The arena in that hall, for longer than any test.
#[must_use]
pub fn hall() -> ArenaConfig {
    let maps = vec![MapSource { file: "hall.txt".to_owned(), text: HALL.to_owned() }];
    ArenaConfig { maps, round_seconds: 3600, ..ArenaConfig::default() }
}

impl Playable for Arena {
    fn level(id: LevelId) -> Option<LoadedLevel<<Arena as Simulation>::Level>> {
        let maps = [hall().maps, wide_hall().maps, MapSource::built_in()].concat();
        let text = maps.iter().map(|map| map.text.as_bytes()).find(|text| LevelId::of(text) == id)?;
        LoadedLevel::parse(text).ok()
    }

    fn walk(way: Vec2) -> ArenaInput {
        ArenaInput { way, ..ArenaInput::default() }
    }

    fn whim(before: &ArenaInput, random: &mut SimRng) -> ArenaInput {
        let mut input = ArenaInput { dash: random.chance(0.02), weapon: 0, ..*before };
        if random.chance(0.05) {
            input.way = random.unit_vec2();
        }
        if random.chance(0.02) {
            input.way = Vec2::ZERO;
        }
        input.fire = random.chance(0.3);
        input.aim = random.angle();
        if random.chance(0.01) {
            input.weapon = random.u32_in(0, 4) as u8;
        }
        input
    }

    fn position(avatar: &Avatar) -> Vec2 {
        avatar.position
    }

    fn shown(entity: &ShownEntity<'_>) -> Option<Vec2> {
        entity.get(entities::FIGURE).map(|figure| figure.position)
    }
}
