//! What can be wrong with a schema.

use crate::limits::{
    MAX_FIELDS, MAX_KINDS, MAX_LANE, MAX_LANES, MAX_NAME_BYTES, MAX_SCHEMA_LANES, MAX_VARIANTS,
};
use thiserror::Error;

/// What is wrong with a schema. Each error names the kind and the field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// There are no kinds or more than [`MAX_KINDS`].
    #[error("a schema has 1 to {MAX_KINDS} kinds, not {0}")]
    KindCount(usize),
    /// Two kinds have one name.
    #[error("two kinds are called {0:?}")]
    DuplicateKind(String),
    /// A name is empty or longer than [`MAX_NAME_BYTES`].
    #[error("a name has 1 to {MAX_NAME_BYTES} bytes, unlike {0:?}")]
    Name(String),
    /// A kind has more than [`MAX_FIELDS`] fields.
    #[error("kind {kind:?} has {count} fields, more than {MAX_FIELDS}")]
    FieldCount {
        /// The kind.
        kind: String,
        /// Its number of fields.
        count: usize,
    },
    /// A kind has more than [`MAX_LANES`] lanes.
    #[error("kind {kind:?} has {count} lanes, more than {MAX_LANES}")]
    LaneCount {
        /// The kind.
        kind: String,
        /// Its number of lanes.
        count: usize,
    },
    /// The kinds together have more than [`MAX_SCHEMA_LANES`] lanes.
    #[error("{0} lanes in all kinds together, more than {MAX_SCHEMA_LANES}")]
    SchemaLanes(usize),
    /// A field is wrong in itself or beside the others.
    #[error("field {field:?} of kind {kind:?}: {problem}")]
    Field {
        /// The kind.
        kind: String,
        /// The field.
        field: String,
        /// What is wrong.
        problem: FieldProblem,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FieldProblem {
    /// Two fields have one name.
    #[error("its name is taken")]
    Duplicate,
    /// The range of an axis or integer is empty, too fine for its lanes or not finite.
    #[error("its range is empty, not finite, or has more than {MAX_LANE} steps")]
    Range,
    /// A ranged value has no axis or more than three.
    #[error("it has no axis or more than three")]
    Axes,
    /// An enum has fewer than one or more than [`MAX_VARIANTS`] variants.
    #[error("it has no variants or more than {MAX_VARIANTS}")]
    Variants,
    /// A division of the turn or a number of quaternion bits is out of range.
    #[error("its number of parts or bits is out of range")]
    Parts,
    /// The tolerance is neither zero nor between ½ and 64 steps.
    #[error("its tolerance is neither zero nor between 0.5 and 64 steps")]
    Tolerance,
    /// The default has the wrong number of components or is outside the range.
    #[error("its default does not fit")]
    Default,
    /// Its predictor does not go with its quantisation.
    #[error("its predictor does not go with its quantisation")]
    Predictor,
    /// A segment's velocity is not a held ranged field of as many axes, belongs to another field too, or is
    /// so large that a segment would leave the range of its arithmetic.
    #[error(
        "its velocity is not a held ranged field of as many axes of its own, or moves it too far in a tick"
    )]
    Velocity,
}
