//! The implementations for a field-less enum: the value of a field, quantised as its variant's index.

use crate::expand::assertion;
use crate::model::EnumModel;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

/// The implementations, and the checks that the schema will accept them.
pub(crate) fn expand(model: &EnumModel) -> TokenStream {
    let EnumModel { ident, variants } = model;
    let names: Vec<String> = variants.iter().map(|variant| variant.unraw().to_string()).collect();
    let indices: Vec<u32> = (0..).take(variants.len()).collect();
    let components = indices.iter().map(|&index| f64::from(index));
    // The last variant stands for every index from its own up.
    let (last, others) = variants.split_last().expect("the parser refuses an enum without variants");
    let earlier = &indices[..others.len()];
    let checks = checks(model, &names);
    quote! {
        const _: () = {
            #checks

            #[automatically_derived]
            impl ::tickwire_protocol::schema::FieldValue for #ident {
                const COMPONENTS: usize = 1;

                fn write_components(&self, components: &mut [f64]) {
                    components[0] = match self {
                        #(#ident::#variants => #components,)*
                    };
                }

                // A cast from `f64` saturates, and makes zero of what is no number.
                fn from_components(components: &[f64]) -> Self {
                    match components[0] as u32 {
                        #(#earlier => #ident::#others,)*
                        _ => #ident::#last,
                    }
                }
            }

            #[automatically_derived]
            impl ::tickwire_protocol::schema::DefaultQuantization for #ident {
                fn default_quantization() -> ::tickwire_protocol::schema::Quantization {
                    let names: &[&str] = &[#(#names),*];
                    ::tickwire_protocol::schema::Quantization::Enum {
                        variants: names.iter().map(|name| ::std::string::String::from(*name)).collect(),
                    }
                }
            }
        };
    }
}

fn checks(model: &EnumModel, names: &[String]) -> TokenStream {
    let EnumModel { ident, variants } = model;
    let count = variants.len();
    let few = assertion(
        ident.span(),
        &quote! { #count <= ::tickwire_protocol::limits::MAX_VARIANTS as usize },
        &format!("`{ident}`: its {count} variants are more than MAX_VARIANTS"),
    );
    let longest = variants.iter().zip(names).max_by_key(|(_, name)| name.len()).map(|(variant, name)| {
        assertion(
            variant.span(),
            &quote! { ::tickwire_protocol::schema::derive_support::is_name(#name) },
            &format!("variant `{name}`: its name is longer than MAX_NAME_BYTES"),
        )
    });
    quote! { const _: () = { #few #longest }; }
}
