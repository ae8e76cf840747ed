//! The structural hash: what both ends of a connection must agree on before they exchange lanes.

use super::{Predictor, Quantization, Schema};

impl Schema {
    /// A 64-bit hash of all that decoding depends on: kinds, fields, their names and order, quantisation,
    /// predictors and defaults. Tolerances and entropy tables are not part of it.
    ///
    /// It is XXH64 with seed 0 over a canonical form: each number as eight bytes little-endian (reals as
    /// their bits), each name and list with its length in front.
    #[must_use]
    pub fn structural_hash(&self) -> u64 {
        let mut canonical = Canonical::default();
        canonical.number(self.kinds().len() as u64);
        for kind in self.kinds() {
            canonical.name(&kind.name);
            canonical.number(kind.fields.len() as u64);
            for field in &kind.fields {
                canonical.name(&field.name);
                canonical.quantization(&field.quantization);
                match field.predictor {
                    Predictor::Hold => canonical.number(0),
                    Predictor::Linear => canonical.number(1),
                    Predictor::Segment { velocity } => canonical.number(2 + u64::from(velocity)),
                }
                for lane in field.quantization.lanes_of(&field.default).unwrap_or_default() {
                    canonical.number(lane as u64);
                }
            }
        }
        xxhash_rust::xxh64::xxh64(&canonical.bytes, 0)
    }
}

#[derive(Default)]
struct Canonical {
    bytes: Vec<u8>,
}

impl Canonical {
    fn number(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn name(&mut self, name: &str) {
        self.number(name.len() as u64);
        self.bytes.extend_from_slice(name.as_bytes());
    }

    fn quantization(&mut self, quantization: &Quantization) {
        match quantization {
            Quantization::Bool => self.number(0),
            Quantization::Int { min, max } => {
                self.number(1);
                self.number(*min as u64);
                self.number(*max as u64);
            }
            Quantization::Enum { variants } => {
                self.number(2);
                self.number(variants.len() as u64);
                variants.iter().for_each(|name| self.name(name));
            }
            Quantization::Ranged(axes) => {
                self.number(3);
                self.number(axes.len() as u64);
                for axis in axes {
                    self.number(axis.min.to_bits());
                    self.number(axis.step.to_bits());
                    self.number(axis.max_lane as u64);
                }
            }
            Quantization::Angle(turn) => {
                self.number(4);
                self.number(turn.steps as u64);
            }
            Quantization::Quat(small) => {
                self.number(5);
                self.number(u64::from(small.bits));
            }
        }
    }
}
