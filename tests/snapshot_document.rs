//! `docs/PROTOCOL.md` says of snapshots what the code does: its examples are what the code writes, the code
//! reads them, and the tables that explain them have their bits.
//!
//! An example is a block fenced as `hex example=NAME`; everything after `#` in its lines is a remark. Where
//! a table follows whose first column is called `Bits`, that column has the example's bits in reading order.
//! All are coded with the entropy tables that the document shows, so that better default tables leave it as
//! it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, EntropyTables};
use tickwire_protocol::game::{Frame, Kind, Place};
use tickwire_protocol::id::{EntityIndex, KindId};
use tickwire_protocol::schema::Schema;
use tickwire_protocol::snapshot::{Consumed, InputLead, RateMode, SnapshotDecoder, StreamProfile, View};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};
use tickwire_protocol::wire::gaps::{read_gaps, write_gaps};
use tickwire_protocol::wire::varint::{read_exp_golomb, write_exp_golomb};
use tickwire_server::assemble::{Assembler, AvatarNews, Recipient, SnapshotRequest, Transport};
use tickwire_server::history::History;
use tickwire_tests::repository;

const DOCUMENT: &str = "docs/PROTOCOL.md";

/// The stream of the examples.
const PROFILE: StreamProfile = StreamProfile { has_avatar: true, predicts: true, capacity: 16 };
const PERIOD: Micros = Micros(20_000);
const ORIGIN: Tick = Tick(100);
const AVATARS: [[u8; 8]; 3] =
    [[10, 0, 0, 0, 20, 0, 0, 0], [11, 0, 0, 0, 20, 0, 0, 0], [12, 0, 0, 0, 20, 0, 0, 0]];

const BALL: KindId = KindId(0);
const CRATE: KindId = KindId(1);

#[derive(Clone, Debug, Default, Replicate)]
struct Ball {
    #[replicate(ranged(min = 0.0, max = 100.0, step = 0.5), velocity = speed)]
    at: f32,
    #[replicate(ranged(min = -16.0, max = 16.0, step = 0.25))]
    speed: f32,
    team: Team,
    lit: bool,
}

#[derive(Clone, Copy, Debug, Default, Replicate)]
enum Team {
    #[default]
    Red,
    Blue,
}

#[derive(Clone, Debug, Default, Replicate)]
struct Crate {
    #[replicate(ranged(min = 0.0, max = 25.5, step = 0.1), predict = linear)]
    height: f32,
}

#[test]
fn each_example_is_what_the_code_writes() {
    let document = Document::read();
    let schema = document.schema();
    let mut written = document.examples();
    let mut wrong = String::new();
    for (name, bytes) in expected(&schema, &document.tables()) {
        if written.remove(name).as_ref() != Some(&bytes) {
            wrong += &format!("\n```hex example={name}\n{}\n```\n", hex(&bytes));
        }
    }
    assert!(wrong.is_empty(), "these examples are missing or wrong; they should be\n{wrong}");
    assert!(written.is_empty(), "no examples of this test: {:?}", written.keys());
}

#[test]
fn the_code_reads_each_example() {
    let document = Document::read();
    let schema = document.schema();
    let examples = document.examples();

    let golomb = |order: u32, name: &str| {
        let mut reader = BitReader::new(&examples[name]);
        let number = read_exp_golomb(&mut reader, order).expect("the example is a number");
        reader.finish().expect("the example is one number");
        number
    };
    assert_eq!((golomb(0, "golomb-0"), golomb(2, "golomb-2")), (4, 9));

    let mut reader = BitReader::new(&examples["gaps"]);
    let mut places = Vec::new();
    read_gaps(&mut reader, 10, |place| places.push(place)).expect("the example is a list");
    reader.finish().expect("the example is one list");
    assert_eq!(places, [2, 3, 7]);

    let codec = DeltaCodec::with_tables(&schema, PERIOD, &document.tables()).expect("tables of this schema");
    let codec = Arc::new(codec);
    for (name, change) in changes() {
        let mut reader = BitReader::new(&examples[name]);
        let kind = codec.kind(change.kind).expect("the schema has two kinds");
        let mut state = vec![0; kind.lanes()];
        kind.decode(&change.form, change.baselines(), &mut reader, &mut state)
            .expect("the example is an entity");
        reader.finish().expect("the example is one entity");
        assert_eq!(state, change.state, "{name}");
    }

    let mut decoder = SnapshotDecoder::new(codec, PROFILE, ORIGIN);
    for (number, avatar) in AVATARS.iter().enumerate() {
        let name = format!("snapshot-{}", 102 + number);
        let incoming = decoder.begin(&examples[name.as_str()]).expect("the example has a header");
        let applied = incoming.apply((number > 0).then_some(avatar)).expect("the example is a snapshot");
        assert!(!applied.desync);
        let view = decoder.newest().expect("a snapshot was applied");
        assert_eq!(states(view), known()[number], "{name}");
        assert_eq!(view.avatar.as_deref(), Some(avatar.as_slice()));
        assert!(document.has_number(u64::from(view.check()), 8), "{name}: {:#010x}", view.check());
    }
}

#[test]
fn each_table_has_the_bits_of_its_example() {
    let document = Document::read();
    let examples = document.examples();
    let mut explained = 0;
    for (name, bits) in document.explained() {
        let bytes = &examples[name.as_str()];
        let mut all: String = bytes
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| char::from(b'0' + (byte >> bit & 1))))
            .collect();
        let filling = all.len().checked_sub(bits.len()).expect("the table has no more bits than the example");
        assert!(
            filling < 8 && all.split_off(bits.len()).bytes().all(|bit| bit == b'0'),
            "{name}: {filling} left"
        );
        assert_eq!(bits, all, "{name}");
        explained += 1;
    }
    assert_eq!(explained, examples.len() - 1, "all examples but the tables are explained bit by bit");
}

#[test]
fn the_numbers_in_the_text_are_those_of_the_code() {
    let document = Document::read();
    let schema = document.schema();
    let derived = Schema::new(vec![Ball::kind(), Crate::kind()]);
    assert_eq!(derived.as_ref(), Ok(&schema), "{}", serde_json::json!(derived.as_ref().ok()));
    for number in [schema.structural_hash(), document.tables().id()] {
        assert!(document.has_number(number, 16), "{number:#018x}");
    }
}

/// The examples as the code writes them.
fn expected(schema: &Schema, tables: &EntropyTables) -> Vec<(&'static str, Vec<u8>)> {
    let golomb = |value, order| {
        let mut writer = BitWriter::new();
        write_exp_golomb(&mut writer, value, order);
        writer.to_bytes()
    };
    let mut writer = BitWriter::new();
    write_gaps(&mut writer, 10, &[2, 3, 7]);
    let mut all = vec![
        ("golomb-0", golomb(4, 0)),
        ("golomb-2", golomb(9, 2)),
        ("gaps", writer.to_bytes()),
        ("tables", tables.to_bytes()),
    ];
    let codec = Arc::new(DeltaCodec::with_tables(schema, PERIOD, tables).expect("tables of this schema"));
    for (name, change) in changes() {
        let mut writer = BitWriter::new();
        let kind = codec.kind(change.kind).expect("the schema has two kinds");
        kind.encode(&change.form, change.baselines(), &change.state, &mut writer);
        all.push((name, writer.to_bytes()));
    }
    all.extend(["snapshot-102", "snapshot-103", "snapshot-104"].into_iter().zip(stream(&codec)));
    all
}

/// One entity's delta.
struct Change {
    kind: KindId,
    form: BaselineForm,
    before: Option<Vec<i32>>,
    state: Vec<i32>,
}

impl Change {
    fn baselines(&self) -> Baselines<'_> {
        self.before.as_deref().map_or(Baselines::Entering, Baselines::One)
    }
}

fn changes() -> Vec<(&'static str, Change)> {
    let next = BaselineForm::new(Tick(103), Tick(102), None).expect("in order");
    let change = |kind, form, before: &[i32], state: &[i32]| Change {
        kind,
        form,
        before: (!before.is_empty()).then(|| before.to_vec()),
        state: state.to_vec(),
    };
    let entering = BaselineForm::entering(Tick(102));
    vec![
        ("residual", change(CRATE, next, &[100], &[107])),
        ("ball-enters", change(BALL, entering, &[], &[40, 102, 72, 1, 0])),
        ("ball-changes", change(BALL, next, &[40, 102, 72, 1, 0], &[42, 103, 52, 1, 0])),
    ]
}

type Known = Vec<(u16, u8, Vec<i32>)>;

/// What the client knows after each snapshot.
fn known() -> [Known; 3] {
    let ball = (3, 0, vec![42, 103, 52, 1, 0]);
    [
        vec![(3, 0, vec![40, 102, 72, 1, 0]), (5, 1, vec![100]), (9, 0, vec![10, 0, 64, 0, 1])],
        vec![ball.clone(), (5, 1, vec![107])],
        vec![ball, (5, 1, vec![114])],
    ]
}

fn states(view: &View) -> Known {
    view.entries().iter().map(|entry| (entry.index.0, entry.kind.0, view.state(entry).to_vec())).collect()
}

/// The three snapshots of the examples.
fn stream(codec: &Arc<DeltaCodec>) -> Vec<Vec<u8>> {
    let mut history = History::new(codec.clone(), 16);
    let mut assembler = Assembler::new();
    let mut recipient = Recipient::new(PROFILE, Transport::Ordered);
    let way = [(20.0, 2.0), (21.0, -3.0), (20.94, -3.0)];
    let height = [10.0, 10.7, 11.4];
    let mut bodies = Vec::new();
    for number in 0..3 {
        let tick = Tick(102 + number as u32);
        let mut frame = Frame::new();
        let (at, speed) = way[number];
        let place = Place::everywhere();
        frame.put(Kind::new(0), EntityIndex(3), &Ball { at, speed, team: Team::Blue, lit: false }, place);
        frame.put(Kind::new(1), EntityIndex(5), &Crate { height: height[number] }, place);
        frame.put(Kind::new(0), EntityIndex(9), &Ball { at: 5.0, lit: true, ..Ball::default() }, place);
        frame.finish().expect("each index is there once");
        history.capture(tick, &frame, |error| panic!("{error}"));
        assembler.begin(&history);
        let all = [3, 5, 9].map(EntityIndex);
        let request = SnapshotRequest {
            visible: if number == 0 { &all } else { &all[..2] },
            center: [0.0; 3],
            budget_bytes: 1000,
            epoch: 1,
            rate: RateMode::EveryTick,
            lead: (number == 1).then_some(InputLead { tick: Tick(105), millis: 12 }),
        };
        let avatar = AvatarNews {
            avatar: Some(&AVATARS[number]),
            expected: (number > 0).then_some(&AVATARS[number]),
            whole: false,
            consumed: [vec![], vec![Consumed::Own], vec![Consumed::Held]][number].clone(),
        };
        let mut body = Vec::new();
        assembler.write(&history, &mut recipient, &request, avatar, &mut body);
        bodies.push(body);
    }
    bodies
}

/// The part of the document that is about snapshots.
struct Document(String);

impl Document {
    fn read() -> Document {
        let path = repository().join(DOCUMENT);
        let all =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let start = all.find("## Snapshots\n").expect("a section about snapshots");
        let end = all[start + 3..].find("\n## ").map_or(all.len(), |end| start + 3 + end);
        Document(all[start..end].to_owned())
    }

    /// The blocks whose fence has this word, with what its fence says after it, and what follows each.
    fn blocks(&self, word: &'static str) -> impl Iterator<Item = (&str, &str, &str)> {
        let fenced = self.0.split("\n```").collect::<Vec<_>>();
        let blocks = fenced.chunks(2).filter_map(|pair| match pair {
            [_, block] => block.split_once('\n'),
            _ => None,
        });
        let after = fenced.iter().skip(2).step_by(2).copied();
        let named = blocks.zip(after).filter_map(move |((fence, body), after)| {
            let rest = fence.strip_prefix(word)?;
            Some((rest.trim(), body, after))
        });
        named.collect::<Vec<_>>().into_iter()
    }

    fn schema(&self) -> Schema {
        let (_, json, _) = self.blocks("json").next().expect("the schema of the examples");
        serde_json::from_str(json).expect("a schema")
    }

    fn tables(&self) -> EntropyTables {
        EntropyTables::from_bytes(&self.schema(), &self.examples()["tables"]).expect("tables of this schema")
    }

    fn examples(&self) -> BTreeMap<&str, Vec<u8>> {
        let mut examples = BTreeMap::new();
        for (name, body, _) in self.blocks("hex example=") {
            let digits: String = body.lines().filter_map(|line| line.split('#').next()).collect();
            let digits: String = digits.split_whitespace().collect();
            let pairs = digits.as_bytes().chunks(2);
            let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
            let bytes = bytes.unwrap_or_else(|| panic!("{name} is not in hexadecimal digits"));
            assert!(examples.insert(name, bytes).is_none(), "two examples are called {name}");
        }
        examples
    }

    /// The examples that a table of bits explains, with its bits.
    fn explained(&self) -> Vec<(String, String)> {
        let mut explained = Vec::new();
        for (name, _, after) in self.blocks("hex example=") {
            let table = after.trim_start();
            if !table.starts_with("| Bits |") {
                continue;
            }
            let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
            let cells = rows.filter_map(|row| row.split('|').nth(1));
            let bits = cells.flat_map(|cell| cell.chars().filter(char::is_ascii_digit)).collect();
            explained.push((name.to_owned(), bits));
        }
        explained
    }

    fn has_number(&self, number: u64, digits: usize) -> bool {
        self.0.contains(&format!("`0x{number:0digits$x}`"))
    }
}

/// Lines of thirty-two bytes.
fn hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(32).map(line).collect::<Vec<_>>().join("\n")
}
