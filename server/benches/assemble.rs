//! What it takes to assemble the snapshots of 1000 players with 1000 different visible lists, once the
//! encodings are built: nanoseconds per player, per visible entity, and per changed entity. Best of five,
//! beside a copy of the same bytes in the same run.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tickwire_protocol::delta::DeltaCodec;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::snapshot::{RateMode, StreamProfile};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::assemble::{Assembler, AvatarNews, Recipient, SnapshotRequest, Transport};
use tickwire_server::history::History;
use tickwire_tests::swarm::{self, Swarm};
use tickwire_tests::world::{World, schema};

const PLAYERS: usize = 1000;

/// One way to fill a room.
struct Room {
    /// Up to the tick before the one that is measured.
    before: History,
    history: History,
    recipients: Vec<Recipient>,
    visible_before: Vec<Vec<EntityIndex>>,
    visible: Vec<Vec<EntityIndex>>,
}

/// What assembling all players' snapshots of a tick took.
#[derive(Clone, Copy)]
struct Cost {
    nanoseconds: f64,
    memcpy: f64,
    visible: usize,
    changed: usize,
    bytes: usize,
}

fn main() {
    println!("1000 players, 1000 different visible lists; best of five");
    println!("workload                visible  changed  bytes   ns/player  (memcpy)");
    best("swarm", &swarm_room());
    let few = best("few, at rest", &room(31, false));
    let many = best("many, at rest", &room(3, false));
    let few_change = best("few, all change", &room(31, true));
    let many_change = best("many, all change", &room(3, true));
    let per_visible = (many.nanoseconds - few.nanoseconds) / (many.visible - few.visible) as f64;
    let per_player = (few.nanoseconds - per_visible * few.visible as f64) / PLAYERS as f64;
    let per_changed = (many_change.nanoseconds - many.nanoseconds) / many_change.changed as f64;
    let when_few = (few_change.nanoseconds - few.nanoseconds) / few_change.changed as f64;
    println!();
    println!("per player {per_player:.0} ns, and {per_visible:.2} ns per visible entity");
    println!("per changed entity {per_changed:.1} ns beyond that, {when_few:.1} where few are visible");
}

fn best(name: &str, room: &Room) -> Cost {
    let mut best: Option<Cost> = None;
    for _ in 0..5 {
        let cost = measure(room);
        if best.is_none_or(|best| cost.nanoseconds < best.nanoseconds) {
            best = Some(cost);
        }
    }
    let cost = best.unwrap_or_else(|| unreachable!("five runs have a best"));
    let each = |sum: usize| sum as f64 / PLAYERS as f64;
    println!(
        "{name:22}  {:7.1}  {:7.1}  {:5.1}  {:10.1}  {:8.2}",
        each(cost.visible),
        each(cost.changed),
        each(cost.bytes),
        cost.nanoseconds / PLAYERS as f64,
        cost.memcpy / PLAYERS as f64
    );
    cost
}

fn measure(room: &Room) -> Cost {
    let mut assembler = Assembler::new();
    assembler.begin(&room.history);
    let mut out = Vec::with_capacity(1 << 20);
    let mut cost = Cost { nanoseconds: f64::MAX, memcpy: f64::MAX, visible: 0, changed: 0, bytes: 0 };
    // The first pass builds the encodings; it is not what is measured.
    for pass in 0..4 {
        let mut recipients = room.recipients.clone();
        // A clone has no memory to spare; after a tick it has, as in a running room.
        tell_all(&room.before, &mut recipients, &room.visible_before);
        out.clear();
        (cost.visible, cost.changed) = (0, 0);
        let start = Instant::now();
        for (recipient, visible) in recipients.iter_mut().zip(&room.visible) {
            let request = SnapshotRequest {
                visible,
                center: [0.0; 3],
                budget_bytes: 100_000,
                epoch: 0,
                rate: RateMode::EveryTick,
                lead: None,
            };
            let told = assembler.write(&room.history, recipient, &request, AvatarNews::default(), &mut out);
            cost.visible += visible.len();
            cost.changed += told.changed;
        }
        let taken = start.elapsed().as_nanos() as f64;
        if pass > 0 && taken < cost.nanoseconds {
            cost.nanoseconds = taken;
        }
        cost.bytes = out.len();
        let mut copy = Vec::with_capacity(out.len());
        let start = Instant::now();
        copy.extend_from_slice(black_box(&out));
        black_box(&copy);
        let taken = start.elapsed().as_nanos() as f64;
        cost.memcpy = if taken < cost.memcpy { taken } else { cost.memcpy };
    }
    cost
}

/// Tells everybody of the ticks before, so that the last one is measured as in a running room.
fn tell_all(history: &History, recipients: &mut [Recipient], visible: &[Vec<EntityIndex>]) {
    let mut assembler = Assembler::new();
    assembler.begin(history);
    let mut out = Vec::new();
    for (recipient, visible) in recipients.iter_mut().zip(visible) {
        let request = SnapshotRequest {
            visible,
            center: [0.0; 3],
            budget_bytes: 100_000,
            epoch: 0,
            rate: RateMode::EveryTick,
            lead: None,
        };
        out.clear();
        assembler.write(history, recipient, &request, AvatarNews::default(), &mut out);
    }
}

fn recipients(capacity: usize) -> Vec<Recipient> {
    let profile = StreamProfile { has_avatar: false, predicts: false, capacity: capacity as u32 };
    (0..PLAYERS).map(|_| Recipient::new(profile, Transport::Ordered)).collect()
}

fn swarm_room() -> Room {
    let codec = Arc::new(DeltaCodec::new(&swarm::schema(), Micros::period_of(30)));
    let [mut history, mut before] = [(); 2].map(|()| History::new(codec.clone(), PLAYERS));
    let mut swarm = Swarm::new(1, PLAYERS);
    let mut recipients = recipients(PLAYERS);
    let mut visible_before = Vec::new();
    for tick in 0..40 {
        swarm.step();
        swarm.capture(Tick(tick), &mut history);
        if tick < 38 {
            tell_all(&history, &mut recipients, &swarm.visible);
        }
        if tick < 39 {
            swarm.capture(Tick(tick), &mut before);
            visible_before.clone_from(&swarm.visible);
        }
    }
    Room { before, history, recipients, visible_before, visible: swarm.visible }
}

/// A world in which each player sees every `thin`th thing, and either nothing changes in the last tick or
/// everything.
fn room(thin: u64, changes: bool) -> Room {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30)));
    let [mut history, mut before] = [(); 2].map(|()| History::new(codec.clone(), PLAYERS));
    let mut world = World::new(7, 900, PLAYERS, 1.0 / 30.0);
    let mut recipients = recipients(PLAYERS);
    let visible: Vec<Vec<EntityIndex>> = (0..PLAYERS)
        .map(|player| {
            let mut random = SimRng::from_u64(player as u64);
            let mut seen =
                |index: &usize| random.next_u64().is_multiple_of(thin) && world.things[*index].is_some();
            (0..PLAYERS).filter(|index| seen(index)).map(|index| EntityIndex(index as u16)).collect()
        })
        .collect();
    for tick in 0..6 {
        if changes {
            world.shake();
        }
        world.capture(Tick(tick), &mut history);
        if tick < 4 {
            tell_all(&history, &mut recipients, &visible);
        }
        if tick < 5 {
            world.capture(Tick(tick), &mut before);
        }
    }
    Room { before, history, recipients, visible_before: visible.clone(), visible }
}
