//! The inputs of a game as bits: each lane in as many as its largest value needs, no deltas.
//!
//! An input is small and seldom the same in every part, but whole inputs repeat: a key is held for many
//! ticks. So the one saving is a bit before each input but the first, which says that it is the one before.

use crate::limits::{MAX_INPUT_BITS, MAX_INPUTS};
use crate::schema::{KindSchema, Predictor, Quantization, Schema, SchemaError};
use crate::wire::bits::{BitReader, BitWriter, OutOfBits};
use thiserror::Error;

/// Codes the inputs of one game. Inputs pass as rows of lanes, several inputs as one row after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCodec {
    quantizations: Vec<Quantization>,
    lanes: Vec<LaneBits>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LaneBits {
    max: i32,
    bits: u32,
}

/// Why a kind cannot be an input.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InputKindError {
    /// It is no valid kind.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A field moves by itself, which nothing in an input does.
    #[error("field {0:?} of an input has a velocity")]
    Moving(String),
    /// An input takes more than [`MAX_INPUT_BITS`] bits.
    #[error("an input takes {0} bits, more than {MAX_INPUT_BITS}")]
    TooWide(u32),
}

/// Why an input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InputError {
    /// The message ends inside it.
    #[error(transparent)]
    OutOfBits(#[from] OutOfBits),
    /// A lane is above its largest value.
    #[error("lane {lane} is {value}, more than {max}")]
    Lane {
        /// The place of the lane.
        lane: usize,
        /// Its value.
        value: i32,
        /// The largest one.
        max: i32,
    },
    /// A component is not finite or out of its range.
    #[error("field {field} is not finite or out of its range")]
    Value {
        /// The place of the field.
        field: usize,
    },
}

impl InputCodec {
    /// The codec of inputs of this kind.
    ///
    /// # Errors
    /// [`InputKindError`] when the kind cannot be an input.
    pub fn new(kind: &KindSchema) -> Result<InputCodec, InputKindError> {
        Schema::new(vec![kind.clone()])?;
        if let Some(field) =
            kind.fields.iter().find(|field| matches!(field.predictor, Predictor::Segment { .. }))
        {
            return Err(InputKindError::Moving(field.name.clone()));
        }
        let quantizations: Vec<_> = kind.fields.iter().map(|field| field.quantization.clone()).collect();
        let maxima = quantizations.iter().flat_map(|one| one.max_lanes().into_iter().take(one.lanes()));
        let lanes: Vec<_> = maxima.map(|max| LaneBits { max, bits: 32 - max.leading_zeros() }).collect();
        let codec = InputCodec { quantizations, lanes };
        if codec.bits() > MAX_INPUT_BITS { Err(InputKindError::TooWide(codec.bits())) } else { Ok(codec) }
    }

    /// The lanes of one input.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The components of one input, as many as lanes.
    #[must_use]
    pub fn components(&self) -> usize {
        self.lanes.len()
    }

    /// The bits of one input.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.lanes.iter().map(|lane| lane.bits).sum()
    }

    /// Writes the lanes nearest to an input's components.
    ///
    /// # Errors
    /// [`InputError::Value`] names a field that is not finite or out of its range; `lanes` then holds nothing
    /// of use.
    ///
    /// # Panics
    /// When a slice does not have the length of one input.
    pub fn quantize(&self, components: &[f64], lanes: &mut [i32]) -> Result<(), InputError> {
        assert!(components.len() == self.lanes.len() && lanes.len() == self.lanes.len());
        let mut first = 0;
        for (field, quantization) in self.quantizations.iter().enumerate() {
            let place = first..first + quantization.lanes();
            let nearest = quantization.lanes_of(&components[place.clone()]);
            let nearest = nearest.ok_or(InputError::Value { field })?;
            lanes[place.clone()].copy_from_slice(&nearest[..place.len()]);
            first = place.end;
        }
        Ok(())
    }

    /// Writes the components of an input's lanes: what both ends step with.
    ///
    /// # Panics
    /// When a slice does not have the length of one input.
    pub fn value(&self, lanes: &[i32], components: &mut [f64]) {
        assert!(components.len() == self.lanes.len() && lanes.len() == self.lanes.len());
        let mut first = 0;
        for quantization in &self.quantizations {
            let place = first..first + quantization.lanes();
            first = place.end;
            let (row, out) = (&lanes[place.clone()], &mut components[place]);
            match quantization {
                Quantization::Bool | Quantization::Enum { .. } => out[0] = f64::from(row[0]),
                Quantization::Int { min, .. } => out[0] = (*min + i64::from(row[0])) as f64,
                Quantization::Ranged(axes) => {
                    for ((component, axis), lane) in out.iter_mut().zip(axes).zip(row) {
                        *component = axis.value(*lane);
                    }
                }
                Quantization::Angle(turn) => out[0] = turn.value(row[0]),
                Quantization::Quat(small) => {
                    out.copy_from_slice(&small.value([row[0], row[1], row[2], row[3]]));
                }
            }
        }
    }

    /// Writes `count` inputs, whose lanes stand in `rows` one after the other.
    ///
    /// # Panics
    /// When `rows` does not have the length of `count` inputs, or a lane is out of its range.
    pub fn write_run(&self, count: usize, rows: &[i32], writer: &mut BitWriter) {
        let width = self.lanes.len();
        assert!(count <= MAX_INPUTS && rows.len() == count * width, "{} lanes for {count}", rows.len());
        for place in 0..count {
            let row = &rows[place * width..(place + 1) * width];
            if place > 0 {
                let same = row == &rows[(place - 1) * width..place * width];
                writer.write_bool(same);
                if same {
                    continue;
                }
            }
            for (lane, value) in self.lanes.iter().zip(row) {
                assert!((0..=lane.max).contains(value), "{value} is above {}", lane.max);
                writer.write(*value as u64, lane.bits);
            }
        }
    }

    /// Reads `count` inputs and appends their lanes to `rows`.
    ///
    /// # Errors
    /// [`InputError`] when the bits end or a lane is out of its range; `rows` is then as it was.
    pub fn read_run(
        &self,
        count: usize,
        reader: &mut BitReader<'_>,
        rows: &mut Vec<i32>,
    ) -> Result<(), InputError> {
        let start = rows.len();
        let read = (0..count).try_for_each(|place| {
            if place > 0 && reader.read_bool()? {
                rows.extend_from_within(rows.len() - self.lanes.len()..);
                return Ok(());
            }
            self.read_row(reader, rows)
        });
        if read.is_err() {
            rows.truncate(start);
        }
        read
    }

    fn read_row(&self, reader: &mut BitReader<'_>, rows: &mut Vec<i32>) -> Result<(), InputError> {
        let mut cursor = reader.cursor();
        for (place, lane) in self.lanes.iter().enumerate() {
            let value = cursor.read(lane.bits) as i32;
            if value > lane.max {
                return Err(InputError::Lane { lane: place, value, max: lane.max });
            }
            rows.push(value);
        }
        // What is cut off by the end was read with zeros, and so within its range: only now it shows.
        let end = cursor.position();
        Ok(reader.seek(end)?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::FieldSchema;
    use crate::wire::quantize::{Axis, SmallestThree, Turn};
    use proptest::prelude::*;

    pub(in super::super) fn kind() -> KindSchema {
        let stick = Axis::covering(-1.0, 1.0, 1.0 / 127.0);
        let variants = ["none", "fire", "use"].map(String::from).to_vec();
        let fields = vec![
            FieldSchema::new("stick", Quantization::Ranged(vec![stick; 2])),
            FieldSchema::new("aim", Quantization::Angle(Turn { steps: 1000 })),
            FieldSchema::new("dash", Quantization::Bool),
            FieldSchema::new("deed", Quantization::Enum { variants }),
            FieldSchema::new("slot", Quantization::Int { min: -2, max: 7 }),
            FieldSchema::new("head", Quantization::Quat(SmallestThree { bits: 6 })),
        ];
        KindSchema { name: "input".to_owned(), fields }
    }

    fn codec() -> InputCodec {
        InputCodec::new(&kind()).unwrap()
    }

    fn any_row() -> impl Strategy<Value = Vec<i32>> {
        let lanes: Vec<_> = codec().lanes.iter().map(|lane| 0..=lane.max).collect();
        // A quarter of the rows are neutral, so that equal ones follow each other.
        prop_oneof![3 => lanes, 1 => Just(vec![0; 10])]
    }

    proptest! {
        #[test]
        fn runs_round_trip(rows in prop::collection::vec(any_row(), 0..=MAX_INPUTS), shift in 0u32..9) {
            let (codec, flat) = (codec(), rows.concat());
            let mut writer = BitWriter::new();
            writer.write(0, shift);
            codec.write_run(rows.len(), &flat, &mut writer);
            let changes = rows.windows(2).filter(|pair| pair[0] != pair[1]).count() as u32;
            let some = u32::from(!rows.is_empty());
            let bits = shift + (some + changes) * codec.bits() + rows.len() as u32 - some;
            prop_assert_eq!(writer.bits(), bits as usize);
            let bytes = writer.to_bytes();
            let mut reader = BitReader::new(&bytes);
            reader.skip(shift).unwrap();
            let mut read = vec![-1];
            prop_assert_eq!(codec.read_run(rows.len(), &mut reader, &mut read), Ok(()));
            prop_assert_eq!(&read[1..], &flat[..]);
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn a_quantised_input_is_itself(row in any_row()) {
            let codec = codec();
            let (mut value, mut again) = (vec![0.0; 10], vec![0; 10]);
            codec.value(&row, &mut value);
            prop_assert_eq!(codec.quantize(&value, &mut again), Ok(()));
            // A rotation may have two forms; what is stepped with is the same.
            prop_assert_eq!(&again[..6], &row[..6]);
            let mut stepped = vec![0.0; 10];
            codec.value(&again, &mut stepped);
            prop_assert_eq!(codec.quantize(&stepped, &mut again), Ok(()));
        }

        #[test]
        fn any_bits_are_inputs_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            count in 0..=MAX_INPUTS,
        ) {
            let codec = codec();
            let mut rows = Vec::new();
            match codec.read_run(count, &mut BitReader::new(&bytes), &mut rows) {
                Ok(()) => prop_assert_eq!(rows.len(), count * codec.lanes()),
                Err(_) => prop_assert!(rows.is_empty()),
            }
        }
    }

    #[test]
    fn lanes_take_the_bits_of_their_largest_value() {
        let bits: Vec<_> = codec().lanes.iter().map(|lane| lane.bits).collect();
        assert_eq!(bits, [8, 8, 10, 1, 2, 4, 2, 6, 6, 6]);
        let nothing = KindSchema { name: "nothing".to_owned(), fields: Vec::new() };
        assert_eq!(InputCodec::new(&nothing).unwrap().bits(), 0);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let codec = codec();
        let mut writer = BitWriter::new();
        writer.write(255, 8);
        let bytes = writer.to_bytes();
        let error = codec.read_run(1, &mut BitReader::new(&bytes), &mut Vec::new()).unwrap_err();
        assert_eq!(error, InputError::Lane { lane: 0, value: 255, max: 254 });
        let mut value = vec![0.0; 10];
        value[9] = 1.0;
        let mut lanes = [0; 10];
        assert_eq!(codec.quantize(&value, &mut lanes), Ok(()));
        for (place, field) in [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (7, 5)] {
            let mut odd = value.clone();
            odd[place] = f64::NAN;
            assert_eq!(codec.quantize(&odd, &mut lanes), Err(InputError::Value { field }));
        }
        value[0] = 1.1;
        assert_eq!(codec.quantize(&value, &mut lanes), Err(InputError::Value { field: 0 }));
    }

    #[test]
    fn kinds_that_are_no_inputs_are_named() {
        let mut moving = kind();
        let spin = Quantization::Ranged(vec![Axis::covering(-1.0, 1.0, 0.1)]);
        moving.fields.push(FieldSchema::new("spin", spin));
        moving.fields[1].predictor = Predictor::Segment { velocity: 6 };
        assert_eq!(InputCodec::new(&moving), Err(InputKindError::Moving("aim".to_owned())));
        let wide = Quantization::Ranged(vec![Axis { min: 0.0, step: 1.0, max_lane: 1 << 29 }; 3]);
        let fields = (0..6).map(|place| FieldSchema::new(&place.to_string(), wide.clone())).collect();
        let wide = KindSchema { name: "wide".to_owned(), fields };
        assert_eq!(InputCodec::new(&wide), Err(InputKindError::TooWide(540)));
        let unnamed = KindSchema { name: String::new(), fields: Vec::new() };
        assert!(matches!(InputCodec::new(&unnamed), Err(InputKindError::Schema(_))));
    }
}
