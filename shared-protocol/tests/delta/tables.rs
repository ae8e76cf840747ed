//! Entropy tables: there and back, wrong ones refused, trained ones no worse on what they were trained on.

use super::random::{Drawn, any_kind, codec_of, decoded, encoded, only_kind};
use proptest::prelude::*;
use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, EntropyTables, TablesError, Trainer};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::KindId;
use tickwire_protocol::limits::MAX_TABLES_BYTES;
use tickwire_protocol::schema::{FieldSchema, KindSchema, Quantization, Schema};
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};
use tickwire_protocol::wire::codes::CodeError;
use tickwire_protocol::wire::quantize::Axis;
use tickwire_protocol::wire::varint::{VarintError, write_exp_golomb};

/// A recorded delta: its form, the newer and the older baseline, and the state.
type Delta = (BaselineForm, Vec<i32>, Option<Vec<i32>>, Vec<i32>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn trained_tables_are_no_worse_where_they_were_trained_and_code_everything(
        kind in any_kind(),
        seed: u64,
        count in 1..60_u32,
    ) {
        let period = Micros::period_of(30);
        let codec = codec_of(kind.clone(), period);
        let mut rng = SimRng::from_u64(seed);
        let recorded: Vec<Delta> = (0..count).map(|_| draw(&kind, &codec, &mut rng)).collect();
        let mut trainer = Trainer::new(&codec);
        for delta in &recorded {
            prop_assert_eq!(trainer.observe(KindId(0), &delta.0, baselines(delta), &delta.3), Ok(()));
        }
        let tables = trainer.finish();
        let bytes = tables.to_bytes();
        let read = EntropyTables::from_bytes(codec.schema(), &bytes);
        prop_assert_eq!(read.as_ref(), Ok(&tables));
        prop_assert_eq!(read.map(|tables| tables.id()), Ok(tables.id()));
        let trained = DeltaCodec::with_tables(codec.schema(), period, &tables).unwrap();
        let total = |codec: &DeltaCodec| -> usize {
            let bits = |delta: &Delta| encoded(only_kind(codec), &delta.0, baselines(delta), &delta.3).1;
            recorded.iter().map(bits).sum()
        };
        prop_assert!(total(&trained) <= total(&codec), "{} > {}", total(&trained), total(&codec));
        // What the recording does not show must have a code all the same.
        for _ in 0..50 {
            let delta = draw(&kind, &trained, &mut rng);
            let (bytes, bits) = encoded(only_kind(&trained), &delta.0, baselines(&delta), &delta.3);
            let decoded = decoded(only_kind(&trained), &delta.0, baselines(&delta), &bytes);
            prop_assert_eq!(decoded, Ok((delta.3.clone(), bits)));
        }
    }

    #[test]
    fn default_tables_survive_their_bytes(kind in any_kind()) {
        let schema = Schema::new(vec![kind]).unwrap();
        let tables = EntropyTables::defaults(&schema);
        let bytes = tables.to_bytes();
        let read = EntropyTables::from_bytes(&schema, &bytes);
        prop_assert_eq!(read.as_ref(), Ok(&tables));
        for cut in [0, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            if cut < bytes.len() {
                prop_assert!(EntropyTables::from_bytes(&schema, &bytes[..cut]).is_err(), "cut at {}", cut);
            }
        }
    }

    #[test]
    fn changed_tables_are_tables_or_an_error(seed: u64) {
        let schema = door(100);
        let bytes = EntropyTables::defaults(&schema).to_bytes();
        let mut rng = SimRng::from_u64(seed);
        for _ in 0..50 {
            let mut other = bytes.clone();
            for _ in 0..=rng.u32_up_to(3) {
                let place = rng.u32_up_to(bytes.len() as u32 - 1) as usize;
                other[place] ^= 1 << rng.u32_up_to(7);
            }
            if let Ok(tables) = EntropyTables::from_bytes(&schema, &other) {
                prop_assert_eq!(EntropyTables::from_bytes(&schema, &tables.to_bytes()), Ok(tables.clone()));
                prop_assert!(DeltaCodec::with_tables(&schema, Micros::period_of(30), &tables).is_ok());
            }
        }
    }
}

fn draw(kind: &KindSchema, codec: &DeltaCodec, rng: &mut SimRng) -> Delta {
    let codec = only_kind(codec);
    let age = 1 + rng.u32_up_to(20);
    let older = Drawn { kind, codec, tick: Tick(100), newer: None }.state(rng);
    let newer = Drawn { kind, codec, tick: Tick(103), newer: Some((Tick(100), &older)) }.state(rng);
    let tick = Tick(103 + age);
    match rng.u32_up_to(2) {
        0 => (BaselineForm::entering(Tick(100)), older.clone(), None, older),
        one => {
            let state = Drawn { kind, codec, tick, newer: Some((Tick(103), &newer)) }.state(rng);
            let second = (one == 1).then_some(Tick(100));
            (BaselineForm::new(tick, Tick(103), second).unwrap(), newer, second.map(|_| older), state)
        }
    }
}

fn baselines(delta: &Delta) -> Baselines<'_> {
    match (delta.0.newer(), &delta.2) {
        (None, _) => Baselines::Entering,
        (_, None) => Baselines::One(&delta.1),
        (_, Some(older)) => Baselines::Two(&delta.1, older),
    }
}

/// A kind of one lane.
fn door(max_lane: i32) -> Schema {
    let open = Quantization::Ranged(vec![Axis { min: 0.0, step: 0.01, max_lane }]);
    let fields = vec![FieldSchema::new("open", open)];
    Schema::new(vec![KindSchema { name: "door".to_owned(), fields }]).unwrap()
}

/// The tables of a kind with a boolean field: one model, of two symbols and 208 contexts.
fn switch() -> Schema {
    let fields = vec![FieldSchema::new("on", Quantization::Bool)];
    Schema::new(vec![KindSchema { name: "switch".to_owned(), fields }]).unwrap()
}

const SWITCH_CONTEXTS: u32 = 208;

fn switch_tables(lengths: [u64; 2], code: u64, run: u32) -> Result<EntropyTables, TablesError> {
    let mut writer = BitWriter::new();
    writer.write(0, 4);
    lengths.iter().for_each(|length| writer.write(*length, 4));
    writer.write(code, 4);
    write_exp_golomb(&mut writer, run - 1, 2);
    EntropyTables::from_bytes(&switch(), &writer.to_bytes())
}

#[test]
fn wrong_tables_are_refused() {
    assert!(switch_tables([1, 1], 0, SWITCH_CONTEXTS).is_ok());
    let refused = |lengths, code, run| switch_tables(lengths, code, run).unwrap_err();
    assert_eq!(refused([1, 2], 0, SWITCH_CONTEXTS), TablesError::Code(CodeError::Incomplete));
    let long = CodeError::WordLength { symbol: 1, bits: 15 };
    assert_eq!(refused([1, 15], 0, SWITCH_CONTEXTS), TablesError::Code(long));
    assert_eq!(refused([1, 1], 1, SWITCH_CONTEXTS), TablesError::Shape, "a code that is not there");
    assert_eq!(refused([1, 1], 0, SWITCH_CONTEXTS + 1), TablesError::Shape, "a run past the end");
    assert_eq!(refused([1, 1], 0, u32::MAX), TablesError::Shape, "the longest run");
    assert!(matches!(refused([1, 1], 0, 9), TablesError::OutOfBits(_) | TablesError::Number(_)));
    let mut writer = BitWriter::new();
    writer.write(0x0110, 16);
    writer.write(0, 64);
    let number = EntropyTables::from_bytes(&switch(), &writer.to_bytes());
    assert_eq!(number, Err(TablesError::Number(VarintError::TooLarge)));
}

#[test]
fn tables_of_another_size_are_refused() {
    let bytes = EntropyTables::defaults(&switch()).to_bytes();
    assert!(matches!(EntropyTables::from_bytes(&switch(), &[]), Err(TablesError::OutOfBits(_))));
    let more = [&bytes[..], &[0]].concat();
    assert!(matches!(EntropyTables::from_bytes(&switch(), &more), Err(TablesError::Trailing(_))));
    let long = vec![0; MAX_TABLES_BYTES + 1];
    assert_eq!(EntropyTables::from_bytes(&switch(), &long), Err(TablesError::TooLong(MAX_TABLES_BYTES + 1)));
    let longest = EntropyTables::from_bytes(&switch(), &long[1..]);
    assert!(matches!(longest, Err(TablesError::Code(_))), "the length alone is no fault");
}

#[test]
fn tables_of_another_schema_are_refused() {
    let of = |schema: &Schema| EntropyTables::defaults(schema);
    let both = Schema::new(vec![door(100).kinds()[0].clone(), switch().kinds()[0].clone()]).unwrap();
    let with = |schema: &Schema, tables: &EntropyTables| {
        DeltaCodec::with_tables(schema, Micros::period_of(30), tables).map(|_| ())
    };
    assert_eq!(with(&door(100), &of(&switch())), Err(TablesError::Shape));
    assert_eq!(with(&switch(), &of(&door(100))), Err(TablesError::Shape));
    assert_eq!(with(&both, &of(&switch())), Err(TablesError::Shape));
    assert_eq!(with(&switch(), &of(&both)), Err(TablesError::Shape));
    assert_eq!(with(&door(1000), &of(&door(100))), Err(TablesError::Shape), "other symbols");
    assert_eq!(with(&both, &of(&both)), Ok(()));
    assert!(EntropyTables::from_bytes(&switch(), &of(&door(100)).to_bytes()).is_err());
    assert!(EntropyTables::from_bytes(&door(100), &of(&switch()).to_bytes()).is_err());
    // Tables depend on the shape alone, neither on the tick period nor on names.
    assert_eq!(of(&door(100)).id(), of(&door(101)).id());
    assert_ne!(of(&door(100)).id(), of(&door(1000)).id());
}

#[test]
fn training_on_nothing_gives_the_defaults() {
    let codec = DeltaCodec::new(&door(100), Micros::period_of(30));
    assert_eq!(Trainer::new(&codec).finish(), EntropyTables::defaults(&door(100)));
}

/// A recording of one sort of movement must gain a good deal, or training does not train.
#[test]
fn training_on_a_habit_pays() {
    let codec = DeltaCodec::new(&door(1000), Micros::period_of(30));
    let mut trainer = Trainer::new(&codec);
    let states: Vec<[i32; 1]> = (0..400).map(|tick| [(tick * 7) % 1000]).collect();
    let mut total = [0; 2];
    let deltas = |tick: usize| {
        let form = BaselineForm::new(Tick(tick as u32 + 1), Tick(tick as u32), None).unwrap();
        (form, states[tick], states[tick + 1])
    };
    for tick in 0..200 {
        let (form, newer, state) = deltas(tick);
        trainer.observe(KindId(0), &form, Baselines::One(&newer), &state).unwrap();
    }
    let trained = DeltaCodec::with_tables(codec.schema(), Micros::period_of(30), &trainer.finish()).unwrap();
    for tick in 200..399 {
        let (form, newer, state) = deltas(tick);
        for (total, codec) in total.iter_mut().zip([&codec, &trained]) {
            let (bytes, bits) = encoded(only_kind(codec), &form, Baselines::One(&newer), &state);
            *total += bits;
            let mut row = [0];
            only_kind(codec)
                .decode(&form, Baselines::One(&newer), &mut BitReader::new(&bytes), &mut row)
                .unwrap();
            assert_eq!(row, state);
        }
    }
    let [default, trained] = total;
    assert!(trained * 3 < default * 2, "{trained} bits trained, {default} by default");
}
