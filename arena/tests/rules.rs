//! The rules of the arena, in a match without a network.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod harness;

use glam::Vec2;
use harness::{HERTZ, Match, aim, hall};
use tickwire_arena::entities::{BOLT, FIGURE, PICKUP, ROUND, SCORE};
use tickwire_arena::level::MapSource;
use tickwire_arena::teams::Colour;
use tickwire_arena::weapons::{BOLT_DAMAGE, RAIL_DAMAGE, Weapon};
use tickwire_arena::{
    ArenaCommand, ArenaConfig, ArenaEvent, ArenaInput, CLOAK_SIGHT, FULL_HEALTH, Phase, Refusal, TOP_SPEED,
    Winner, is_npc,
};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::float;
use tickwire_protocol::game::{Audience, Game, JoinRefusal, Rewind, Role, ViewTime};
use tickwire_protocol::id::{EntityIndex, KindId, PlayerId};
use tickwire_protocol::time::Tick;

/// Two players who stand apart in the hall, aiming at each other, past the protection of the beginning.
fn duel(config: ArenaConfig) -> (Match, PlayerId, PlayerId) {
    let mut game = Match::new(hall(config));
    let (ann, ben) = (game.join(1, Role::Player).unwrap(), game.join(2, Role::Player).unwrap());
    game.run_seconds(2.5);
    let (one, other) = (game.avatar(ann), game.avatar(ben));
    assert_eq!(one.position.distance(other.position), 20.0, "one appears far from the other");
    game.held.insert(ann, ArenaInput { aim: aim(one, other), ..ArenaInput::default() });
    game.held.insert(ben, ArenaInput { aim: aim(other, one), ..ArenaInput::default() });
    (game, ann, ben)
}

fn press(game: &mut Match, player: PlayerId, change: impl Fn(&mut ArenaInput)) {
    change(game.held.get_mut(&player).unwrap());
}

#[test]
fn bolts_fly_hit_push_and_are_hidden_from_their_owner() {
    let (mut game, ann, ben) = duel(ArenaConfig::default());
    let before = game.avatar(ben).position;
    press(&mut game, ann, |input| input.fire = true);
    game.tick();
    press(&mut game, ann, |input| input.fire = false);
    game.run(10);
    let bolts = game.all(BOLT);
    assert_eq!(bolts.len(), 1);
    assert!(game.hosted.game().hides(bolts[0].0, ann) && !game.hosted.game().hides(bolts[0].0, ben));
    game.run(60);
    assert!(game.all(BOLT).is_empty());
    assert_eq!(game.avatar(ben).health, FULL_HEALTH - BOLT_DAMAGE);
    let hits = game.events(|event| match event {
        ArenaEvent::Hit { victim, by, number, damage, .. } => Some((*victim, *by, *number, *damage)),
        _ => None,
    });
    assert_eq!(hits, [(ben, ann, 1, BOLT_DAMAGE); 2], "told to both");
    assert!(
        (game.avatar(ben).position - before).dot(before - game.avatar(ann).position) > 0.0,
        "pushed away"
    );
}

#[test]
fn the_rail_gun_hits_at_once_kills_and_the_dead_come_back() {
    let (mut game, ann, ben) = duel(ArenaConfig::default());
    press(&mut game, ann, |input| (input.fire, input.weapon) = (true, Weapon::Rail.number()));
    // Drawn, charged, shot, cooled down, and charged again.
    game.run_seconds(0.7);
    assert_eq!(game.avatar(ben).health, FULL_HEALTH - RAIL_DAMAGE);
    let mut ticks = 0;
    while game.is_alive(ben) {
        let (one, other) = (game.avatar(ann), game.avatar(ben));
        press(&mut game, ann, |input| input.aim = aim(one, other));
        game.tick();
        ticks += 1;
        assert!(ticks < 3 * HERTZ);
    }
    press(&mut game, ann, |input| input.fire = false);
    let killed = game.events(|event| match event {
        ArenaEvent::Killed { victim, by, weapon, streak } => Some((*victim, *by, *weapon, *streak)),
        _ => None,
    });
    assert_eq!(killed, [(ben, ann, Weapon::Rail, 1)]);
    assert!(game.figure(ben).is_none() && game.hosted.game().own_entity(ben).is_none());
    let scores: Vec<_> =
        game.all(SCORE).into_iter().map(|(_, s)| (s.player, s.kills, s.deaths, s.alive)).collect();
    assert_eq!(scores, [(1, 1, 0, true), (2, 0, 1, false)]);
    game.run_seconds(2.0);
    assert!(game.is_alive(ben) && game.avatar(ben).health == FULL_HEALTH);
    assert!(game.figure(ben).unwrap().protected);
}

#[test]
fn who_has_just_appeared_is_spared_until_it_shoots() {
    let mut game = Match::new(hall(ArenaConfig::default()));
    let (ann, ben) = (game.join(1, Role::Player).unwrap(), game.join(2, Role::Player).unwrap());
    let (one, other) = (game.avatar(ann), game.avatar(ben));
    game.held.insert(ann, ArenaInput { aim: aim(one, other), fire: true, ..ArenaInput::default() });
    game.run_seconds(1.9);
    assert_eq!(game.avatar(ben).health, FULL_HEALTH);
    let spared = game.events(|event| matches!(event, ArenaEvent::Hit { damage: 0, .. }).then_some(()));
    assert!(!spared.is_empty());
    game.held.insert(ben, ArenaInput { fire: true, ..ArenaInput::default() });
    game.tick();
    assert_eq!(game.avatar(ben).protection, 0.0);
    game.run_seconds(0.5);
    assert!(game.avatar(ben).health < FULL_HEALTH);
}

/// What is replicated has a range, and a push on top of a dash must not leave it.
#[test]
fn who_is_hit_while_dashing_away_is_no_faster_than_anybody() {
    let (mut game, ann, ben) = duel(ArenaConfig::default());
    press(&mut game, ann, |input| (input.fire, input.weapon) = (true, Weapon::Rail.number()));
    let away = (game.avatar(ben).position - game.avatar(ann).position) / 20.0;
    game.run(30);
    press(&mut game, ben, |input| (input.way, input.dash) = (away, true));
    let mut fastest = 0.0;
    for _ in 0..10 {
        game.tick();
        fastest = float::max(fastest, game.avatar(ben).velocity.length());
    }
    assert_eq!(game.avatar(ben).health, FULL_HEALTH - RAIL_DAMAGE);
    assert!((fastest - TOP_SPEED).abs() < 1e-3, "{fastest}");
}

/// A past in which everybody stood elsewhere.
struct Elsewhere {
    at: Tick,
    shift: Vec2,
    figures: Vec<(EntityIndex, tickwire_arena::entities::Figure)>,
}

impl Rewind for Elsewhere {
    fn components_at(
        &self,
        entity: EntityIndex,
        kind: KindId,
        time: ViewTime,
        components: &mut [f64],
    ) -> bool {
        let figure = self.figures.iter().find(|(index, _)| *index == entity && kind == FIGURE.id());
        let Some((_, figure)) = figure.filter(|_| time.tick == self.at) else { return false };
        let mut figure = figure.clone();
        figure.position += self.shift;
        figure.write_components(components);
        true
    }
}

/// A shot hits whoever was where its player saw it, and not where it is.
#[test]
fn the_rail_gun_hits_what_its_player_saw() {
    for (shift, is_hit) in [(Vec2::new(0.0, 2.0), false), (Vec2::ZERO, true)] {
        for aims_at_the_past in [false, true] {
            let (mut game, ann, ben) = duel(ArenaConfig::default());
            game.view_age = Some(6);
            let (one, mut other) = (game.avatar(ann), game.avatar(ben));
            if aims_at_the_past {
                other.position += shift;
            }
            let input = ArenaInput { aim: aim(one, other), fire: true, weapon: 2, ..ArenaInput::default() };
            game.held.insert(ann, input);
            for _ in 0..42 {
                let at = Tick(game.hosted.next_tick().0 - 6);
                let past = Elsewhere { at, shift, figures: game.all(FIGURE) };
                game.tick_with(&past);
            }
            let is_hurt = game.avatar(ben).health < FULL_HEALTH;
            assert_eq!(is_hurt, is_hit || aims_at_the_past, "{shift} {aims_at_the_past}");
        }
    }
}

#[test]
fn a_cloak_hides_from_far_enemies_and_ends_with_a_shot() {
    let text = harness::HALL.replacen("s.", "sc", 1);
    let map = MapSource { file: "hall".to_owned(), text };
    let mut game = Match::new(ArenaConfig { maps: vec![map], ..ArenaConfig::default() });
    let (ann, ben) = (game.join(1, Role::Player).unwrap(), game.join(2, Role::Player).unwrap());
    let watcher = game.join(3, Role::Spectator).unwrap();
    game.run(2);
    let (hider, seeker) = if game.avatar(ann).position.x < 10.0 { (ann, ben) } else { (ben, ann) };
    let hides = |game: &Match, viewer| game.hosted.game().hides(game.entity(hider), viewer);
    assert!(!hides(&game, seeker));
    game.held.insert(hider, ArenaInput { way: Vec2::X, ..ArenaInput::default() });
    game.run(20);
    game.held.insert(hider, ArenaInput::default());
    game.run(20);
    assert!(game.avatar(hider).cloak > 10.0 && game.figure(hider).unwrap().cloaked);
    assert!(hides(&game, seeker) && hides(&game, watcher) && !hides(&game, hider));
    let taken = game.told.iter().find(|(_, _, event)| matches!(event, ArenaEvent::Taken { .. })).unwrap();
    assert!(!game.hosted.concerns(&taken.1, seeker), "nobody is told who took it and does not see it");
    assert!(!game.all(PICKUP)[0].1.present);
    // Close by it is seen.
    game.held.insert(seeker, ArenaInput { way: Vec2::NEG_X, ..ArenaInput::default() });
    loop {
        let distance = game.avatar(seeker).position.distance(game.avatar(hider).position);
        assert_eq!(hides(&game, seeker), distance >= CLOAK_SIGHT, "{distance}");
        if distance < 3.5 {
            break;
        }
        game.tick();
    }
    game.held.insert(seeker, ArenaInput { way: Vec2::X, ..ArenaInput::default() });
    game.run(60);
    assert!(hides(&game, seeker));
    game.held.insert(hider, ArenaInput { fire: true, ..ArenaInput::default() });
    game.tick();
    assert!(!hides(&game, seeker) && game.avatar(hider).cloak == 0.0);
}

#[test]
fn what_cannot_be_is_counted_and_has_no_effect() {
    let (mut game, ann, ben) = duel(ArenaConfig::default());
    let refused = |game: &Match| *game.hosted.game().refusals();
    press(&mut game, ann, |input| (input.dash, input.weapon, input.way) = (true, 9, Vec2::Y));
    game.run(5);
    assert_eq!((refused(&game).dash_too_early, refused(&game).unknown_weapon), (4, 5));
    assert_eq!(game.avatar(ann).weapon, Weapon::Bolts);
    press(&mut game, ann, |input| *input = ArenaInput::default());
    // To death, and then the dead wants to shoot.
    while game.is_alive(ben) {
        let (one, other) = (game.avatar(ann), game.avatar(ben));
        game.held.insert(ann, ArenaInput { aim: aim(one, other), fire: true, ..ArenaInput::default() });
        game.tick();
    }
    let shots = game.all(BOLT).len();
    press(&mut game, ann, |input| input.fire = false);
    press(&mut game, ben, |input| (input.fire, input.dash) = (true, true));
    game.run(3);
    assert_eq!((refused(&game).fire_while_dead, refused(&game).dash_too_early), (3, 7));
    assert!(game.all(BOLT).len() <= shots);
}

#[test]
fn talk_is_checked_limited_and_refused_by_name() {
    let (mut game, ann, ben) = duel(ArenaConfig::default());
    let watcher = game.join(9, Role::Spectator).unwrap();
    let answer = |game: &mut Match, player, command| {
        game.told.clear();
        game.say(player, command);
        game.run_seconds(2.0);
        let told = game.told.iter().find(|(_, _, event)| !matches!(event, ArenaEvent::RoundBegins { .. }));
        let (_, audience, event) = told.expect("there is always an answer").clone();
        (audience, event)
    };
    let say = |text: &str| ArenaCommand::Say(text.to_owned());
    let said = |text: &str| ArenaEvent::Said { player: ann, to_team: false, text: text.to_owned() };
    assert_eq!(answer(&mut game, ann, say(" good\u{202e} \n game ")), (Audience::All, said("good game")));
    let refusals = [
        (ann, say("\u{7}\u{200b}\n"), Refusal::Empty),
        (ann, say(&"x".repeat(121)), Refusal::TooLong),
        (ann, say(&"\u{301}".repeat(400)), Refusal::TooLong),
        (ann, ArenaCommand::Rename("\u{7}\u{1b}".to_owned()), Refusal::Name),
        (ann, ArenaCommand::Rename("n".repeat(99)), Refusal::Name),
        (ann, ArenaCommand::SayTeam("hello".to_owned()), Refusal::NoSuchTeam),
        (ann, ArenaCommand::Join(Colour::Red), Refusal::NoSuchTeam),
        (watcher, say("hello"), Refusal::Spectator),
    ];
    for (player, command, refusal) in refusals {
        let told = answer(&mut game, player, command.clone());
        assert_eq!(told, (Audience::Player(player), ArenaEvent::Refused(refusal)), "{command:?}");
    }
    let renamed = answer(&mut game, ann, ArenaCommand::Rename(" Anna ".to_owned()));
    assert!(matches!(renamed.1, ArenaEvent::Named(entry) if entry.name == "Anna"));
    // Four at once, and then not until there has been silence.
    game.run_seconds(8.0);
    game.told.clear();
    (0..10).for_each(|number| game.say(ben, say(&number.to_string())));
    game.tick();
    let heard = game.events(|event| matches!(event, ArenaEvent::Said { .. }).then_some(())).len();
    let refused = game.events(|event| (*event == ArenaEvent::Refused(Refusal::TooOften)).then_some(())).len();
    assert_eq!((heard, refused), (4, 6));
    assert_eq!(game.hosted.game().refusals().said.iter().sum::<u64>(), 8 + 6);
}

#[test]
fn teams_are_even_do_not_hurt_each_other_and_can_be_changed() {
    let mut game = Match::new(ArenaConfig { teams: true, ..ArenaConfig::default() });
    let players: Vec<PlayerId> = (1..=6).map(|number| game.join(number, Role::Player).unwrap()).collect();
    game.tick();
    let colour = |game: &Match, player| game.figure(player).unwrap().colour;
    let red = players.iter().filter(|player| colour(&game, **player) == Colour::Red).count();
    assert_eq!(red, 3);
    let (ann, ben) = (players[0], players[1]);
    assert_eq!((colour(&game, ann), colour(&game, ben)), (Colour::Red, Colour::Blue));
    let entity = game.entity(ann);
    game.say(ann, ArenaCommand::Join(Colour::Blue));
    game.tick();
    assert_eq!(colour(&game, ann), Colour::Blue);
    assert_ne!(game.entity(ann), entity, "others see somebody new");
    game.say(players[2], ArenaCommand::Join(Colour::Blue));
    game.tick();
    assert_eq!(colour(&game, players[2]), Colour::Red, "the other team would be too large");
    assert_eq!(
        game.events(|event| (*event == ArenaEvent::Refused(Refusal::TeamIsFull)).then_some(())).len(),
        1
    );
    assert_eq!(game.hosted.game().team(ann), Colour::Blue.team());
}

#[test]
fn a_round_has_a_clock_a_winner_and_a_next_level() {
    let maps = vec![MapSource::built_in().swap_remove(0)];
    let config = ArenaConfig { round_seconds: 20, maps, ..ArenaConfig::default() };
    let (mut game, ann, ben) = duel(config);
    let ends = game.all(ROUND)[0].1.ends(game.hosted.next_tick());
    assert_eq!(ends, Tick(1 + 20 * HERTZ));
    while game.is_alive(ben) {
        let (one, other) = (game.avatar(ann), game.avatar(ben));
        game.held.insert(ann, ArenaInput { aim: aim(one, other), fire: true, ..ArenaInput::default() });
        game.tick();
    }
    game.run(ends.0 - game.hosted.next_tick().0 + 1);
    assert_eq!(game.all(ROUND)[0].1.phase, Phase::Over);
    let winners = game.events(|event| match event {
        ArenaEvent::RoundOver { winner } => Some(*winner),
        _ => None,
    });
    assert_eq!(winners, [Winner::Player(ann)]);
    game.run_seconds(2.0);
    let health = game.avatar(ben).health;
    let (one, other) = (game.avatar(ann), game.avatar(ben));
    game.held.insert(ann, ArenaInput { aim: aim(one, other), fire: true, ..ArenaInput::default() });
    game.run_seconds(3.0);
    assert_eq!(game.avatar(ben).health, health, "it is over");
    game.run_seconds(3.2);
    assert_eq!(game.hosted.level_epoch(), 1);
    let round = &game.all(ROUND)[0].1;
    assert_eq!((round.phase, game.hosted.level().name()), (Phase::Fight, "Foundry"));
    assert!(game.all(SCORE).iter().all(|(_, score)| score.kills == 0 && score.deaths == 0));
    assert_eq!(game.all(PICKUP).len(), game.hosted.level().pickups().len());
    let maps = game.events(|event| match event {
        ArenaEvent::RoundBegins { map, .. } => Some(map.clone()),
        _ => None,
    });
    assert_eq!(maps, ["Hall", "Foundry"]);
}

#[test]
fn npcs_fill_the_room_up_and_give_way() {
    let mut game = Match::new(ArenaConfig { npcs: 4, players: 6, ..ArenaConfig::default() });
    game.run(10);
    let count = |game: &Match| {
        let scores = game.all(SCORE);
        (scores.iter().filter(|(_, score)| score.npc).count(), scores.len())
    };
    assert_eq!(count(&game), (4, 4));
    let ann = game.join(1, Role::Player).unwrap();
    game.run(3);
    assert_eq!(count(&game), (3, 4));
    for number in 2..=6 {
        game.join(number, Role::Player).unwrap();
    }
    assert_eq!(game.join(7, Role::Player), Err(JoinRefusal::Full));
    game.run(3);
    assert_eq!(count(&game), (0, 6));
    (1..=6).for_each(|number| game.leave(PlayerId(number)));
    game.run(10);
    assert_eq!(count(&game), (4, 4));
    assert!(!is_npc(ann));
}

/// Whoever comes late has the whole board: names by events, lines as entities that concern everybody.
#[test]
fn who_comes_late_is_told_who_plays() {
    let mut game = Match::new(ArenaConfig { npcs: 63, ..ArenaConfig::default() });
    game.run(70);
    game.told.clear();
    let late = game.join(1, Role::Player).unwrap();
    let names: Vec<PlayerId> = game
        .told
        .iter()
        .filter(|(_, audience, _)| *audience == Audience::Player(late))
        .filter_map(|(_, _, event)| match event {
            ArenaEvent::Roster(entries) => Some(entries.iter().map(|entry| entry.player)),
            _ => None,
        })
        .flatten()
        .collect();
    game.tick();
    let scores = game.all(SCORE);
    assert!(scores.len() >= 63 && names.len() >= 63);
    assert!(scores.iter().all(|(_, score)| names.contains(&PlayerId(score.player))));
}
