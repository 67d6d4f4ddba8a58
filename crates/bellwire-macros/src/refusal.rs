//! `#[derive(Refusal)]`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Data, DeriveInput, Error, Fields, LitInt, LitStr, Result, Token, Type, Variant};

use crate::framework;

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(errors) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "domain errors are an enum"));
    };
    let cases = errors.variants.iter().map(Case::of).collect::<Result<Vec<_>>>()?;
    let other = other(&cases)?;
    let (display, into_error) = (display(input, &cases), into_error(input, &cases));
    let from_other = other.map(|(variant, ty)| from_other(input, variant, ty));
    Ok(quote! {
        #display
        #into_error
        #from_other
    })
}

/// A variant with its meaning.
struct Case<'a> {
    variant: &'a Variant,
    meaning: Meaning,
}

enum Meaning {
    Refusal(Sentence),
    Internal,
    Other,
}

/// The arguments of a refusal.
struct Sentence {
    text: LitStr,
    field: Option<LitStr>,
    status: Option<LitInt>,
    retry_after: Option<LitInt>,
    close: Option<LitInt>,
}

impl<'a> Case<'a> {
    fn of(variant: &'a Variant) -> Result<Self> {
        let mut attributes =
            variant.attrs.iter().filter(|attribute| attribute.path().is_ident("refusal"));
        let Some(attribute) = attributes.next() else {
            let error = "say what it means: `#[refusal(\"…\")]`, `#[refusal(internal)]` or \
                         `#[refusal(other)]`";
            return Err(Error::new_spanned(variant, error));
        };
        let meaning: Meaning = attribute.parse_args()?;
        let holds_one =
            matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
        if !matches!(meaning, Meaning::Refusal(_)) && !holds_one {
            return Err(Error::new_spanned(variant, "it holds exactly one error"));
        }
        Ok(Self { variant, meaning })
    }

    /// The pattern that binds the fields, as `field_0` or by their names.
    fn pattern(&self) -> TokenStream {
        let name = &self.variant.ident;
        match &self.variant.fields {
            Fields::Unit => quote!(Self::#name),
            Fields::Named(fields) => {
                let fields = fields.named.iter().map(|field| &field.ident);
                quote!(Self::#name { #(#fields),* })
            }
            Fields::Unnamed(fields) => {
                let fields = (0..fields.unnamed.len()).map(|index| format_ident!("field_{index}"));
                quote!(Self::#name(#(#fields),*))
            }
        }
    }
}

impl Parse for Meaning {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            return input.parse().map(Self::Refusal);
        }
        let word: Ident = input.parse()?;
        match word.to_string().as_str() {
            "internal" => Ok(Self::Internal),
            "other" => Ok(Self::Other),
            _ => Err(Error::new(word.span(), "expected a sentence, `internal` or `other`")),
        }
    }
}

impl Parse for Sentence {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let text = input.parse()?;
        let mut sentence = Self { text, field: None, status: None, retry_after: None, close: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match name.to_string().as_str() {
                "field" => sentence.field = Some(input.parse()?),
                "status" => sentence.status = Some(number(input, 400..=599)?),
                "retry_after" => sentence.retry_after = Some(number(input, 1..=u16::MAX)?),
                "close" => sentence.close = Some(number(input, 1000..=4999)?),
                _ => {
                    let error = "expected `field`, `status`, `retry_after` or `close`";
                    return Err(Error::new(name.span(), error));
                }
            }
        }
        Ok(sentence)
    }
}

fn number(input: ParseStream<'_>, range: std::ops::RangeInclusive<u16>) -> Result<LitInt> {
    let literal: LitInt = input.parse()?;
    match range.contains(&literal.base10_parse()?) {
        true => Ok(literal),
        false => Err(Error::new(literal.span(), format!("expected a number in {range:?}"))),
    }
}

/// The variant that holds other errors, with their type.
fn other<'a>(cases: &'a [Case<'a>]) -> Result<Option<(&'a Ident, &'a Type)>> {
    let mut others = cases.iter().filter(|case| matches!(case.meaning, Meaning::Other));
    let Some(first) = others.next() else { return Ok(None) };
    if let Some(second) = others.next() {
        return Err(Error::new_spanned(second.variant, "only one variant holds other errors"));
    }
    let field = first.variant.fields.iter().next();
    Ok(field.map(|field| (&first.variant.ident, &field.ty)))
}

fn display(input: &DeriveInput, cases: &[Case<'_>]) -> TokenStream {
    let name = &input.ident;
    let arms = cases.iter().map(|case| {
        let pattern = case.pattern();
        let shown = match &case.meaning {
            Meaning::Refusal(Sentence { text, .. }) => {
                let text = LitStr::new(&with_names(&text.value()), text.span());
                quote!(::core::write!(f, #text))
            }
            Meaning::Internal | Meaning::Other => quote!(::core::fmt::Display::fmt(field_0, f)),
        };
        quote!(#pattern => #shown)
    });
    quote! {
        impl ::core::fmt::Display for #name {
            #[allow(unused_variables)]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self { #(#arms),* }
            }
        }
    }
}

/// A format string in which `{0}` is `{field_0}`.
fn with_names(text: &str) -> String {
    let mut named = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        named.push(c);
        if c == '{' && chars.peek().is_some_and(char::is_ascii_digit) {
            named.push_str("field_");
        }
    }
    named
}

fn into_error(input: &DeriveInput, cases: &[Case<'_>]) -> TokenStream {
    let (name, root) = (&input.ident, framework::path());
    let arms = cases.iter().map(|case| {
        let variant = &case.variant.ident;
        match &case.meaning {
            Meaning::Refusal(sentence) => {
                let error = sentence.error(&root);
                quote!(#name::#variant { .. } => #error)
            }
            Meaning::Internal => {
                quote!(#name::#variant(error) => #root::Error::internal(error))
            }
            Meaning::Other => quote!(#name::#variant(error) => ::core::convert::Into::into(error)),
        }
    });
    quote! {
        impl ::core::convert::From<#name> for #root::Error {
            fn from(error: #name) -> Self {
                let message = ::std::string::ToString::to_string(&error);
                match error { #(#arms),* }
            }
        }
    }
}

impl Sentence {
    /// The expression of the framework's error; `message` is the sentence.
    fn error(&self, root: &TokenStream) -> TokenStream {
        if let Some(code) = &self.close {
            return quote!(#root::Error::Close(#root::Close::new(#code, message)));
        }
        let refusal = match &self.field {
            Some(field) => quote!(#root::Refusal::field(#field, message)),
            None => quote!(#root::Refusal::general(message)),
        };
        let status =
            self.status.as_ref().map(|status| quote!(.status(#root::__private::status(#status))));
        let retry_after = self
            .retry_after
            .as_ref()
            .map(|seconds| quote!(.retry_after(::core::time::Duration::from_secs(#seconds))));
        quote!(#root::Error::Refused(#refusal #status #retry_after))
    }
}

/// The conversions from and to the type of other errors.
fn from_other(input: &DeriveInput, variant: &Ident, other: &Type) -> TokenStream {
    let (name, root) = (&input.ident, framework::path());
    // The framework's own error has its conversion already.
    let into_other = (!is_named_error(other)).then(|| {
        quote! {
            impl ::core::convert::From<#name> for #other {
                fn from(error: #name) -> Self {
                    match error {
                        #name::#variant(error) => error,
                        error => Self::from(#root::Error::from(error)),
                    }
                }
            }
        }
    });
    quote! {
        #into_other

        impl<E> ::core::convert::From<E> for #name
        where
            #other: #root::WrapError<E>,
        {
            fn from(error: E) -> Self {
                Self::#variant(<#other as #root::WrapError<E>>::wrap(error))
            }
        }
    }
}

/// Whether a type is `Error`, `bellwire::Error` or the like.
fn is_named_error(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Error")
}
