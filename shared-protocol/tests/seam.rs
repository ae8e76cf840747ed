//! The seam, used as a server and a client use it, by two games in which every part of it has something to
//! do.
// The helpers are tests too, though clippy knows only functions with the attribute.
#![allow(clippy::unwrap_used)]

#[path = "seam/drift.rs"]
mod drift;
#[path = "seam/guest.rs"]
mod guest;
#[path = "seam/host.rs"]
mod host;
#[path = "seam/relay.rs"]
mod relay;

use drift::{Drift, Push};
use glam::Vec2;
use guest::Guest;
use host::{Host, PERIOD, Told};
use relay::{Command, Config, Effect, Event, RUNNER, Relay, SCORE, Score, Side, Steer, TRAP, Trap};
use std::collections::BTreeMap;
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::*;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::{Micros, Tick};

fn relay() -> Host<Relay> {
    Host::new(&Config::default(), 11)
}

/// What a player does in a tick: the same for the same player and tick.
fn steer(player: u16, tick: Tick) -> Steer {
    let mut whim = SimRng::from_u64(5).fork("whim", u64::from(player) << 32 | u64::from(tick.0 / 20));
    let way = whim.unit_vec2() * whim.unit_f32();
    let mut finger = SimRng::from_u64(6).fork("finger", u64::from(player) << 32 | u64::from(tick.0));
    Steer { way, dash: finger.chance(0.03), tag: finger.chance(0.05) }
}

fn on_time(player: u16, tick: Tick) -> SentInput<Steer> {
    let view = Some(ViewTime { tick: Tick(tick.0.saturating_sub(4)), fraction: 77 });
    SentInput { stamp: InputStamp::Tick(tick), view, input: steer(player, tick) }
}

/// What the values of the visible entities of a kind are.
fn values<T: Replicate>(host: &Host<Relay>, told: &Told<Relay>, kind: Kind<T>) -> Vec<T> {
    let codec = host.history.codec.kind(kind.id()).unwrap();
    let rows = told.visible.values().filter(|row| row.kind == kind.id());
    let value = |lanes: &[i32]| {
        let mut components = vec![0.0; codec.components()];
        codec.value(lanes, told.tick, &mut components);
        T::from_components(&components)
    };
    rows.map(|row| value(&row.lanes)).collect()
}

/// Four players, a spectator, and a match that does not lack anything.
fn populated() -> Host<Relay> {
    let mut host = relay();
    for player in 1..=4 {
        host.join(player, &format!("player {player}"), Role::Player).unwrap();
    }
    host.join(9, "watcher", Role::Spectator).unwrap();
    host
}

/// One tick in which everybody may do something; the same for the same tick.
fn busy_tick(host: &mut Host<Relay>) -> BTreeMap<PlayerId, Told<Relay>> {
    let tick = host.hosted.next_tick();
    for player in 1..=4 {
        let is_here = host.queues.contains_key(&PlayerId(player));
        // Some inputs never come, some come two ticks late.
        if is_here && (tick.0 + u32::from(player) * 7) % 23 > 1 {
            host.send(player, on_time(player, tick));
        } else if is_here && tick.0 > 2 && tick.0.is_multiple_of(2) {
            host.send(player, on_time(player, Tick(tick.0 - 2)));
        }
    }
    match tick.0 % 97 {
        5 => host.command(1, Command::LayTrap),
        21 => host.command(2, Command::Say("here".to_owned())),
        40 => host.command(2, Command::LayTrap),
        60 => host.command(4, Command::ChangeSide),
        _ => (),
    }
    match tick.0 {
        300 => host.leave(2, Departure::Lost),
        420 => host.join(2, "player 2", Role::Player).unwrap(),
        700 => host.command(1, Command::NextField(20.0)),
        1500 => host.command(1, Command::NextField(40.0)),
        _ => (),
    }
    host.tick()
}

#[test]
fn with_inputs_consumed_as_sent_nothing_is_corrected() {
    let mut host = relay();
    host.join(1, "Ann", Role::Player).unwrap();
    let mut guest = Guest::<Relay>::new(host.hosted.level().clone());
    let first = host.tick();
    guest.handle_told(&first[&PlayerId(1)], PERIOD);
    let mut dashes = 0;
    // The client runs five ticks ahead.
    for tick in 2..=6 {
        let sent = guest.send(Tick(tick), &steer(1, Tick(tick)), PERIOD);
        host.send(1, sent);
    }
    for tick in 2..20_000 {
        let told = host.tick();
        guest.handle_told(&told[&PlayerId(1)], PERIOD);
        let ahead = Tick(tick + 5);
        let sent = guest.send(ahead, &steer(1, ahead), PERIOD);
        assert_eq!(host.send(1, sent), Arrival::Accepted);
        dashes += guest.effects.drain().filter(|effect| *effect == Effect::Dashed).count();
    }
    assert_eq!((guest.corrections, guest.disturbances, guest.substituted), (0, 0, 1), "the first tick");
    assert!(dashes > 100, "{dashes}");
}

#[test]
fn substituted_and_merged_inputs_are_what_the_client_makes_of_what_it_is_told() {
    let mut host = relay();
    host.join(1, "Ann", Role::Player).unwrap();
    let mut guest = Guest::<Relay>::new(host.hosted.level().clone());
    let mut network = SimRng::from_u64(3);
    let mut under_way: Vec<SentInput<Steer>> = Vec::new();
    let mut effects = Vec::new();
    for tick in 1..20_000 {
        if tick > 1 {
            under_way.push(guest.send(Tick(tick), &steer(1, Tick(tick)), PERIOD));
        }
        effects.extend(guest.effects.drain());
        // An ordered transport that stalls now and then, for as long as that no press is merged any more.
        if network.chance(0.9) || under_way.len() > 16 {
            for sent in under_way.drain(..) {
                host.send(1, sent);
            }
        }
        let told = host.tick();
        guest.handle_told(&told[&PlayerId(1)], PERIOD);
    }
    let counters = host.queues[&PlayerId(1)].counters();
    assert_eq!(guest.disturbances, 0, "{counters:?}");
    assert!(
        guest.corrections > 100 && guest.substituted > 1_000,
        "{} {}",
        guest.corrections,
        guest.substituted
    );
    assert!(counters.late > 1_000 && counters.merged > 10 && counters.missing > 1_000, "{counters:?}");
    assert!(effects.contains(&Effect::Bumped));
}

#[test]
fn a_restored_match_goes_on_bit_for_bit() {
    let mut host = populated();
    let mut restored: Option<Host<Relay>> = None;
    let mut hashes = 0;
    let mut tags = 0;
    for tick in 1..2_600 {
        let told = busy_tick(&mut host);
        tags +=
            told[&PlayerId(9)].events.iter().filter(|event| matches!(event, Event::Tagged { .. })).count();
        if let Some(restored) = &mut restored {
            busy_tick(restored);
            assert_eq!(restored.hosted.state_hash(), host.hosted.state_hash(), "after tick {tick}");
            assert_eq!(restored.history.ticks, host.history.ticks);
            hashes += 1;
        }
        // Once in the middle of everything, and once between the wish for another level and the level.
        if tick == 350 || tick == 700 {
            let saved = serde_json::to_string(&host.hosted).unwrap();
            let hosted: Hosted<Relay> = serde_json::from_str(&saved).unwrap();
            assert_eq!(hosted.state_hash(), host.hosted.state_hash());
            restored = Some(Host::resume(hosted, host.history.ticks.clone(), host.queues.clone()));
        }
    }
    assert!(hashes > 2_000 && tags > 10, "{hashes} {tags}");
    assert_eq!(host.hosted.level_epoch(), 2);
}

#[test]
fn the_same_seed_gives_the_same_match_and_another_one_another() {
    let hash = |seed| {
        let mut host: Host<Relay> = Host::new(&Config::default(), seed);
        host.join(1, "Ann", Role::Player).unwrap();
        (0..100).for_each(|_| drop(host.tick()));
        host.hosted.state_hash().unwrap()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn what_is_hidden_and_what_is_ones_own_is_not_told() {
    let mut host = populated();
    let mut traps = [0; 2];
    for _ in 0..2_000 {
        let told = busy_tick(&mut host);
        for (id, told) in &told {
            let game = host.hosted.game();
            let side = game.players.get(id).map(|player| player.side);
            let seen: Vec<Trap> = values(&host, told, TRAP);
            assert!(
                seen.iter().all(|trap| Some(trap.side) == side),
                "player {} sees a trap of the others",
                id.0
            );
            if let Some(side) = side {
                traps[side as usize] += seen.len();
            }
            let own = game.own_entity(*id);
            assert!(own.is_none_or(|own| !told.visible.contains_key(&own)));
            assert_eq!(values(&host, told, SCORE).len(), 1, "the score concerns everybody");
        }
        assert!(!values(&host, &told[&PlayerId(9)], RUNNER).is_empty(), "a spectator sees who is near");
        assert_eq!(told[&PlayerId(9)].avatar, None);
    }
    assert!(traps.into_iter().all(|seen| seen > 100), "{traps:?}");
}

#[test]
fn each_audience_hears_what_concerns_it() {
    let mut host = populated();
    let side = |host: &Host<Relay>, player| host.hosted.game().players[&PlayerId(player)].side;
    let told = host.tick();
    let heard = |told: &BTreeMap<PlayerId, Told<Relay>>, player, event: &Event| {
        told[&PlayerId(player)].events.contains(event)
    };
    for player in 1..=4 {
        let welcome = Event::Welcome { side: side(&host, player) };
        assert!(heard(&told, player, &welcome));
        assert!(heard(&told, 9, &Event::Said(PlayerId(player), "hello".to_owned())), "all hear it");
        assert!(!heard(&told, 9, &welcome), "nobody else does");
    }
    host.command(1, Command::LayTrap);
    let told = host.tick();
    for player in 1..=4 {
        assert_eq!(heard(&told, player, &Event::TrapLaid), side(&host, player) == side(&host, 1), "{player}");
    }
    assert!(!heard(&told, 9, &Event::TrapLaid), "spectators have no team");

    // Near: who dashes is heard within 20 units of where it is.
    let (mut near, mut far) = (0, 0);
    for _ in 0..2_000 {
        let told = busy_tick(&mut host);
        let game = host.hosted.game();
        for (dasher, one) in &game.players {
            if !heard(&told, dasher.0, &Event::Dashed(*dasher)) {
                continue;
            }
            for (listener, other) in &game.players {
                // Traps throw people about after they have dashed, but not so far in a tick.
                let distance = one.legs.position.distance(other.legs.position);
                let hears = heard(&told, listener.0, &Event::Dashed(*dasher));
                assert!(distance > 19.0 || hears, "{distance}");
                assert!(distance < 21.0 || !hears, "{distance}");
                *(if hears { &mut near } else { &mut far }) += 1;
            }
        }
    }
    assert!(near > 50 && far > 50, "{near} {far}");
}

#[test]
fn who_is_hidden_is_not_betrayed_by_an_event() {
    let mut host = populated();
    host.command(1, Command::LayTrap);
    host.tick();
    let game = host.hosted.game();
    let told = &host.history.ticks[&Tick(1)];
    let (trap, _) = told.iter().find(|(_, row)| row.kind == TRAP.id()).unwrap();
    let point = game.players[&PlayerId(1)].legs.position.extend(0.0);
    let audience = |subject| Audience::Near { point, radius: 1000.0, subject };
    for (id, player) in &game.players {
        let friend = player.side == game.players[&PlayerId(1)].side;
        assert_eq!(host.hosted.concerns(&audience(Some(*trap)), *id), friend);
        assert!(host.hosted.concerns(&audience(None), *id));
        assert!(host.hosted.concerns(&audience(Some(player.entity)), *id), "one's own is never hidden");
    }
}

#[test]
fn refusals_are_named_and_leave_nothing_behind() {
    let mut host = relay();
    host.join(1, "Ann", Role::Player).unwrap();
    host.tick();
    let before = host.hosted.state_hash();
    assert_eq!(host.join(2, "Ann", Role::Player), Err(JoinRefusal::Name));
    assert_eq!(host.join(2, "Mallory", Role::Spectator), Err(JoinRefusal::Banned));
    let late = host.join(2, "late Bob", Role::Player).unwrap_err();
    assert_eq!(
        (late.to_string(), &late),
        ("the race is on".to_owned(), &JoinRefusal::because("the race is on"))
    );
    assert!(host.events.as_slice().is_empty(), "what a refused join told is taken back");
    assert_eq!(host.hosted.state_hash(), before);
    for player in 2..=8 {
        host.join(player, &player.to_string(), Role::Player).unwrap();
    }
    assert_eq!(host.join(9, "Zoe", Role::Player), Err(JoinRefusal::Full));
    assert_eq!(host.join(9, "Zoe", Role::Spectator), Ok(()));
    host.leave(3, Departure::Left);
    assert_eq!(host.join(10, "Zoe", Role::Player), Ok(()));
    assert!(host.tick().contains_key(&PlayerId(10)));
}

#[test]
fn an_index_of_somebody_who_left_rests() {
    let mut host = relay();
    host.join(1, "Ann", Role::Player).unwrap();
    let index = |host: &Host<Relay>, player| host.hosted.game().own_entity(PlayerId(player)).unwrap();
    let first = index(&host, 1);
    host.tick();
    host.leave(1, Departure::Removed);
    host.join(2, "Bob", Role::Player).unwrap();
    assert_ne!(index(&host, 2), first);
    (0..70).for_each(|_| drop(host.tick()));
    host.join(3, "Cid", Role::Player).unwrap();
    assert_eq!(index(&host, 3), first);
}

#[test]
fn a_tag_hits_what_was_seen() {
    let mut host = relay();
    host.join(1, "Ann", Role::Player).unwrap();
    host.join(2, "Bob", Role::Player).unwrap();
    assert_ne!(host.hosted.game().team(PlayerId(1)), host.hosted.game().team(PlayerId(2)));
    // Both to one corner; then Bob runs away, and Ann tags him where she sees him, twelve ticks ago.
    let mut hits = [0; 2];
    for tick in 1..3_000 {
        let at = |player| host.hosted.game().players[&PlayerId(player)].legs.position;
        let flees = tick % 200 > 120;
        let (ann, bob) = (at(1), at(2));
        let corner = Vec2::splat(40.0);
        let away = Vec2::new(-1.0, -1.0);
        let sees = |ticks: u32| Some(ViewTime { tick: Tick(tick.max(ticks) - ticks), fraction: 200 });
        let tag = flees && ann.distance(bob) > 6.5 && ann.distance(bob) < 7.5;
        // At every second chance she says that she sees the newest.
        let view = if tick % 2 == 0 { sees(1) } else { sees(12) };
        let ann = Steer { way: (corner - ann).clamp_length_max(1.0), dash: false, tag };
        let bob =
            Steer { way: if flees { away } else { corner - bob }.clamp_length_max(1.0), ..Steer::default() };
        let stamp = InputStamp::Tick(Tick(tick));
        host.send(1, SentInput { stamp, view, input: ann });
        host.send(2, SentInput { stamp, view: None, input: bob });
        let told = host.tick();
        let tagged = Event::Tagged { by: PlayerId(1), whom: PlayerId(2) };
        hits[tick as usize % 2] += u32::from(told[&PlayerId(2)].events.contains(&tagged));
    }
    assert_eq!(hits[0], 0, "the newest is out of reach");
    assert!(hits[1] > 3, "{hits:?}");
    let told = host.tick();
    let score: Vec<Score> = values(&host, &told[&PlayerId(2)], SCORE);
    assert_eq!(u32::from(score[0].red + score[0].blue), hits[1]);
}

#[test]
fn a_view_is_brought_within_reach() {
    let mut queue = InputQueue::<Steer>::new(Relay::INPUT_POLICY, Tick(50));
    let view = |tick| ViewTime { tick: Tick(tick), fraction: 9 };
    let reach = (view(40), view(48));
    let schedule = TickSchedule { tick: Tick(50), due: Micros(0), period: PERIOD };
    let mut inputs = TickInputs::new();
    for (tick, seen, granted) in [(50, 3, 40), (51, 44, 44), (52, 49, 48)] {
        let stamp = InputStamp::Tick(Tick(tick));
        let sent = SentInput { stamp, view: Some(view(seen)), input: Steer::default() };
        queue.handle_input(sent, Micros(0), &schedule);
        inputs.clear();
        inputs.take(PlayerId(3), Tick(tick), &mut queue, reach);
        assert_eq!(inputs.view(PlayerId(3)), Some(view(granted)));
    }
    assert_eq!((inputs.view(PlayerId(4)), inputs.consumed(PlayerId(4))), (None, Consumed::Neutral));
    assert_eq!((inputs.of(PlayerId(4)), inputs.all_of(PlayerId(4))), (&Steer::default(), &[][..]));
}

#[test]
fn the_level_changes_between_two_ticks() {
    let mut host = populated();
    host.tick();
    let before = host.hosted.level().id();
    host.command(1, Command::NextField(0.5));
    host.command(1, Command::NextField(12.0));
    assert_eq!(
        host.tick()[&PlayerId(1)].level.id(),
        before,
        "the tick in which it is asked for is the old one's"
    );
    let told = host.tick();
    let level = &told[&PlayerId(1)].level;
    assert_eq!((level.id(), level.reach), (LevelId::of(b"12"), 12.0));
    assert_eq!(host.hosted.level_epoch(), 1);
    let players = &host.hosted.game().players;
    assert!(players.values().all(|player| player.legs.position.abs() == Vec2::splat(6.0)), "put elsewhere");
    host.hosted.change_level(LoadedLevel::parse(&b"30"[..]).unwrap());
    host.tick();
    assert_eq!((host.hosted.level().reach, host.hosted.level_epoch()), (30.0, 2), "the host may ask too");
    let broken = Config { field: "wide".to_owned(), ..Config::default() };
    assert!(Relay::first_level(&broken).unwrap_err().to_string().starts_with("line 1"));
}

#[test]
fn a_stream_of_inputs_is_taken_in_order_and_whole() {
    let mut host: Host<Drift> = Host::new(&(), 1);
    host.join(1, "Ann", Role::Player).unwrap();
    let mut sum = Vec2::ZERO;
    for sequence in 1..=1_000_u32 {
        let push = Push { x: (sequence % 7) as i8 - 3, y: (sequence % 5) as i8 - 2 };
        sum += Vec2::new(f32::from(push.x), f32::from(push.y));
        let sent = SentInput { stamp: InputStamp::Sequence(sequence), view: None, input: push };
        assert_eq!(host.send(1, sent.clone()), Arrival::Accepted);
        assert_eq!(host.send(1, sent), Arrival::Duplicate);
        if sequence % 10 == 0 {
            let told = host.tick();
            assert_eq!(told[&PlayerId(1)].visible.len(), 1, "who does not predict sees itself");
            assert_eq!(told[&PlayerId(1)].consumed, Consumed::Own);
        }
    }
    host.tick();
    assert_eq!(host.hosted.game().buoys[&PlayerId(1)], sum);
    let flood = (0..50).map(|more| SentInput {
        stamp: InputStamp::Sequence(2_000 + more),
        view: None,
        input: Push::default(),
    });
    let accepted = flood.map(|sent| host.send(1, sent)).filter(|arrival| *arrival == Arrival::Accepted);
    assert_eq!(accepted.count(), 16);
}

#[test]
fn fingerprints_tell_games_and_versions_apart() {
    assert_ne!(Relay::fingerprint(), Drift::fingerprint());
    assert_eq!(Relay::fingerprint(), Relay::fingerprint());
    assert_eq!(Relay::schema().unwrap().kinds().len(), 3);
    assert_eq!((Side::Red.team(), Side::Blue.team()), (TeamId(0), TeamId(1)));
}
