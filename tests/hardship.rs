//! Whatever holds up the server and the client, and however often: each avatar is as both ends expected, for
//! they agree on which input each tick took.

use tickwire_arena::{Arena, ArenaInput};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::time::Micros;
use tickwire_tests::party::{Party, Play};
use tickwire_tests::playable::hall;

/// Somebody alone, so that nobody interferes, who does whatever comes to mind.
fn alone(conditions: Conditions, seed: u64) -> Party<Arena> {
    let mut party = Party::new(60, hall(), seed);
    party.join("Ann", conditions, Play::Wild(ArenaInput::default()));
    party
}

fn assert_agreed(what: &str, seed: u64, party: &Party<Arena>) {
    let stats = party.members[0].client.stats();
    assert!(stats.predicted > 0 && stats.inputs_taken > 0, "{what}, seed {seed}: {stats:?}");
    assert_eq!((stats.mismatches, stats.interfered), (0, 0), "{what}, seed {seed}: {stats:?}");
}

/// The room's thread does not run for a while.
fn hold(party: &mut Party<Arena>, time: Micros) {
    party.held_until = party.now() + time;
}

#[test]
fn a_server_that_is_held_up_while_the_level_loads() {
    for seed in 0..100 {
        let mut random = SimRng::from_u64(seed);
        let mut party = alone(Conditions::LAN, seed);
        party.members[0].level_time = Micros(u64::from(random.u32_in(20_000, 400_000)));
        for _ in 0..12 {
            party.run(Micros(u64::from(random.u32_in(5_000, 60_000))));
            hold(&mut party, Micros(u64::from(random.u32_in(17_000, 200_000))));
        }
        party.run(Micros(2_000_000));
        assert_agreed("loading", seed, &party);
    }
}

#[test]
fn a_server_that_is_held_up_again_and_again() {
    for (seed, conditions) in
        (0..20).flat_map(|seed| Conditions::PRESETS.map(|conditions| (seed, conditions)))
    {
        let mut random = SimRng::from_u64(seed);
        let mut party = alone(conditions, seed);
        party.run(Micros(2_000_000));
        for _ in 0..25 {
            party.run(Micros(u64::from(random.u32_in(5_000, 300_000))));
            hold(&mut party, Micros(u64::from(random.u32_in(17_000, 1_200_000))));
        }
        party.run(Micros(4_000_000));
        assert_agreed(conditions.name, seed, &party);
    }
}

#[test]
fn a_tab_that_is_hidden_for_a_moment() {
    for seed in 0..40 {
        let mut random = SimRng::from_u64(seed);
        let mut party = alone(Conditions::BROADBAND, seed);
        party.run(Micros(1_500_000));
        for _ in 0..30 {
            let now = party.now();
            party.members[0].client.handle_hidden(now);
            party.run(Micros(u64::from(random.u32_in(0, 60_000))));
            let now = party.now();
            party.members[0].client.handle_shown(now);
            party.run(Micros(u64::from(random.u32_in(5_000, 200_000))));
        }
        party.run(Micros(1_000_000));
        assert_agreed("hidden", seed, &party);
    }
}
