//! What the worst schema costs that is still accepted: both ends build codecs from schemas they were sent.

use tickwire_protocol::delta::{DeltaCodec, EntropyTables};
use tickwire_protocol::limits::{
    MAX_FIELDS, MAX_KINDS, MAX_LANE, MAX_LANES, MAX_SCHEMA_LANES, MAX_TABLES_BYTES, MAX_VARIANTS,
};
use tickwire_protocol::schema::{FieldSchema, KindSchema, Predictor, Quantization, Schema};
use tickwire_protocol::time::Micros;
use tickwire_protocol::wire::quantize::{Axis, SmallestThree};

/// Memory that a codec may take up with all its tables, and what building it may take on top.
const MAX_CODEC_BYTES: u64 = 96 << 20;
/// The same of tables.
const MAX_TABLES_MEMORY: u64 = 4 << 20;

fn ranged(axes: usize) -> Quantization {
    Quantization::Ranged(vec![Axis { min: -1.0, step: 1e-8, max_lane: MAX_LANE }; axes])
}

/// As many kinds of these fields as a schema has room for.
fn crowded(fields: &[FieldSchema]) -> Schema {
    let mut fields = fields.to_vec();
    fields.iter_mut().enumerate().for_each(|(index, field)| field.name = index.to_string());
    let kind = KindSchema { name: String::new(), fields };
    let count = MAX_SCHEMA_LANES / kind.layout().lanes;
    let kinds = (0..count).map(|index| KindSchema { name: index.to_string(), ..kind.clone() });
    Schema::new(kinds.take(MAX_KINDS).collect()).expect("it is at the limits, not beyond")
}

fn segments(axes: usize, count: usize) -> Vec<FieldSchema> {
    let pair = |index: usize| {
        let position = Axis { min: -1e4, step: 1e-4, max_lane: MAX_LANE };
        let mut position = FieldSchema::new("", Quantization::Ranged(vec![position; axes]));
        position.predictor = Predictor::Segment { velocity: index as u8 * 2 + 1 };
        [position, FieldSchema::new("", ranged(axes))]
    };
    (0..count).flat_map(pair).collect()
}

fn worst_schemas() -> Vec<(&'static str, Schema)> {
    let many = |quantization: Quantization, count| vec![FieldSchema::new("", quantization); count];
    let variants = (0..MAX_VARIANTS).map(|variant| variant.to_string()).collect();
    vec![
        ("scalars", crowded(&many(ranged(1), MAX_FIELDS))),
        ("pairs", crowded(&many(ranged(2), MAX_LANES / 2))),
        ("triples", crowded(&many(ranged(3), MAX_LANES / 3))),
        ("rotations", crowded(&many(Quantization::Quat(SmallestThree { bits: 15 }), MAX_LANES / 4))),
        ("enums", crowded(&many(Quantization::Enum { variants }, MAX_FIELDS))),
        ("small integers", crowded(&many(Quantization::Int { min: 0, max: 15 }, MAX_FIELDS))),
        ("booleans", crowded(&many(Quantization::Bool, 8))),
        ("segments", crowded(&segments(1, MAX_FIELDS / 2))),
        ("segments in space", crowded(&segments(3, MAX_LANES / 7))),
    ]
}

#[test]
fn the_worst_schema_is_bounded() {
    for (name, schema) in worst_schemas() {
        let mut tables = None;
        let building = allocation_counter::measure(|| tables = Some(EntropyTables::defaults(&schema)));
        let tables = tables.expect("it was built a line above");
        let mut codec = None;
        let coding = allocation_counter::measure(|| {
            codec = DeltaCodec::with_tables(&schema, Micros::period_of(30), &tables).ok();
        });
        let bytes = tables.to_bytes();
        let mut read = None;
        let reading = allocation_counter::measure(|| read = EntropyTables::from_bytes(&schema, &bytes).ok());
        assert!(codec.is_some() && read == Some(tables), "{name}");
        println!(
            "{name}: tables {} KB, their bytes {} KB, the codec {} KB",
            building.bytes_max >> 10,
            bytes.len() >> 10,
            coding.bytes_max >> 10,
        );
        assert!(building.bytes_max <= MAX_TABLES_MEMORY, "{name}: {} bytes", building.bytes_max);
        assert!(reading.bytes_max <= MAX_TABLES_MEMORY, "{name}: {} bytes", reading.bytes_max);
        assert!(coding.bytes_max <= MAX_CODEC_BYTES, "{name}: {} bytes", coding.bytes_max);
        assert!(bytes.len() <= MAX_TABLES_BYTES, "{name}: {} bytes", bytes.len());
    }
}

#[test]
fn hostile_tables_ask_for_no_more_than_good_ones() {
    for (name, schema) in worst_schemas() {
        for filling in [0x00, 0x11, 0x88, 0xff] {
            let bytes = vec![filling; MAX_TABLES_BYTES];
            let reading = allocation_counter::measure(|| {
                assert!(EntropyTables::from_bytes(&schema, &bytes).is_err());
            });
            assert!(reading.bytes_max <= MAX_TABLES_MEMORY, "{name}: {} bytes", reading.bytes_max);
        }
    }
}
