//! A walker at constant velocity costs next to nothing, though its velocity is off the grid and all of it is
//! noisy.

use glam::Vec2;
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, KindCodec, Published};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::KindId;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};
use tickwire_protocol::wire::gaps::{read_gaps, write_gaps};

#[derive(Clone, Debug, Replicate)]
struct Walker {
    #[replicate(ranged(min = -20_000.0, max = 20_000.0, step = POSITION_STEP), velocity = velocity)]
    position: Vec2,
    #[replicate(ranged(min = -400.0, max = 400.0, step = VELOCITY_STEP))]
    velocity: Vec2,
    #[replicate(angle(step = ANGLE_STEP))]
    angle: f32,
    hp: u8,
    flags: u8,
}

const POSITION_STEP: f64 = 0.13;
const VELOCITY_STEP: f64 = 0.02;
const ANGLE_STEP: f64 = 1e-3;
/// Walkers that a player sees.
const ROW: usize = 25;
const TICKS: u32 = 1000;
const HERTZ: u32 = 30;
const WALKER: KindId = KindId(0);

/// What a walker does in truth: straight on, from where it began.
struct Truth {
    from: [f64; 2],
    velocity: [f64; 2],
    angle: f64,
}

impl Truth {
    fn draw(rng: &mut SimRng, speed: f32) -> Truth {
        let way = rng.unit_vec2() * speed;
        let place = || -> [f64; 2] { [0, 1].map(|_| 0.0) };
        let mut from = place();
        from.iter_mut().for_each(|axis| *axis = f64::from(rng.f32_in(-5000.0, 5000.0)));
        Truth { from, velocity: [way.x, way.y].map(f64::from), angle: f64::from(rng.angle()) }
    }

    /// The components that the simulation holds at a tick: each off the truth by up to a tenth of a step.
    fn components(&self, tick: u32, rng: &mut SimRng) -> [f64; 7] {
        let mut noise = |step: f64| f64::from(rng.signed_unit_f32()) * 0.1 * step;
        let seconds = f64::from(tick) * Micros::period_of(HERTZ).as_secs_f64();
        [
            self.from[0] + self.velocity[0] * seconds + noise(POSITION_STEP),
            self.from[1] + self.velocity[1] * seconds + noise(POSITION_STEP),
            self.velocity[0] + noise(VELOCITY_STEP),
            self.velocity[1] + noise(VELOCITY_STEP),
            self.angle + noise(ANGLE_STEP),
            100.0,
            3.0,
        ]
    }
}

/// The bits of a tick's message for one player, header not counted: who changed, and their deltas.
fn tell(kind: &KindCodec, tick: u32, states: &[Vec<i32>], before: &[Vec<i32>]) -> BitWriter {
    let mut writer = BitWriter::new();
    let form = BaselineForm::new(Tick(tick), Tick(tick - 1), None).unwrap();
    let changed: Vec<u32> =
        (0..ROW as u32).filter(|&place| states[place as usize] != before[place as usize]).collect();
    write_gaps(&mut writer, ROW as u32, &changed);
    for place in changed {
        let place = place as usize;
        kind.encode(&form, Baselines::One(&before[place]), &states[place], &mut writer);
    }
    writer
}

/// Reads such a message into the client's states, which are those of the tick before.
fn hear(kind: &KindCodec, tick: u32, bytes: &[u8], states: &mut [Vec<i32>]) {
    let form = BaselineForm::new(Tick(tick), Tick(tick - 1), None).unwrap();
    let mut reader = BitReader::new(bytes);
    let mut changed = Vec::new();
    read_gaps(&mut reader, ROW as u32, |place| changed.push(place as usize)).unwrap();
    for place in changed {
        let newer = states[place].clone();
        kind.decode(&form, Baselines::One(&newer), &mut reader, &mut states[place]).unwrap();
    }
    reader.finish().unwrap();
}

/// What is shown must be within ¾ step, the usual tolerance, of what the simulation holds.
fn assert_shown(kind: &KindCodec, tick: u32, state: &[i32], truth: &[f64; 7]) {
    let mut shown = [0.0; 7];
    kind.value(state, Tick(tick), &mut shown);
    let steps = [
        POSITION_STEP,
        POSITION_STEP,
        VELOCITY_STEP,
        VELOCITY_STEP,
        std::f64::consts::TAU / 6284.0,
        1.0,
        1.0,
    ];
    for (component, step) in steps.into_iter().enumerate() {
        let mut off = (shown[component] - truth[component]).abs();
        if component == 4 && off > 3.0 {
            off = std::f64::consts::TAU - off;
        }
        let tolerance = if component < 5 { 0.75 * step + 1e-9 } else { 0.0 };
        assert!(off <= tolerance, "tick {tick}, component {component}: {shown:?} for {truth:?}");
    }
}

/// Walks a row of walkers and returns the bits per entity and tick.
fn walk(seed: u64, speed: f32) -> f64 {
    let codec = DeltaCodec::new(&Schema::new(vec![Walker::kind()]).unwrap(), Micros::period_of(HERTZ));
    let kind = codec.kind(WALKER).expect("it is the only one");
    let mut rng = SimRng::from_u64(seed);
    let truths: Vec<Truth> = (0..ROW).map(|_| Truth::draw(&mut rng, speed)).collect();
    let first = 5000;
    let mut server: Vec<Vec<i32>> = vec![vec![0; kind.lanes()]; ROW];
    for (entity, (truth, state)) in truths.iter().zip(&mut server).enumerate() {
        kind.publish(&truth.components(0, &mut rng), None, Tick(first), entity as u32, state).unwrap();
    }
    let mut client = server.clone();
    let mut bits = 0;
    for step in 1..=TICKS {
        let tick = first + step;
        let before = server.clone();
        for (entity, truth) in truths.iter().enumerate() {
            let value = truth.components(step, &mut rng);
            let known = Some(Published::from(&before[entity][..]));
            kind.publish(&value, known, Tick(tick), entity as u32, &mut server[entity]).unwrap();
            assert_shown(kind, tick, &server[entity], &value);
        }
        let message = tell(kind, tick, &server, &before);
        bits += message.bits();
        hear(kind, tick, &message.to_bytes(), &mut client);
        assert_eq!(client, server, "tick {tick}");
    }
    bits as f64 / f64::from(TICKS) / ROW as f64
}

#[test]
fn walkers_at_constant_velocity_cost_at_most_two_bits() {
    let mut worst = 0.0;
    for speed in [0.7, 3.3, 37.0, 150.0, 299.0] {
        for seed in [1, 2, 3] {
            let bits = walk(seed, speed);
            println!("{bits:.3} bits per entity and tick at {speed} units/s, seed {seed}");
            worst = if bits > worst { bits } else { worst };
        }
    }
    assert!(worst <= 2.0, "{worst} bits per entity and tick");
}

#[test]
fn walkers_at_rest_cost_nothing_but_the_count_of_who_changed() {
    let bits = walk(4, 0.0);
    assert!(bits <= 0.2, "{bits} bits per entity and tick");
}
