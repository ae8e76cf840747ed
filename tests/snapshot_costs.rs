//! What snapshots cost: bytes by part, encodings shared by all, the avatar's bits, and how long news may
//! wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tickwire_protocol::delta::DeltaCodec;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::snapshot::view::Entry;
use tickwire_protocol::snapshot::{RateMode, SnapshotDecoder, StreamProfile};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::assemble::{
    Assembler, AvatarNews, Encodings, Recipient, SnapshotRequest, Told, Transport,
};
use tickwire_server::history::History;
use tickwire_tests::stream::{Player, Roughness};
use tickwire_tests::swarm::{self, Swarm};
use tickwire_tests::world::{World, schema};

const SPECTATOR: StreamProfile = StreamProfile { has_avatar: false, predicts: false, capacity: 1000 };

/// A snapshot without an avatar.
fn tell(
    assembler: &mut Assembler,
    history: &History,
    recipient: &mut Recipient,
    visible: &[EntityIndex],
    center: [f32; 3],
    budget_bytes: usize,
) -> (Told, Vec<u8>) {
    let rate = RateMode::EveryTick;
    let request = SnapshotRequest { visible, center, budget_bytes, epoch: 0, rate, lead: None };
    let mut bytes = Vec::new();
    let told = assembler.write(history, recipient, &request, AvatarNews::default(), &mut bytes);
    (told, bytes)
}

#[test]
fn the_swarm_takes_at_most_25_bytes_a_snapshot() {
    let count = 500;
    let codec = Arc::new(DeltaCodec::new(&swarm::schema(), Micros::period_of(30)));
    let mut history = History::new(codec.clone(), count);
    let mut swarm = Swarm::new(5, count);
    let mut recipients: Vec<Recipient> =
        (0..count).map(|_| Recipient::new(SPECTATOR, Transport::Ordered)).collect();
    let mut decoder = SnapshotDecoder::new(codec.clone(), SPECTATOR, Tick(0));
    let mut assembler = Assembler::new();
    let (mut snapshots, mut bytes, mut seen) = (0usize, 0usize, 0usize);
    let mut parts = [0usize; 4];
    let mut news = [0usize; 3];
    for tick in 0..900 {
        swarm.step();
        swarm.capture(Tick(tick), &mut history);
        assembler.begin(&history);
        for (viewer, recipient) in recipients.iter_mut().enumerate() {
            let center = swarm.position(viewer);
            let (told, message) =
                tell(&mut assembler, &history, recipient, &swarm.visible[viewer], center, 1200);
            if viewer == 0 {
                decoder.begin(&message).and_then(|incoming| incoming.apply(None)).expect("it can be read");
                let check = recipient.check(&history, Tick(tick), None);
                assert_eq!(decoder.newest().map(|view| view.check()), check);
            }
            // The first seconds are everybody's entering.
            if tick < 60 {
                continue;
            }
            snapshots += 1;
            bytes += message.len();
            seen += swarm.visible[viewer].len();
            let sizes = [told.header_bits, told.list_bits, told.entered_bits, told.changed_bits];
            parts.iter_mut().zip(sizes).for_each(|(sum, bits)| *sum += bits);
            let counts = [told.entered, told.left, told.changed];
            news.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    let mean = |sum: usize| sum as f64 / snapshots as f64;
    println!("swarm of {count}, {:.1} visible: {:.1} bytes a snapshot", mean(seen), mean(bytes));
    let [header, lists, entered, changed] = parts.map(|bits| mean(bits) / 8.0);
    println!("bytes: header {header:.2}, lists {lists:.2}, entering {entered:.2}, changed {changed:.2}");
    let [entered, left, changed] = news.map(mean);
    println!("entities a snapshot: {entered:.2} enter, {left:.2} leave, {changed:.2} change");
    assert!((22.0..31.0).contains(&mean(seen)), "the workload shows between 25 and 30");
    assert!(mean(bytes) <= 25.0);
}

#[test]
fn encodings_are_shared_by_any_number_of_players() {
    // The same visible parts for 64 and for 1000 players: each part is seen by several.
    assert_eq!(encodings(64), encodings(1000));
}

/// What is encoded in each tick for this many players, which is what their snapshots need.
fn encodings(players: usize) -> Vec<Encodings> {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30)));
    let mut history = History::new(codec.clone(), 500);
    let mut world = World::new(9, 300, 500, 1.0 / 30.0);
    let player = |_| {
        let decoder = SnapshotDecoder::new(codec.clone(), SPECTATOR, Tick(0));
        (Recipient::new(SPECTATOR, Transport::Ordered), decoder)
    };
    let mut players: Vec<_> = (0..players).map(player).collect();
    let mut assembler = Assembler::new();
    let mut built = Vec::new();
    for tick in 0..200 {
        world.step(Tick(tick));
        world.capture(Tick(tick), &mut history);
        assembler.begin(&history);
        let mut needed = BTreeSet::new();
        for (player, (recipient, decoder)) in players.iter_mut().enumerate() {
            // A quarter of the players is told every second tick only, and a quarter is not told every third:
            // some hold the same newer baseline, and not the same older one.
            let is_skipped = match player % 4 {
                2 => tick % 3 == 2,
                3 => tick % 2 == 1,
                _ => false,
            };
            if is_skipped {
                continue;
            }
            let in_part = |index: &usize| index % 16 <= player % 16;
            let there = (0..500).filter(|index| world.things[*index].is_some());
            let visible: Vec<EntityIndex> =
                there.filter(in_part).map(|index| EntityIndex(index as u16)).collect();
            let (_, bytes) = tell(&mut assembler, &history, recipient, &visible, [0.0; 3], usize::MAX / 8);
            need(decoder, &bytes, &codec, &mut needed);
        }
        let encodings = assembler.encodings();
        let count = |wanted: fn(&Form) -> bool| needed.iter().filter(|form| wanted(form)).count();
        let expected = Encodings {
            entering: count(|(_, newer, _)| newer.is_none()),
            one: count(|(_, newer, older)| newer.is_some() && older.is_none()),
            two: count(|(_, _, older)| older.is_some()),
            late: 0,
            pairs: encodings.pairs,
        };
        assert_eq!(encodings, expected, "at {tick}");
        built.push(encodings);
    }
    built
}

/// An entity, and the ticks of the baselines that its bits are against.
type Form = (EntityIndex, Option<Tick>, Option<Tick>);

/// Notes which encodings a snapshot is made of, from what the client makes of it.
fn need(decoder: &mut SnapshotDecoder, bytes: &[u8], codec: &DeltaCodec, needed: &mut BTreeSet<Form>) {
    let incoming = decoder.begin(bytes).expect("it can be read");
    let (newer, older) = (incoming.header().newer, incoming.header().older);
    incoming.apply(None).expect("it can be read");
    let view = decoder.newest().expect("a snapshot was applied");
    let before = newer.and_then(|newer| decoder.view(newer));
    for entry in view.entries().iter().filter(|entry| entry.told == view.tick) {
        let known = before.filter(|_| entry.told_before.is_some()).and_then(|view| view.entry(entry.index));
        let follows = codec.kind(entry.kind).is_some_and(|kind| kind.has_trends());
        let both = |known: &Entry| follows && Some(known.told) == newer && known.told_before == older;
        needed.insert((
            entry.index,
            newer.filter(|_| known.is_some()),
            older.filter(|_| known.is_some_and(both)),
        ));
    }
}

#[test]
fn an_avatar_as_predicted_takes_at_most_five_bits() {
    const QUIET: Roughness = Roughness {
        skip: 0.0,
        pause: 0.0,
        jump: 0.0,
        substitute: 0.0,
        push: 0.0,
        death: 0.0,
        loss: 0.0,
        delay: 0,
        budget: (900, 901),
    };
    let quiet = avatar_bits(&QUIET);
    let substituted = avatar_bits(&Roughness { substitute: 0.01, ..QUIET });
    println!(
        "avatar: {quiet:.2} bits a snapshot with its consumed inputs, {substituted:.2} with 1 % substituted"
    );
    assert!(quiet <= 5.0);
}

/// Bits for the avatar and its consumed inputs over 100,000 ticks; the player compares the avatar after each
/// snapshot.
fn avatar_bits(rough: &Roughness) -> f64 {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(60)));
    let mut history = History::new(codec.clone(), 4);
    let mut world = World::new(3, 1, 4, 1.0 / 60.0);
    let profile = StreamProfile { has_avatar: true, predicts: true, capacity: 4 };
    let mut player = Player::new(11, &codec, profile, Transport::Ordered, 1.0);
    let mut assembler = Assembler::new();
    let (mut bits, mut snapshots) = (0, 0);
    for tick in (0..100_000).map(Tick) {
        world.step(tick);
        world.capture(tick, &mut history);
        assembler.begin(&history);
        player.live(tick, rough, &world);
        let outcome = player.exchange(tick, rough, &history, &mut assembler).expect("both ends agree");
        let (told, _) = outcome.told.expect("every tick sends");
        // The header of a spectator who is told every tick takes eight bits; what is beyond is the inputs'.
        if tick.0 > 8 {
            bits += told.avatar_bits + told.header_bits - 8;
            snapshots += 1;
        }
    }
    f64::from(bits as u32) / f64::from(snapshots)
}

#[test]
fn nothing_starves_under_a_small_budget() {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30)));
    let mut history = History::new(codec.clone(), 700);
    let mut world = World::new(21, 500, 700, 1.0 / 30.0);
    let profile = StreamProfile { has_avatar: false, predicts: false, capacity: 700 };
    let mut recipient = Recipient::new(profile, Transport::Ordered);
    let mut decoder = SnapshotDecoder::new(codec, profile, Tick(0));
    let mut assembler = Assembler::new();
    let mut told_at: BTreeMap<EntityIndex, Tick> = BTreeMap::new();
    let (mut longest, mut largest, mut waiting) = (0, 0, 0);
    for tick in (0..2000).map(Tick) {
        world.step(tick);
        world.capture(tick, &mut history);
        assembler.begin(&history);
        let there = (0..700).filter(|index| world.things[*index].is_some());
        let visible: Vec<EntityIndex> = there.map(|index| EntityIndex(index as u16)).collect();
        let (told, message) = tell(&mut assembler, &history, &mut recipient, &visible, [0.0; 3], 200);
        largest = largest.max(message.len());
        waiting += told.waiting;
        decoder.begin(&message).and_then(|incoming| incoming.apply(None)).expect("it can be read");
        let view = decoder.newest().expect("a snapshot was applied");
        assert_eq!(Some(view.check()), recipient.check(&history, tick, None));
        // An entity waits while it differs from what is published, or is not there at all.
        let record = history.newest().expect("a tick was recorded");
        told_at.retain(|index, _| visible.binary_search(index).is_ok());
        for recorded in record.entities() {
            let codec = history.codec().kind(recorded.kind).expect("the kind is in the schema");
            let known = view.entry(recorded.index).map(|entry| view.state(entry));
            if known == Some(record.state(codec, recorded)) {
                told_at.insert(recorded.index, tick);
            }
            let since = *told_at.entry(recorded.index).or_insert(tick);
            longest = longest.max(tick.0 - since.0);
        }
    }
    println!("200 bytes, 500 visible: {} wait at a time, the longest for {longest} ticks", waiting / 2000);
    println!("largest message {largest} bytes");
    assert!(waiting > 0, "the budget binds");
    assert!(largest <= 230, "the budget holds but for the header and the lists: {largest}");
    assert!(longest < 300, "an entity waited for {longest} ticks");
}
