//! The delta codec: a life with everything in it, published, encoded, decoded and shown.

use glam::{Quat, Vec2, Vec3};
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{
    BaselineForm, Baselines, DeltaCodec, EntropyTables, KindCodec, Published, Trainer,
};
use tickwire_protocol::determinism::{SimRng, state_hash};
use tickwire_protocol::id::KindId;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};

/// Everything that a field can be.
#[derive(Debug, Clone, Replicate)]
struct Thing {
    #[replicate(ranged(min = -90.0, max = 90.0, step = 0.07), velocity = velocity)]
    position: Vec3,
    #[replicate(ranged(min = -9.0, max = 9.0, step = 0.03))]
    velocity: Vec3,
    #[replicate(angle(steps = 1000), velocity = spin)]
    heading: f32,
    #[replicate(ranged(min = -4.0, max = 4.0, step = 0.03))]
    spin: f32,
    #[replicate(quat(bits = 11), predict = linear)]
    rotation: Quat,
    #[replicate(quat(bits = 5))]
    pose: Quat,
    #[replicate(ranged(min = -30.0, max = 30.0, step = 0.001), predict = linear)]
    offset: Vec2,
    #[replicate(angle(steps = 777), predict = linear)]
    aim: f32,
    hp: u8,
    #[replicate(int(min = -2, max = 9))]
    level: i8,
    sort: Sort,
    lit: bool,
}

#[derive(Debug, Clone, Copy, Replicate)]
enum Sort {
    Plain,
    Odd,
    Rare,
}

/// At each tenth tick, a digest of all bits, decoded lanes and shown values so far.
pub(crate) fn digests() -> Vec<u64> {
    let codec = DeltaCodec::new(&schema(), PERIOD);
    let life = live(&codec);
    let mut digest = codec.schema().structural_hash();
    let mut digests = Vec::new();
    for tick in 0..life.len() {
        for (form, baselines) in forms(&life, tick) {
            digest = fold(digest, &exchanged(thing(&codec), &form, baselines, &life[tick]));
        }
        if tick % 10 == 9 {
            digests.push(digest);
        }
    }
    digests
}

/// The ids of the default tables and of tables trained on that life.
pub(crate) fn table_ids() -> Vec<u64> {
    let codec = DeltaCodec::new(&schema(), PERIOD);
    let life = live(&codec);
    let mut trainer = Trainer::new(&codec);
    for tick in 0..life.len() {
        for (form, baselines) in forms(&life, tick) {
            trainer.observe(THING, &form, baselines, &life[tick]).expect("they are of one kind");
        }
    }
    let tables = trainer.finish();
    let read = EntropyTables::from_bytes(codec.schema(), &tables.to_bytes()).expect("they were just written");
    vec![EntropyTables::defaults(codec.schema()).id(), tables.id(), read.id()]
}

/// What a delta is on the wire, and what the other end makes of it.
fn exchanged(
    kind: &KindCodec,
    form: &BaselineForm,
    baselines: Baselines<'_>,
    state: &[i32],
) -> (Vec<u8>, Vec<i32>, Vec<u64>) {
    let mut writer = BitWriter::new();
    kind.encode(form, baselines, state, &mut writer);
    let bytes = writer.to_bytes();
    let mut decoded = vec![0; kind.lanes()];
    let mut reader = BitReader::new(&bytes);
    kind.decode(form, baselines, &mut reader, &mut decoded).expect("it was written by this codec");
    assert_eq!(decoded, state);
    let mut shown = vec![0.0; kind.components()];
    let later = form.tick().after(3).expect("far from the last");
    kind.value(&decoded, later, &mut shown);
    (bytes, decoded, shown.into_iter().map(f64::to_bits).collect())
}

/// The forms in which a tick is told: entering, and at several ages with one baseline and with two.
fn forms(life: &[Vec<i32>], tick: usize) -> Vec<(BaselineForm, Baselines<'_>)> {
    let mut forms = vec![(BaselineForm::entering(at(tick)), Baselines::Entering)];
    for (age, gap) in [(1, None), (1, Some(2)), (6, Some(2)), (13, None), (64, Some(7))] {
        let Some(newer) = tick.checked_sub(age) else { continue };
        let older = gap.and_then(|gap| newer.checked_sub(gap));
        let form = BaselineForm::new(at(tick), at(newer), older.map(at)).expect("ages are in range");
        let baselines =
            older.map_or(Baselines::One(&life[newer]), |older| Baselines::Two(&life[newer], &life[older]));
        forms.push((form, baselines));
    }
    forms
}

/// The published states of a thing that glides, rests, tumbles and is hit.
fn live(codec: &DeltaCodec) -> Vec<Vec<i32>> {
    let mut rng = SimRng::from_u64(21);
    let mut thing_now = Thing {
        position: Vec3::ZERO,
        velocity: Vec3::X,
        heading: 0.0,
        spin: 1.0,
        rotation: Quat::IDENTITY,
        pose: Quat::IDENTITY,
        offset: Vec2::ZERO,
        aim: 3.0,
        hp: 100,
        level: 0,
        sort: Sort::Plain,
        lit: false,
    };
    let mut life: Vec<Vec<i32>> = Vec::new();
    let mut value = vec![0.0; Thing::COMPONENTS];
    for tick in 0..TICKS {
        thing_now.step(&mut rng);
        thing_now.write_components(&mut value);
        let mut state = vec![0; thing(codec).lanes()];
        let before = life.last().map(|before| Published::from(&before[..]));
        let published = thing(codec).publish(&value, before, at(tick), 6, &mut state);
        published.expect("the thing stays in its ranges");
        life.push(state);
    }
    life
}

impl Thing {
    fn step(&mut self, rng: &mut SimRng) {
        if rng.chance(0.05) {
            let rests = rng.chance(0.3);
            self.velocity = if rests { Vec3::ZERO } else { rng.unit_vec3() * rng.f32_in(0.0, 9.0) };
            self.spin = if rests { 0.0 } else { rng.f32_in(-4.0, 4.0) };
            self.pose = Quat::from_scaled_axis(rng.unit_vec3());
            self.offset = Vec2::ZERO;
            self.hp = rng.u32_up_to(255) as u8;
        }
        let to = self.position + self.velocity / 30.0;
        if to.abs().max_element() < 90.0 {
            self.position = to;
        }
        self.heading += self.spin / 30.0;
        self.rotation = (self.rotation * Quat::from_scaled_axis(rng.unit_vec3() * 0.02)).normalize();
        self.offset += Vec2::new(0.02, rng.f32_in(-0.01, 0.01));
        self.aim += 0.03 + rng.f32_in(-0.005, 0.005);
        if rng.chance(0.1) {
            self.level = rng.i32_in(-2, 9) as i8;
            self.sort = [Sort::Plain, Sort::Odd, Sort::Rare][rng.u32_up_to(2) as usize];
            self.lit = !self.lit;
        }
    }
}

fn fold<T: serde::Serialize>(digest: u64, more: &T) -> u64 {
    state_hash(&(digest, more)).expect("bits and lanes are whole numbers")
}

fn schema() -> Schema {
    Schema::new(vec![Thing::kind()]).expect("the derive yields valid kinds")
}

fn thing(codec: &DeltaCodec) -> &KindCodec {
    codec.kind(THING).expect("it is the only kind")
}

fn at(tick: usize) -> Tick {
    Tick(tick as u32)
}

const THING: KindId = KindId(0);
const PERIOD: Micros = Micros::period_of(30);
const TICKS: usize = 300;
