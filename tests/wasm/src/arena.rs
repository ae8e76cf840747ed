//! The arena: a player who runs about in its levels.

use tickwire_arena::level::{Map, MapSource};
use tickwire_arena::{Arena, ArenaInput, Avatar};
use tickwire_protocol::determinism::{SimRng, state_hash};
use tickwire_protocol::game::{Effects, InputForm, Simulation, StepContext};
use tickwire_protocol::time::{Micros, Tick};

/// A digest over the avatars after all steps so far, at each 100th of 10,000 steps: in each level of the box,
/// one after another.
pub(crate) fn steps() -> Vec<u64> {
    let maps: Vec<Map> =
        MapSource::built_in().iter().map(|source| source.read().expect("a test reads them all")).collect();
    let form = InputForm::<ArenaInput>::new().expect("the arena is hosted with it");
    let mut random = SimRng::from_u64(11);
    let mut effects = Effects::muted();
    let mut input = ArenaInput::default();
    let mut avatar = Avatar::default();
    let (mut digest, mut digests) = (0_u64, Vec::new());
    for step in 0..STEPS {
        let map = &maps[(step / STEPS_PER_MAP) as usize % maps.len()];
        if step % STEPS_PER_MAP == 0 {
            avatar = Avatar::at(map.spawns()[0].position);
        }
        input = form.canonical(&next_input(input, &mut random)).expect("it is within its ranges");
        let mut context = StepContext::new(Tick(step), Micros::period_of(60), map, &mut effects);
        Arena::step(&mut avatar, &input, &mut context);
        digest = state_hash(&(digest, &avatar)).expect("the avatar holds no NaN");
        if (step + 1) % REPORT_EVERY == 0 {
            digests.push(digest);
        }
    }
    digests
}

/// A player who turns now and then, dashes, and pulls the trigger.
fn next_input(held: ArenaInput, random: &mut SimRng) -> ArenaInput {
    let way = if random.chance(0.05) { random.unit_vec2() * random.f32_in(0.0, 0.99) } else { held.way };
    let weapon = if random.chance(0.02) { random.u32_in(0, 4) as u8 } else { 0 };
    let fire = if random.chance(0.1) { !held.fire } else { held.fire };
    let aim = held.aim + random.f32_in(-0.1, 0.1);
    ArenaInput { way, aim, fire, dash: random.chance(0.02), weapon }
}

const STEPS: u32 = 10_000;
const STEPS_PER_MAP: u32 = 1000;
const REPORT_EVERY: u32 = 100;
