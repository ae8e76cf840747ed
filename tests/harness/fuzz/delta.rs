//! The delta of an entity and its tables, from any bytes.

use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, DeltaError, EntropyTables, KindCodec};
use tickwire_protocol::id::KindId;
use tickwire_protocol::limits::MAX_LANES;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::{BitReader, BitWriter};

use super::kinds::{CODEC, DOOR, SCHEMA};

/// Takes the bytes as what a client is told of one entity over time.
///
/// The first five bytes are its kind and a tick. Then each delta has four bytes (ticks that pass, the
/// baselines' places in the history, and how many bytes follow) and its bits.
pub fn delta(data: &[u8]) {
    let Some((&[kind, a, b, c, d], mut rest)) = data.split_first_chunk() else { return };
    let kinds = SCHEMA.kinds().len() as u8;
    let kind = CODEC.kind(KindId(kind % kinds)).expect("the place is inside the schema");
    let mut tick = Tick(u32::from_le_bytes([a, b, c, d]));
    let mut history: Vec<(Tick, Vec<i32>)> = Vec::new();
    while let Some((&[passed, newer, older, length], tail)) = rest.split_first_chunk() {
        let (bits, tail) = tail.split_at(usize::from(length).min(tail.len()));
        rest = tail;
        tick = tick.after(u32::from(passed)).unwrap_or(tick);
        let newer = history.len().checked_sub(usize::from(newer)).and_then(|place| history.get(place));
        let older = history.len().checked_sub(usize::from(older)).and_then(|place| history.get(place));
        let (form, baselines) = match (newer, older) {
            (None, _) => (Ok(BaselineForm::entering(tick)), Baselines::Entering),
            (Some(newer), None) => (BaselineForm::new(tick, newer.0, None), Baselines::One(&newer.1)),
            (Some(newer), Some(older)) => {
                let form = BaselineForm::new(tick, newer.0, Some(older.0));
                (form, Baselines::Two(&newer.1, &older.1))
            }
        };
        let Ok(form) = form else { continue };
        if let Some(state) = told(kind, &form, baselines, bits) {
            history.push((tick, state));
        }
    }
}

/// Decodes a delta, and holds what comes out to what decoding promises.
fn told(kind: &KindCodec, form: &BaselineForm, baselines: Baselines<'_>, bytes: &[u8]) -> Option<Vec<i32>> {
    let mut state = vec![UNTOUCHED; kind.lanes()];
    let mut reader = BitReader::new(bytes);
    if let Err(error) = kind.decode(form, baselines, &mut reader, &mut state) {
        assert!(state.iter().all(|lane| *lane == UNTOUCHED), "an error leaves the state as it was");
        assert_ne!(error, DeltaError::Baselines, "the baselines go with the form");
        return None;
    }
    assert_eq!(kind.check(&state), Ok(()), "what is decoded is a state");
    let mut value = vec![f64::NAN; kind.components()];
    kind.value(&state, form.tick(), &mut value);
    assert!(value.iter().all(|component| component.is_finite()));
    let mut writer = BitWriter::new();
    kind.encode(form, baselines, &state, &mut writer);
    assert_eq!(decoded(kind, form, baselines, &writer), Ok(state.clone()), "coded again");
    Some(state)
}

/// Takes the bytes as tables, and codes with them if they are: of a door alone, or of all kinds.
pub fn tables(data: &[u8]) {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let schema: &Schema = if choice % 2 == 0 { &DOOR } else { &SCHEMA };
    let Ok(tables) = EntropyTables::from_bytes(schema, bytes) else { return };
    assert_eq!(EntropyTables::from_bytes(schema, &tables.to_bytes()).as_ref(), Ok(&tables));
    let codec = DeltaCodec::with_tables(schema, Micros::period_of(30), &tables).expect("they are its own");
    for place in 0..schema.kinds().len() {
        let kind = codec.kind(KindId(place as u8)).expect("the place is inside the schema");
        // Any bits are the delta of some state, or none: the tables' own bytes will do.
        let form = BaselineForm::entering(Tick(1000));
        let Some(first) = told(kind, &form, Baselines::Entering, bytes) else { continue };
        for (age, older) in [(1, None), (6, None), (3, Some(Tick(995)))] {
            let form = BaselineForm::new(Tick(1000 + age), Tick(1000), older).expect("ages are in range");
            let baselines = match older {
                None => Baselines::One(&first),
                Some(_) => Baselines::Two(&first, kind.defaults()),
            };
            for start in 0..bytes.len().min(8) {
                told(kind, &form, baselines, &bytes[start..]);
            }
        }
    }
}

/// What the bits of a writer are the delta of.
pub(super) fn decoded(
    kind: &KindCodec,
    form: &BaselineForm,
    baselines: Baselines<'_>,
    writer: &BitWriter,
) -> Result<Vec<i32>, DeltaError> {
    let bytes = writer.to_bytes();
    let mut reader = BitReader::new(&bytes);
    let mut state = vec![UNTOUCHED; kind.lanes()];
    kind.decode(form, baselines, &mut reader, &mut state)?;
    assert_eq!(reader.position(), writer.bits(), "no bit is left over");
    Ok(state)
}

/// A lane that no field has, though an anchor could.
const UNTOUCHED: i32 = i32::MIN + MAX_LANES as i32;
