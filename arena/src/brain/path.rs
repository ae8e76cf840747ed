//! Ways through a level: A* over its tiles, and how a walker follows what it found.

use crate::level::{Map, middle_of, tile_of};
use crate::movement::PLAYER_RADIUS;
use glam::Vec2;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The tiles of a way, the goal first, so that the next one is taken off the end.
pub(super) type Path = Vec<(u8, u8)>;

/// The shortest way between two points. Empty when there is none, or it is no way at all.
pub(super) fn find_path(map: &Map, from: Vec2, to: Vec2) -> Path {
    let (width, height) = map.size();
    let place_of = |(column, line): (i32, i32)| (line * width + column) as usize;
    let (start, goal) = (tile_of(from), tile_of(to));
    let is_open = |(column, line): (i32, i32)| !map.tile(column, line).stops_walkers();
    if !is_open(start) || !is_open(goal) || start == goal {
        return Path::new();
    }
    let mut known: Vec<(u32, u8)> = vec![(u32::MAX, 0); (width * height) as usize];
    let mut open = BinaryHeap::new();
    known[place_of(start)].0 = 0;
    // Ties go to the tile with the lower number, so that the way is the same on every machine.
    open.push(Reverse((distance_left(start, goal), place_of(start) as u32)));
    while let Some(Reverse((_, place))) = open.pop() {
        let tile = (place as i32 % width, place as i32 / width);
        if tile == goal {
            return walk_back(&known, width, start, goal);
        }
        let cost = known[place as usize].0;
        for (number, (x, y)) in NEIGHBOURS.iter().enumerate() {
            let next = (tile.0 + x, tile.1 + y);
            // Past a corner there is no room for a body.
            let is_free = is_open(next) && is_open((tile.0 + x, tile.1)) && is_open((tile.0, tile.1 + y));
            if !is_free {
                continue;
            }
            let cost = cost + if *x != 0 && *y != 0 { DIAGONAL } else { STRAIGHT };
            let known = &mut known[place_of(next)];
            if cost < known.0 {
                *known = (cost, number as u8);
                open.push(Reverse((cost + distance_left(next, goal), place_of(next) as u32)));
            }
        }
    }
    Path::new()
}

/// The point of a way that can be walked to straight, and as far along it as that goes. What lies before it
/// is taken off.
pub(super) fn next_point(map: &Map, from: Vec2, path: &mut Path) -> Option<Vec2> {
    let last = path.len().checked_sub(1)?;
    let ahead = (0..LOOK_AHEAD.min(path.len())).rev();
    for further in ahead {
        let place = last - further;
        let point = point_of(path[place]);
        if further == 0 || has_room(map, from, point) {
            path.truncate(place + 1);
            break;
        }
    }
    let point = point_of(*path.last()?);
    if from.distance_squared(point) < ARRIVED * ARRIVED {
        path.pop();
    }
    Some(point)
}

/// Whether a body can go straight from one point to another.
pub(super) fn has_room(map: &Map, from: Vec2, to: Vec2) -> bool {
    let way = to - from;
    let length = way.length();
    if length < 1e-3 {
        return true;
    }
    let side = Vec2::new(-way.y, way.x) * (PLAYER_RADIUS * 0.95 / length);
    map.is_walkable_line(from + side, to + side) && map.is_walkable_line(from - side, to - side)
}

fn walk_back(known: &[(u32, u8)], width: i32, start: (i32, i32), goal: (i32, i32)) -> Path {
    let mut path = Path::new();
    let mut tile = goal;
    while tile != start {
        path.push((tile.0 as u8, tile.1 as u8));
        let (x, y) = NEIGHBOURS[usize::from(known[(tile.1 * width + tile.0) as usize].1)];
        tile = (tile.0 - x, tile.1 - y);
    }
    path
}

fn point_of((column, line): (u8, u8)) -> Vec2 {
    middle_of(i32::from(column), i32::from(line))
}

/// What is left at least: straight and diagonal steps over open floor.
fn distance_left(from: (i32, i32), to: (i32, i32)) -> u32 {
    let (x, y) = (from.0.abs_diff(to.0), from.1.abs_diff(to.1));
    STRAIGHT * x.max(y) + (DIAGONAL - STRAIGHT) * x.min(y)
}

const STRAIGHT: u32 = 10;
const DIAGONAL: u32 = 14;
const NEIGHBOURS: [(i32, i32); 8] = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)];

/// How many tiles ahead a walker looks for a short cut.
const LOOK_AHEAD: usize = 8;

/// How near the middle of a tile counts as there, in tiles.
const ARRIVED: f32 = 0.35;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::MapSource;
    use crate::movement::{WALK_SPEED, walk};
    use crate::{ArenaInput, Avatar};

    #[test]
    fn every_spot_of_every_level_is_walked_to() {
        for source in MapSource::built_in() {
            let map = source.read().unwrap();
            let spots: Vec<Vec2> = map.spawns().iter().map(|spawn| spawn.position).collect();
            let from = spots[0];
            for to in spots.iter().copied().chain(map.pickups().iter().map(|spot| spot.position)) {
                let mut path = find_path(&map, from, to);
                assert!(from == to || !path.is_empty(), "{}: from {from} to {to}", source.file);
                let length = path.len() as f32;
                let mut avatar = Avatar::at(from);
                let mut ticks = 0.0;
                while let Some(point) = next_point(&map, avatar.position, &mut path) {
                    let input = ArenaInput { way: (point - avatar.position) * 2.0, ..ArenaInput::default() };
                    walk(&mut avatar, &input, 1.0, 1.0 / 60.0, &map);
                    ticks += 1.0;
                    let most = 60.0 + 60.0 * 1.5 * length / WALK_SPEED;
                    assert!(ticks < most, "{}: stuck at {} to {to}", source.file, avatar.position);
                }
                assert!(
                    avatar.position.distance(to) < 0.5,
                    "{}: {} is not {to}",
                    source.file,
                    avatar.position
                );
            }
        }
    }

    #[test]
    fn there_is_no_way_into_a_wall() {
        let map = MapSource::built_in()[0].read().unwrap();
        let from = map.spawns()[0].position;
        assert!(find_path(&map, from, Vec2::new(0.5, 0.5)).is_empty());
        assert!(find_path(&map, from, from).is_empty());
        assert!(find_path(&map, from, Vec2::new(-5.0, 400.0)).is_empty());
    }
}
