//! A client whose own machine is late now and then: it hears what a tick took before it has made its input
//! for it.

use tickwire_arena::{Arena, ArenaInput};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::time::Micros;
use tickwire_tests::arena::wide_hall;
use tickwire_tests::party::{Party, Play};

/// Its clock makes up for what has happened once, and so each is late but once.
#[test]
fn both_ends_agree_on_what_was_taken_from_a_client_that_is_late_itself() {
    let mut held = 0;
    for seed in 0..25 {
        let mut party: Party<Arena> = Party::new(60, wide_hall(), seed);
        let mut random = SimRng::from_u64(seed);
        for name in ["Ann", "Ben", "Cid", "Dan"] {
            party.join(name, Conditions::LAN, Play::Wild(ArenaInput::default()));
        }
        party.run(Micros(1_000_000));
        let before: u64 = party.members.iter().map(|member| member.client.stats().inputs_held).sum();
        let now = party.now();
        for member in &mut party.members {
            member.frozen_until = now + Micros(u64::from(random.u32_in(50_000, 110_000)));
        }
        party.run(Micros(500_000));
        for member in &party.members {
            let stats = member.client.stats();
            assert_eq!((stats.mismatches, stats.resumes), (0, 0), "seed {seed}, {held} held: {stats:?}");
            held += stats.inputs_held;
        }
        held -= before;
    }
    assert!(held > 200, "they were late: {held}");
}
