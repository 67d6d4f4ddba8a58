//! `#[derive(Action)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DataEnum, DeriveInput, Error, Fields, LitStr, Result, Variant};

use crate::framework;
use crate::serde_names::{self, Names};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(actions) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "actions are an enum: one variant each"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "actions cannot be generic"));
    }
    let (name, root) = (&input.ident, framework::path());
    let names = Names::of(&input.attrs)?;
    let specs = actions.variants.iter().map(|variant| spec(variant, &names, &root));
    let specs = specs.collect::<Result<Vec<_>>>()?;
    let form = form(actions, &names)?;
    let deserialize = deserialize(input, actions);
    Ok(quote! {
        #deserialize

        impl #root::Action for #name {
            const FORM: ::core::option::Option<&'static str> = #form;
            const SPECS: &'static [#root::ActionSpec] = &[#(#specs),*];
        }
    })
}

/// The name and the fields of one action.
fn spec(variant: &Variant, names: &Names, root: &TokenStream) -> Result<TokenStream> {
    let own = Names::of(&variant.attrs)?;
    let name = names.variant(&own, &variant.ident);
    let fields = match &variant.fields {
        Fields::Named(_) => {
            let rule = names.rule_for_fields(&own);
            let fields = serde_names::fields(&variant.fields, rule.as_deref())?;
            quote!(&[#(#fields),*])
        }
        Fields::Unnamed(data) if data.unnamed.len() == 1 => {
            let data = &data.unnamed[0].ty;
            quote!(<#data as #root::ActionData>::FIELDS)
        }
        Fields::Unnamed(_) => {
            let error = "an action has fields in braces, or one struct with `ActionData`";
            return Err(Error::new_spanned(variant, error));
        }
        Fields::Unit => {
            let error = format!(
                "give the action a body in braces, `{} {{}}`, so that `\"data\": {{}}` is accepted",
                variant.ident
            );
            return Err(Error::new_spanned(variant, error));
        }
    };
    Ok(quote!(#root::ActionSpec { name: #name, fields: #fields }))
}

/// The name of the variant with `#[action(form)]`.
fn form(actions: &DataEnum, names: &Names) -> Result<TokenStream> {
    let mut form = None;
    for variant in &actions.variants {
        for attribute in
            variant.attrs.iter().filter(|attribute| attribute.path().is_ident("action"))
        {
            attribute.parse_nested_meta(|meta| match meta.path.is_ident("form") {
                true if form.is_some() => Err(meta.error("only one action can be a bare form")),
                true => {
                    form = Some(names.variant(&Names::of(&variant.attrs)?, &variant.ident));
                    Ok(())
                }
                false => Err(meta.error("expected `form`")),
            })?;
        }
    }
    Ok(match form {
        Some(name) => quote!(::core::option::Option::Some(#name)),
        None => quote!(::core::option::Option::None),
    })
}

/// The implementation of `Deserialize`, by a copy of the enum on which serde's own derive works.
fn deserialize(input: &DeriveInput, actions: &DataEnum) -> TokenStream {
    let (name, root) = (&input.ident, framework::path());
    let serde =
        LitStr::new(&format!("{}::__private::serde", framework::path_text()), Span::call_site());
    let remote = LitStr::new(&name.to_string(), Span::call_site());
    let attributes = input.attrs.iter().filter(is_serde);
    let variants = actions.variants.iter().map(without_other_attributes);
    quote! {
        const _: () = {
            #[allow(dead_code)]
            #[derive(#root::__private::serde::Deserialize)]
            #[serde(crate = #serde, remote = #remote, tag = "action", content = "data")]
            #(#attributes)*
            enum Actions { #(#variants),* }

            impl<'de> #root::__private::serde::Deserialize<'de> for #name {
                fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
                where
                    D: #root::__private::serde::Deserializer<'de>,
                {
                    Actions::deserialize(deserializer)
                }
            }
        };
    }
}

fn is_serde(attribute: &&Attribute) -> bool {
    attribute.path().is_ident("serde")
}

fn without_other_attributes(variant: &Variant) -> Variant {
    let mut variant = variant.clone();
    variant.attrs.retain(|attribute| is_serde(&attribute));
    for field in &mut variant.fields {
        field.attrs.retain(|attribute| is_serde(&attribute));
    }
    variant
}
