//! Parser of items: structs, enums, functions, constants.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::shipped::attribute;
use crate::tokens::{Cursor, as_group, as_string, is_punct};

/// An item at any level.
#[derive(Debug)]
pub(super) struct Item {
    /// `struct`, `enum`, `fn`, `const`, `static`, `impl`, `mod` or `trait`.
    pub(super) word: String,
    /// The name. For an `impl`, its first name.
    pub(super) name: String,
    /// The content of its attributes.
    pub(super) attributes: Vec<TokenStream>,
    /// The tokens between name and body.
    pub(super) head: Vec<TokenTree>,
    /// The tokens in its braces.
    pub(super) body: TokenStream,
}

/// A field of a struct, or a variant of an enum.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) attributes: Vec<TokenStream>,
    /// The tokens after the name.
    pub(super) rest: Vec<TokenTree>,
}

/// All items, including those in functions and modules.
pub(super) fn items(tokens: &TokenStream) -> Vec<Item> {
    let (mut found, mut open) = (Vec::new(), vec![tokens.clone()]);
    while let Some(tokens) = open.pop() {
        for item in items_at_top(&tokens) {
            open.push(item.body.clone());
            found.push(item);
        }
    }
    found
}

/// The items directly in a module.
pub(super) fn items_at_top(tokens: &TokenStream) -> Vec<Item> {
    let (mut cursor, mut found, mut attributes) =
        (Cursor::new(tokens.clone()), Vec::new(), Vec::new());
    while cursor.peek(0).is_some() {
        if let Some(attribute) = attribute(&mut cursor) {
            attributes.push(attribute.inside);
            continue;
        }
        let (word, name) = (cursor.ident(0), cursor.ident(1));
        match (word.as_deref(), name) {
            (
                Some("struct" | "enum" | "fn" | "const" | "static" | "impl" | "mod" | "trait"),
                Some(name),
            ) if name != "fn" => {
                cursor.skip(2);
                let (head, body) = head_and_body(&mut cursor);
                let word = word.unwrap_or_default();
                found.push(Item {
                    word,
                    name,
                    attributes: std::mem::take(&mut attributes),
                    head,
                    body,
                });
            }
            (Some("pub"), _) => {
                cursor.skip(1 + usize::from(cursor.group(1, Delimiter::Parenthesis).is_some()))
            }
            (Some("async" | "const" | "unsafe"), _) => cursor.skip(1),
            _ => {
                attributes.clear();
                cursor.skip(1);
            }
        }
    }
    found
}

fn head_and_body(cursor: &mut Cursor) -> (Vec<TokenTree>, TokenStream) {
    let mut head = Vec::new();
    while let Some(token) = cursor.take() {
        match as_group(&token) {
            Some(group) if group.delimiter() == Delimiter::Brace => return (head, group.stream()),
            _ if is_punct(Some(&token), ';') => break,
            _ => head.push(token),
        }
    }
    (head, TokenStream::new())
}

/// The fields in the braces of a struct, or the variants of an enum.
pub(super) fn fields(tokens: &TokenStream) -> Vec<Field> {
    let (mut cursor, mut found) = (Cursor::new(tokens.clone()), Vec::new());
    while cursor.peek(0).is_some() {
        let mut attributes = Vec::new();
        while let Some(attribute) = attribute(&mut cursor) {
            attributes.push(attribute.inside);
        }
        if cursor.ident(0).as_deref() == Some("pub") {
            cursor.skip(1 + usize::from(cursor.group(1, Delimiter::Parenthesis).is_some()));
        }
        let Some(name) = cursor.ident(0) else { break };
        cursor.skip(1);
        found.push(Field { name, attributes, rest: up_to_comma(&mut cursor) });
    }
    found
}

/// The tokens before the next comma outside of angle brackets.
pub(super) fn up_to_comma(cursor: &mut Cursor) -> Vec<TokenTree> {
    let (mut tokens, mut depth) = (Vec::new(), 0_i32);
    while let Some(token) = cursor.take() {
        match &token {
            token if is_punct(Some(token), ',') && depth == 0 => break,
            token if is_punct(Some(token), '<') => depth += 1,
            token
                if is_punct(Some(token), '>')
                    && !tokens.last().is_some_and(|t| is_punct(Some(t), '-')) =>
            {
                depth -= 1
            }
            _ => {}
        }
        tokens.push(token);
    }
    tokens
}

/// Parses attributes such as `#[serde(default, rename = "x")]`: each word with its value.
pub(super) fn arguments_of(
    attributes: &[TokenStream],
    name: &str,
) -> Vec<(String, Option<String>)> {
    let mut arguments = Vec::new();
    for attribute in attributes {
        let cursor = Cursor::new(attribute.clone());
        let inside = cursor
            .group(1, Delimiter::Parenthesis)
            .filter(|_| cursor.ident(0).as_deref() == Some(name));
        let mut inside = Cursor::new(inside.map(proc_macro2::Group::stream).unwrap_or_default());
        while let Some(word) = inside.ident(0) {
            let text = if inside.peek(1).is_some_and(|t| is_punct(Some(t), '=')) {
                inside.peek(2).and_then(as_string)
            } else {
                None
            };
            arguments.push((word, text));
            up_to_comma(&mut inside);
        }
    }
    arguments
}

/// The value of the first argument with this word.
pub(super) fn text_of<'a>(
    arguments: &'a [(String, Option<String>)],
    word: &str,
) -> Option<&'a str> {
    arguments.iter().find(|(one, _)| one == word).and_then(|(_, text)| text.as_deref())
}

/// All string literals, at any depth.
pub(super) fn strings(tokens: &TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens.clone() {
        match as_group(&token) {
            Some(group) => found.extend(strings(&group.stream())),
            None => found.extend(as_string(&token)),
        }
    }
    found
}
