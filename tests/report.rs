//! A wild player in a room by itself under the conditions of a preset, and what came of it. It is played once
//! and looked at by several tests.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use tickwire_arena::{Arena, ArenaInput};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::client::ClientStats;
use tickwire_protocol::time::Micros;
use tickwire_tests::party::{Party, Play};
use tickwire_tests::playable::hall;

/// What came of a match.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    /// Inputs that came to the server after the first five seconds.
    pub(crate) inputs: usize,
    /// Those that came too late.
    pub(crate) late: usize,
    /// How early they came on average, in microseconds.
    pub(crate) mean_lead: i64,
    /// The client's figures at the end.
    pub(crate) stats: ClientStats,
}

/// Ticks per preset. `cargo xtask soak` plays more.
fn ticks() -> u32 {
    std::env::var("TICKWIRE_TICKS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

/// Plays it, or remembers.
pub(crate) fn play(conditions: Conditions) -> Played {
    static PLAYED: LazyLock<Mutex<BTreeMap<&str, Arc<Played>>>> = LazyLock::new(Mutex::default);
    let mut played = PLAYED.lock().expect("nobody fails while it plays");
    let played = played.entry(conditions.name).or_insert_with(|| Arc::new(play_anew(conditions)));
    Played::clone(played)
}

fn play_anew(conditions: Conditions) -> Played {
    let mut party: Party<Arena> = Party::new(60, hall(), 3);
    let place = party.join("Ann", conditions, Play::Wild(ArenaInput::default()));
    party.run(Micros(5_000_000));
    let settled = party.now();
    party.run_ticks(ticks());
    let member = &party.members[place];
    let leads = member.log.leads.iter().filter(|(at, _)| *at > settled).map(|(_, lead)| *lead);
    let leads: Vec<i64> = leads.collect();
    Played {
        inputs: leads.len(),
        late: leads.iter().filter(|lead| **lead < 0).count(),
        mean_lead: leads.iter().sum::<i64>() / leads.len().max(1) as i64,
        stats: member.client.stats(),
    }
}
