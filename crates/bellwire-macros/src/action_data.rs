//! `#[derive(ActionData)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataStruct, DeriveInput, Error, Fields, Result};

use crate::framework;
use crate::serde_names::{self, Names};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(DataStruct { fields: fields @ Fields::Named(_), .. }) = &input.data else {
        let error = "the data of an action is a struct with named fields";
        return Err(Error::new_spanned(&input.ident, error));
    };
    let (name, root) = (&input.ident, framework::path());
    let rule = Names::of(&input.attrs)?.rule();
    let fields = serde_names::fields(fields, rule.as_deref())?;
    let (generics, types, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics #root::ActionData for #name #types #bounds {
            const FIELDS: &'static [&'static str] = &[#(#fields),*];
        }
    })
}
