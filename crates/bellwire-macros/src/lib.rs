#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod action;
mod action_data;
mod framework;
mod refusal;
mod serde_names;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `bellwire::Action` and serde's `Deserialize` for an enum of actions.
///
/// Each variant is one action: with fields in braces (`Ring {}` without any), or with one struct for
/// which `ActionData` is derived. Its name on the wire is the one of the variant, or
/// `#[serde(rename = "…")]`. `#[action(form)]` marks the action of a bare form. serde's attributes
/// for fields apply.
#[proc_macro_derive(Action, attributes(action, serde))]
pub fn derive_action(input: TokenStream) -> TokenStream {
    expand(action::expand(&parse_macro_input!(input as DeriveInput)))
}

/// Derives `bellwire::ActionData` for a struct that is the data of an action.
///
/// It names the fields, as serde reads them; derive `Deserialize` as well.
#[proc_macro_derive(ActionData, attributes(serde))]
pub fn derive_action_data(input: TokenStream) -> TokenStream {
    expand(action_data::expand(&parse_macro_input!(input as DeriveInput)))
}

/// Derives `Display` and the conversion into `bellwire::Error` for an enum of domain errors.
///
/// Each variant has `#[refusal("…")]` with the sentence for the person, in the syntax of `format!`:
/// `{0}` and `{name}` are the fields of the variant. Further arguments:
///
/// - `field = "…"`: the field of the form or action that the sentence is about;
/// - `status = 404`: the status by HTTP; the default is 422;
/// - `retry_after = 5`: the seconds after which the same request may succeed;
/// - `close = 1008`: closes the connection with this code, and the sentence as the reason.
///
/// In place of a sentence, `#[refusal(internal)]` marks a fault that is logged, with its error as
/// the only field. `#[refusal(other)]` marks the variant that holds every other error,
/// `bellwire::Error` or an app's own: it is what `?` converts the errors of libraries into.
///
/// The type must not implement `std::error::Error`, so that it is not taken for a fault.
#[proc_macro_derive(Refusal, attributes(refusal))]
pub fn derive_refusal(input: TokenStream) -> TokenStream {
    expand(refusal::expand(&parse_macro_input!(input as DeriveInput)))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}
