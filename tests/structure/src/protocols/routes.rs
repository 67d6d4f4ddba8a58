//! Extraction of routes: `.route("/path/", get(handler).post(handler))`, with the fields that the
//! handlers read.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::items::{Field, Item, arguments_of, fields, items_at_top, text_of};
use super::{Row, Source, Sources};
use crate::tokens::{Cursor, as_group, as_string};

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "any"];

/// The table's entry for fields that a handler parses by hand.
pub(super) const BY_HAND: &str = "by hand";

/// The routes of a file.
pub(super) fn routes(sources: &Sources, source: &Source) -> Vec<Row> {
    let mut rows = Vec::new();
    for arguments in calls(&source.tokens, "route") {
        let mut cursor = Cursor::new(arguments);
        let Some(path) = path(sources, source, &mut cursor) else { continue };
        while cursor.peek(0).is_some() {
            let method = cursor.ident(0).filter(|word| METHODS.contains(&word.as_str()));
            let handler =
                cursor.group(1, Delimiter::Parenthesis).map(|group| Cursor::new(group.stream()));
            if let (Some(method), Some(handler)) = (method, handler) {
                let fields =
                    names(handler).map(|path| read_by(sources, source, &path)).unwrap_or_default();
                rows.push(Row::new(
                    &source.part,
                    "method",
                    [method.to_uppercase(), path.clone(), fields],
                ));
            }
            cursor.skip(1);
        }
    }
    rows
}

/// The arguments of all calls `.name(…)`.
pub(super) fn calls(tokens: &TokenStream, name: &str) -> Vec<TokenStream> {
    let (mut cursor, mut found) = (Cursor::new(tokens.clone()), Vec::new());
    while cursor.peek(0).is_some() {
        if cursor.at(".") && cursor.ident(1).as_deref() == Some(name) {
            found.extend(cursor.group(2, Delimiter::Parenthesis).map(proc_macro2::Group::stream));
        }
        if let Some(group) = cursor.take().as_ref().and_then(as_group) {
            found.extend(calls(&group.stream(), name));
        }
    }
    found
}

/// The first argument: a string, or a string constant.
fn path(sources: &Sources, source: &Source, cursor: &mut Cursor) -> Option<String> {
    if let Some(text) = cursor.peek(0).and_then(as_string) {
        return Some(text);
    }
    let path = names(cursor.clone())?;
    let constant = item(sources, source, &path, &["const", "static"])?.1;
    constant.head.iter().find_map(as_string)
}

/// The names of the next path.
fn names(mut cursor: Cursor) -> Option<Vec<String>> {
    let mut names = vec![cursor.ident(0)?];
    while cursor.ident(3).is_some() && {
        cursor.skip(1);
        cursor.at("::")
    } {
        cursor.skip(2);
        names.extend(cursor.ident(0));
    }
    Some(names)
}

/// The item that a path refers to, with its file.
pub(super) fn item<'a>(
    sources: &'a Sources,
    source: &Source,
    path: &[String],
    words: &[&str],
) -> Option<(&'a Source, Item)> {
    let file = sources.file_of(source, path)?;
    let mut found = items_at_top(&file.tokens).into_iter();
    let item = found
        .find(|item| Some(&item.name) == path.last() && words.contains(&item.word.as_str()))?;
    Some((file, item))
}

/// The fields of the forms and queries that a handler extracts.
fn read_by(sources: &Sources, source: &Source, path: &[String]) -> String {
    let Some((file, handler)) = item(sources, source, path, &["fn"]) else { return String::new() };
    let arguments = handler
        .head
        .iter()
        .filter_map(as_group)
        .find(|group| group.delimiter() == Delimiter::Parenthesis);
    let mut cursor = Cursor::new(arguments.map(proc_macro2::Group::stream).unwrap_or_default());
    let mut found = Vec::new();
    while cursor.peek(0).is_some() {
        match cursor.ident(0).as_deref() {
            Some("RawForm" | "RawQuery") => return BY_HAND.to_owned(),
            Some("ActionForm") if matches!(cursor.peek(1), Some(TokenTree::Punct(p)) if p.as_char() == '<') =>
            {
                cursor.skip(2);
                let read =
                    names(cursor.clone()).and_then(|path| item(sources, file, &path, &["enum"]));
                found.extend(
                    read.map(|(file, read)| of_actions(sources, file, &read)).unwrap_or_default(),
                );
            }
            Some("Form" | "Query") if matches!(cursor.peek(1), Some(TokenTree::Punct(p)) if p.as_char() == '<') =>
            {
                cursor.skip(2);
                let read =
                    names(cursor.clone()).and_then(|path| item(sources, file, &path, &["struct"]));
                found.extend(read.map(|(_, read)| names_of(&read)).unwrap_or_default());
            }
            _ => {}
        }
        cursor.skip(1);
    }
    found.sort();
    found.join(", ")
}

/// The names of the fields of all actions of an enum.
fn of_actions(sources: &Sources, source: &Source, actions: &Item) -> Vec<String> {
    let data = |variant: &Field| {
        let group = variant.rest.first().and_then(as_group)?;
        if group.delimiter() == Delimiter::Brace {
            return Some(names_in(&group.stream()));
        }
        let path = names(Cursor::new(group.stream()))?;
        item(sources, source, &path, &["struct"]).map(|(_, data)| names_of(&data))
    };
    fields(&actions.body).iter().filter_map(data).flatten().collect()
}

/// The names of the fields of a struct in requests.
fn names_of(item: &Item) -> Vec<String> {
    names_in(&item.body)
}

fn names_in(body: &TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    for field in fields(body) {
        let arguments = arguments_of(&field.attributes, "serde");
        names.push(text_of(&arguments, "rename").unwrap_or(&field.name).to_owned());
        names.extend(text_of(&arguments, "alias").map(str::to_owned));
    }
    names
}
