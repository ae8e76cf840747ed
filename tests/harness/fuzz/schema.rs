//! Schemas as a tool or a client receives them: JSON, from anybody.

use tickwire_protocol::delta::{BaselineForm, Baselines, DeltaCodec, EntropyTables};
use tickwire_protocol::id::KindId;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_protocol::wire::bits::BitWriter;

use super::delta::decoded;

/// Takes the bytes as a schema in JSON. One that is accepted survives JSON, and can be coded.
pub fn schema(data: &[u8]) {
    let Ok(schema) = serde_json::from_slice::<Schema>(data) else { return };
    let json = serde_json::to_vec(&schema).expect("a schema is plain data");
    let again: Schema = serde_json::from_slice(&json).expect("what was written can be read");
    assert_eq!(again, schema);
    assert_eq!(again.structural_hash(), schema.structural_hash());
    let tables = EntropyTables::defaults(&schema);
    assert_eq!(EntropyTables::from_bytes(&schema, &tables.to_bytes()).as_ref(), Ok(&tables));
    for period in [Micros(1), Micros(1_000_000)] {
        let codec = DeltaCodec::with_tables(&schema, period, &tables).expect("defaults fit their schema");
        for place in 0..schema.kinds().len() {
            let kind = codec.kind(KindId(place as u8)).expect("the place is inside the schema");
            let defaults = kind.defaults();
            assert_eq!(kind.check(defaults), Ok(()));
            let mut value = vec![f64::NAN; kind.components()];
            kind.value(defaults, Tick(7), &mut value);
            assert!(value.iter().all(|component| component.is_finite()));
            let mut published = vec![0; kind.lanes()];
            kind.publish(&value, None, Tick(7), 0, &mut published).expect("a value of the range");
            assert_eq!(kind.check(&published), Ok(()));
            let newer = BaselineForm::new(Tick(9), Tick(7), Some(Tick(3))).expect("in order");
            let forms = [
                (BaselineForm::entering(Tick(7)), Baselines::Entering),
                (newer, Baselines::Two(&published, defaults)),
            ];
            for (form, baselines) in forms {
                let mut writer = BitWriter::new();
                kind.encode(&form, baselines, &published, &mut writer);
                assert_eq!(decoded(kind, &form, baselines, &writer), Ok(published.clone()));
            }
        }
    }
}
