//! NPCs play on each level for five minutes, and somebody watches: nobody is stuck, everybody scores, rounds
//! end.
//!
//! `cargo test -p tickwire-arena --release --test watch -- --nocapture` prints what happened.
#![allow(clippy::unwrap_used, reason = "a test may")]

use glam::Vec2;
use std::collections::BTreeMap;
use tickwire_arena::entities::{FIGURE, Figure, SCORE, Score};
use tickwire_arena::level::MapSource;
use tickwire_arena::weapons::Weapon;
use tickwire_arena::{Arena, ArenaConfig, ArenaEvent};
use tickwire_protocol::Replicate;
use tickwire_protocol::game::{Events, Frame, Game, Hosted, Kind, NoRewind, TickInputs};
use tickwire_protocol::time::{Micros, Tick};

const HERTZ: u32 = 60;

/// What one who watches writes down.
#[derive(Default)]
struct Notes {
    kills_by_weapon: [u32; 2],
    /// Rail shots that missed, and that hit.
    rails: [u32; 2],
    taken: u32,
    deaths_per_minute: Vec<u32>,
    rounds_over: Vec<u32>,
    rounds_begun: Vec<String>,
    longest_streak: u16,
    /// Of each player: where it was when it last got about, and when.
    anchors: BTreeMap<u16, (Vec2, u32)>,
    /// The longest that anybody stayed within a tile of where it was, in ticks, and who and where.
    longest_rest: (u32, u16, Vec2),
    distance: f64,
    before: BTreeMap<u16, Vec2>,
}

impl Notes {
    fn handle_event(&mut self, tick: u32, event: &ArenaEvent) {
        match event {
            ArenaEvent::Killed { weapon, streak, .. } => {
                self.kills_by_weapon[usize::from(*weapon == Weapon::Rail)] += 1;
                self.longest_streak = self.longest_streak.max(*streak);
                let minute = (tick / HERTZ / 60) as usize;
                self.deaths_per_minute.resize(self.deaths_per_minute.len().max(minute + 1), 0);
                self.deaths_per_minute[minute] += 1;
            }
            ArenaEvent::Rail { victim, .. } => self.rails[usize::from(victim.is_some())] += 1,
            ArenaEvent::Taken { .. } => self.taken += 1,
            ArenaEvent::RoundOver { .. } => self.rounds_over.push(tick),
            ArenaEvent::RoundBegins { map, .. } => self.rounds_begun.push(map.clone()),
            _ => {}
        }
    }

    fn handle_figures(&mut self, tick: u32, figures: &[Figure]) {
        self.anchors.retain(|player, _| figures.iter().any(|figure| figure.player == *player));
        for figure in figures {
            let anchor = self.anchors.entry(figure.player).or_insert((figure.position, tick));
            if anchor.0.distance(figure.position) > 1.0 {
                *anchor = (figure.position, tick);
            }
            let rest = tick - anchor.1;
            if rest > self.longest_rest.0 {
                self.longest_rest = (rest, figure.player, figure.position);
            }
            if let Some(before) = self.before.insert(figure.player, figure.position) {
                let way = before.distance(figure.position);
                self.distance += if way < 1.0 { f64::from(way) } else { 0.0 };
            }
        }
    }
}

fn all_of<T: Replicate>(frame: &Frame, kind: Kind<T>) -> Vec<T> {
    let of_kind = frame.entities().iter().filter(|entity| entity.kind == kind.id());
    of_kind.map(|entity| T::from_components(frame.components(entity))).collect()
}

/// Watches for so many seconds, and says what was seen and how the score stands.
fn watch(config: ArenaConfig, seed: u64, seconds: u32) -> (Notes, Vec<Score>) {
    let level = Arena::first_level(&config).unwrap();
    let mut hosted: Hosted<Arena> = Hosted::new(&config, level, seed, Micros::period_of(HERTZ), Tick(1));
    let (mut notes, mut frame, mut events) = (Notes::default(), Frame::new(), Events::new());
    let (inputs, mut best) = (TickInputs::new(), Vec::new());
    for tick in 0..seconds * HERTZ {
        hosted.tick(&inputs, &[], &NoRewind, &mut events);
        let is_over = events.as_slice().iter().any(|told| matches!(told.event, ArenaEvent::RoundOver { .. }));
        events.drain().for_each(|told| notes.handle_event(tick, &told.event));
        hosted.capture(&mut frame).unwrap();
        notes.handle_figures(tick, &all_of(&frame, FIGURE));
        if is_over || tick + 1 == seconds * HERTZ {
            best.push(all_of(&frame, SCORE));
        }
    }
    let scores = best.swap_remove(0);
    (notes, scores)
}

fn report(name: &str, notes: &Notes, scores: &[Score], seconds: u32) {
    let mut kills: Vec<u16> = scores.iter().map(|score| score.kills).collect();
    kills.sort_unstable_by(|a, b| b.cmp(a));
    let walkers = scores.len() as f64;
    println!("{name}: {} players, {seconds} s", scores.len());
    println!("  deaths a minute: {:?}", notes.deaths_per_minute);
    println!("  kills: bolts {}, rail {}", notes.kills_by_weapon[0], notes.kills_by_weapon[1]);
    println!("  rail shots that missed and that hit: {:?}; things taken: {}", notes.rails, notes.taken);
    println!("  kills of each in the first round: {kills:?}; longest streak {}", notes.longest_streak);
    let (rest, player, place) = notes.longest_rest;
    println!("  longest rest {:.1} s (player {player} at {place})", f64::from(rest) / f64::from(HERTZ));
    println!("  mean speed {:.2} tiles/s", notes.distance / walkers / f64::from(seconds));
    let over: Vec<u32> = notes.rounds_over.iter().map(|tick| tick / HERTZ).collect();
    println!("  rounds over at {over:?} s; levels begun: {:?}", notes.rounds_begun);
}

/// Whoever plays on each level for five minutes finds a game.
#[test]
fn five_minutes_on_each_level() {
    for source in MapSource::built_in() {
        let map = source.read().unwrap();
        // Half of what the largest has room for: it takes some seconds as it is.
        let players = (*map.players().end()).min(32);
        let config = ArenaConfig {
            maps: vec![source.clone()],
            npcs: players,
            round_seconds: 140,
            ..Default::default()
        };
        let (notes, scores) = watch(config, 5, 300);
        report(&source.file, &notes, &scores, 300);
        assert_eq!(scores.len(), players as usize);
        let deaths: u32 = notes.deaths_per_minute.iter().sum();
        assert!(deaths > players * 4, "{deaths} deaths");
        assert!(notes.longest_rest.0 < 6 * HERTZ, "somebody is stuck: {:?}", notes.longest_rest);
        assert_eq!(notes.rounds_over.len(), 2, "{:?}", notes.rounds_over);
        assert_eq!(notes.rounds_begun.len(), 3);
        let most = scores.iter().map(|score| score.kills).max().unwrap();
        let least = scores.iter().map(|score| score.kills).min().unwrap();
        assert!(most > least + 3, "scores are spread: {most} {least}");
        let scoring = scores.iter().filter(|score| score.kills > 0).count();
        assert!(scoring * 4 >= scores.len() * 3, "{scoring} of {} scored", scores.len());
        let [bolts, rail] = notes.kills_by_weapon;
        assert!(bolts * 8 > rail && rail * 25 > bolts, "both weapons are worth something: {bolts} {rail}");
        assert!(notes.taken > 10, "{} things taken", notes.taken);
    }
}

/// Two, as when one person comes with one NPC: they find each other.
#[test]
fn two_find_each_other() {
    let for_two = |source: &MapSource| source.read().unwrap().players().contains(&2);
    for source in MapSource::built_in().into_iter().filter(for_two) {
        let config =
            ArenaConfig { maps: vec![source.clone()], npcs: 2, round_seconds: 200, ..Default::default() };
        let (notes, scores) = watch(config, 6, 180);
        report(&source.file, &notes, &scores, 180);
        let deaths: u32 = notes.deaths_per_minute.iter().sum();
        assert!(deaths >= 4, "{}: {deaths} deaths in three minutes", source.file);
        assert!(notes.longest_rest.0 < 6 * HERTZ, "somebody is stuck: {:?}", notes.longest_rest);
    }
}

/// Teams, a score that ends the round, and the next level.
#[test]
fn teams_fight_until_one_has_enough() {
    let config = ArenaConfig { npcs: 12, teams: true, score_limit: 25, ..Default::default() };
    let (notes, scores) = watch(config, 7, 300);
    report("teams", &notes, &scores, 300);
    let red: u16 = scores
        .iter()
        .filter(|score| score.colour == tickwire_arena::teams::Colour::Red)
        .map(|score| score.kills)
        .sum();
    let blue: u16 = scores.iter().map(|score| score.kills).sum::<u16>() - red;
    assert!(red.max(blue) == 25 && red.min(blue) < 25, "{red} {blue}");
    assert!(!notes.rounds_over.is_empty());
}
