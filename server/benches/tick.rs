//! A whole tick without sockets: the swarm with thousands of players, each of whom sends inputs and is told
//! of those around it. Prints the time per tick, by stage, and the bytes per snapshot, best of five.
//!
//! `cargo bench -p tickwire-server --bench tick`, and for one row, once, under a profiler, with the number of
//! players and how far they see: `cargo bench -p tickwire-server --bench tick -- 4096 600`

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::InputForm;
use tickwire_protocol::limits::MAX_LANES;
use tickwire_protocol::message::{
    BoundedText, Features, Hello, HelloBody, InputHeader, PlayerName, RoomWish, ServerType,
};
use tickwire_protocol::time::Micros;
use tickwire_protocol::wire::bits::BitWriter;
use tickwire_server::clock::{Clock, MonotonicClock};
use tickwire_server::config::Config;
use tickwire_server::inbox::{InboxWriter, Received, inbox};
use tickwire_server::metrics::Metrics;
use tickwire_server::net::link::{Link, LinkEnd, Polled};
use tickwire_server::outbox::Outbox;
use tickwire_server::room::{Admission, GameEntry, Room, RoomCard, RoomServices};
use tickwire_swarm::{Intent, Swarm, SwarmConfig, SwarmInput};

/// A link to nobody, which counts snapshots. What its player sends is in the inbox before the tick.
struct CountingLink(Arc<Sent>);

/// The snapshots of all players. One thread counts: to add as several could takes longer than to send.
#[derive(Default)]
struct Sent {
    /// One more than the tick of the newest ones; zero before the first.
    next: AtomicU32,
    /// The tick that is running.
    running: AtomicU32,
    snapshots: AtomicU64,
    bytes: AtomicU64,
}

impl Link for CountingLink {
    fn poll_receive(&mut self, _: Micros) -> Result<Polled, LinkEnd> {
        Ok(Polled::Drained)
    }

    fn send(&mut self, message: &[u8]) {
        if message[0] == ServerType::Snapshot as u8 {
            self.0.next.store(self.0.running.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            for (counter, more) in [(&self.0.snapshots, 1), (&self.0.bytes, message.len() as u64)] {
                counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
            }
        }
    }

    fn prefetch_sending(&self) {
        black_box(self.0.next.load(Ordering::Relaxed));
    }

    fn poll_flush(&mut self) -> Result<bool, LinkEnd> {
        Ok(true)
    }

    fn close(self: Box<Self>, _: SessionEnd) {}

    fn peer(&self) -> Option<SocketAddr> {
        None
    }
}

/// A player: makes inputs 25 times a second, each at its own phase.
struct Player {
    inbox: InboxWriter,
    intent: Intent,
    phase: f64,
    sequence: u32,
}

/// A clock that stands: a profiler makes a tick so slow that the room would take itself for overloaded, and
/// thin out its snapshots.
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Micros {
        Micros(0)
    }
}

const TICK_HZ: u32 = 30;
const INPUT_HZ: f64 = 25.0;

fn main() {
    println!(
        "players  in view  bytes/snapshot  ms/tick  ns/player  drain  game  capture  interest  assemble  send"
    );
    let numbers: Vec<f32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let real = MonotonicClock::start();
    let (rows, rounds, clock): (_, _, &dyn Clock) = match numbers[..] {
        [players, sight] => (vec![(players as u32, sight)], 1, &StandingClock),
        _ => (vec![(1000, 600.0), (2000, 600.0), (4096, 600.0), (4096, 796.0)], 5, &real),
    };
    for (players, sight) in rows {
        let best = (0..rounds)
            .map(|round| run(players, sight, round, clock))
            .min_by(|one, other| one.ms.total_cmp(&other.ms));
        let best = best.expect("there are five rounds");
        let stages: Vec<String> = best.stages.iter().map(|ms| format!("{ms:7.3}")).collect();
        let ns = best.ms * 1e6 / f64::from(players);
        println!(
            "{players:7}  {:7.1}  {:14.1}  {:7.3}  {ns:9.0}  {}",
            best.in_view,
            best.bytes,
            best.ms,
            stages.join(" ")
        );
    }
}

struct Outcome {
    ms: f64,
    in_view: f64,
    bytes: f64,
    stages: Vec<f64>,
}

fn run(players: u32, sight: f32, seed: u64, clock: &dyn Clock) -> Outcome {
    let config =
        Config { tick_hz: TICK_HZ, room_capacity: players as usize, seed: Some(seed), ..Config::default() };
    let period = config.period();
    let services = RoomServices::new(config);
    let game = GameEntry::new::<Swarm>("swarm", SwarmConfig { players, sight }, period);
    let game = Arc::new(game.expect("the swarm is in order"));
    let card = RoomCard::new(tickwire_protocol::message::RoomId(1), 0, None, 0, players as usize);
    let metrics = Arc::clone(&services.metrics);
    let mut room = Room::open(card, Arc::clone(&game), services, [7; 32], Micros(0)).expect("it opens");
    let sent = Arc::new(Sent::default());
    let mut players: Vec<_> = (0..players).map(|number| enter(&mut room, &game, number, &sent)).collect();
    let mut outbox = Outbox::default();
    let form = InputForm::<SwarmInput>::new().expect("the input is in order");
    let (mut took, mut measured) = (0.0, 0);
    let warm_up = 60;
    let mut before = Vec::new();
    for tick in 0..warm_up + 90 {
        if tick == warm_up {
            before = stages(&metrics);
            sent.snapshots.store(0, Ordering::Relaxed);
            sent.bytes.store(0, Ordering::Relaxed);
        }
        let now = room.due();
        let newest = sent.next.load(Ordering::Relaxed).checked_sub(1).map(|tick| tick as u16);
        sent.running.store(room.next_tick().0, Ordering::Relaxed);
        players.iter_mut().for_each(|player| player.send(&form, newest, now));
        let started = Instant::now();
        room.tick(now, clock, &mut outbox);
        if tick >= warm_up {
            took += started.elapsed().as_secs_f64();
            measured += 1;
        }
    }
    let (snapshots, bytes) = (sent.snapshots.load(Ordering::Relaxed), sent.bytes.load(Ordering::Relaxed));
    let after = stages(&metrics);
    Outcome {
        ms: took * 1e3 / f64::from(measured),
        in_view: room.mean_visible(),
        bytes: bytes as f64 / snapshots as f64,
        stages: after
            .iter()
            .zip(&before)
            .map(|(after, before)| (after - before) * 1e3 / f64::from(measured))
            .collect(),
    }
}

fn enter(room: &mut Room, game: &GameEntry, number: u32, sent: &Arc<Sent>) -> Player {
    let (writer, reader) = inbox();
    let hello = Hello::new(HelloBody {
        fingerprint: game.fingerprint,
        tables_id: Some(game.tables.0),
        features: Features::default(),
        game: BoundedText::default(),
        room: RoomWish::QuickPlay,
        name: BoundedText::cut("walker"),
        credential: None,
        resume: None,
        spectator: false,
    });
    room.handle_admission(Admission {
        link: Box::new(CountingLink(Arc::clone(sent))),
        inbox: reader,
        hello,
        name: PlayerName::new("walker").expect("it is one"),
        place: None,
    });
    let phase = f64::from(number) * 0.618_034 % 1.0;
    Player { inbox: writer, intent: Intent::new(u64::from(number)), phase, sequence: 0 }
}

impl Player {
    /// Makes the inputs of a tick's time; they acknowledge the snapshot of the tick before.
    fn send(&mut self, form: &InputForm<SwarmInput>, newest_snapshot: Option<u16>, now: Micros) {
        self.phase += INPUT_HZ / f64::from(TICK_HZ);
        while self.phase >= 1.0 {
            self.phase -= 1.0;
            let mut row = [0; MAX_LANES];
            let row = &mut row[..form.codec().lanes()];
            form.quantize(&self.intent.next_input(), row).expect("it is within its range");
            self.sequence += 1;
            let first = self.sequence as u16;
            let header = InputHeader { newest_snapshot, first, count: 1, ..InputHeader::default() };
            let mut bytes = Vec::new();
            header.encode(form.codec(), row, &mut BitWriter::new(), &mut bytes);
            let received = Received::new(now, &bytes);
            self.inbox.push(received).expect("a tick has few inputs");
        }
    }
}

/// The seconds spent in each stage so far.
fn stages(metrics: &Metrics) -> Vec<f64> {
    let text = metrics.to_text();
    let sum = |stage: &str| {
        let name = format!("tickwire_tick_stage_seconds_sum{{stage=\"{stage}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(name.as_str()));
        line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    };
    ["drain", "game", "capture", "interest", "assemble", "send"].map(sum).to_vec()
}
