//! Levels as text: some lines about the level, an empty line, and the picture.
//!
//! ```text
//! name: The Yard
//! players: 2-8
//!
//! ############
//! #s...~~...s#
//! #..+.##.a..#
//! #s........s#
//! ############
//! ```
//!
//! | glyph | place |
//! |-------|-------|
//! | `#`   | wall: stops walkers and shots |
//! | `.`   | floor |
//! | `~`   | pit: stops walkers, and shots fly over it |
//! | `s`   | floor where anybody may appear |
//! | `r` `b` | floor where the red or the blue team may appear, or anybody without teams |
//! | `+` `a` `c` | floor with health, armour or a cloak to be picked up |

use super::{MAP_SIDE, MAX_PLAYERS, MAX_SPOTS, Map, PickupKind, PickupSpot, Spawn, Tile, middle_of};
use crate::teams::{BLUE, RED};
use std::ops::RangeInclusive;
use thiserror::Error;

/// Why a text is no level, and where: lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct MapError {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// What is wrong there.
    pub problem: String,
}

/// Reads a level.
pub(super) fn parse(content: &[u8]) -> Result<Map, MapError> {
    let text = std::str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        fault(line, column, "the text is not UTF-8")
    })?;
    let lines: Vec<&str> = text.lines().collect();
    let head = lines.iter().position(|line| line.trim().is_empty()).unwrap_or(lines.len());
    let (name, players) = read_head(&lines[..head])?;
    let first = head + lines[head..].iter().take_while(|line| line.trim().is_empty()).count();
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(first, |last| last + 1);
    let picture = lines.get(first..end).unwrap_or_default();
    let mut map = Map {
        name,
        players,
        width: picture.first().map_or(0, |line| line.trim_end().chars().count().min(1 << 20) as i32),
        height: picture.len().min(1 << 20) as i32,
        tiles: Vec::new(),
        spawns: Vec::new(),
        pickups: Vec::new(),
        first_line: first as u32 + 1,
    };
    for (side, what) in [(map.width, "columns wide"), (map.height, "lines high")] {
        if !MAP_SIDE.contains(&side) {
            let (low, high) = (MAP_SIDE.start(), MAP_SIDE.end());
            let problem = format!("the picture is {side} {what}; a level has {low} to {high}");
            return Err(fault(first + 1, 1, &problem));
        }
    }
    for (number, line) in picture.iter().enumerate() {
        read_line(&mut map, line.trim_end(), first + 1 + number, number as i32)?;
    }
    if map.spawns.is_empty() {
        return Err(fault(first + 1, 1, "there is no place to appear (`s`, `r` or `b`)"));
    }
    Ok(map)
}

fn read_head(lines: &[&str]) -> Result<(String, RangeInclusive<u32>), MapError> {
    let (mut name, mut players) = (None, 2..=16);
    for (line, number) in lines.iter().zip(1..) {
        let Some((key, value)) = line.split_once(':') else {
            return Err(fault(
                number,
                1,
                "expected `name:` or `players:`, and an empty line before the picture",
            ));
        };
        let value_column = key.chars().count() + 2;
        match key.trim() {
            "name" => name = Some(read_name(value.trim(), number, value_column)?),
            "players" => players = read_players(value.trim(), number, value_column)?,
            other => {
                let problem = format!("`{}` is nothing that is said about a level", other.escape_default());
                return Err(fault(number, 1, &problem));
            }
        }
    }
    let name = name.ok_or_else(|| fault(1, 1, "the level has no `name:`"))?;
    Ok((name, players))
}

fn read_name(value: &str, line: usize, column: usize) -> Result<String, MapError> {
    let count = value.chars().count();
    if !(1..=MAX_NAME_CHARACTERS).contains(&count) || value.chars().any(char::is_control) {
        let problem = format!("a name has 1 to {MAX_NAME_CHARACTERS} characters that can be seen");
        return Err(fault(line, column, &problem));
    }
    Ok(value.to_owned())
}

fn read_players(value: &str, line: usize, column: usize) -> Result<RangeInclusive<u32>, MapError> {
    let range = value.split_once('-').and_then(|(low, high)| {
        let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (1 <= low && low <= high && high <= MAX_PLAYERS).then_some(low..=high)
    });
    range.ok_or_else(|| fault(line, column, &format!("expected two numbers such as 2-{MAX_PLAYERS}")))
}

fn read_line(map: &mut Map, text: &str, line: usize, row: i32) -> Result<(), MapError> {
    let count = text.chars().count();
    if count != map.width as usize {
        let problem = format!("this line has {count} columns, the first of the picture {}", map.width);
        return Err(fault(line, count.min(map.width as usize) + 1, &problem));
    }
    for (column, glyph) in text.chars().enumerate() {
        let position = middle_of(column as i32, row);
        let tile = match glyph {
            '#' => Tile::Wall,
            '~' => Tile::Pit,
            '.' => Tile::Floor,
            's' | 'r' | 'b' => {
                let team = match glyph {
                    'r' => Some(RED),
                    'b' => Some(BLUE),
                    _ => None,
                };
                map.spawns.push(Spawn { position, team });
                Tile::Floor
            }
            '+' | 'a' | 'c' => {
                let what = match glyph {
                    '+' => PickupKind::Health,
                    'a' => PickupKind::Armour,
                    _ => PickupKind::Cloak,
                };
                map.pickups.push(PickupSpot { position, what });
                Tile::Floor
            }
            other => {
                let problem = format!("`{}` is no place of a level", other.escape_default());
                return Err(fault(line, column + 1, &problem));
            }
        };
        map.tiles.push(tile);
        if map.spawns.len() > MAX_SPOTS || map.pickups.len() > MAX_SPOTS {
            let problem = format!("more than {MAX_SPOTS} places to appear, or things to pick up");
            return Err(fault(line, column + 1, &problem));
        }
    }
    Ok(())
}

fn fault(line: usize, column: usize, problem: &str) -> MapError {
    MapError { line: line as u32, column: column as u32, problem: problem.to_owned() }
}

/// Characters of a level's name.
const MAX_NAME_CHARACTERS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec2;

    const YARD: &str = "name: The Yard\nplayers: 2-8\n\n##########\n#s..~~..b#\n#..+##a..#\n#r..c...s#\n\
                        #........#\n#........#\n#........#\n##########\n";

    #[test]
    fn a_level_is_what_its_picture_shows() {
        let map = parse(YARD.as_bytes()).unwrap();
        assert_eq!((map.name(), map.players(), map.size()), ("The Yard", 2..=8, (10, 8)));
        assert_eq!((map.tile(4, 1), map.tile(4, 2), map.tile(1, 1)), (Tile::Pit, Tile::Wall, Tile::Floor));
        assert_eq!((map.tile(-1, 3), map.tile(10, 3), map.tile(2, 99)), (Tile::Wall, Tile::Wall, Tile::Wall));
        let teams: Vec<_> = map.spawns().iter().map(|spawn| spawn.team).collect();
        assert_eq!(teams, [None, Some(BLUE), Some(RED), None]);
        assert_eq!(map.spawns()[1].position, Vec2::new(8.5, 1.5));
        let kinds: Vec<_> = map.pickups().iter().map(|spot| spot.what).collect();
        assert_eq!(kinds, [PickupKind::Health, PickupKind::Armour, PickupKind::Cloak]);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let told =
            |from: &str, to: &str| parse(YARD.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert_eq!(told("~~", "~x"), "line 5, column 6: `x` is no place of a level");
        assert_eq!(
            told("+##", "+#"),
            "line 6, column 10: this line has 9 columns, the first of the picture 10"
        );
        assert_eq!(
            told("+##", "+###"),
            "line 6, column 11: this line has 11 columns, the first of the picture 10"
        );
        assert_eq!(told("2-8", "8-2"), "line 2, column 9: expected two numbers such as 2-64");
        assert_eq!(told("name", "mane"), "line 1, column 1: `mane` is nothing that is said about a level");
        assert_eq!(
            told("The Yard", &"y".repeat(41)),
            "line 1, column 6: a name has 1 to 40 characters that can be seen"
        );
        let nowhere = "name: A\n\n".to_owned() + &"########\n".repeat(8);
        assert_eq!(
            parse(nowhere.as_bytes()).unwrap_err().to_string(),
            "line 3, column 1: there is no place to appear (`s`, `r` or `b`)"
        );
        assert_eq!(parse(b"name: A\xff").unwrap_err().to_string(), "line 1, column 8: the text is not UTF-8");
        assert_eq!(
            parse(b"name: A\n\n###\n").unwrap_err().to_string(),
            "line 3, column 1: the picture is 3 columns wide; a level has 8 to 128"
        );
        assert!(parse(b"").is_err() && parse(b"\n\n\n").is_err() && parse(b"########").is_err());
    }
}
