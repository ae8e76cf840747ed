//! What an input says, once its attributes are read and its fields refer to each other by index.

use proc_macro2::Span;
use syn::{Expr, Ident, Type};

/// A type that derives `Replicate`.
pub(crate) enum Model {
    /// A struct: a kind of entity.
    Kind(KindModel),
    /// A field-less enum: the value of a field.
    Enum(EnumModel),
}

/// A kind of entity.
pub(crate) struct KindModel {
    pub(crate) ident: Ident,
    /// The name in the schema, and where it is written.
    pub(crate) name: String,
    pub(crate) name_span: Span,
    /// The replicated fields in their order.
    pub(crate) fields: Vec<FieldModel>,
    /// The fields that are not replicated.
    pub(crate) skipped: Vec<Ident>,
}

/// One replicated field.
pub(crate) struct FieldModel {
    pub(crate) ident: Ident,
    /// The name in the schema.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) quantization: QuantizationModel,
    pub(crate) predictor: PredictorModel,
    pub(crate) tolerance: Option<Expr>,
    pub(crate) default: Option<Expr>,
}

/// How a value becomes lanes. Each span is that of the attribute's key, to which errors about it point.
pub(crate) enum QuantizationModel {
    /// What the type says.
    Default,
    /// `ranged(…)`.
    Ranged { span: Span, min: PerAxis, max: PerAxis, step: PerAxis },
    /// `angle(step = …)`.
    AngleStep { span: Span, step: Expr },
    /// `angle(steps = …)`.
    AngleSteps { span: Span, steps: Expr },
    /// `quat(bits = …)`.
    Quat { span: Span, bits: Expr },
    /// `int(…)`.
    Int { span: Span, min: Option<Expr>, max: Option<Expr> },
}

/// A number for all axes, or one per axis.
pub(crate) struct PerAxis {
    /// The key that it is the value of.
    pub(crate) key: Ident,
    pub(crate) values: Vec<Expr>,
    /// Whether it was written as an array, whose length must be the number of axes.
    pub(crate) is_array: bool,
}

/// What the next value is compared with.
#[derive(Clone, Copy)]
pub(crate) enum PredictorModel {
    Hold,
    Linear,
    /// The index of the field with the velocity, and where it is named.
    Segment {
        velocity: usize,
        span: Span,
    },
}

/// A field-less enum.
pub(crate) struct EnumModel {
    pub(crate) ident: Ident,
    /// At least one, in the order of their lanes.
    pub(crate) variants: Vec<Ident>,
}
