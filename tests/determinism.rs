//! The same seed gives the same match, whatever the network does to it, and a recording of a match gives it
//! again without a network.

use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{Events, Game, Hosted, Joining, NoRewind};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::duel::{Duel, DuelCommand, DuelConfig, Recorded, start_recording, stop_recording};
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{World, config};

const CLIENTS: usize = 64;
const TICKS: u32 = 10_000;
const ROUGH: Path = Path { delay: Micros(30_000), jitter: Micros(50_000), window: 64 << 10 };

/// The hash of the state at each hundredth tick of a match whose players come, stall, talk and go.
fn play(seed: u64) -> Vec<u64> {
    let game = DuelConfig { players: CLIENTS as u32, drones: 8, sight: 60.0 };
    let mut world: World<Duelist> = World::new(config(), game, seed);
    let mut random = SimRng::from_u64(seed).fork("mischief", 0);
    let mut hashes = Vec::new();
    world.join_all(CLIENTS, "duelist", ROUGH);
    while world.room.next_tick().0 <= TICKS {
        world.run_ticks(20);
        let place = random.u32_up_to(CLIENTS as u32 - 1) as usize;
        let is_active = world.clients[place].is_active();
        match random.u32_up_to(5) {
            0 | 1 => {
                let until = world.now() + Micros(u64::from(random.u32_up_to(1_500_000)));
                world.clients[place].far.iter().for_each(|far| far.stall_until(until));
            }
            2 if is_active => world.command(place, &DuelCommand::SayAll("hello".into())),
            3 if is_active => world.command(place, &DuelCommand::Shove),
            4 if is_active => {
                world.clients[place].far.iter().for_each(|far| far.cut());
                world.run_ticks(3);
                world.connect(place, ROUGH);
            }
            _ => {}
        }
        if world.room.next_tick().0 % 100 < 20 {
            hashes.push(world.room.state_hash().expect("the state has a hash"));
        }
    }
    assert!(world.clients.iter().all(|client| client.heard.error.is_none() && client.heard.disagreed == 0));
    hashes
}

#[test]
fn the_same_seed_gives_the_same_match_and_so_does_its_recording() {
    start_recording();
    let once = play(50);
    let recording = stop_recording();
    assert!(once.len() >= 100);
    assert_eq!(once, play(50));
    let last = *once.last().expect("there are hashes");
    assert!(once.windows(2).all(|pair| pair[0] != pair[1]), "something happens");
    assert!(replay(&recording).contains(&last), "the recording leads to the same state");
}

/// The hashes of the states that a recording leads to, at each tick.
fn replay(recording: &[Recorded]) -> Vec<u64> {
    let game = DuelConfig { players: CLIENTS as u32, drones: 8, sight: 60.0 };
    let level = Duel::first_level(&game).expect("the first arena");
    let seed = config().seed.expect("simulations have one");
    let mut hosted: Hosted<Duel> = Hosted::new(&game, level, seed, Micros::period_of(30), Tick(1));
    let mut hashes = Vec::new();
    for entry in recording {
        let mut events = Events::new();
        match entry {
            Recorded::Join(player, name, role) => {
                let joining = Joining { player: *player, name, role: *role };
                hosted.join(&joining, &mut events).expect("there was room for it");
            }
            Recorded::Leave(player, why) => hosted.leave(*player, *why, &mut events),
            Recorded::Tick(inputs, commands) => {
                hosted.tick(inputs, commands, &NoRewind, &mut events);
                hashes.push(hosted.state_hash().expect("the state has a hash"));
            }
        }
    }
    hashes
}
