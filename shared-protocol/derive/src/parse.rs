//! From the syntax of a type to its model. Every error says which field it is about, and all are reported
//! together.

use crate::attributes::FieldAttributes;
use crate::model::{EnumModel, FieldModel, KindModel, Model, QuantizationModel};
use crate::predictor;
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DeriveInput, Error, Field, Fields, Ident, LitStr, Result};

/// The model of a type that derives `Replicate`.
pub(crate) fn parse(input: DeriveInput) -> Result<Model> {
    let ident = input.ident;
    if !input.generics.params.is_empty() {
        let problem = format!("`{ident}`: a type with generic parameters cannot be replicated");
        return Err(Error::new(input.generics.params.span(), problem));
    }
    match input.data {
        Data::Struct(data) => kind(ident, &input.attrs, data.fields).map(Model::Kind),
        Data::Enum(data) => enumeration(ident, &input.attrs, data).map(Model::Enum),
        Data::Union(_) => Err(Error::new(ident.span(), format!("`{ident}`: a union cannot be replicated"))),
    }
}

fn kind(ident: Ident, attributes: &[Attribute], fields: Fields) -> Result<KindModel> {
    if let Fields::Unnamed(_) = fields {
        let problem = format!("`{ident}`: a tuple struct cannot be replicated, its fields have no names");
        return Err(Error::new(ident.span(), problem));
    }
    let mut errors = Errors::default();
    let (name, name_span) = errors
        .take(kind_name(attributes).map_err(|error| within(&format!("`{ident}`"), &error)))
        .flatten()
        .map_or_else(|| (ident.unraw().to_string(), ident.span()), |name| (name.value(), name.span()));
    let mut replicated = Vec::new();
    let mut skipped = Vec::new();
    for field in fields {
        let name = field_name(&field);
        let parsed = FieldAttributes::parse(&field.attrs);
        let Some(attributes) = errors.take(parsed.map_err(|error| within_field(&name, &error))) else {
            continue;
        };
        let Some(ident) = field.ident else { continue };
        if attributes.skip.is_some() {
            skipped.push(ident);
        } else {
            replicated.push((ident, field.ty, attributes));
        }
    }
    // Which field is whose velocity means nothing while some fields are missing.
    errors.finish()?;

    let mut errors = Errors::default();
    let predictors = errors.take(predictor::resolve(&replicated, &skipped)).unwrap_or_default();
    errors.finish()?;
    let fields = replicated
        .into_iter()
        .zip(predictors)
        .map(|((ident, ty, attributes), predictor)| FieldModel {
            name: ident.unraw().to_string(),
            ident,
            ty,
            quantization: attributes.quantization.map_or(QuantizationModel::Default, |(_, model)| model),
            predictor,
            tolerance: attributes.tolerance,
            default: attributes.default,
        })
        .collect();
    Ok(KindModel { ident, name, name_span, fields, skipped })
}

/// The `name = "…"` of a struct, if it has one.
fn kind_name(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("replicate")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                let key = meta.path.get_ident().map(|key| format!(" `{key}`")).unwrap_or_default();
                return Err(meta.error(format!("unknown key{key}, a struct takes `name`")));
            }
            if name.replace(meta.value()?.parse()?).is_some() {
                return Err(meta.error("`name` is given twice"));
            }
            Ok(())
        })?;
    }
    Ok(name)
}

fn enumeration(ident: Ident, attributes: &[Attribute], data: DataEnum) -> Result<EnumModel> {
    let mut errors = Errors::default();
    errors.take(no_attributes(&format!("`{ident}`"), attributes));
    for variant in &data.variants {
        errors.take(no_attributes(&format!("variant `{}`", variant.ident), &variant.attrs));
        if !matches!(variant.fields, Fields::Unit) {
            let problem = format!("variant `{}`: an enum with data cannot be replicated", variant.ident);
            errors.push(Error::new(variant.ident.span(), problem));
        }
    }
    if data.variants.is_empty() {
        errors.push(Error::new(ident.span(), format!("`{ident}`: an enum without variants has no value")));
    }
    errors.finish()?;
    Ok(EnumModel { ident, variants: data.variants.into_iter().map(|variant| variant.ident).collect() })
}

fn no_attributes(what: &str, attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find(|attribute| attribute.path().is_ident("replicate")) {
        None => Ok(()),
        Some(attribute) => {
            let problem = format!("{what}: an enum takes no `replicate` attribute");
            Err(Error::new(attribute.path().span(), problem))
        }
    }
}

fn field_name(field: &Field) -> String {
    field.ident.as_ref().map_or_else(String::new, |ident| ident.unraw().to_string())
}

/// The error with the field's name in front.
pub(crate) fn within_field(name: &str, error: &Error) -> Error {
    within(&format!("field `{name}`"), error)
}

fn within(what: &str, error: &Error) -> Error {
    let spans: Vec<Span> = error.into_iter().map(|error| error.span()).collect();
    let span = spans.first().copied().unwrap_or_else(Span::call_site);
    Error::new(span, format!("{what}: {error}"))
}

/// The errors so far.
#[derive(Default)]
pub(crate) struct Errors {
    combined: Option<Error>,
}

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.combined {
            Some(combined) => combined.combine(error),
            None => self.combined = Some(error),
        }
    }

    /// The value, or nothing and one more error.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.combined.map_or(Ok(()), Err)
    }
}
