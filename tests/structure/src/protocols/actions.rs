//! Extraction of socket actions, and of frames with an `action` key.

use proc_macro2::{Delimiter, TokenStream};

use super::items::{Field, arguments_of, fields, items, text_of};
use super::routes::item;
use super::{Row, Source, Sources};
use crate::tokens::{Cursor, as_group, as_ident, as_string, name};

/// The actions of each enum that derives `Action`.
pub(super) fn actions(sources: &Sources, source: &Source) -> Vec<Row> {
    let mut rows = Vec::new();
    let all = items(&source.tokens);
    let enums = all.iter().filter(|item| item.word == "enum");
    for one in enums.filter(|one| derives_action(&one.attributes)) {
        for variant in fields(&one.body) {
            let arguments = arguments_of(&variant.attributes, "serde");
            let action = text_of(&arguments, "rename").unwrap_or(&variant.name).to_owned();
            let marks = arguments_of(&variant.attributes, "action");
            let is_bare = if marks.iter().any(|(word, _)| word == "form") { "yes" } else { "" };
            let cells = [action, data(sources, source, &variant), is_bare.to_owned()];
            rows.push(Row::new(&source.part, "action", cells));
        }
    }
    rows
}

/// Whether one of the attributes is `derive(…)` with `Action`, by whatever path.
fn derives_action(attributes: &[TokenStream]) -> bool {
    attributes.iter().any(|attribute| {
        let cursor = Cursor::new(attribute.clone());
        let derived = cursor.group(1, Delimiter::Parenthesis);
        cursor.ident(0).as_deref() == Some("derive")
            && derived.is_some_and(|derived| {
                derived
                    .stream()
                    .into_iter()
                    .any(|token| as_ident(&token).map(name).as_deref() == Some("Action"))
            })
    })
}

/// The fields of an action: inline ones, or those of the struct that it holds.
fn data(sources: &Sources, source: &Source, variant: &Field) -> String {
    let Some(group) = variant.rest.first().and_then(as_group) else { return String::new() };
    let body = match group.delimiter() {
        Delimiter::Brace => group.stream(),
        _ => {
            let path: Vec<_> =
                group.stream().into_iter().filter_map(|token| as_ident(&token).map(name)).collect();
            item(sources, source, &path, &["struct"]).map(|(_, item)| item.body).unwrap_or_default()
        }
    };
    let mut described: Vec<_> = fields(&body).iter().map(described).collect();
    described.sort();
    described.join(", ")
}

/// A field in the format of the tables: `name type`, with `?` if it is optional.
fn described(field: &Field) -> String {
    let arguments = arguments_of(&field.attributes, "serde");
    let name = text_of(&arguments, "rename").unwrap_or(&field.name);
    let types: Vec<_> = field.rest.iter().filter_map(as_ident).map(crate::tokens::name).collect();
    let is_optional = arguments.iter().any(|(word, _)| word == "default")
        || types.iter().any(|one| one == "Option");
    let reader = text_of(&arguments, "deserialize_with").unwrap_or_default();
    let kind = match types.last().map(String::as_str) {
        _ if reader.contains("lenient_") => "number",
        Some("String") => "text",
        Some("bool") => "true or false",
        _ => "value",
    };
    format!("{name}{} {kind}", if is_optional { "?" } else { "" })
}

/// Frames that are sent as literal objects: `json!({ "action": "New ball", … })`.
pub(super) fn frames(source: &Source) -> Vec<Row> {
    objects(&source.tokens)
        .into_iter()
        .filter(|keys| keys.first().is_some_and(|(key, _)| key == "action"))
        .map(|keys| {
            let mut others: Vec<_> = keys[1..].iter().map(|(key, _)| key.clone()).collect();
            others.sort();
            Row::new(&source.part, "frame", [keys[0].1.clone(), others.join(", ")])
        })
        .collect()
}

/// The keys of all objects in `json!`, each with its value if that is a string.
fn objects(tokens: &TokenStream) -> Vec<Vec<(String, String)>> {
    let (mut cursor, mut found) = (Cursor::new(tokens.clone()), Vec::new());
    while cursor.peek(0).is_some() {
        if cursor.ident(0).as_deref() == Some("json") && cursor.at_after(1, "!") {
            found
                .extend(cursor.group(2, Delimiter::Parenthesis).map(|group| keys(&group.stream())));
        }
        if let Some(group) = cursor.take().as_ref().and_then(as_group) {
            found.extend(objects(&group.stream()));
        }
    }
    found
}

fn keys(tokens: &TokenStream) -> Vec<(String, String)> {
    let object = tokens
        .clone()
        .into_iter()
        .next()
        .as_ref()
        .and_then(as_group)
        .map(proc_macro2::Group::stream);
    let (mut cursor, mut keys) = (Cursor::new(object.unwrap_or_default()), Vec::new());
    while let Some(key) = cursor.peek(0).and_then(as_string) {
        keys.push((key, cursor.peek(2).and_then(as_string).unwrap_or_default()));
        super::items::up_to_comma(&mut cursor);
    }
    keys
}
