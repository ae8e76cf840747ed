//! A cloaked player's whereabouts are in no byte that a far enemy gets.

use glam::Vec2;
use tickwire_arena::entities::FIGURE;
use tickwire_arena::{Arena, ArenaInput};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::arena::wide_hall;
use tickwire_tests::party::{Party, Play};

/// The first tick in which what the hider does depends on `way`. It is cloaked by then.
const PARTING: u32 = 240;

/// The way of somebody who takes the cloak that lies beside it, waits, and then goes its way.
fn hider(way: Vec2) -> Play<Arena> {
    Play::Own(Box::new(move |client, _| {
        let tick = client.input_tick().map_or(0, |tick| tick.0);
        let way = match tick {
            0..120 => Vec2::ZERO,
            120..160 => Vec2::X * 0.5,
            160..PARTING => Vec2::ZERO,
            _ => way,
        };
        Some(ArenaInput { way, ..ArenaInput::default() })
    }))
}

/// What a match looks like to the one who looks on from afar.
struct Seen {
    /// All messages but pongs.
    received: Vec<Vec<u8>>,
    /// In which ticks it was told of anybody else.
    sightings: Vec<Tick>,
    /// Where the hider was at the end.
    hider: Vec2,
}

fn play(way: Vec2) -> Seen {
    let mut party: Party<Arena> = Party::new(60, wide_hall(), 4);
    let first = party.join("Ann", Conditions::LAN, hider(way));
    party.run(Micros(500_000));
    let second = party.join("Ben", Conditions::LAN, Play::Idle);
    party.members[second].records = true;
    let mut sightings: Vec<Tick> = Vec::new();
    while party.now() < Micros(7_500_000) {
        party.step();
        // What is known after each snapshot, decoded as every client does.
        let Some(view) = party.members[second].client.session().view() else { continue };
        let is_told = view.entries().iter().any(|entry| entry.kind == FIGURE.id());
        if is_told && sightings.last() != Some(&view.tick) {
            sightings.push(view.tick);
        }
    }
    let hider = *party.members[first].log.confirmed.last_key_value().expect("it is alive").1;
    let received = party.members[second].recorded.values().flatten().cloned().collect();
    Seen { received, sightings, hider }
}

#[test]
fn where_a_cloaked_player_goes_makes_no_difference_to_a_far_enemy() {
    let (up, down) = (play(Vec2::new(0.1, 0.9)), play(Vec2::new(-0.2, -0.9)));
    assert!(up.hider.distance(down.hider) > 8.0, "{} {}", up.hider, down.hider);
    assert!(up.sightings.len() > 60, "before it is cloaked it is seen");
    let last = *up.sightings.last().expect("there are some");
    assert!(last.0 < PARTING, "it is seen until it is cloaked, and not after: {last}");
    assert_eq!(up.received.len(), down.received.len());
    let parts = up.received.iter().zip(&down.received).position(|(up, down)| up != down);
    assert_eq!(parts, None, "of {} messages", up.received.len());
}
