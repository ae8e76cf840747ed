//! The wire as it is, as two numbers. A change of the layout, the predictions or the default codes changes
//! them; both ends must then be of one version.

use glam::{Quat, Vec2, Vec3};
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, EntropyTables, Published};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::KindId;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::BitWriter;
use xxhash_rust::xxh64::xxh64;

/// The id of the default tables. To be changed on purpose only, together with the description of the wire.
const TABLES_ID: u64 = 0xff69_32e1_6104_e321;
/// The digest of 400 ticks of deltas. To be changed on purpose only, together with the description of the
/// wire.
const DELTAS_DIGEST: u64 = 0x7798_f460_def2_2324;

#[derive(Clone, Debug, Replicate)]
struct Thing {
    #[replicate(ranged(min = -50.0, max = 50.0, step = 0.1), velocity = velocity)]
    position: Vec2,
    #[replicate(ranged(min = -8.0, max = 8.0, step = 0.0625))]
    velocity: Vec2,
    #[replicate(angle(steps = 512), velocity = spin)]
    heading: f32,
    #[replicate(ranged(min = -4.0, max = 4.0, step = 0.03125))]
    spin: f32,
    #[replicate(quat(bits = 9), predict = linear)]
    rotation: Quat,
    #[replicate(ranged(min = -20.0, max = 20.0, step = 0.01), predict = linear)]
    offset: Vec3,
    #[replicate(angle(steps = 999), predict = linear)]
    aim: f32,
    #[replicate(ranged(min = 0.0, max = 30.0, step = 0.5))]
    height: f32,
    hp: u8,
    #[replicate(int(min = 1, max = 9))]
    level: u8,
    sort: Sort,
    lit: bool,
}

#[derive(Clone, Copy, Debug, Replicate)]
enum Sort {
    Plain,
    Odd,
    Rare,
}

impl Thing {
    fn new() -> Thing {
        Thing {
            position: Vec2::ZERO,
            velocity: Vec2::new(1.3, -0.7),
            heading: 3.0,
            spin: 1.1,
            rotation: Quat::IDENTITY,
            offset: Vec3::ZERO,
            aim: -3.0,
            height: 3.0,
            hp: 100,
            level: 1,
            sort: Sort::Plain,
            lit: false,
        }
    }

    /// One tick of a life with everything in it: gliding, resting, turning, being hit. No operation of it
    /// rounds differently anywhere.
    fn step(&mut self, rng: &mut SimRng) {
        if rng.chance(0.04) {
            let rests = rng.chance(0.3);
            self.velocity =
                if rests { Vec2::ZERO } else { Vec2::new(rng.f32_in(-7.0, 7.0), rng.f32_in(-7.0, 7.0)) };
            self.spin = if rests { 0.0 } else { rng.f32_in(-3.0, 3.0) };
            self.hp = rng.u32_up_to(255) as u8;
        }
        let to = self.position + self.velocity / 30.0;
        if to.x.abs() < 49.0 && to.y.abs() < 49.0 {
            self.position = to;
        } else {
            self.velocity = -self.velocity;
        }
        self.heading += self.spin / 30.0;
        self.aim += 0.01 + rng.signed_unit_f32() * 0.002;
        let turn = Quat::from_xyzw(0.02, 0.01 * rng.signed_unit_f32(), -0.015, 1.0);
        self.rotation = (self.rotation * turn).normalize();
        self.offset += Vec3::new(0.03, 0.02 * rng.signed_unit_f32(), -0.01);
        if self.offset.x > 15.0 {
            self.offset = Vec3::ZERO;
        }
        if rng.chance(0.1) {
            self.height = rng.f32_in(0.0, 30.0);
            self.level = 1 + rng.u32_up_to(8) as u8;
            self.sort = [Sort::Plain, Sort::Odd, Sort::Rare][rng.u32_up_to(2) as usize];
            self.lit = !self.lit;
        }
    }
}

fn schema() -> Schema {
    Schema::new(vec![Thing::kind()]).unwrap()
}

/// The digest of what is sent of one thing over 400 ticks at several ages, with one baseline and with two.
fn deltas_digest() -> u64 {
    let codec = DeltaCodec::new(&schema(), Micros::period_of(30));
    let kind = codec.kind(KindId(0)).expect("it is the only one");
    let mut rng = SimRng::from_u64(7);
    let mut thing = Thing::new();
    let mut history: Vec<Vec<i32>> = Vec::new();
    let mut writer = BitWriter::new();
    let mut value = vec![0.0; kind.components()];
    for tick in 0..400_u32 {
        thing.step(&mut rng);
        thing.write_components(&mut value);
        let mut state = vec![0; kind.lanes()];
        let before = history.last().map(|before| Published::from(&before[..]));
        kind.publish(&value, before, Tick(tick), 5, &mut state).unwrap();
        kind.encode(&BaselineForm::entering(Tick(tick)), Baselines::Entering, &state, &mut writer);
        let at = |age: u32| tick.checked_sub(age).map(|tick| (Tick(tick), &history[tick as usize][..]));
        for (age, gap) in [(1, None), (1, Some(1)), (6, Some(2)), (17, None), (40, Some(24))] {
            let Some((newer_tick, newer)) = at(age) else { continue };
            let older = gap.and_then(|gap| at(age + gap));
            let form = BaselineForm::new(Tick(tick), newer_tick, older.map(|older| older.0)).unwrap();
            let baselines = older.map_or(Baselines::One(newer), |older| Baselines::Two(newer, older.1));
            kind.encode(&form, baselines, &state, &mut writer);
        }
        history.push(state);
    }
    xxh64(&writer.to_bytes(), 0)
}

#[test]
fn the_default_tables_are_the_known_ones() {
    let tables = EntropyTables::defaults(&schema());
    assert_eq!(tables.id(), xxh64(&tables.to_bytes(), 0));
    assert_eq!(tables.id(), TABLES_ID, "{:#018x}", tables.id());
}

#[test]
fn the_deltas_are_the_known_ones() {
    let digest = deltas_digest();
    assert_eq!(digest, DELTAS_DIGEST, "{digest:#018x}");
}
