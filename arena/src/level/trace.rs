//! Straight lines through the level: looks and shots.

use super::{Map, tile_of};
use glam::Vec2;

impl Map {
    /// How far a shot flies from a point in a direction of length 1 until a wall stops it, at most `reach`.
    /// It is a walk from tile to tile along the line (Amanatides and Woo, "A Fast Voxel Traversal
    /// Algorithm for Ray Tracing", 1987).
    #[must_use]
    pub fn free_distance(&self, from: Vec2, way: Vec2, reach: f32) -> f32 {
        self.walk_line(from, way, reach, |tile| tile.stops_shots())
    }

    /// Whether one can look from one point to another.
    #[must_use]
    pub fn is_in_sight(&self, from: Vec2, to: Vec2) -> bool {
        self.is_line_free(from, to, |tile| tile.stops_shots())
    }

    /// Whether a straight line between two points leads over floor alone. It says nothing of how much room is
    /// beside the line.
    #[must_use]
    pub fn is_walkable_line(&self, from: Vec2, to: Vec2) -> bool {
        self.is_line_free(from, to, |tile| tile.stops_walkers())
    }

    fn is_line_free(&self, from: Vec2, to: Vec2, stops: impl Fn(super::Tile) -> bool) -> bool {
        let between = to - from;
        let distance = between.length();
        distance == 0.0 || self.walk_line(from, between / distance, distance, stops) >= distance
    }

    fn walk_line(&self, from: Vec2, way: Vec2, reach: f32, stops: impl Fn(super::Tile) -> bool) -> f32 {
        let (mut column, mut line) = tile_of(from);
        if stops(self.tile(column, line)) {
            return 0.0;
        }
        let (step_x, mut next_x, span_x) = axis(from.x, way.x, column);
        let (step_y, mut next_y, span_y) = axis(from.y, way.y, line);
        loop {
            let distance = if next_x < next_y {
                let distance = next_x;
                column += step_x;
                next_x += span_x;
                distance
            } else {
                let distance = next_y;
                line += step_y;
                next_y += span_y;
                distance
            };
            // A way of no length never leaves its tile: both distances are infinite then.
            if distance >= reach {
                return reach;
            }
            if stops(self.tile(column, line)) {
                return distance;
            }
        }
    }
}

/// Along one axis: which way tiles are passed, how far it is to the first edge, and from edge to edge.
fn axis(from: f32, way: f32, tile: i32) -> (i32, f32, f32) {
    if way > 0.0 {
        (1, ((tile + 1) as f32 - from) / way, 1.0 / way)
    } else if way < 0.0 {
        (-1, (tile as f32 - from) / way, -1.0 / way)
    } else {
        (0, f32::INFINITY, f32::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::game::Level;

    fn yard() -> Map {
        let text = "name: Yard\n\n##########\n#s.......#\n#........#\n#...#....#\n#...~....#\n#........#\n\
                    #........#\n##########\n";
        Map::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_shot_ends_at_the_first_wall() {
        let map = yard();
        let from = Vec2::new(1.5, 3.5);
        assert_eq!(map.free_distance(from, Vec2::X, 30.0), 2.5);
        assert_eq!(map.free_distance(from, Vec2::X, 1.0), 1.0);
        assert_eq!(map.free_distance(from, Vec2::NEG_X, 30.0), 0.5);
        assert_eq!(map.free_distance(Vec2::new(1.5, 4.5), Vec2::X, 30.0), 7.5, "over the pit");
        assert_eq!(map.free_distance(Vec2::new(0.5, 0.5), Vec2::X, 30.0), 0.0, "within a wall");
        assert_eq!(map.free_distance(from, Vec2::ZERO, 30.0), 30.0);
    }

    #[test]
    fn a_pit_can_be_looked_across_but_not_walked() {
        let map = yard();
        let (west, east) = (Vec2::new(1.5, 4.5), Vec2::new(7.5, 4.5));
        assert!(map.is_in_sight(west, east) && !map.is_walkable_line(west, east));
        let (west, east) = (Vec2::new(1.5, 3.5), Vec2::new(7.5, 3.5));
        assert!(!map.is_in_sight(west, east) && map.is_in_sight(west, west));
    }

    /// Each of many lines against small steps along it.
    #[test]
    fn it_agrees_with_walking_in_small_steps() {
        let map = yard();
        let from = Vec2::new(2.3, 5.7);
        for number in 0..720 {
            let way = Vec2::from_angle(number as f32 * 0.008_727);
            let distance = map.free_distance(from, way, 20.0);
            let slow = (0..20_000).map(|step| step as f32 * 0.001);
            let slow = slow.take_while(|far| !map.tile_at(from + way * *far).stops_shots()).count() as f32;
            assert!((distance - slow * 0.001).abs() < 0.01, "{number}: {distance} {slow}");
        }
    }
}
