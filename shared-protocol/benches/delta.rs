//! What an entity's delta costs in time: building its bits, copying them into a packet, reading them. A plain
//! copy of the same bytes stands beside each as the reference.
//!
//! Each measurement is of a batch of [`ENTITIES`]; the throughput is in entities.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use glam::{Quat, Vec2, Vec3};
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, KindCodec, Published};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::KindId;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitSpan, BitWriter};
use tickwire_protocol::wire::gaps::write_gaps;

/// As many as a player sees, so that all is in the caches.
const ENTITIES: usize = 32;
const KINDS: [&str; 2] = ["walker", "body"];

/// A thing that walks in the plane.
#[derive(Replicate)]
struct Walker {
    #[replicate(ranged(min = -2000.0, max = 2000.0, step = 0.13), velocity = velocity)]
    position: Vec2,
    #[replicate(ranged(min = -300.0, max = 300.0, step = 0.02))]
    velocity: Vec2,
    #[replicate(angle(step = 1e-3))]
    angle: f32,
    hp: u8,
    flags: u8,
}

/// A rigid body that tumbles.
#[derive(Replicate)]
struct Body {
    #[replicate(quat(bits = 9), predict = linear)]
    rotation: Quat,
    #[replicate(
        ranged(min = [-256.0, -256.0, 0.0], max = [256.0, 256.0, 32.0], step = 0.002),
        predict = linear
    )]
    position: Vec3,
    touched: bool,
}

fn main() {
    divan::main();
}

/// Deltas of one kind that all say something: the states of three ticks.
struct Batch {
    codec: DeltaCodec,
    form: BaselineForm,
    older: Vec<Vec<i32>>,
    newer: Vec<Vec<i32>>,
    states: Vec<Vec<i32>>,
}

impl Batch {
    fn new(name: &str) -> Batch {
        let kind = if name == "walker" { Walker::kind() } else { Body::kind() };
        let schema = Schema::new(vec![kind]).expect("the derive yields valid kinds");
        let codec = DeltaCodec::new(&schema, Micros::period_of(60));
        let form = BaselineForm::new(Tick(103), Tick(100), Some(Tick(98))).expect("in order");
        let mut batch = Batch { codec, form, older: Vec::new(), newer: Vec::new(), states: Vec::new() };
        let mut rng = SimRng::from_u64(3);
        for entity in 0..ENTITIES as u32 {
            let row = if name == "walker" { walk(&mut rng) } else { tumble(&mut rng) };
            let mut before: Option<Vec<i32>> = None;
            for (tick, value) in [98, 100, 103].into_iter().zip(&row) {
                let mut state = vec![0; batch.kind().lanes()];
                let published = batch.kind().publish(
                    value,
                    before.as_deref().map(Published::from),
                    Tick(tick),
                    entity,
                    &mut state,
                );
                published.expect("the values are in range");
                before = Some(state.clone());
                match tick {
                    98 => batch.older.push(state),
                    100 => batch.newer.push(state),
                    _ => batch.states.push(state),
                }
            }
        }
        batch
    }

    fn kind(&self) -> &KindCodec {
        self.codec.kind(KindId(0)).expect("it has one kind")
    }

    fn baselines(&self, entity: usize) -> Baselines<'_> {
        Baselines::Two(&self.newer[entity], &self.older[entity])
    }

    /// Builds the bits of all entities, each on words of its own.
    fn build(&self, writer: &mut BitWriter, spans: &mut Vec<BitSpan>) {
        writer.clear();
        spans.clear();
        for (entity, state) in self.states.iter().enumerate() {
            let mark = writer.begin_span();
            self.kind().encode(&self.form, self.baselines(entity), state, writer);
            spans.push(writer.end_span(mark));
        }
    }

    /// The bits of all entities, one behind the other.
    fn packed(&self) -> Vec<u8> {
        let mut writer = BitWriter::new();
        for (entity, state) in self.states.iter().enumerate() {
            self.kind().encode(&self.form, self.baselines(entity), state, &mut writer);
        }
        writer.to_bytes()
    }
}

/// A walker that changes its way between the last two ticks.
fn walk(rng: &mut SimRng) -> [Vec<f64>; 3] {
    let (from, angle) = (rng.unit_vec2() * 900.0, rng.angle());
    let (way, turned) = (rng.unit_vec2() * 200.0, rng.unit_vec2() * 200.0);
    [0.0, 0.033, 0.083].map(|seconds| {
        let velocity = if seconds > 0.05 { turned } else { way };
        let walker = Walker { position: from + way * seconds, velocity, angle, hp: 100, flags: 3 };
        components(&walker)
    })
}

/// A body that moves and turns on, not quite evenly.
fn tumble(rng: &mut SimRng) -> [Vec<f64>; 3] {
    let (mut position, way) = (rng.unit_vec3() * 9.0 + Vec3::Z * 10.0, rng.unit_vec3() * 0.2);
    let (mut rotation, axis) = (Quat::from_scaled_axis(rng.unit_vec3()), rng.unit_vec3() * 0.05);
    [2.0, 3.0, 0.0].map(|ticks| {
        let body = Body { rotation, position, touched: false };
        position += (way + rng.unit_vec3() * 0.01) * ticks;
        rotation = (Quat::from_scaled_axis(axis * ticks) * rotation).normalize();
        components(&body)
    })
}

fn components<T: Replicate>(value: &T) -> Vec<f64> {
    let mut components = vec![0.0; T::COMPONENTS];
    value.write_components(&mut components);
    components
}

#[divan::bench(args = KINDS)]
fn encode(bencher: Bencher<'_, '_>, kind: &str) {
    let batch = Batch::new(kind);
    let (mut writer, mut spans) = (BitWriter::new(), Vec::new());
    bencher.counter(ItemsCount::new(ENTITIES)).bench_local(|| {
        batch.build(&mut writer, &mut spans);
        black_box(writer.bits())
    });
}

#[divan::bench(args = KINDS)]
fn decode(bencher: Bencher<'_, '_>, kind: &str) {
    let batch = Batch::new(kind);
    let bytes = batch.packed();
    let mut state = vec![0; batch.kind().lanes()];
    bencher.counter(ItemsCount::new(ENTITIES)).bench_local(|| {
        let mut reader = BitReader::new(black_box(&bytes));
        for entity in 0..ENTITIES {
            let decoded = batch.kind().decode(&batch.form, batch.baselines(entity), &mut reader, &mut state);
            decoded.expect("the bits were written by this codec");
        }
        black_box(state[0])
    });
}

#[divan::bench(args = KINDS)]
fn assemble(bencher: Bencher<'_, '_>, kind: &str) {
    let batch = Batch::new(kind);
    let (mut shared, mut spans) = (BitWriter::new(), Vec::new());
    batch.build(&mut shared, &mut spans);
    let told: Vec<u32> = (0..ENTITIES as u32).collect();
    let mut packet = BitWriter::new();
    bencher.counter(ItemsCount::new(ENTITIES)).bench_local(|| {
        packet.clear();
        packet.write(7, 16);
        write_gaps(&mut packet, ENTITIES as u32, black_box(&told));
        for span in &spans {
            packet.append(&shared, *span);
        }
        black_box(packet.bits())
    });
}

/// The reference: the bytes of the same entities, copied as they are.
#[divan::bench(args = KINDS)]
fn memcpy(bencher: Bencher<'_, '_>, kind: &str) {
    let bytes = Batch::new(kind).packed();
    let mut copy = Vec::with_capacity(bytes.len());
    bencher.counter(ItemsCount::new(ENTITIES)).bench_local(|| {
        copy.clear();
        copy.extend_from_slice(black_box(&bytes));
        black_box(copy.len())
    });
}
