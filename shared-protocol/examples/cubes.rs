//! Measures the delta codec on a recording of 901 rigid cubes, the workload of Glenn Fiedler's "Snapshot
//! Compression".
//!
//! The recording is raw: frames of 901 records of eight little-endian `i32`, in the order index of the
//! largest quaternion component (0..3), the three others (0..511), x, y (−131072..131071), z (0..16383),
//! interacting (0 or 1). Each frame is coded as a packet against the frame `age` ticks before, with the trend
//! of the two frames before that, decoded again, and compared integer by integer.
//!
//! ```text
//! cargo run --release -p tickwire-protocol --example cubes -- [--train OTHER.bin] [--json] FILE.bin
//! ```
//!
//! With `--train` the entropy tables are fitted to the other recording. When that is the same file, each half
//! is measured with tables fitted to the other half.
//!
//! Everything is measured in five rounds. A round goes through all ages, and each time that is printed is the
//! best of the five rounds for its age: a second in which the machine is busy spoils one round of all ages,
//! not all rounds of one. Under `--json` the same figures stand per age as `build_ns`, `assemble_ns`,
//! `decode_ns` and `memcpy_ns`, in nanoseconds per changed entity, beside `bytes_per_packet`.

#![expect(clippy::disallowed_methods, reason = "the crate has no clock, and what measures it needs one")]

use glam::{Quat, Vec3};
use std::hint::black_box;
use std::time::Instant;
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, EntropyTables, KindCodec, Trainer};
use tickwire_protocol::id::KindId;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitSpan, BitWriter};
use tickwire_protocol::wire::gaps::{read_gaps, write_gaps};

/// A cube as a game declares it, on the grid of the recording. The tolerance is off: every frame is published
/// as it is.
#[derive(Replicate)]
struct Cube {
    #[replicate(quat(bits = 9), predict = linear, tolerance = 0.0)]
    rotation: Quat,
    #[replicate(
        ranged(min = [-131_072.0, -131_072.0, 0.0], max = [131_071.0, 131_071.0, 16_383.0], step = 1.0),
        predict = linear,
        tolerance = 0.0
    )]
    position: Vec3,
    interacting: bool,
}

const CUBES: usize = 901;
const LANES: usize = 8;
/// The smallest value of each integer of a record; lanes count from zero.
const LANE_MIN: [i32; LANES] = [0, 0, 0, 0, -131_072, -131_072, 0, 0];
const CUBE: KindId = KindId(0);
const AGES: [u32; 5] = [1, 2, 3, 6, 12];
/// Ticks between the two baselines: enough that rounding does not drown the trend, few enough that it is
/// still one.
const GAP: u32 = 2;
/// How often all ages are measured.
const ROUNDS: usize = 5;
/// The frame of the first packet, so that every age has both of its baselines.
const FIRST: usize = 16;

/// A frame of the recording: what a server captures at a tick.
struct Frame {
    tick: Tick,
    /// The states of all cubes.
    lanes: Vec<i32>,
    /// Who has changed since the frame before. A cube that has not changed since the older baseline is not
    /// restless; who keeps this need not compare the states of those that lie still.
    changed: CubeSet,
}

fn main() {
    if let Err(error) = run() {
        eprintln!("cubes: {error}");
        std::process::exit(2);
    }
}

fn run() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    let frames = read_frames(&options.file)?;
    let schema = Schema::new(vec![Cube::kind()]).map_err(|error| error.to_string())?;
    let runs: Vec<(&[Frame], EntropyTables)> = match &options.train {
        None => vec![(&frames, EntropyTables::defaults(&schema))],
        Some(other) if same_file(other, &options.file) => {
            let (first, second) = frames.split_at(frames.len() / 2);
            vec![(first, train(&schema, second)), (second, train(&schema, first))]
        }
        Some(other) => vec![(&frames, train(&schema, &read_frames(other)?))],
    };
    let codecs = runs
        .iter()
        .map(|(_, tables)| DeltaCodec::with_tables(&schema, Micros::period_of(60), tables))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let mut parts = Vec::new();
    for ((frames, _), codec) in runs.iter().zip(&codecs) {
        parts.push((*frames, codec.kind(CUBE).ok_or("no such kind")?));
    }
    let reports = measure(&parts)?;
    let codes = if options.train.is_some() { "trained" } else { "default" };
    if options.json {
        print_json(&reports, codes)
    } else {
        print_table(&reports, codes, &runs[0].1)
    }
    Ok(())
}

#[derive(Default)]
struct Options {
    file: String,
    train: Option<String>,
    json: bool,
}

const USAGE: &str = "usage: cubes [--train OTHER.bin] [--json] FILE.bin";

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--train" => options.train = Some(arguments.next().ok_or("--train needs a file")?),
                "--help" | "-h" => {
                    println!("{USAGE}");
                    std::process::exit(0);
                }
                flag if flag.starts_with('-') => return Err(format!("unknown option {flag}; {USAGE}")),
                _ if options.file.is_empty() => options.file = argument,
                _ => return Err(format!("one file is enough; {USAGE}")),
            }
        }
        if options.file.is_empty() { Err(USAGE.to_owned()) } else { Ok(options) }
    }
}

fn same_file(one: &str, other: &str) -> bool {
    let canonical = |path| std::fs::canonicalize(path).ok();
    canonical(one).is_some() && canonical(one) == canonical(other)
}

/// Reads a recording into frames of lanes.
fn read_frames(path: &str) -> Result<Vec<Frame>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let frame_bytes = CUBES * LANES * 4;
    if bytes.len() % frame_bytes != 0 || bytes.len() / frame_bytes < FIRST * 4 {
        let least = FIRST * 4;
        return Err(format!(
            "{path}: {} bytes are not at least {least} frames of {frame_bytes} bytes (compressed?)",
            bytes.len()
        ));
    }
    let schema = Schema::new(vec![Cube::kind()]).map_err(|error| error.to_string())?;
    let codec = DeltaCodec::new(&schema, Micros::period_of(60));
    let kind = codec.kind(CUBE).ok_or("no such kind")?;
    let mut frames: Vec<Frame> = Vec::with_capacity(bytes.len() / frame_bytes);
    for (number, frame) in bytes.chunks_exact(frame_bytes).enumerate() {
        let integers =
            frame.chunks_exact(4).map(|four| i32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let lanes: Vec<i32> =
            integers.enumerate().map(|(place, value)| value.wrapping_sub(LANE_MIN[place % LANES])).collect();
        for (cube, state) in lanes.chunks_exact(LANES).enumerate() {
            kind.check(state).map_err(|error| format!("{path}: frame {number}, cube {cube}: {error}"))?;
        }
        let tick = Tick(number as u32);
        let mut changed = CubeSet::default();
        if let Some(last) = frames.last() {
            let rows = lanes.chunks_exact(LANES).zip(last.lanes.chunks_exact(LANES));
            for (cube, _) in rows.enumerate().filter(|(_, (new, old))| new != old) {
                changed.flip(cube);
            }
        }
        frames.push(Frame { tick, lanes, changed });
    }
    Ok(frames)
}

/// Fits tables to a recording, at all ages that are measured.
fn train(schema: &Schema, frames: &[Frame]) -> EntropyTables {
    let codec = DeltaCodec::new(schema, Micros::period_of(60));
    let mut trainer = Trainer::new(&codec);
    for age in AGES {
        for tick in FIRST..frames.len() {
            let packet = Between::new(frames, tick, age, GAP).expect("ages are in range");
            for cube in packet.changed() {
                trainer
                    .observe(CUBE, &packet.form, packet.baselines(cube), row(packet.now, cube))
                    .expect("the form was built from these baselines");
            }
        }
    }
    trainer.finish()
}

/// A frame and the two before it that it is coded against.
struct Between<'a> {
    form: BaselineForm,
    now: &'a Frame,
    newer: &'a Frame,
    older: &'a Frame,
    /// The frames after the older one, up to the newer one.
    since_older: &'a [Frame],
}

fn row(frame: &Frame, cube: usize) -> &[i32] {
    &frame.lanes[cube * LANES..][..LANES]
}

/// The states of all cubes. That a frame has so many is checked once, not for each cube.
fn rows(frame: &Frame) -> &[[i32; LANES]; CUBES] {
    frame.lanes.as_chunks().0.first_chunk().expect("a frame has all cubes")
}

impl<'a> Between<'a> {
    fn new(frames: &'a [Frame], place: usize, age: u32, gap: u32) -> Option<Between<'a>> {
        let now = frames.get(place)?;
        let newer = frames.get(place.checked_sub(age as usize)?)?;
        let [older, since_older @ ..] =
            frames.get(place.checked_sub((age + gap) as usize)?..=place.checked_sub(age as usize)?)?
        else {
            return None;
        };
        let form = BaselineForm::new(now.tick, newer.tick, Some(older.tick)).ok()?;
        Some(Between { form, now, newer, older, since_older })
    }

    fn baselines(&self, cube: usize) -> Baselines<'a> {
        Baselines::Two(row(self.newer, cube), row(self.older, cube))
    }

    fn changed(&self) -> Vec<usize> {
        (0..CUBES).filter(|&cube| row(self.now, cube) != row(self.newer, cube)).collect()
    }

    /// Who is expected to be among the changed.
    fn restless(&self, kind: &KindCodec) -> CubeSet {
        let mut moving = CubeSet::default();
        self.since_older.iter().for_each(|frame| moving.add(&frame.changed));
        let (newer, older) = (rows(self.newer), rows(self.older));
        moving.filtered(|cube| kind.is_restless(&newer[cube], &older[cube]))
    }
}

/// A set of cubes, one bit for each.
#[derive(Clone, Copy, Default)]
struct CubeSet([u64; CUBES.div_ceil(64)]);

impl CubeSet {
    fn flip(&mut self, cube: usize) {
        self.0[cube / 64] ^= 1 << (cube % 64);
    }

    fn add(&mut self, other: &CubeSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// The cubes of the set that are to be kept.
    fn filtered(&self, keep: impl Fn(usize) -> bool) -> CubeSet {
        let mut set = CubeSet::default();
        for (word, (kept, all)) in set.0.iter_mut().zip(self.0).enumerate() {
            let mut bits = all;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                *kept |= u64::from(keep(word * 64 + bit as usize)) << bit;
                bits &= bits - 1;
            }
        }
        set
    }

    /// Calls `each` with the cubes that are in one of two sets only.
    fn each_difference(&self, other: &CubeSet, mut each: impl FnMut(usize)) {
        for (word, (one, other)) in self.0.iter().zip(&other.0).enumerate() {
            let mut bits = one ^ other;
            while bits != 0 {
                each(word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }
}

/// The bits of a tick's changed entities, as they are shared by all players, and who is expected to be among
/// them.
#[derive(Default)]
struct Built {
    bits: BitWriter,
    /// The bits of each changed cube, in the order of the cubes.
    spans: Vec<BitSpan>,
    changed: CubeSet,
    restless: CubeSet,
}

impl Built {
    fn build(&mut self, kind: &KindCodec, packet: &Between<'_>, changed: &[usize]) {
        self.bits.clear();
        self.spans.clear();
        self.changed = CubeSet::default();
        self.restless = packet.restless(kind);
        for &cube in changed {
            self.changed.flip(cube);
            let mark = self.bits.begin_span();
            kind.encode(&packet.form, packet.baselines(cube), row(packet.now, cube), &mut self.bits);
            self.spans.push(self.bits.end_span(mark));
        }
    }

    /// A packet: tick, ages, who did otherwise than expected (moving things go on, resting things rest), the
    /// bits.
    fn assemble(&self, form: &BaselineForm, age: u32, surprises: &mut Vec<u32>, packet: &mut BitWriter) {
        packet.clear();
        packet.write(u64::from(form.tick().0 & 0xffff), 16);
        packet.write(u64::from(age - 1), 6);
        packet.write(u64::from(GAP - 1), 6);
        surprises.clear();
        self.changed.each_difference(&self.restless, |cube| surprises.push(cube as u32));
        write_gaps(packet, CUBES as u32, surprises);
        for span in &self.spans {
            packet.append(&self.bits, *span);
        }
    }
}

/// Reads a packet into `frame`, which holds the newer baseline before.
fn decode(
    kind: &KindCodec,
    frames: &[Frame],
    place: usize,
    bytes: &[u8],
    changed: &mut Vec<usize>,
    frame: &mut [i32],
) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut reader = BitReader::new(bytes);
    let low = reader.read(16).map_err(|error| text(&error))?;
    if low != u64::from(frames[place].tick.0 & 0xffff) {
        return Err(format!("packet {place} says that it is {low}"));
    }
    let age = reader.read(6).map_err(|error| text(&error))? as u32 + 1;
    let gap = reader.read(6).map_err(|error| text(&error))? as u32 + 1;
    let packet = Between::new(frames, place, age, gap).ok_or("a packet against a frame that is not there")?;
    let mut told = packet.restless(kind);
    read_gaps(&mut reader, CUBES as u32, |cube| told.flip(cube as usize)).map_err(|error| text(&error))?;
    changed.clear();
    told.each_difference(&CubeSet::default(), |cube| changed.push(cube));
    for &cube in &*changed {
        let state = &mut frame[cube * LANES..][..LANES];
        kind.decode(&packet.form, packet.baselines(cube), &mut reader, state)
            .map_err(|error| text(&error))?;
    }
    reader.finish().map_err(|error| text(&error))
}

/// Sums over packets; times are the best of the rounds.
#[derive(Default)]
struct Report {
    packets: u64,
    bytes: u64,
    changed: u64,
    build_ns: f64,
    assemble_ns: f64,
    decode_ns: f64,
    memcpy_ns: f64,
}

impl Report {
    /// What any run improves on.
    fn unmeasured() -> Report {
        let (build_ns, assemble_ns) = (f64::MAX, f64::MAX);
        let (decode_ns, memcpy_ns) = (f64::MAX, f64::MAX);
        Report { build_ns, assemble_ns, decode_ns, memcpy_ns, ..Report::default() }
    }

    /// Takes in another run over the same packets: the best of each time counts.
    fn improve(&mut self, run: Report) {
        *self = Report {
            build_ns: run.build_ns.min(self.build_ns),
            assemble_ns: run.assemble_ns.min(self.assemble_ns),
            decode_ns: run.decode_ns.min(self.decode_ns),
            memcpy_ns: run.memcpy_ns.min(self.memcpy_ns),
            ..run
        };
    }

    /// Adds another part of the recording.
    fn add(&mut self, other: &Report) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.changed += other.changed;
        self.build_ns += other.build_ns;
        self.assemble_ns += other.assemble_ns;
        self.decode_ns += other.decode_ns;
        self.memcpy_ns += other.memcpy_ns;
    }

    fn bytes_per_packet(&self) -> f64 {
        self.bytes as f64 / self.packets as f64
    }

    fn per_changed(&self, nanoseconds: f64) -> f64 {
        nanoseconds / self.changed as f64
    }
}

/// Measures every age on all parts of a recording together, each part with its own codec.
///
/// All ages and parts are gone through in each of the rounds, and each keeps its own best: a slow second of
/// the machine then spoils one round of everything rather than all rounds of one age.
fn measure(parts: &[(&[Frame], &KindCodec)]) -> Result<Vec<(u32, Report)>, String> {
    let mut best: Vec<Vec<Report>> = Vec::new();
    best.resize_with(AGES.len(), || parts.iter().map(|_| Report::unmeasured()).collect());
    for _ in 0..ROUNDS {
        for (age, best) in AGES.into_iter().zip(&mut best) {
            for ((frames, kind), best) in parts.iter().zip(best) {
                best.improve(measure_once(kind, frames, age)?);
            }
        }
    }
    let together = |parts: Vec<Report>| {
        let mut sum = Report::default();
        parts.iter().for_each(|part| sum.add(part));
        sum
    };
    Ok(AGES.into_iter().zip(best.into_iter().map(together)).collect())
}

fn measure_once(kind: &KindCodec, frames: &[Frame], age: u32) -> Result<Report, String> {
    let mut report = Report::default();
    let mut built = Built::default();
    let mut surprises = Vec::new();
    let mut packet = BitWriter::new();
    let mut told = Vec::new();
    let mut copy = Vec::new();
    for tick in FIRST..frames.len() {
        let between = Between::new(frames, tick, age, GAP).expect("ages are in range");
        let changed = between.changed();

        let start = Instant::now();
        built.build(kind, &between, &changed);
        report.build_ns += start.elapsed().as_nanos() as f64;

        let start = Instant::now();
        built.assemble(&between.form, age, &mut surprises, &mut packet);
        report.assemble_ns += start.elapsed().as_nanos() as f64;
        let bytes = packet.to_bytes();

        let start = Instant::now();
        copy.clear();
        copy.extend_from_slice(black_box(&bytes));
        black_box(&copy);
        report.memcpy_ns += start.elapsed().as_nanos() as f64;

        let mut frame = between.newer.lanes.clone();
        let start = Instant::now();
        decode(kind, frames, tick, &bytes, &mut told, &mut frame)?;
        report.decode_ns += start.elapsed().as_nanos() as f64;

        if let Some(place) = (0..frame.len()).find(|&place| frame[place] != between.now.lanes[place]) {
            let (cube, lane) = (place / LANES, place % LANES);
            return Err(format!("frame {tick}: integer {lane} of cube {cube} came out differently"));
        }
        report.packets += 1;
        report.bytes += bytes.len() as u64;
        report.changed += changed.len() as u64;
    }
    Ok(report)
}

fn print_table(reports: &[(u32, Report)], codes: &str, tables: &EntropyTables) {
    println!("{codes} codes; tables of {} bytes, id {:016x}", tables.to_bytes().len(), tables.id());
    println!("every integer of every packet came out as it went in");
    println!();
    println!(
        "  age  bytes/packet  kbit/s at 60 Hz  changed   ns per changed entity, best of {ROUNDS} rounds"
    );
    println!("                                                build  assemble  decode  (memcpy)");
    for (age, report) in reports {
        println!(
            "{age:5}  {:12.1}  {:15.1}  {:7.1}  {:6.1}  {:8.1}  {:6.1}  {:8.2}",
            report.bytes_per_packet(),
            report.bytes_per_packet() * 8.0 * 60.0 / 1000.0,
            report.changed as f64 / report.packets as f64,
            report.per_changed(report.build_ns),
            report.per_changed(report.assemble_ns),
            report.per_changed(report.decode_ns),
            report.per_changed(report.memcpy_ns),
        );
    }
}

fn print_json(reports: &[(u32, Report)], codes: &str) {
    let ages: serde_json::Map<String, serde_json::Value> = reports
        .iter()
        .map(|(age, report)| {
            let figures = serde_json::json!({
                "bytes_per_packet": report.bytes_per_packet(),
                "build_ns": report.per_changed(report.build_ns),
                "assemble_ns": report.per_changed(report.assemble_ns),
                "decode_ns": report.per_changed(report.decode_ns),
                "memcpy_ns": report.per_changed(report.memcpy_ns),
            });
            (age.to_string(), figures)
        })
        .collect();
    println!("{}", serde_json::json!({ "ages": ages, "codes": codes }));
}
