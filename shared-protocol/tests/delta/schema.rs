//! A schema that went through JSON is the same to the last bit, or the handshake would refuse it.

use proptest::prelude::*;
use tickwire_protocol::schema::{FieldSchema, KindSchema, Quantization, Schema};
use tickwire_protocol::wire::quantize::Axis;

proptest! {
    #[test]
    fn a_schema_keeps_its_hash_through_json(
        min in -1e6..1e6_f64,
        step in 1e-3..10.0_f64,
        along in 0.0..=1.0_f64,
    ) {
        let axis = Axis { min, step, max_lane: 1000 };
        let mut field = FieldSchema::new("at", Quantization::Ranged(vec![axis]));
        field.default = vec![min + along * step * 1000.0];
        let schema = Schema::new(vec![KindSchema { name: "thing".to_owned(), fields: vec![field] }]).unwrap();
        let json = serde_json::to_string(&schema).unwrap();
        let again: Schema = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&again, &schema);
        prop_assert_eq!(again.structural_hash(), schema.structural_hash());
    }
}
