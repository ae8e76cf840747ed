//! After the network was away, a connection was cut, nobody looked, or the server was held up: the client is
//! back in the same player within a second, and what had to be corrected has settled half a second later.

use tickwire_arena::Arena;
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::Micros;
use tickwire_tests::party::{Member, Party, Play};
use tickwire_tests::playable::hall;

/// What the network is like where it matters.
const LINES: [Conditions; 3] = [Conditions::LAN, Conditions::BROADBAND, Conditions::MOBILE];

/// The lines of a house. On a telephone a handshake alone may take a second.
const HOUSE: [Conditions; 3] = [Conditions::LAN, Conditions::BROADBAND, Conditions::WIFI];

/// Two players who have been in a room for some seconds.
fn party(conditions: Conditions, seed: u64) -> Party<Arena> {
    let mut party = Party::new(60, hall(), seed);
    party.join("Ann", conditions, Play::Straight(150));
    party.join("Bob", Conditions::LAN, Play::Straight(90));
    party.run(Micros(6_000_000));
    assert!(party.members.iter().all(Member::is_playing));
    party
}

fn ann(party: &Party<Arena>) -> &Member<Arena> {
    &party.members[0]
}

fn player(member: &Member<Arena>) -> PlayerId {
    member.client.session().welcome().expect("it was let in").body.player
}

/// Runs until Ann is back: inputs that she makes are taken. Then until nothing is left of it.
fn assert_back(what: &str, party: &mut Party<Arena>, before: PlayerId) {
    let start = party.now();
    let taken = ann(party).client.stats().inputs_taken;
    let is_back =
        |party: &Party<Arena>| ann(party).is_playing() && ann(party).client.stats().inputs_taken > taken;
    // That an input was taken is heard a round trip later, which is long on a telephone.
    let round_trip = if ann(party).conditions == Conditions::MOBILE { 110_000 } else { 0 };
    while !is_back(party) && party.now().0 < start.0 + 1_000_000 + round_trip {
        party.step();
    }
    let took = party.now().0 - start.0;
    let name = ann(party).conditions.name;
    println!("{what} on {name}: back after {} ms, {} connections in all", took / 1000, ann(party).log.opened);
    assert!(is_back(party), "{what}: {:?}", ann(party).client.state());
    party.run(Micros(500_000));
    let late =
        |member: &Member<Arena>| member.client.stats().inputs_held + member.client.stats().inputs_neutral;
    assert!(!ann(party).client.is_correcting(), "{what}");
    let settled = (late(ann(party)), ann(party).client.stats().corrections);
    party.run(Micros(3_000_000));
    // On other lines an input may come late at any time.
    if ann(party).conditions == Conditions::LAN {
        assert_eq!((late(ann(party)), ann(party).client.stats().corrections), settled, "{what}: it is over");
    }
    assert_eq!(player(ann(party)), before, "{what}");
    assert_eq!(ann(party).client.stats().mismatches, 0);
    assert_eq!(ann(party).client.stats().interfered, 0);
}

#[test]
fn a_network_that_was_away_for_three_seconds() {
    for (seed, conditions) in (0..8).flat_map(|seed| HOUSE.map(|conditions| (seed, conditions))) {
        let mut party = party(conditions, seed);
        let before = player(ann(&party));
        let (now, end) = (party.now(), party.now() + Micros(3_000_000));
        party.members[0].black_out(now, end);
        party.run(Micros(3_000_000));
        assert!(!ann(&party).is_playing());
        assert_back("blackout", &mut party, before);
        assert_eq!(ann(&party).client.stats().resumes, 1);
    }
}

#[test]
fn a_connection_that_was_cut() {
    for conditions in LINES {
        let mut party = party(conditions, 20);
        let before = player(ann(&party));
        party.members[0].cut(false);
        assert_back("cut", &mut party, before);
        assert_eq!(ann(&party).log.welcomes.iter().filter(|(_, resumed)| *resumed).count(), 1);
    }
}

#[test]
fn a_connection_that_is_dead_though_nobody_says_so() {
    for conditions in LINES {
        let mut party = party(conditions, 21);
        let before = player(ann(&party));
        party.members[0].cut(true);
        // A second and a half of silence is what tells it from a bad moment.
        party.run(Micros(1_500_000));
        assert_back("silent cut", &mut party, before);
    }
}

#[test]
fn a_program_that_did_not_run_for_ten_seconds() {
    let mut party = party(Conditions::LAN, 22);
    let before = player(ann(&party));
    let now = party.now();
    party.members[0].client.handle_hidden(now);
    party.members[0].frozen_until = now + Micros(9_900_000);
    party.run(Micros(9_900_000));
    let now = party.now();
    party.members[0].client.handle_shown(now);
    assert_back("frozen", &mut party, before);
}

#[test]
fn a_tab_in_the_background() {
    let mut party = party(Conditions::LAN, 23);
    let before = player(ann(&party));
    let now = party.now();
    party.members[0].client.handle_hidden(now);
    party.members[0].draws = false;
    party.run(Micros(10_000_000));
    assert!(ann(&party).is_playing(), "it listens and acknowledges");
    let (place, _) =
        ann(&party).log.confirmed.iter().next_back().map(|(tick, place)| (*place, tick)).unwrap();
    party.run(Micros(200_000));
    assert_eq!(ann(&party).log.confirmed.values().next_back(), Some(&place), "it stands still");
    let now = party.now();
    party.members[0].client.handle_shown(now);
    party.members[0].draws = true;
    assert_back("hidden", &mut party, before);
    assert_eq!(ann(&party).client.stats().resumes, 0);
}

#[test]
fn a_server_that_was_held_up() {
    for millis in [60, 350, 1_200] {
        let mut party = party(Conditions::LAN, 24);
        let before = player(ann(&party));
        party.held_until = party.now() + Micros(millis * 1000);
        party.run(Micros(millis * 1000));
        assert_back("slip", &mut party, before);
        assert_eq!(ann(&party).client.stats().resumes, 0);
        assert_eq!(ann(&party).client.session().view().expect("a view").epoch, 1);
    }
}
