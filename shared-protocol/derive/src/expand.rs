//! The implementation of `Replicate` for a struct.

use crate::model::{FieldModel, KindModel, PredictorModel};
use crate::quantization::{self, axes_constant, turn_constant};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

/// The implementation, in a block of its own with the constants that it checks.
pub(crate) fn expand(kind: &KindModel) -> TokenStream {
    let KindModel { ident, name, fields, .. } = kind;
    let checks = kind_checks(kind);
    let field_checks = fields.iter().enumerate().map(|(index, field)| {
        let quantization = quantization::checks(index, field);
        let predictor = predictor_checks(index, field, fields);
        let tolerance = tolerance_check(field);
        quote! { #quantization #predictor #tolerance }
    });
    let components = fields.iter().map(components);
    let schemas = fields.iter().enumerate().map(|(index, field)| field_schema(index, field));
    let write = write_components(fields);
    let from = from_components(kind);
    let wrong_length = format!("the components of `{ident}` have another number");
    quote! {
        const _: () = {
            #checks
            #(#field_checks)*

            #[automatically_derived]
            impl ::tickwire_protocol::schema::Replicate for #ident {
                const COMPONENTS: usize = 0 #(+ #components)*;

                fn kind() -> ::tickwire_protocol::schema::KindSchema {
                    ::tickwire_protocol::schema::KindSchema {
                        name: ::std::string::String::from(#name),
                        fields: ::std::vec![#(#schemas),*],
                    }
                }

                fn write_components(&self, components: &mut [f64]) {
                    ::core::assert!(
                        components.len() == <#ident as ::tickwire_protocol::schema::Replicate>::COMPONENTS,
                        #wrong_length
                    );
                    #write
                }

                fn from_components(components: &[f64]) -> Self {
                    ::core::assert!(
                        components.len() == <#ident as ::tickwire_protocol::schema::Replicate>::COMPONENTS,
                        #wrong_length
                    );
                    #from
                }
            }
        };
    }
}

/// `<Type as FieldValue>::COMPONENTS`.
pub(crate) fn components(field: &FieldModel) -> TokenStream {
    let ty = &field.ty;
    quote_spanned! { ty.span() => <#ty as ::tickwire_protocol::schema::FieldValue>::COMPONENTS }
}

/// Where all errors about a condition on constants come from.
pub(crate) fn assertion(span: Span, condition: &TokenStream, message: &str) -> TokenStream {
    quote_spanned! { span => ::core::assert!(#condition, #message); }
}

fn kind_checks(kind: &KindModel) -> TokenStream {
    let KindModel { ident, name, name_span, fields, .. } = kind;
    let is_name = assertion(
        *name_span,
        &quote! { ::tickwire_protocol::schema::derive_support::is_name(#name) },
        &format!("`{ident}`: its name is empty or longer than MAX_NAME_BYTES"),
    );
    let longest = fields.iter().max_by_key(|field| field.name.len()).map(|field| {
        let name = &field.name;
        assertion(
            field.ident.span(),
            &quote! { ::tickwire_protocol::schema::derive_support::is_name(#name) },
            &format!("field `{name}`: its name is longer than MAX_NAME_BYTES"),
        )
    });
    let count = fields.len();
    let few_fields = assertion(
        ident.span(),
        &quote! { #count <= ::tickwire_protocol::limits::MAX_FIELDS },
        &format!("`{ident}`: its {count} fields are more than MAX_FIELDS"),
    );
    let anchors =
        fields.iter().filter(|field| matches!(field.predictor, PredictorModel::Segment { .. })).count();
    let few_lanes = assertion(
        ident.span(),
        &quote! {
            ::tickwire_protocol::schema::derive_support::are_few_lanes(
                <#ident as ::tickwire_protocol::schema::Replicate>::COMPONENTS,
                #anchors
            )
        },
        &format!("`{ident}`: its fields have more lanes than MAX_LANES"),
    );
    quote! {
        const _: () = { #is_name #longest #few_fields #few_lanes };
    }
}

/// What a predictor asks of the field and of its velocity.
fn predictor_checks(index: usize, field: &FieldModel, fields: &[FieldModel]) -> TokenStream {
    let name = &field.name;
    match field.predictor {
        PredictorModel::Hold => TokenStream::new(),
        PredictorModel::Linear => quantization::requires(&field.ty, "SmoothValue"),
        PredictorModel::Segment { velocity, span } => {
            let owner = &fields[velocity];
            let (here, there) = (components(field), components(owner));
            let as_many = assertion(
                span,
                &quote! { #here == #there },
                &format!("field `{name}`: its velocity `{}` has another number of axes", owner.name),
            );
            let axes = axes_constant(velocity);
            let is_slow = if quantization::is_angle(field) {
                let turn = turn_constant(index);
                quote! { ::tickwire_protocol::schema::derive_support::is_slow_enough(#turn, &#axes) }
            } else {
                let position = axes_constant(index);
                quote! { ::tickwire_protocol::schema::derive_support::are_slow_enough(&#position, &#axes) }
            };
            let is_slow = assertion(
                span,
                &is_slow,
                &format!(
                    "field `{name}`: its velocity `{}` moves it more steps a second than a segment can",
                    owner.name
                ),
            );
            quote! { const _: () = { #as_many #is_slow }; }
        }
    }
}

fn tolerance_check(field: &FieldModel) -> TokenStream {
    let Some(tolerance) = &field.tolerance else { return TokenStream::new() };
    let fits = assertion(
        tolerance.span(),
        &quote! { ::tickwire_protocol::schema::derive_support::is_tolerance((#tolerance) as f32) },
        &format!("field `{}`: `tolerance` is 0 or from 0.5 to 64 steps", field.name),
    );
    quote! { const _: () = { #fits }; }
}

/// The expression of a field's `FieldSchema`.
fn field_schema(index: usize, field: &FieldModel) -> TokenStream {
    let FieldModel { name, ty, .. } = field;
    let quantization = quantization::expression(index, field);
    let predictor = match field.predictor {
        PredictorModel::Hold => None,
        PredictorModel::Linear => Some(quote! { predictor: ::tickwire_protocol::schema::Predictor::Linear, }),
        PredictorModel::Segment { velocity, .. } => Some(quote! {
            predictor: ::tickwire_protocol::schema::Predictor::Segment { velocity: #velocity as u8 },
        }),
    };
    let tolerance = field.tolerance.as_ref().map(|tolerance| quote! { tolerance: (#tolerance) as f32, });
    let default = field.default.as_ref().map(|default| {
        quote! {
            default: ::tickwire_protocol::schema::derive_support::components_of::<#ty>(&{ #default }),
        }
    });
    let usual = quote! { ::tickwire_protocol::schema::FieldSchema::new(#name, #quantization) };
    if predictor.is_none() && tolerance.is_none() && default.is_none() {
        usual
    } else {
        quote! { ::tickwire_protocol::schema::FieldSchema { #predictor #tolerance #default ..#usual } }
    }
}

fn write_components(fields: &[FieldModel]) -> TokenStream {
    let writes = fields.iter().map(|field| {
        let FieldModel { ident, ty, .. } = field;
        let count = components(field);
        quote_spanned! { ty.span() =>
            let (__own, components) = components.split_at_mut(#count);
            <#ty as ::tickwire_protocol::schema::FieldValue>::write_components(&self.#ident, __own);
        }
    });
    quote! {
        #(#writes)*
        let _ = components;
    }
}

fn from_components(kind: &KindModel) -> TokenStream {
    let value = |index: usize| format_ident!("value_{index}");
    let reads = kind.fields.iter().enumerate().map(|(index, field)| {
        let (ty, value) = (&field.ty, value(index));
        let count = components(field);
        quote_spanned! { ty.span() =>
            let (__own, components) = components.split_at(#count);
            let #value = <#ty as ::tickwire_protocol::schema::FieldValue>::from_components(__own);
        }
    });
    let fields: Vec<&Ident> = kind.fields.iter().map(|field| &field.ident).collect();
    let values = (0..fields.len()).map(value);
    let skipped = &kind.skipped;
    quote! {
        #(#reads)*
        let _ = components;
        Self {
            #(#fields: #values,)*
            #(#skipped: ::core::default::Default::default(),)*
        }
    }
}
