//! How a player moves: acceleration, friction, walls, the dash. The shared step's first half.

use crate::avatar::{Avatar, tick_down};
use crate::input::ArenaInput;
use crate::level::{Map, Tile};
use glam::Vec2;
use tickwire_protocol::determinism::float;

/// The radius of a player, in tiles.
pub const PLAYER_RADIUS: f32 = 0.4;

/// How fast a player walks, in tiles per second.
pub const WALK_SPEED: f32 = 6.5;

/// How fast a dash is.
pub const DASH_SPEED: f32 = 19.5;

/// How long a dash lasts, in seconds: a whole number of ticks at the usual rates.
pub const DASH_SECONDS: f32 = 1.0 / 6.0;

/// How long after the begin of a dash the next one may begin, in seconds.
pub const DASH_COOLDOWN_SECONDS: f32 = 1.2;

/// How fast anybody ever is, whatever pushes: what is replicated has a range.
pub const TOP_SPEED: f32 = 24.0;

/// How fast a walker speeds up or turns, in tiles per second².
const ACCELERATION: f32 = 62.0;

/// How fast somebody slows down who does not want to walk, or is faster than a walker, in tiles per second².
const FRICTION: f32 = 42.0;

/// The longest piece of a way that is gone at once. Less than the radius, so that nobody is on the other side
/// of a wall before they touch it.
const STRIDE: f32 = 0.2;

/// A bound on the pieces of one tick: what the top speed needs in the longest tick.
const MAX_STRIDES: f32 = 128.0;

/// Moves a player by one tick. `pace` is the share of the walking speed that it may have. True if a dash
/// began.
pub(crate) fn walk(avatar: &mut Avatar, input: &ArenaInput, pace: f32, dt: f32, map: &Map) -> bool {
    avatar.dash_cooldown = tick_down(avatar.dash_cooldown, dt);
    let dashed = start_dash(avatar, input);
    if avatar.dash > 0.0 {
        avatar.velocity = avatar.dash_way * DASH_SPEED;
        avatar.dash = tick_down(avatar.dash, dt);
        if avatar.dash == 0.0 {
            // The momentum that is left is what one could walk with.
            go(avatar, dt, map);
            avatar.velocity = limited(avatar.velocity, WALK_SPEED);
            return dashed;
        }
    } else {
        accelerate(avatar, limited(input.way, 1.0) * (WALK_SPEED * pace), dt);
    }
    go(avatar, dt, map);
    dashed
}

fn start_dash(avatar: &mut Avatar, input: &ArenaInput) -> bool {
    if !input.dash || avatar.dash_cooldown > 0.0 || avatar.dash > 0.0 {
        return false;
    }
    let length = input.way.length();
    avatar.dash_way = if length > 0.1 {
        input.way / length
    } else {
        let (sine, cosine) = float::sin_cos(input.aim);
        Vec2::new(cosine, sine)
    };
    avatar.dash = DASH_SECONDS;
    avatar.dash_cooldown = DASH_COOLDOWN_SECONDS;
    true
}

fn accelerate(avatar: &mut Avatar, wanted: Vec2, dt: f32) {
    let is_slowing =
        wanted == Vec2::ZERO || avatar.velocity.length_squared() > WALK_SPEED * WALK_SPEED * 1.01;
    let most = if is_slowing { FRICTION } else { ACCELERATION } * dt;
    let change = wanted - avatar.velocity;
    let length = change.length();
    avatar.velocity = if length <= most { wanted } else { avatar.velocity + change * (most / length) };
}

/// Goes the way of a tick, in pieces, and slides along what is in the way.
fn go(avatar: &mut Avatar, dt: f32, map: &Map) {
    avatar.velocity = limited(avatar.velocity, TOP_SPEED);
    let distance = avatar.velocity.length() * dt;
    let strides = float::clamp((distance / STRIDE).ceil(), 1.0, MAX_STRIDES);
    let stride = dt / strides;
    for _ in 0..strides as u32 {
        avatar.position += avatar.velocity * stride;
        slide(&mut avatar.position, &mut avatar.velocity, map);
    }
    for value in [&mut avatar.position, &mut avatar.velocity] {
        *value = Vec2::new(float::canonical(value.x), float::canonical(value.y));
    }
}

/// Moves a circle out of the tiles that it is in, the deepest first, and takes from its velocity what leads
/// into them. The deepest first, because a circle that slides along a row of tiles touches the corner of the
/// next one too, which must not stop it.
fn slide(position: &mut Vec2, velocity: &mut Vec2, map: &Map) {
    for _ in 0..MAX_CONTACTS {
        let Some((normal, depth)) = deepest_contact(*position, map) else { return };
        *position += normal * depth;
        let into = velocity.dot(normal);
        if into < 0.0 {
            *velocity -= normal * into;
        }
    }
}

/// Where a circle is deepest in a tile: the way out, and how far. Nothing if it is in none.
fn deepest_contact(position: Vec2, map: &Map) -> Option<(Vec2, f32)> {
    let (first_column, first_line) = crate::level::tile_of(position - Vec2::splat(PLAYER_RADIUS));
    let (last_column, last_line) = crate::level::tile_of(position + Vec2::splat(PLAYER_RADIUS));
    let mut deepest: Option<(Vec2, f32)> = None;
    for line in first_line..=last_line {
        for column in first_column..=last_column {
            if !Tile::stops_walkers(map.tile(column, line)) {
                continue;
            }
            let contact = contact_with(position, Vec2::new(column as f32, line as f32));
            if let Some((normal, depth)) = contact
                && deepest.is_none_or(|(_, other)| depth > other)
            {
                deepest = Some((normal, depth));
            }
        }
    }
    deepest
}

/// The way out of the tile with this corner, and how far it is.
fn contact_with(position: Vec2, corner: Vec2) -> Option<(Vec2, f32)> {
    let nearest = Vec2::new(
        float::clamp(position.x, corner.x, corner.x + 1.0),
        float::clamp(position.y, corner.y, corner.y + 1.0),
    );
    let away = position - nearest;
    let distance_squared = away.length_squared();
    if distance_squared >= PLAYER_RADIUS * PLAYER_RADIUS {
        return None;
    }
    if distance_squared > 1e-10 {
        let distance = float::sqrt(distance_squared);
        return Some((away / distance, PLAYER_RADIUS - distance));
    }
    // The middle is within the tile, as after a change of level: out by the nearest edge.
    let edges = [
        (Vec2::NEG_X, position.x - corner.x),
        (Vec2::X, corner.x + 1.0 - position.x),
        (Vec2::NEG_Y, position.y - corner.y),
        (Vec2::Y, corner.y + 1.0 - position.y),
    ];
    let mut out = edges[0];
    for edge in edges {
        if edge.1 < out.1 {
            out = edge;
        }
    }
    Some((out.0, out.1 + PLAYER_RADIUS))
}

/// A vector of at most this length.
pub(crate) fn limited(vector: Vec2, most: f32) -> Vec2 {
    let length_squared = vector.length_squared();
    if length_squared > most * most { vector * (most / float::sqrt(length_squared)) } else { vector }
}

/// Tiles that somebody is pushed out of in one piece of the way: a corner has two walls.
const MAX_CONTACTS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::game::Level;

    const DT: f32 = 1.0 / 60.0;

    fn hall() -> Map {
        let text = "name: Hall\n\n####################\n#s.................#\n#..................#\n\
                    #........#.........#\n#........#.........#\n#........#.........#\n#..................#\n\
                    #.....~............#\n#..................#\n####################\n";
        Map::parse(text.as_bytes()).unwrap()
    }

    fn walking(way: Vec2) -> ArenaInput {
        ArenaInput { way, ..ArenaInput::default() }
    }

    fn run(avatar: &mut Avatar, input: &ArenaInput, ticks: u32, dt: f32, map: &Map) {
        for _ in 0..ticks {
            walk(avatar, input, 1.0, dt, map);
            assert!(
                deepest_contact(avatar.position, map).is_none_or(|(_, depth)| depth < 1e-3),
                "{avatar:?}"
            );
        }
    }

    #[test]
    fn a_walker_speeds_up_keeps_its_speed_and_comes_to_rest() {
        let (map, mut avatar) = (hall(), Avatar::at(Vec2::new(2.0, 1.5)));
        run(&mut avatar, &walking(Vec2::X), 1, DT, &map);
        assert!(avatar.velocity.x > 0.5 && avatar.velocity.x < 2.0);
        run(&mut avatar, &walking(Vec2::X), 30, DT, &map);
        assert_eq!(avatar.velocity, Vec2::new(WALK_SPEED, 0.0));
        run(&mut avatar, &ArenaInput::default(), 30, DT, &map);
        assert_eq!(avatar.velocity, Vec2::ZERO);
    }

    #[test]
    fn a_diagonal_is_no_faster_and_a_wall_leaves_what_leads_along_it() {
        let (map, mut avatar) = (hall(), Avatar::at(Vec2::new(2.0, 4.0)));
        run(&mut avatar, &walking(Vec2::ONE), 20, DT, &map);
        assert!((avatar.velocity.length() - WALK_SPEED).abs() < 1e-3);
        let mut avatar = Avatar::at(Vec2::new(2.0, 1.45));
        run(&mut avatar, &walking(Vec2::new(1.0, -1.0)), 60, DT, &map);
        assert!((avatar.position.y - 1.4).abs() < 1e-3, "{avatar:?}");
        assert!(
            (avatar.velocity.x - WALK_SPEED * 0.5_f32.sqrt()).abs() < 0.01,
            "no seam stops it: {avatar:?}"
        );
    }

    /// From a free place each way, at any rate and even at the top speed: never into or through anything.
    #[test]
    fn nobody_gets_through_a_wall() {
        let map = hall();
        for hertz in [10.0, 30.0, 60.0, 128.0] {
            for number in 0..360 {
                let mut avatar = Avatar::at(Vec2::new(8.5, 4.5));
                avatar.velocity = Vec2::from_angle(number as f32 * 0.017_453) * TOP_SPEED;
                let input =
                    ArenaInput { way: limited(avatar.velocity, 1.0), dash: true, ..Default::default() };
                run(&mut avatar, &input, hertz as u32, 1.0 / hertz, &map);
                let inside = avatar.position.x > 1.0 && avatar.position.x < 19.0;
                assert!(inside && avatar.position.y > 1.0 && avatar.position.y < 9.0, "{avatar:?}");
            }
        }
        let mut avatar = Avatar::at(Vec2::new(8.0, 4.5));
        run(&mut avatar, &ArenaInput { dash: true, ..walking(Vec2::X) }, 120, DT, &map);
        assert!((avatar.position.x - 8.6).abs() < 1e-3, "the wall is one tile thick: {avatar:?}");
        let mut avatar = Avatar::at(Vec2::new(6.5, 5.0));
        run(&mut avatar, &walking(Vec2::Y), 60, DT, &map);
        assert!((avatar.position.y - 6.6).abs() < 1e-3, "nor over a pit: {avatar:?}");
    }

    #[test]
    fn a_dash_is_as_long_at_every_rate_and_waits_for_its_cooldown() {
        let map = hall();
        for hertz in [30.0, 60.0, 120.0] {
            let mut avatar = Avatar::at(Vec2::new(2.0, 1.5));
            let input = ArenaInput { dash: true, ..walking(Vec2::X) };
            let mut dashes = Vec::new();
            for tick in 0..(3.0 * hertz) as u32 {
                if walk(&mut avatar, &input, 0.0, 1.0 / hertz, &map) {
                    dashes.push(tick as f32 / hertz);
                }
                if tick + 1 == (DASH_SECONDS * hertz).round() as u32 {
                    let way = avatar.position.x - 2.0;
                    assert!((way - DASH_SPEED * DASH_SECONDS).abs() < 0.05, "{hertz}: {way}");
                }
            }
            assert_eq!(dashes.len(), 3, "{dashes:?}");
            assert!((dashes[1] - DASH_COOLDOWN_SECONDS).abs() < 0.02, "{dashes:?}");
        }
        let mut avatar = Avatar::at(Vec2::new(2.0, 1.5));
        assert!(walk(&mut avatar, &ArenaInput { dash: true, aim: 0.0, ..Default::default() }, 1.0, DT, &map));
        assert_eq!(avatar.dash_way, Vec2::X, "who stands dashes where it aims");
    }

    /// After a change of level somebody may stand in a wall for a tick; it is pushed out and not lost.
    #[test]
    fn who_is_in_a_wall_comes_out() {
        let map = hall();
        let mut avatar = Avatar::at(Vec2::new(9.5, 4.5));
        walk(&mut avatar, &ArenaInput::default(), 1.0, DT, &map);
        walk(&mut avatar, &ArenaInput::default(), 1.0, DT, &map);
        assert!(map.tile_at(avatar.position) == Tile::Floor, "{avatar:?}");
    }
}
