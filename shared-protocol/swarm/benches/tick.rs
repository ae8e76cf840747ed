//! What the rules of the swarm cost: a tick with the inputs of all, and the frame of it.

use tickwire_protocol::game::{
    Events, Frame, Game, Hosted, InputQueue, InputStamp, Joining, NoRewind, Role, SentInput, Simulation,
    TickInputs, TickSchedule, ViewTime,
};
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_swarm::{Intent, Swarm, SwarmConfig};

const PLAYERS: [u32; 2] = [1000, 4096];

fn main() {
    divan::main();
}

/// A full swarm, and what the first tick takes from each.
fn swarm(players: u32) -> (Hosted<Swarm>, TickInputs<tickwire_swarm::SwarmInput>) {
    let config = SwarmConfig { players, ..SwarmConfig::default() };
    let level = Swarm::first_level(&config).expect("a level of nothing is one");
    let mut hosted: Hosted<Swarm> = Hosted::new(&config, level, 1, Micros::period_of(30), Tick(1));
    let mut inputs = TickInputs::new();
    let schedule = TickSchedule { tick: Tick(1), due: Micros(0), period: Micros::period_of(30) };
    let now = ViewTime { tick: Tick(1), fraction: 0 };
    for player in 0..players {
        let joining = Joining { player: PlayerId(player as u16), name: "Ann", role: Role::Player };
        hosted.join(&joining, &mut Events::new()).expect("there is room");
        let mut queue = InputQueue::new(Swarm::INPUT_POLICY, Tick(1));
        let input = Intent::new(u64::from(player)).next_input();
        let sent = SentInput { stamp: InputStamp::Sequence(1), view: None, input };
        queue.handle_input(sent, Micros(0), &schedule);
        inputs.take(PlayerId(player as u16), Tick(1), &mut queue, (now, now));
    }
    (hosted, inputs)
}

#[divan::bench(args = PLAYERS)]
fn tick(bencher: divan::Bencher<'_, '_>, players: u32) {
    let (mut hosted, inputs) = swarm(players);
    let mut events = Events::new();
    bencher
        .counter(divan::counter::ItemsCount::new(players))
        .bench_local(|| hosted.tick(&inputs, &[], &NoRewind, &mut events));
}

#[divan::bench(args = PLAYERS)]
fn capture(bencher: divan::Bencher<'_, '_>, players: u32) {
    let (hosted, _) = swarm(players);
    let mut frame = Frame::new();
    bencher
        .counter(divan::counter::ItemsCount::new(players))
        .bench_local(|| hosted.capture(&mut frame).expect("each walker is there once"));
}
