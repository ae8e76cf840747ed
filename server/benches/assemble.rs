//! What it takes to assemble the snapshots of 1000 players with 1000 different visible lists, once the encodings are
//! built: nanoseconds per visible entity while nothing changes, and per changed entity beyond that. Best of five, beside a
//! copy of the same bytes in the same run.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tickwire_protocol::delta::DeltaCodec;
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
    history: History,
    recipients: Vec<Recipient>,
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
    println!("workload              visible  changed  bytes   ns/player  (memcpy)");
    let quiet = best("quiet", &mut quiet_room());
    let swarm = best("swarm", &mut swarm_room());
    let crowd = best("crowd, all change", &mut crowd_room());
    let per_visible = quiet.nanoseconds / quiet.visible as f64;
    let rest = |cost: &Cost| cost.nanoseconds - per_visible * cost.visible as f64;
    println!();
    println!("per visible entity: {per_visible:.2} ns, the player's own costs included");
    for (name, cost) in [("swarm", &swarm), ("crowd", &crowd)] {
        println!("per changed entity in the {name}: {:.1} ns beyond that", rest(cost) / cost.changed as f64);
    }
}

fn best(name: &str, room: &mut Room) -> Cost {
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
        "{name:20}  {:7.1}  {:7.1}  {:5.1}  {:10.1}  {:8.2}",
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
            let told =
                assembler.write(&room.history, recipient, &request, &AvatarNews::default(), &mut out);
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
        assembler.write(history, recipient, &request, &AvatarNews::default(), &mut out);
    }
}

fn recipients(capacity: usize) -> Vec<Recipient> {
    let profile = StreamProfile { has_avatar: false, predicts: false, capacity: capacity as u32 };
    (0..PLAYERS).map(|_| Recipient::new(profile, Transport::Ordered)).collect()
}

fn swarm_room() -> Room {
    let codec = Arc::new(DeltaCodec::new(&swarm::schema(), Micros::period_of(30)));
    let mut history = History::new(codec, PLAYERS);
    let mut swarm = Swarm::new(1, PLAYERS);
    let mut recipients = recipients(PLAYERS);
    for tick in 0..40 {
        swarm.step();
        swarm.capture(Tick(tick), &mut history).expect("the swarm stays within its ranges");
        if tick < 39 {
            tell_all(&history, &mut recipients, &swarm.visible);
        }
    }
    Room { history, recipients, visible: swarm.visible }
}

/// Nobody changes: the swarm stands still.
fn quiet_room() -> Room {
    let mut room = swarm_room();
    let mut swarm = Swarm::new(1, PLAYERS);
    let codec = room.history.codec().clone();
    room.history = History::new(codec, PLAYERS);
    room.recipients = recipients(PLAYERS);
    swarm.stop();
    for tick in 0..3 {
        swarm.capture(Tick(tick), &mut room.history).expect("the swarm stays within its ranges");
        if tick < 2 {
            tell_all(&room.history, &mut room.recipients, &swarm.visible);
        }
    }
    room.visible = swarm.visible;
    room
}

/// Everything changes in every tick.
fn crowd_room() -> Room {
    let codec = Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30)));
    let mut history = History::new(codec, PLAYERS);
    let mut world = World::new(7, 900, PLAYERS, 1.0 / 30.0);
    let mut recipients = recipients(PLAYERS);
    let there = |world: &World, player: usize| -> Vec<EntityIndex> {
        let mixed = |index: usize| ((index * PLAYERS + player) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let seen = |index: &usize| world.things[*index].is_some() && mixed(*index) >> 59 == 0;
        (0..PLAYERS).filter(seen).map(|index| EntityIndex(index as u16)).collect()
    };
    let visible: Vec<Vec<EntityIndex>> = (0..PLAYERS).map(|player| there(&world, player)).collect();
    for tick in 0..3 {
        world.shake();
        world.capture(Tick(tick), &mut history).expect("the world stays within its ranges");
        if tick < 2 {
            tell_all(&history, &mut recipients, &visible);
        }
    }
    Room { history, recipients, visible }
}
