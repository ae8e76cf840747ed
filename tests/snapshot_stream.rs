//! After every snapshot that a client applies it knows exactly what the server thinks it knows: with skipped
//! snapshots, news that wait, entities that come and go, indices that are used again, deaths, pushes and
//! substituted inputs; in order without loss, and with loss and reordering.

use std::sync::Arc;
use tickwire_protocol::delta::DeltaCodec;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::snapshot::{RateMode, SnapshotDecoder, StreamProfile, View};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::assemble::{Assembler, AvatarNews, Recipient, SnapshotRequest, Transport};
use tickwire_server::history::History;
use tickwire_tests::stream::{Player, Roughness};
use tickwire_tests::world::{World, schema};

const PLAYERS: u64 = 64;
const CAPACITY: usize = 500;

/// Runs until the players have applied `wanted` snapshots; returns how many were overtaken.
fn run(seed: u64, transport: Transport, rough: &Roughness, wanted: usize) -> usize {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30)));
    let mut history = History::new(codec.clone(), CAPACITY);
    let mut world = World::new(seed, 300, CAPACITY, 1.0 / 30.0);
    let mut players: Vec<Player> = (0..PLAYERS)
        .map(|player| {
            let profile = StreamProfile {
                has_avatar: player % 8 != 7,
                predicts: player % 2 == 0 && player % 8 != 7,
                capacity: CAPACITY as u32,
            };
            let sight = 200.0 + 15.0 * player as f32;
            Player::new(seed * 1000 + player, &codec, profile, transport, sight)
        })
        .collect();
    let mut assembler = Assembler::new();
    let (mut applied, mut overtaken) = (0, 0);
    let mut tick = Tick(0);
    while applied < wanted {
        world.step(tick);
        world.capture(tick, &mut history);
        assembler.begin(&history);
        for (number, player) in players.iter_mut().enumerate() {
            player.live(tick, rough, &world);
            let outcome = player.exchange(tick, rough, &history, &mut assembler);
            let outcome = outcome.unwrap_or_else(|error| panic!("seed {seed}, player {number}: {error}"));
            applied += outcome.applied;
            overtaken += outcome.overtaken;
        }
        tick = tick.next();
    }
    println!("{transport:?}: {applied} snapshots applied and compared, {overtaken} overtaken");
    overtaken
}

const ROUGH: Roughness = Roughness {
    skip: 0.1,
    pause: 0.002,
    jump: 0.003,
    substitute: 0.01,
    push: 0.002,
    death: 0.002,
    loss: 0.0,
    delay: 0,
    budget: (60, 900),
};

/// Snapshots that each stream applies: `TICKWIRE_SNAPSHOTS`, or a number that takes seconds.
fn wanted() -> usize {
    let variable = std::env::var("TICKWIRE_SNAPSHOTS").ok();
    variable.map_or(60_000, |number| number.parse().expect("TICKWIRE_SNAPSHOTS is a number"))
}

#[test]
fn in_order() {
    assert_eq!(run(1, Transport::Ordered, &ROUGH, wanted()), 0);
}

#[test]
fn with_loss_and_reordering() {
    let rough = Roughness { loss: 0.1, delay: 6, ..ROUGH };
    assert!(run(2, Transport::Unreliable, &rough, wanted()) > 1000, "some snapshots were overtaken");
}

#[test]
fn a_refused_snapshot_changes_nothing() {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30)));
    let mut history = History::new(codec.clone(), CAPACITY);
    let mut world = World::new(3, 60, CAPACITY, 1.0 / 30.0);
    let profile = StreamProfile { has_avatar: false, predicts: false, capacity: CAPACITY as u32 };
    let mut recipient = Recipient::new(profile, Transport::Ordered);
    let mut decoder = SnapshotDecoder::new(codec, profile, Tick(0));
    let mut assembler = Assembler::new();
    for tick in 0..120 {
        world.step(Tick(tick));
        world.capture(Tick(tick), &mut history);
        assembler.begin(&history);
        // Somebody enters or leaves in each tick.
        let there =
            (0..CAPACITY).filter(|index| world.things[*index].is_some() && index % 9 != tick as usize % 9);
        let visible: Vec<EntityIndex> = there.map(|index| EntityIndex(index as u16)).collect();
        let request = SnapshotRequest {
            visible: &visible,
            center: [0.0; 3],
            budget_bytes: 100_000,
            epoch: 0,
            rate: RateMode::EveryTick,
            lead: None,
        };
        let mut bytes = Vec::new();
        assembler.write(&history, &mut recipient, &request, AvatarNews::default(), &mut bytes);
        let before = all_that_is_held(&decoder, tick);
        // Every beginning lacks something, and what is whole but for a byte that follows is no snapshot.
        let beginnings = (0..bytes.len()).map(|length| bytes[..length].to_vec());
        let longer = [0, 1, 0x80].map(|byte| [bytes.as_slice(), &[byte]].concat());
        for broken in beginnings.chain(longer) {
            let applied = decoder.begin(&broken).and_then(|incoming| incoming.apply(None));
            assert!(applied.is_err(), "{} of {} bytes at {tick}", broken.len(), bytes.len());
            let same = before == all_that_is_held(&decoder, tick);
            assert!(same, "{} of {} bytes at {tick} changed something", broken.len(), bytes.len());
        }
        decoder.begin(&bytes).and_then(|incoming| incoming.apply(None)).expect("the whole is well");
        assert_eq!(decoder.newest().map(View::check), recipient.check(&history, Tick(tick), None));
    }
}

/// Everything that a decoder shows.
fn all_that_is_held(decoder: &SnapshotDecoder, tick: u32) -> (Option<View>, Vec<u32>, Vec<EntityIndex>) {
    let views = (0..=tick).filter_map(|tick| decoder.view(Tick(tick)));
    (decoder.newest().cloned(), views.map(View::check).collect(), decoder.entered().to_vec())
}
