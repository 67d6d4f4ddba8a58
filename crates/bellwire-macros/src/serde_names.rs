//! Names on the wire, as serde derives them from identifiers and attributes.

use syn::ext::IdentExt;
use syn::{Attribute, Field, Fields, Ident, LitStr, Result};

/// The attributes of serde that matter for names.
#[derive(Default, Clone)]
pub(crate) struct Names {
    rename: Option<String>,
    rename_all: Option<String>,
    rename_all_fields: Option<String>,
    skip: bool,
}

impl Names {
    /// Reads the attributes.
    ///
    /// # Errors
    /// If a field is flattened, since its names are not known then.
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut names = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let text = || Ok::<_, syn::Error>(meta.value()?.parse::<LitStr>()?.value());
                if meta.path.is_ident("rename") && meta.input.peek(syn::Token![=]) {
                    names.rename = Some(text()?);
                } else if meta.path.is_ident("rename_all") && meta.input.peek(syn::Token![=]) {
                    names.rename_all = Some(text()?);
                } else if meta.path.is_ident("rename_all_fields") && meta.input.peek(syn::Token![=])
                {
                    names.rename_all_fields = Some(text()?);
                } else if meta.path.is_ident("skip") || meta.path.is_ident("skip_deserializing") {
                    names.skip = true;
                } else if meta.path.is_ident("flatten") {
                    return Err(meta.error("the names of flattened fields are not known here"));
                } else {
                    skip_value(&meta)?;
                }
                Ok(())
            })?;
        }
        Ok(names)
    }

    /// The name of a variant of the enum with these attributes.
    pub(crate) fn variant(&self, own: &Self, ident: &Ident) -> String {
        let name = ident.unraw().to_string();
        own.rename.clone().unwrap_or_else(|| match &self.rename_all {
            Some(rule) => cased(&snake_case(&name), rule),
            None => name,
        })
    }

    /// The rule for the fields of a variant with the attributes `own`.
    pub(crate) fn rule_for_fields(&self, own: &Self) -> Option<String> {
        own.rename_all.clone().or_else(|| self.rename_all_fields.clone())
    }

    /// The rule for the fields of a struct with these attributes.
    pub(crate) fn rule(&self) -> Option<String> {
        self.rename_all.clone()
    }
}

/// The names of fields, of which the skipped ones have none.
///
/// # Errors
/// Those of [`Names::of`].
pub(crate) fn fields(fields: &Fields, rule: Option<&str>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for Field { attrs, ident, .. } in fields {
        let own = Names::of(attrs)?;
        let name = ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        if !own.skip {
            names.push(own.rename.unwrap_or_else(|| match rule {
                Some(rule) => cased(&name, rule),
                None => name,
            }));
        }
    }
    Ok(names)
}

/// Skips the value of an attribute that does not matter: `name = value` or `name(…)`.
fn skip_value(meta: &syn::meta::ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

/// `NewMessage` as `new_message`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// A name in snake case by a rule of serde.
fn cased(snake: &str, rule: &str) -> String {
    let capitalized = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    };
    let pascal: String = snake.split('_').map(capitalized).collect::<Vec<String>>().concat();
    match rule {
        "lowercase" => snake.replace('_', ""),
        "UPPERCASE" => snake.replace('_', "").to_uppercase(),
        "PascalCase" => pascal,
        "camelCase" => match pascal.chars().next() {
            Some(first) => format!("{}{}", first.to_lowercase(), &pascal[first.len_utf8()..]),
            None => pascal,
        },
        "SCREAMING_SNAKE_CASE" => snake.to_uppercase(),
        "kebab-case" => snake.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => snake.replace('_', "-").to_uppercase(),
        _ => snake.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cased_as_serde_does() {
        for (rule, name) in [
            ("PascalCase", "NewMessage"),
            ("camelCase", "newMessage"),
            ("snake_case", "new_message"),
            ("SCREAMING_SNAKE_CASE", "NEW_MESSAGE"),
            ("kebab-case", "new-message"),
            ("SCREAMING-KEBAB-CASE", "NEW-MESSAGE"),
            ("lowercase", "newmessage"),
            ("UPPERCASE", "NEWMESSAGE"),
        ] {
            assert_eq!(cased(&snake_case("NewMessage"), rule), name, "{rule}");
        }
    }
}
