//! Players who press and say whatever comes to mind: no rule breaks, and all that is told can be told.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod harness;

use glam::Vec2;
use harness::{HERTZ, Match};
use tickwire_arena::entities::{BOLT, FIGURE, PICKUP, ROUND, SCORE};
use tickwire_arena::level::{Map, Tile};
use tickwire_arena::teams::Colour;
use tickwire_arena::{Arena, ArenaCommand, ArenaConfig, ArenaInput, FULL_HEALTH, PLAYER_RADIUS};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{Level, Role, Simulation};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::schema::KindSchema;

const PLAYERS: u16 = 24;

fn whim(before: ArenaInput, random: &mut SimRng) -> ArenaInput {
    ArenaInput {
        way: if random.chance(0.1) { random.unit_vec2() * 0.999 } else { before.way },
        aim: before.aim + random.f32_in(-0.3, 0.3),
        fire: if random.chance(0.02) { !before.fire } else { before.fire },
        dash: random.chance(0.3),
        weapon: if random.chance(0.02) { random.u32_up_to(15) as u8 } else { 0 },
    }
}

fn blurt(random: &mut SimRng) -> ArenaCommand {
    let text =
        ["", "hello", "\u{7}", "\u{202e}x", &"long ".repeat(100)][random.u32_up_to(4) as usize].to_owned();
    match random.u32_up_to(3) {
        0 => ArenaCommand::Say(text),
        1 => ArenaCommand::SayTeam(text),
        2 => ArenaCommand::Rename(text),
        _ => ArenaCommand::Join([Colour::None, Colour::Red, Colour::Blue][random.u32_up_to(2) as usize]),
    }
}

/// Checks that each value of a kind can be quantised.
fn assert_tellable<T: Replicate + std::fmt::Debug>(schema: &KindSchema, values: &[(EntityIndex, T)]) {
    for (entity, value) in values {
        let mut components = vec![0.0; T::COMPONENTS];
        value.write_components(&mut components);
        let mut rest = &components[..];
        for field in &schema.fields {
            let (own, others) = rest.split_at(field.quantization.components());
            assert!(
                field.quantization.lanes_of(own).is_some(),
                "{}.{} of {entity:?}: {value:?}",
                schema.name,
                field.name
            );
            rest = others;
        }
    }
}

fn assert_sound(game: &Match, map: &Map) {
    let schema = Arena::schema().unwrap();
    let figures = game.all(FIGURE);
    assert_tellable(&schema.kinds()[0], &figures);
    assert_tellable(&schema.kinds()[1], &game.all(BOLT));
    assert_tellable(&schema.kinds()[2], &game.all(PICKUP));
    assert_tellable(&schema.kinds()[3], &game.all(SCORE));
    assert_tellable(&schema.kinds()[4], &game.all(ROUND));
    for (_, figure) in figures {
        for corner in [Vec2::X, Vec2::NEG_X, Vec2::Y, Vec2::NEG_Y] {
            let edge = figure.position + corner * (PLAYER_RADIUS - 0.01);
            assert_eq!(map.tile_at(edge), Tile::Floor, "{figure:?} is in a wall");
        }
        let avatar = game.avatar(PlayerId(figure.player));
        assert!(avatar.health > 0 && avatar.health <= FULL_HEALTH && avatar.armour <= FULL_HEALTH);
    }
}

#[test]
fn whatever_players_do_the_rules_hold() {
    for teams in [false, true] {
        let config = ArenaConfig { teams, npcs: PLAYERS.into(), round_seconds: 20, ..ArenaConfig::default() };
        let mut game = Match::new(config);
        let mut random = SimRng::from_u64(30 + u64::from(teams));
        for tick in 0..60 * HERTZ {
            let player = PlayerId(random.u32_in(1, u32::from(PLAYERS)) as u16);
            if random.chance(0.02) && !game.held.contains_key(&player) {
                game.join(player.0, Role::Player).unwrap();
                game.held.insert(player, ArenaInput::default());
            } else if random.chance(0.004) && game.held.remove(&player).is_some() {
                game.leave(player);
            }
            for input in game.held.values_mut() {
                *input = whim(*input, &mut random);
            }
            if random.chance(0.2) {
                game.say(player, blurt(&mut random));
            }
            game.tick();
            if tick % 4 == 0 {
                let map = Map::parse(game.hosted.level().content()).unwrap();
                assert_sound(&game, &map);
            }
        }
        game.hosted.state_hash().unwrap();
        let refused = *game.hosted.game().refusals();
        assert!(refused.fire_while_dead > 0 && refused.dash_too_early > 0 && refused.unknown_weapon > 0);
        assert!(refused.said.iter().filter(|count| **count > 0).count() >= 4, "{refused:?}");
        assert!(game.hosted.level_epoch() >= 2);
    }
}
