//! A field's quantisation: the constants that it becomes, what is asserted of them, and the expression in the
//! schema.

use crate::expand::{assertion, components};
use crate::model::{FieldModel, PerAxis, QuantizationModel};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Type};

/// Constants and assertions. An expression of an attribute is evaluated here, beside names that no game has:
/// a constant of the game may be called `MIN`.
pub(crate) fn checks(index: usize, field: &FieldModel) -> TokenStream {
    match &field.quantization {
        QuantizationModel::Default => TokenStream::new(),
        QuantizationModel::Ranged { span, min, max, step } => {
            ranged_checks(index, field, *span, [min, max, step])
        }
        QuantizationModel::AngleStep { span, step } => {
            let constant = turn_constant(index);
            let finite = quote! { ((#step) as f64).is_finite() && (#step) as f64 > 0.0 };
            let finite =
                assertion(*span, &finite, &message(field, "`step` has to be finite and more than 0"));
            let parts = quote! { #constant.is_valid() };
            let parts = assertion(*span, &parts, &message(field, "a turn has to have 2 to MAX_LANE steps"));
            let marker = requires(&field.ty, "AngleValue");
            quote! {
                #marker
                const #constant: ::tickwire_protocol::wire::quantize::Turn =
                    ::tickwire_protocol::wire::quantize::Turn::with_step((#step) as f64);
                const _: () = { #finite #parts };
            }
        }
        QuantizationModel::AngleSteps { span, steps } => {
            let constant = turn_constant(index);
            let parts = quote! { #constant.is_valid() };
            let parts = assertion(*span, &parts, &message(field, "a turn has to have 2 to MAX_LANE steps"));
            let marker = requires(&field.ty, "AngleValue");
            quote! {
                #marker
                const #constant: ::tickwire_protocol::wire::quantize::Turn =
                    ::tickwire_protocol::wire::quantize::Turn { steps: #steps };
                const _: () = { #parts };
            }
        }
        QuantizationModel::Quat { span, bits } => {
            let constant = quat_constant(index);
            let few = quote! { #constant.is_valid() };
            let few = assertion(*span, &few, &message(field, "`bits` has to be from 4 to 15"));
            let marker = requires(&field.ty, "QuatValue");
            quote! {
                #marker
                const #constant: ::tickwire_protocol::wire::quantize::SmallestThree =
                    ::tickwire_protocol::wire::quantize::SmallestThree { bits: #bits };
                const _: () = { #few };
            }
        }
        QuantizationModel::Int { span, min, max } => {
            let (min_constant, max_constant) = int_constants(index);
            let min = int_bound(&min_constant, &field.ty, min.as_ref(), "MIN");
            let max = int_bound(&max_constant, &field.ty, max.as_ref(), "MAX");
            let order = quote! { #min_constant <= #max_constant };
            let order = assertion(*span, &order, &message(field, "`min` must not be more than `max`"));
            let fits = quote! {
                ::tickwire_protocol::schema::derive_support::is_int_range(#min_constant, #max_constant)
            };
            let fits = assertion(*span, &fits, &message(field, "its range has more than MAX_LANE steps"));
            quote! { #min #max const _: () = { #order #fits }; }
        }
    }
}

/// The expression of the field's `Quantization`.
pub(crate) fn expression(index: usize, field: &FieldModel) -> TokenStream {
    let ty = &field.ty;
    match &field.quantization {
        QuantizationModel::Default => quote_spanned! { ty.span() =>
            <#ty as ::tickwire_protocol::schema::DefaultQuantization>::default_quantization()
        },
        QuantizationModel::Ranged { .. } => {
            let axes = axes_constant(index);
            quote! { ::tickwire_protocol::schema::Quantization::Ranged(#axes.to_vec()) }
        }
        QuantizationModel::AngleStep { .. } | QuantizationModel::AngleSteps { .. } => {
            let turn = turn_constant(index);
            quote! { ::tickwire_protocol::schema::Quantization::Angle(#turn) }
        }
        QuantizationModel::Quat { .. } => {
            let quat = quat_constant(index);
            quote! { ::tickwire_protocol::schema::Quantization::Quat(#quat) }
        }
        QuantizationModel::Int { .. } => {
            let (min, max) = int_constants(index);
            quote! { ::tickwire_protocol::schema::Quantization::Int { min: #min, max: #max } }
        }
    }
}

/// An error, at the type, for a type without this marker trait.
pub(crate) fn requires(ty: &Type, marker: &str) -> TokenStream {
    let marker = Ident::new(marker, Span::call_site());
    quote_spanned! { ty.span() =>
        const _: () = {
            const fn check<T: ::tickwire_protocol::schema::#marker>() {}
            check::<#ty>()
        };
    }
}

/// Whether the field is an angle.
pub(crate) fn is_angle(field: &FieldModel) -> bool {
    matches!(field.quantization, QuantizationModel::AngleStep { .. } | QuantizationModel::AngleSteps { .. })
}

/// The name of the constant with the axes of a ranged field.
pub(crate) fn axes_constant(index: usize) -> Ident {
    format_ident!("__REPLICATE_AXES_{index}")
}

/// The name of the constant with the division of the turn of an angle.
pub(crate) fn turn_constant(index: usize) -> Ident {
    format_ident!("__REPLICATE_TURN_{index}")
}

fn quat_constant(index: usize) -> Ident {
    format_ident!("__REPLICATE_QUAT_{index}")
}

fn int_constants(index: usize) -> (Ident, Ident) {
    (format_ident!("__REPLICATE_MIN_{index}"), format_ident!("__REPLICATE_MAX_{index}"))
}

fn ranged_checks(index: usize, field: &FieldModel, span: Span, values: [&PerAxis; 3]) -> TokenStream {
    let constant = axes_constant(index);
    let count = components(field);
    let lengths = values.into_iter().filter(|values| values.is_array).map(|values| {
        let given = values.values.len();
        let problem = format!("`{}` has {given} numbers, and the field another number of axes", values.key);
        assertion(values.key.span(), &quote! { #given == #count }, &message(field, &problem))
    });
    let [min, max, step] = values.map(|values| {
        let values = &values.values;
        quote! { &[#((#values) as f64),*] }
    });
    let support = quote! { ::tickwire_protocol::schema::derive_support };
    let conditions = [
        (
            quote! {
                #support::are_finite(#min)
                    && #support::are_finite(#max)
                    && #support::are_finite(#step)
            },
            "`min`, `max` and `step` have to be finite",
        ),
        (quote! { #support::are_in_order(#min, #max) }, "`min` has to be less than `max`"),
        (quote! { #support::are_positive(#step) }, "`step` has to be more than 0"),
        (quote! { #support::have_lanes(&#constant) }, "its range has more than MAX_LANE steps"),
        (
            quote! { #support::are_valid(&#constant) },
            "its `step` is too small beside `min` and `max` for an `f64`",
        ),
    ];
    let conditions =
        conditions.map(|(condition, problem)| assertion(span, &condition, &message(field, problem)));
    let marker = requires(&field.ty, "RangedValue");
    quote! {
        #marker
        const #constant: [::tickwire_protocol::wire::quantize::Axis; #count] =
            #support::axes::<{ #count }>(#min, #max, #step);
        const _: () = { #(#lengths)* #(#conditions)* };
    }
}

/// The bound, an expression of the field's type. In its braces, an error about the type is at the type, like
/// that which the other bound gives, and the compiler tells both but once.
fn int_bound(constant: &Ident, ty: &Type, bound: Option<&Expr>, default: &str) -> TokenStream {
    let default = Ident::new(default, Span::call_site());
    match bound {
        Some(bound) => quote_spanned! { ty.span() =>
            const #constant: i64 = {
                #[allow(unused_braces)]
                const __REPLICATE_BOUND: <#ty as ::tickwire_protocol::schema::IntegerValue>::Bound =
                    { #bound };
                __REPLICATE_BOUND as i64
            };
        },
        None => quote_spanned! { ty.span() =>
            const #constant: i64 = <#ty as ::tickwire_protocol::schema::IntegerValue>::#default;
        },
    }
}

fn message(field: &FieldModel, problem: &str) -> String {
    format!("field `{}`: {problem}", field.name)
}
