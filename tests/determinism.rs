//! The same seed gives the same match, whatever the network does to it, and a recording of a match gives it
//! again without a network.

use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{Events, Game, Hosted, Joining, NoRewind};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::duel::{Duel, DuelCommand, DuelConfig, Recorded, start_recording, stop_recording};
use tickwire_tests::duelist::Duelist;
use tickwire_tests::net::Path;
use tickwire_tests::sim::{Client, World, config};

const CLIENTS: usize = 64;
const TICKS: u32 = 10_000;
/// A room's first tick.
const FIRST: Tick = Tick(1);
const ROUGH: Path = Path { delay: Micros(30_000), jitter: Micros(50_000), window: 64 << 10 };

fn game() -> DuelConfig {
    DuelConfig { players: CLIENTS as u32, drones: 8, sight: 60.0 }
}

/// The hash of the state at each hundredth tick of a match whose players stall, talk, shove each other, and
/// lose their connections and find back.
fn play(seed: u64) -> Vec<u64> {
    let mut world: World<Duelist> = World::new(config(), game(), seed);
    let mut random = SimRng::from_u64(seed).fork("mischief", 0);
    let mut hashes = Vec::new();
    world.join_all(CLIENTS, "duelist", ROUGH);
    for end in (1..=TICKS / 100).map(|hundreds| FIRST.0 + hundreds * 100) {
        for _ in 0..4 {
            let place = random.u32_up_to(CLIENTS as u32 - 1) as usize;
            make_mischief(&mut world, place, &mut random);
            world.run_ticks(15);
        }
        world.run_ticks(end - world.room.next_tick().0);
        hashes.push(world.room.state_hash().expect("the state has a hash"));
    }
    world.clients.iter().for_each(Client::assert_sound);
    hashes
}

fn make_mischief(world: &mut World<Duelist>, place: usize, random: &mut SimRng) {
    let is_active = world.clients[place].is_active();
    match random.u32_up_to(4) {
        0 => {
            let until = world.now() + Micros(u64::from(random.u32_up_to(1_500_000)));
            world.clients[place].far.iter().for_each(|far| far.stall_until(until));
        }
        1 if is_active => world.command(place, &DuelCommand::SayAll("hello".into())),
        2 if is_active => world.command(place, &DuelCommand::Shove),
        3 if is_active => {
            world.clients[place].far.iter().for_each(|far| far.cut());
            world.run_ticks(3);
            world.connect(place, ROUGH);
        }
        _ => {}
    }
}

/// The hash of the state at each hundredth tick of a recording that is played without a network.
fn replay(recording: &[Recorded]) -> Vec<u64> {
    let level = Duel::first_level(&game()).expect("the first arena");
    let seed = config().seed.expect("simulations have one");
    let mut hosted: Hosted<Duel> = Hosted::new(&game(), level, seed, Micros::period_of(30), FIRST);
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
                let tick = hosted.tick(inputs, commands, &NoRewind, &mut events);
                if tick.0.is_multiple_of(100) {
                    hashes.push(hosted.state_hash().expect("the state has a hash"));
                }
            }
        }
    }
    hashes
}

#[test]
fn the_same_seed_gives_the_same_match_and_so_does_its_recording() {
    start_recording();
    let once = play(50);
    let recording = stop_recording();
    assert_eq!(once.len(), TICKS as usize / 100);
    assert!(once.windows(2).all(|pair| pair[0] != pair[1]), "something happens");
    assert_eq!(replay(&recording), once, "without a network");
    assert_eq!(play(50), once, "with the same network");
    assert_ne!(play_a_little(51), once[0], "with another one");
}

/// The hash of the state at the hundredth tick.
fn play_a_little(seed: u64) -> u64 {
    let mut world: World<Duelist> = World::new(config(), game(), seed);
    world.join_all(CLIENTS, "duelist", ROUGH);
    world.run_ticks(100);
    world.room.state_hash().expect("the state has a hash")
}
