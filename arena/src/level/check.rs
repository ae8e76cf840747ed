//! What can be wrong with a level that can be read: places that nobody can get to, and holes in its border.

use super::{Map, Tile, tile_of};
use std::collections::VecDeque;
use std::fmt;

/// Something in a level that spoils it, and where: lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MapProblem {
    /// The line of the text.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for MapProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

/// Looks for what spoils a level: a border that is not wall all around, places to appear and things to pick
/// up that cannot be walked to from the first place to appear, and too few places to appear.
#[must_use]
pub fn check(map: &Map) -> Vec<MapProblem> {
    let mut problems = Vec::new();
    let mut report = |column: i32, line: i32, problem: String| {
        let (line, column) = (map.first_line + line as u32, column as u32 + 1);
        problems.push(MapProblem { line, column, problem });
    };
    let (width, height) = map.size();
    for line in 0..height {
        for column in 0..width {
            let is_border = line == 0 || column == 0 || line == height - 1 || column == width - 1;
            if is_border && map.tile(column, line) != Tile::Wall {
                report(column, line, "the border is open: it must be wall".to_owned());
            }
        }
    }
    let reached = reached_from_first_spawn(map);
    let is_reached = |(column, line): (i32, i32)| reached[(line * width + column) as usize];
    for spawn in map.spawns() {
        let (column, line) = tile_of(spawn.position);
        if !is_reached((column, line)) {
            report(column, line, "nobody who appears here can get to the others".to_owned());
        }
    }
    for spot in map.pickups() {
        let (column, line) = tile_of(spot.position);
        if !is_reached((column, line)) {
            report(column, line, format!("{:?} lies where nobody can get to", spot.what));
        }
    }
    for (team, wanted) in
        [(None, "anybody"), (Some(crate::teams::RED), "red"), (Some(crate::teams::BLUE), "blue")]
    {
        let count = map.spawns().iter().filter(|spawn| team.is_none() || spawn.team == team).count();
        let enough = if team.is_none() { (*map.players.end() as usize).div_ceil(2) } else { 1 };
        if count < enough {
            report(0, 0, format!("{count} places where {wanted} may appear, of at least {enough}"));
        }
    }
    problems.sort();
    problems
}

/// Which tiles can be walked to from the first place to appear. Steps lead to the four neighbours: between
/// two tiles that touch by a corner there is no room for a player.
fn reached_from_first_spawn(map: &Map) -> Vec<bool> {
    let (width, height) = map.size();
    let mut reached = vec![false; (width * height) as usize];
    let mut open: VecDeque<(i32, i32)> =
        map.spawns().first().map(|spawn| tile_of(spawn.position)).into_iter().collect();
    while let Some((column, line)) = open.pop_front() {
        if map.tile(column, line).stops_walkers() {
            continue;
        }
        let reached = &mut reached[(line * width + column) as usize];
        if !std::mem::replace(reached, true) {
            open.extend([(column + 1, line), (column - 1, line), (column, line + 1), (column, line - 1)]);
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::MapSource;
    use super::*;
    use tickwire_protocol::game::Level;

    #[test]
    fn the_levels_in_the_box_are_sound() {
        for source in MapSource::built_in() {
            let map = source.read().unwrap_or_else(|error| panic!("{}: {error}", source.file));
            let problems: Vec<String> = check(&map).iter().map(MapProblem::to_string).collect();
            assert!(problems.is_empty(), "{}:\n{}", source.file, problems.join("\n"));
        }
    }

    #[test]
    fn what_spoils_a_level_is_named_with_its_place() {
        let text = "name: Yard\nplayers: 2-4\n\n##########\n#r.#..+..#\n#b.#.....#\n#..#.###.#\n#..#.#s#.#\n\
                    #..#.###.#\n#..#.....~\n##########\n";
        let problems = check(&Map::parse(text.as_bytes()).unwrap());
        let told: Vec<String> = problems.iter().map(MapProblem::to_string).collect();
        assert_eq!(
            told,
            [
                "line 5, column 7: Health lies where nobody can get to",
                "line 8, column 7: nobody who appears here can get to the others",
                "line 10, column 10: the border is open: it must be wall",
            ]
        );
        let text = text.replace("players: 2-4", "players: 2-64").replace('b', ".");
        let problems = check(&Map::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}")));
        assert!(
            problems.iter().any(|problem| problem.problem.contains("2 places where anybody")),
            "{problems:?}"
        );
        assert!(
            problems.iter().any(|problem| problem.problem.contains("0 places where blue")),
            "{problems:?}"
        );
    }
}
