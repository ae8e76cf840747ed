//! The attributes `#[replicate(…)]` of one field.

use crate::model::{PerAxis, QuantizationModel};
use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::parse::discouraged::Speculative;
use syn::{Attribute, Error, Expr, Ident, Result, parenthesized, token};

/// What the attributes of a field say. Values beside a key carry its span.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) skip: Option<Span>,
    pub(crate) quantization: Option<(Ident, QuantizationModel)>,
    pub(crate) velocity: Option<Ident>,
    pub(crate) predict: Option<(Ident, Predict)>,
    pub(crate) tolerance: Option<Expr>,
    pub(crate) default: Option<Expr>,
}

/// The value of `predict = …`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Predict {
    Hold,
    Linear,
}

const KEYS: &str =
    "`ranged`, `angle`, `quat`, `int`, `velocity`, `predict`, `tolerance`, `default` or `skip`";

impl FieldAttributes {
    /// Reads all `#[replicate(…)]` of a field; several count as one.
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<FieldAttributes> {
        let mut parsed = FieldAttributes::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("replicate")) {
            attribute.parse_nested_meta(|meta| parsed.key(&meta))?;
        }
        parsed.check()?;
        Ok(parsed)
    }

    fn key(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let key = key_of(meta)?;
        match key.to_string().as_str() {
            "skip" => set(&mut self.skip, &key, key.span()),
            "ranged" => self.quantization(key, ranged(meta)?),
            "angle" => self.quantization(key, angle(meta)?),
            "quat" => self.quantization(key, quat(meta)?),
            "int" => self.quantization(key, int(meta)?),
            "velocity" => set(&mut self.velocity, &key, meta.value()?.parse()?),
            "predict" => {
                let predict = predict(meta.value()?.parse()?)?;
                set(&mut self.predict, &key, (key.clone(), predict))
            }
            "tolerance" => set(&mut self.tolerance, &key, meta.value()?.parse()?),
            "default" => set(&mut self.default, &key, meta.value()?.parse()?),
            _ => Err(Error::new(key.span(), format!("unknown key `{key}`, expected {KEYS}"))),
        }
    }

    fn quantization(&mut self, key: Ident, quantization: QuantizationModel) -> Result<()> {
        match &self.quantization {
            Some((first, _)) if *first != key => {
                Err(Error::new(key.span(), format!("`{key}` beside `{first}`: a field has one quantisation")))
            }
            _ => set(&mut self.quantization, &key.clone(), (key, quantization)),
        }
    }

    /// What does not go together.
    fn check(&self) -> Result<()> {
        if let (Some(_), Some((key, _))) = (&self.velocity, &self.predict) {
            let problem = "`predict` beside `velocity`: a field with a velocity is predicted by it";
            return Err(Error::new(key.span(), problem));
        }
        let bare = self.quantization.is_none()
            && self.velocity.is_none()
            && self.predict.is_none()
            && self.tolerance.is_none()
            && self.default.is_none();
        match self.skip {
            Some(span) if !bare => {
                Err(Error::new(span, "`skip` goes with no other key: the field is not replicated"))
            }
            _ => Ok(()),
        }
    }
}

/// `ranged(min = …, max = …, step = …)`.
fn ranged(meta: &ParseNestedMeta<'_>) -> Result<QuantizationModel> {
    let span = key_of(meta)?.span();
    let (mut min, mut max, mut step) = (None, None, None);
    nested_keys(meta, |nested| {
        let key = key_of(&nested)?;
        let slot = match key.to_string().as_str() {
            "min" => &mut min,
            "max" => &mut max,
            "step" => &mut step,
            _ => return Err(unknown(&key, "ranged", "`min`, `max` and `step`")),
        };
        set(slot, &key, per_axis(key.clone(), nested.value()?.parse()?)?)
    })?;
    Ok(QuantizationModel::Ranged {
        span,
        min: min.ok_or_else(|| missing(span, "ranged", "min"))?,
        max: max.ok_or_else(|| missing(span, "ranged", "max"))?,
        step: step.ok_or_else(|| missing(span, "ranged", "step"))?,
    })
}

/// `angle(step = …)` or `angle(steps = …)`.
fn angle(meta: &ParseNestedMeta<'_>) -> Result<QuantizationModel> {
    let span = key_of(meta)?.span();
    let (mut step, mut steps) = (None, None);
    nested_keys(meta, |nested| {
        let key = key_of(&nested)?;
        let slot = match key.to_string().as_str() {
            "step" => &mut step,
            "steps" => &mut steps,
            _ => return Err(unknown(&key, "angle", "`step` or `steps`")),
        };
        set(slot, &key, nested.value()?.parse()?)
    })?;
    match (step, steps) {
        (Some(step), None) => Ok(QuantizationModel::AngleStep { span, step }),
        (None, Some(steps)) => Ok(QuantizationModel::AngleSteps { span, steps }),
        (None, None) => Err(missing(span, "angle", "step` or `steps")),
        (Some(_), Some(_)) => Err(Error::new(span, "`angle` takes `step` or `steps`, not both")),
    }
}

/// `quat(bits = …)`.
fn quat(meta: &ParseNestedMeta<'_>) -> Result<QuantizationModel> {
    let span = key_of(meta)?.span();
    let mut bits = None;
    nested_keys(meta, |nested| {
        let key = key_of(&nested)?;
        if key != "bits" {
            return Err(unknown(&key, "quat", "`bits`"));
        }
        set(&mut bits, &key, nested.value()?.parse()?)
    })?;
    Ok(QuantizationModel::Quat { span, bits: bits.ok_or_else(|| missing(span, "quat", "bits"))? })
}

/// `int(min = …, max = …)`, or `int` for the whole range of the type.
fn int(meta: &ParseNestedMeta<'_>) -> Result<QuantizationModel> {
    let span = key_of(meta)?.span();
    let (mut min, mut max) = (None, None);
    nested_keys(meta, |nested| {
        let key = key_of(&nested)?;
        let slot = match key.to_string().as_str() {
            "min" => &mut min,
            "max" => &mut max,
            _ => return Err(unknown(&key, "int", "`min` and `max`")),
        };
        set(slot, &key, nested.value()?.parse()?)
    })?;
    Ok(QuantizationModel::Int { span, min, max })
}

/// The keys in the parentheses after a key. Without any, or without parentheses, what is missing is the
/// caller's to say.
fn nested_keys(
    meta: &ParseNestedMeta<'_>,
    logic: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    if !meta.input.peek(token::Paren) {
        return Ok(());
    }
    let ahead = meta.input.fork();
    let content;
    parenthesized!(content in ahead);
    if content.is_empty() {
        meta.input.advance_to(&ahead);
        return Ok(());
    }
    meta.parse_nested_meta(logic)
}

fn predict(value: Ident) -> Result<Predict> {
    match value.to_string().as_str() {
        "hold" => Ok(Predict::Hold),
        "linear" => Ok(Predict::Linear),
        _ => Err(Error::new(value.span(), format!("`predict` is `hold` or `linear`, not `{value}`"))),
    }
}

fn per_axis(key: Ident, value: Expr) -> Result<PerAxis> {
    match value {
        Expr::Array(array) => Ok(PerAxis { key, values: array.elems.into_iter().collect(), is_array: true }),
        Expr::Repeat(_) => {
            let problem =
                format!("`{key}` is one number for all axes, or an array literal with one for each");
            Err(Error::new(key.span(), problem))
        }
        scalar => Ok(PerAxis { key, values: vec![scalar], is_array: false }),
    }
}

fn key_of(meta: &ParseNestedMeta<'_>) -> Result<Ident> {
    meta.path.get_ident().cloned().ok_or_else(|| meta.error(format!("expected {KEYS}")))
}

fn set<T>(slot: &mut Option<T>, key: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(key.span(), format!("`{key}` is given twice"))),
    }
}

fn missing(span: Span, quantization: &str, key: &str) -> Error {
    Error::new(span, format!("`{quantization}` needs `{key}`"))
}

fn unknown(key: &Ident, quantization: &str, expected: &str) -> Error {
    Error::new(key.span(), format!("unknown key `{key}`, `{quantization}` takes {expected}"))
}
