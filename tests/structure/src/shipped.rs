//! Filter for shipped code: removes all items behind `#[cfg(test)]`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tokens::{Cursor, as_group, is_punct};

/// `#[…]` or `#![…]`.
#[derive(Debug)]
pub struct Attribute {
    /// The tokens in the brackets.
    pub inside: TokenStream,
    /// Whether it is an inner attribute.
    pub is_inner: bool,
}

/// Parses the next attribute.
pub fn attribute(cursor: &mut Cursor) -> Option<Attribute> {
    if !cursor.at("#") {
        return None;
    }
    let is_inner = is_punct(cursor.peek(1), '!');
    let inside = cursor.group(1 + usize::from(is_inner), Delimiter::Bracket)?.stream();
    cursor.skip(2 + usize::from(is_inner));
    Some(Attribute { inside, is_inner })
}

/// The tokens of a file.
///
/// # Errors
/// The lexer's message if the text is not Rust.
pub fn tokens(text: &str) -> Result<TokenStream, String> {
    text.parse().map_err(|error: proc_macro2::LexError| error.to_string())
}

/// The tokens that are compiled without tests, without documentation. `None` if an inner attribute
/// excludes all of them.
pub fn shipped(tokens: TokenStream) -> Option<TokenStream> {
    let (mut cursor, mut kept) = (Cursor::new(tokens), Vec::new());
    while cursor.peek(0).is_some() {
        let from = cursor.clone();
        if let Some(Attribute { inside, is_inner }) = attribute(&mut cursor) {
            match (is_for_tests(&inside), is_inner) {
                (true, true) => return None,
                (true, false) => skip_item(&mut cursor),
                (false, _) if is_documentation(&inside) => {}
                (false, _) => kept.extend(from.until(&cursor)),
            }
        } else if let Some(token) = cursor.take() {
            kept.push(match token {
                TokenTree::Group(group) => inside(&group),
                token => token,
            });
        }
    }
    Some(kept.into_iter().collect())
}

fn inside(group: &Group) -> TokenTree {
    let mut kept = Group::new(group.delimiter(), shipped(group.stream()).unwrap_or_default());
    kept.set_span(group.span());
    TokenTree::Group(kept)
}

fn is_documentation(attribute: &TokenStream) -> bool {
    Cursor::new(attribute.clone()).ident(0).as_deref() == Some("doc")
}

fn is_for_tests(attribute: &TokenStream) -> bool {
    let cursor = Cursor::new(attribute.clone());
    cursor.ident(0).as_deref() == Some("cfg")
        && cursor.group(1, Delimiter::Parenthesis).is_some_and(|group| needs_tests(group.stream()))
}

/// Whether a condition of `cfg` cannot hold without `test`.
fn needs_tests(condition: TokenStream) -> bool {
    holds(&mut Cursor::new(condition)) == Some(false)
}

/// Whether the next condition holds without `test`. `None` if that depends on another condition.
fn holds(cursor: &mut Cursor) -> Option<bool> {
    let word = cursor.ident(0)?;
    let inside = cursor.group(1, Delimiter::Parenthesis).map(|group| Cursor::new(group.stream()));
    while cursor.peek(0).is_some() && !cursor.at(",") {
        cursor.skip(1);
    }
    let mut inside = match (word.as_str(), inside) {
        ("test", None) => return Some(false),
        (_, inside) => inside?,
    };
    let mut all = Vec::new();
    while inside.peek(0).is_some() {
        all.push(holds(&mut inside));
        inside.skip(1);
    }
    let unless_all = |wanted: bool, other: bool| {
        if all.contains(&Some(other)) {
            Some(other)
        } else {
            all.iter().all(|one| *one == Some(wanted)).then_some(wanted)
        }
    };
    match word.as_str() {
        "all" => unless_all(true, false),
        "any" => unless_all(false, true),
        "not" => all.first().copied().flatten().map(|held| !held),
        _ => None,
    }
}

/// Skips the next item, statement, field or match arm.
fn skip_item(cursor: &mut Cursor) {
    while attribute(cursor).is_some() {}
    let ends_with_semicolon = ends_with_semicolon(cursor);
    while let Some(token) = cursor.take() {
        let is_end = is_punct(Some(&token), ';') || is_punct(Some(&token), ',');
        let is_body = as_group(&token).is_some_and(|group| group.delimiter() == Delimiter::Brace);
        if is_end || (is_body && !ends_with_semicolon) {
            break;
        }
    }
}

/// Whether the next item ends with a semicolon instead of braces.
fn ends_with_semicolon(cursor: &Cursor) -> bool {
    let mut cursor = cursor.clone();
    if cursor.ident(0).as_deref() == Some("pub") {
        cursor.skip(1 + usize::from(cursor.group(1, Delimiter::Parenthesis).is_some()));
    }
    match cursor.ident(0).as_deref() {
        Some("use" | "static" | "type" | "let") => true,
        Some("const") => !matches!(cursor.ident(1).as_deref(), Some("fn" | "async" | "unsafe")),
        _ => false,
    }
}
