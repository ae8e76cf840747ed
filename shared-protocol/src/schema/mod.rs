//! What is replicated: kinds of entity, their fields, how a field is quantised and how its next value is
//! predicted.
//!
//! A schema is yielded by `#[derive(Replicate)]` and is plain data: a tool that has it can decode without any
//! Rust of the game. Both ends compare its structural hash before they exchange a snapshot.

#[doc(hidden)]
pub mod derive_support;
mod error;
mod layout;
mod quantization;
mod replicate;
mod structural_hash;

pub use error::{FieldProblem, SchemaError};
pub use layout::{FieldLanes, LaneLayout};
pub(crate) use layout::{MAX_STEPS_PER_SECOND, steps_per_velocity_step};
pub use quantization::Quantization;
pub(crate) use quantization::unit_quaternion;
pub use replicate::{
    AngleValue, DefaultQuantization, FieldValue, IntegerValue, QuatValue, RangedValue, Replicate, SmoothValue,
};

use crate::limits::{MAX_FIELDS, MAX_KINDS, MAX_LANES, MAX_NAME_BYTES, MAX_SCHEMA_LANES};
use serde::{Deserialize, Serialize};

/// How far a published value may be from the truth before it is published anew, in steps, unless a field says
/// otherwise.
pub const DEFAULT_TOLERANCE: f32 = 0.75;

/// The kinds of entity of a game, in the order of their [`KindId`](crate::id::KindId). Always valid: it is
/// checked where it is built and where it is received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedSchema", into = "UncheckedSchema")]
pub struct Schema {
    kinds: Vec<KindSchema>,
}

/// One kind of entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindSchema {
    /// The name, unique in the schema.
    pub name: String,
    /// The fields in the order of their lanes.
    pub fields: Vec<FieldSchema>,
}

/// One replicated field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldSchema {
    /// The name, unique in the kind.
    pub name: String,
    /// How a value becomes lanes.
    pub quantization: Quantization,
    /// What the next value is compared with.
    pub predictor: Predictor,
    /// How far a published value may stay behind the truth, in steps: zero (each value is rounded afresh) or
    /// at least ½. It is the publisher's alone, and not part of the structural hash.
    pub tolerance: f32,
    /// The components that an entering entity is assumed to have, one per component of the value.
    pub default: Vec<f64>,
}

/// What the next value of a field is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Predictor {
    /// The value of the baseline.
    Hold,
    /// The value that two baselines extrapolate to; of rotations, the rotation. With one baseline it is
    /// [`Predictor::Hold`].
    Linear,
    /// The field is published as segments: it moves by itself with the velocity that another field holds.
    Segment {
        /// The index of the field with the velocity, in units (or radians) per second.
        velocity: u8,
    },
}

/// What deserialisation yields before it is checked.
#[derive(Serialize, Deserialize)]
struct UncheckedSchema {
    kinds: Vec<KindSchema>,
}

impl TryFrom<UncheckedSchema> for Schema {
    type Error = SchemaError;

    fn try_from(unchecked: UncheckedSchema) -> Result<Schema, SchemaError> {
        Schema::new(unchecked.kinds)
    }
}

impl From<Schema> for UncheckedSchema {
    fn from(schema: Schema) -> UncheckedSchema {
        UncheckedSchema { kinds: schema.kinds }
    }
}

impl Schema {
    /// A schema of these kinds; their places are their ids.
    ///
    /// # Errors
    /// [`SchemaError`] names the first kind and field that break a rule.
    pub fn new(kinds: Vec<KindSchema>) -> Result<Schema, SchemaError> {
        if kinds.is_empty() || kinds.len() > MAX_KINDS {
            return Err(SchemaError::KindCount(kinds.len()));
        }
        for (index, kind) in kinds.iter().enumerate() {
            if kinds[..index].iter().any(|other| other.name == kind.name) {
                return Err(SchemaError::DuplicateKind(kind.name.clone()));
            }
            kind.check()?;
        }
        let lanes = kinds.iter().map(|kind| kind.layout().lanes).sum();
        if lanes > MAX_SCHEMA_LANES {
            return Err(SchemaError::SchemaLanes(lanes));
        }
        Ok(Schema { kinds })
    }

    /// The kinds in the order of their ids.
    #[must_use]
    pub fn kinds(&self) -> &[KindSchema] {
        &self.kinds
    }
}

impl KindSchema {
    fn check(&self) -> Result<(), SchemaError> {
        check_name(&self.name)?;
        let kind = || self.name.clone();
        if self.fields.len() > MAX_FIELDS {
            return Err(SchemaError::FieldCount { kind: kind(), count: self.fields.len() });
        }
        for (index, field) in self.fields.iter().enumerate() {
            check_name(&field.name)?;
            let duplicate = self.fields[..index].iter().any(|other| other.name == field.name);
            let checked = if duplicate { Err(FieldProblem::Duplicate) } else { self.check_field(field) };
            checked.map_err(|problem| SchemaError::Field {
                kind: kind(),
                field: field.name.clone(),
                problem,
            })?;
        }
        let count = self.layout().lanes;
        if count > MAX_LANES {
            return Err(SchemaError::LaneCount { kind: kind(), count });
        }
        Ok(())
    }

    fn check_field(&self, field: &FieldSchema) -> Result<(), FieldProblem> {
        field.quantization.check()?;
        if !derive_support::is_tolerance(field.tolerance) {
            return Err(FieldProblem::Tolerance);
        }
        if field.quantization.lanes_of(&field.default).is_none() {
            return Err(FieldProblem::Default);
        }
        let smooth = !matches!(field.quantization, Quantization::Bool | Quantization::Enum { .. });
        match field.predictor {
            Predictor::Hold => Ok(()),
            Predictor::Linear if smooth => Ok(()),
            Predictor::Segment { velocity } => self.check_velocity(field, usize::from(velocity)),
            Predictor::Linear => Err(FieldProblem::Predictor),
        }
    }

    fn check_velocity(&self, field: &FieldSchema, velocity: usize) -> Result<(), FieldProblem> {
        let axes = match &field.quantization {
            Quantization::Ranged(axes) => axes.len(),
            Quantization::Angle(_) => 1,
            _ => return Err(FieldProblem::Predictor),
        };
        let owners = self.fields.iter().filter(|other| match other.predictor {
            Predictor::Segment { velocity: index } => usize::from(index) == velocity,
            Predictor::Hold | Predictor::Linear => false,
        });
        let other = self.fields.get(velocity).ok_or(FieldProblem::Velocity)?;
        let Quantization::Ranged(velocity_axes) = &other.quantization else {
            return Err(FieldProblem::Velocity);
        };
        let fits = velocity_axes.len() == axes
            && other.predictor == Predictor::Hold
            && owners.count() == 1
            && (0..axes).all(|axis| {
                layout::steps_per_second(&field.quantization, axis, velocity_axes)
                    .is_some_and(|rate| rate <= MAX_STEPS_PER_SECOND)
            });
        if fits { Ok(()) } else { Err(FieldProblem::Velocity) }
    }
}

fn check_name(name: &str) -> Result<(), SchemaError> {
    if !derive_support::is_name(name) {
        return Err(SchemaError::Name(name.chars().take(MAX_NAME_BYTES).collect()));
    }
    Ok(())
}

impl Predictor {
    /// The place of the field with the velocity, for a position that is published as segments.
    pub(crate) fn velocity(self) -> Option<usize> {
        match self {
            Predictor::Segment { velocity } => Some(usize::from(velocity)),
            Predictor::Hold | Predictor::Linear => None,
        }
    }
}

impl FieldSchema {
    /// A field that is held, with the usual tolerance and the default nearest to zero.
    #[must_use]
    pub fn new(name: &str, quantization: Quantization) -> FieldSchema {
        let default = quantization.nearest_to_zero();
        let tolerance = DEFAULT_TOLERANCE;
        FieldSchema { name: name.to_owned(), quantization, predictor: Predictor::Hold, tolerance, default }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_LANE, MAX_VARIANTS};
    use crate::wire::quantize::{Axis, SmallestThree, Turn};

    fn axes<const AXES: usize>(step: f64, max_lane: i32) -> Quantization {
        Quantization::Ranged(vec![Axis { min: -10.0, step, max_lane }; AXES])
    }

    fn kind(name: &str, fields: Vec<FieldSchema>) -> KindSchema {
        KindSchema { name: name.to_owned(), fields }
    }

    /// A position with its velocity, and one field of each other sort.
    fn mover() -> KindSchema {
        let variants = ["red", "blue"].map(String::from).to_vec();
        let fields = vec![
            FieldSchema {
                predictor: Predictor::Segment { velocity: 1 },
                ..FieldSchema::new("at", axes::<2>(0.5, 40))
            },
            FieldSchema::new("velocity", axes::<2>(0.125, 160)),
            FieldSchema {
                predictor: Predictor::Linear,
                ..FieldSchema::new("way", Quantization::Angle(Turn { steps: 64 }))
            },
            FieldSchema::new("pose", Quantization::Quat(SmallestThree { bits: 9 })),
            FieldSchema::new("team", Quantization::Enum { variants }),
            FieldSchema::new("hp", Quantization::Int { min: -5, max: 100 }),
            FieldSchema::new("alive", Quantization::Bool),
        ];
        kind("mover", fields)
    }

    fn schema() -> Schema {
        Schema::new(vec![mover(), kind("marker", Vec::new())]).unwrap()
    }

    /// What is wrong with the mover once it is changed.
    fn refusal(change: impl FnOnce(&mut KindSchema)) -> SchemaError {
        let mut changed = mover();
        change(&mut changed);
        Schema::new(vec![changed]).unwrap_err()
    }

    fn problem(field: &str, change: impl FnOnce(&mut KindSchema)) -> FieldProblem {
        match refusal(change) {
            SchemaError::Field { kind, field: named, problem } => {
                assert_eq!((kind.as_str(), named.as_str()), ("mover", field));
                problem
            }
            other => panic!("{other}"),
        }
    }

    fn problem_of(quantization: Quantization) -> FieldProblem {
        problem("hp", |kind| kind.fields[5].quantization = quantization)
    }

    #[test]
    fn a_sound_schema_is_accepted() {
        let schema = schema();
        assert_eq!(schema.kinds().len(), 2);
        assert_eq!(schema.kinds()[0], mover());
        let full = (0..MAX_KINDS).map(|index| kind(&index.to_string(), Vec::new())).collect();
        assert!(Schema::new(full).is_ok());
    }

    #[test]
    fn kinds_are_counted_and_named() {
        assert_eq!(Schema::new(Vec::new()), Err(SchemaError::KindCount(0)));
        let crowd = (0..=MAX_KINDS).map(|index| kind(&index.to_string(), Vec::new())).collect();
        assert_eq!(Schema::new(crowd), Err(SchemaError::KindCount(MAX_KINDS + 1)));
        let twice = Schema::new(vec![mover(), kind("marker", Vec::new()), mover()]);
        assert_eq!(twice, Err(SchemaError::DuplicateKind("mover".to_owned())));
        assert_eq!(refusal(|kind| kind.name.clear()), SchemaError::Name(String::new()));
        let long = "ä".repeat(MAX_NAME_BYTES / 2) + "x";
        assert_eq!(refusal(|kind| kind.fields[3].name = long.clone()), SchemaError::Name(long.clone()));
        assert_eq!(
            refusal(|kind| kind.name = "n".repeat(1 << 20)),
            SchemaError::Name("n".repeat(MAX_NAME_BYTES))
        );
    }

    #[test]
    fn fields_and_lanes_are_counted() {
        let flags =
            |count: usize| (0..count).map(|index| FieldSchema::new(&index.to_string(), Quantization::Bool));
        assert!(Schema::new(vec![kind("full", flags(MAX_FIELDS).collect())]).is_ok());
        let crowd = Schema::new(vec![kind("crowd", flags(MAX_FIELDS + 1).collect())]);
        assert_eq!(crowd, Err(SchemaError::FieldCount { kind: "crowd".to_owned(), count: MAX_FIELDS + 1 }));

        // With its anchor, the position has three lanes: 3 + 2 and fifteen times four are one too many.
        let quats = (0..15)
            .map(|index| FieldSchema::new(&index.to_string(), Quantization::Quat(SmallestThree { bits: 9 })));
        let mut wide = kind("wide", mover().fields[..2].iter().cloned().chain(quats).collect());
        let refused = Schema::new(vec![wide.clone()]);
        assert_eq!(refused, Err(SchemaError::LaneCount { kind: "wide".to_owned(), count: MAX_LANES + 1 }));
        wide.fields[0].predictor = Predictor::Hold;
        assert!(Schema::new(vec![wide.clone()]).is_ok());

        let crowd = |count: usize| {
            (0..count).map(|index| KindSchema { name: index.to_string(), ..wide.clone() }).collect()
        };
        assert!(Schema::new(crowd(MAX_SCHEMA_LANES / MAX_LANES)).is_ok());
        let refused = Schema::new(crowd(MAX_SCHEMA_LANES / MAX_LANES + 1));
        assert_eq!(refused, Err(SchemaError::SchemaLanes(MAX_SCHEMA_LANES + MAX_LANES)));
    }

    #[test]
    fn a_name_is_taken_once() {
        assert_eq!(problem("at", |kind| kind.fields[4].name = "at".to_owned()), FieldProblem::Duplicate);
    }

    #[test]
    fn a_range_is_sound() {
        let int = |min, max| problem_of(Quantization::Int { min, max });
        assert_eq!(int(1, 0), FieldProblem::Range);
        assert_eq!(int(0, i64::from(MAX_LANE) + 1), FieldProblem::Range);
        assert_eq!(int(i64::MIN, i64::MAX), FieldProblem::Range);
        assert_eq!(int(i64::MAX, i64::MAX), FieldProblem::Range);
        assert_eq!(int(i64::MIN, i64::MIN), FieldProblem::Range);
        assert_eq!(problem_of(axes::<1>(0.0, 5)), FieldProblem::Range);
        assert_eq!(problem_of(axes::<3>(1.0, 0)), FieldProblem::Range);
        assert_eq!(problem_of(axes::<1>(f64::NAN, 5)), FieldProblem::Range);
        assert_eq!(problem_of(axes::<0>(1.0, 5)), FieldProblem::Axes);
        assert_eq!(problem_of(axes::<4>(1.0, 5)), FieldProblem::Axes);
    }

    #[test]
    fn variants_are_counted_and_named() {
        let variants =
            |count: u32| Quantization::Enum { variants: (0..count).map(|index| index.to_string()).collect() };
        assert!(Schema::new(vec![kind("a", vec![FieldSchema::new("b", variants(MAX_VARIANTS))])]).is_ok());
        assert_eq!(problem_of(variants(0)), FieldProblem::Variants);
        assert_eq!(problem_of(variants(MAX_VARIANTS + 1)), FieldProblem::Variants);
        assert_eq!(problem_of(Quantization::Enum { variants: vec![String::new()] }), FieldProblem::Variants);
    }

    #[test]
    fn parts_and_bits_are_bounded() {
        for steps in [i32::MIN, 0, 1, MAX_LANE + 1] {
            assert_eq!(problem_of(Quantization::Angle(Turn { steps })), FieldProblem::Parts);
        }
        for bits in [0, 3, 16, 255] {
            assert_eq!(problem_of(Quantization::Quat(SmallestThree { bits })), FieldProblem::Parts);
        }
    }

    #[test]
    fn a_tolerance_is_zero_or_half_a_step() {
        for tolerance in [-1.0, 0.25, 0.499, 64.5, f32::NAN, f32::INFINITY] {
            let refused = problem("hp", |kind| kind.fields[5].tolerance = tolerance);
            assert_eq!(refused, FieldProblem::Tolerance, "{tolerance}");
        }
        for tolerance in [0.0, -0.0, 0.5, 64.0] {
            let mut sound = mover();
            sound.fields[0].tolerance = tolerance;
            assert!(Schema::new(vec![sound]).is_ok(), "{tolerance}");
        }
    }

    #[test]
    fn a_default_fits() {
        let mut defaults =
            vec![(5, vec![]), (5, vec![0.0, 0.0]), (5, vec![101.0]), (5, vec![-6.0]), (5, vec![0.5])];
        defaults.extend([(0, vec![0.0, 11.0]), (0, vec![f64::NAN, 0.0]), (2, vec![f64::INFINITY])]);
        defaults.extend([
            (3, vec![0.0; 4]),
            (3, vec![1.0; 3]),
            (3, vec![1e300; 4]),
            (4, vec![2.0]),
            (6, vec![0.5]),
        ]);
        for (index, default) in defaults {
            let name = mover().fields[index].name.clone();
            let refused = problem(&name, |kind| kind.fields[index].default = default.clone());
            assert_eq!(refused, FieldProblem::Default, "{name} {default:?}");
        }
    }

    #[test]
    fn the_usual_default_is_the_nearest_to_zero() {
        let usual = |min: f64, step| {
            FieldSchema::new("a", Quantization::Ranged(vec![Axis { min, step, max_lane: 3 }])).default
        };
        assert_eq!(usual(2.0, 1.0), [2.0]);
        assert_eq!(usual(-9.0, 1.0), [-6.0]);
        assert_eq!(usual(-0.1, 0.3), [0.0]);
        let int = |min, max| FieldSchema::new("a", Quantization::Int { min, max }).default;
        assert_eq!((int(3, 9), int(-9, -3), int(-9, 3)), (vec![3.0], vec![-3.0], vec![0.0]));
    }

    #[test]
    fn a_predictor_goes_with_its_quantisation() {
        for index in [4, 6] {
            let name = mover().fields[index].name.clone();
            let refused = problem(&name, |kind| kind.fields[index].predictor = Predictor::Linear);
            assert_eq!(refused, FieldProblem::Predictor);
        }
        for index in [3, 5] {
            let name = mover().fields[index].name.clone();
            let refused = problem(&name, |kind| {
                kind.fields[0].predictor = Predictor::Hold;
                kind.fields[index].predictor = Predictor::Segment { velocity: 1 };
            });
            assert_eq!(refused, FieldProblem::Predictor);
        }
    }

    #[test]
    fn a_velocity_is_held_and_fits_its_position() {
        let velocity = |change: fn(&mut KindSchema)| problem("at", change);
        let segment = |velocity| Predictor::Segment { velocity };
        for index in [0, 5, 7, 255] {
            let refused = problem("at", |kind| kind.fields[0].predictor = segment(index));
            assert_eq!(refused, FieldProblem::Velocity, "{index}");
        }
        assert_eq!(velocity(|kind| kind.fields[1].predictor = Predictor::Linear), FieldProblem::Velocity);
        assert_eq!(
            velocity(|kind| kind.fields[1] = FieldSchema::new("v", axes::<3>(0.5, 40))),
            FieldProblem::Velocity
        );
        let shared = |kind: &mut KindSchema| {
            kind.fields.push(FieldSchema { name: "b".to_owned(), ..kind.fields[0].clone() })
        };
        assert_eq!(velocity(shared), FieldProblem::Velocity);
        // A segment's arithmetic has room for so many steps a second and no more.
        let fastest = MAX_STEPS_PER_SECOND * 0.5;
        let speed = |max| FieldSchema::new("v", Quantization::Ranged(vec![Axis::covering(0.0, max, 0.5); 2]));
        assert_eq!(problem("at", |kind| kind.fields[1] = speed(fastest + 0.5)), FieldProblem::Velocity);
        let mut sound = mover();
        sound.fields[1] = speed(fastest);
        assert!(Schema::new(vec![sound]).is_ok());
        // An angle has a velocity of one axis.
        let mut turning = mover();
        turning.fields[2].predictor = segment(7);
        turning.fields.push(FieldSchema::new("spin", axes::<1>(0.5, 40)));
        assert!(Schema::new(vec![turning]).is_ok());
    }

    #[test]
    fn a_schema_survives_json() {
        let json = serde_json::to_string(&schema()).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema());
    }

    #[test]
    fn an_unsound_schema_is_refused_on_arrival() {
        let json = serde_json::to_string(&schema()).unwrap();
        let unsound = json.replace("\"steps\":64", "\"steps\":1");
        assert_ne!(json, unsound);
        let error = serde_json::from_str::<Schema>(&unsound).unwrap_err().to_string();
        assert!(error.starts_with("field \"way\" of kind \"mover\": its number of parts"), "{error}");
        for hostile in ["{\"kinds\":[]}", "{}", "[]", "{\"kinds\":[{\"name\":\"\",\"fields\":[]}]}"] {
            assert!(serde_json::from_str::<Schema>(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn the_structural_hash_is_that_of_the_structure() {
        let hash = |change: fn(&mut Vec<KindSchema>)| {
            let mut kinds = schema().kinds;
            change(&mut kinds);
            Schema::new(kinds).unwrap().structural_hash()
        };
        let same = hash(|_| ());
        assert_eq!(same, schema().structural_hash());
        assert_eq!(hash(|kinds| kinds[0].fields[0].tolerance = 2.0), same, "the publisher's alone");
        assert_eq!(hash(|kinds| kinds[0].fields[0].default[0] = 0.1), same, "the same lane");
        let changes: [fn(&mut Vec<KindSchema>); 22] = [
            |kinds| kinds.swap(0, 1),
            |kinds| kinds[0].name.push('s'),
            |kinds| kinds.truncate(1),
            |kinds| kinds[0].fields.truncate(6),
            |kinds| kinds[0].fields.swap(5, 6),
            |kinds| kinds[0].fields[5].name.push('s'),
            |kinds| kinds[0].fields[5].default = vec![1.0],
            |kinds| kinds[0].fields[0].default = vec![0.5, 0.0],
            |kinds| kinds[0].fields[3].default = vec![1.0, 0.0, 0.0, 0.0],
            |kinds| kinds[0].fields[0].predictor = Predictor::Hold,
            |kinds| kinds[0].fields[2].predictor = Predictor::Hold,
            |kinds| kinds[0].fields[5].predictor = Predictor::Linear,
            |kinds| kinds[0].fields[0].quantization = axes::<2>(0.5, 41),
            |kinds| kinds[0].fields[0].quantization = axes::<2>(0.25, 40),
            |kinds| {
                kinds[0].fields[0].quantization =
                    Quantization::Ranged(vec![Axis { min: -9.0, step: 0.5, max_lane: 40 }; 2])
            },
            |kinds| kinds[0].fields[2].quantization = Quantization::Angle(Turn { steps: 65 }),
            |kinds| kinds[0].fields[3].quantization = Quantization::Quat(SmallestThree { bits: 10 }),
            |kinds| {
                kinds[0].fields[4].quantization =
                    Quantization::Enum { variants: ["red", "green"].map(String::from).to_vec() }
            },
            |kinds| {
                kinds[0].fields[4].quantization =
                    Quantization::Enum { variants: ["red", "blue", "green"].map(String::from).to_vec() }
            },
            |kinds| kinds[0].fields[5].quantization = Quantization::Int { min: -6, max: 100 },
            |kinds| kinds[0].fields[5].quantization = Quantization::Int { min: -5, max: 101 },
            |kinds| kinds[0].fields[6].quantization = Quantization::Int { min: 0, max: 1 },
        ];
        let mut hashes: Vec<u64> = changes.into_iter().map(hash).chain([same]).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), changes.len() + 1);
    }
}
