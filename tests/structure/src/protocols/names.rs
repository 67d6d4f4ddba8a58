//! Extraction of names in strings: selectors, cookies, queries, variables, attributes.

use proc_macro2::TokenStream;

use super::items::{Item, fields, items, strings};
use super::routes::calls;
use super::{Markup, Row, Source};
use crate::tokens::{Cursor, as_group, as_string};

/// The rows from the strings of a Rust file.
pub(super) fn names(source: &Source) -> Vec<Row> {
    let texts = strings(&source.tokens);
    let mut rows = cookies(&texts);
    for text in texts {
        if let Some(selector) = selector(&text) {
            rows.push(Row::new(&source.part, "selector", [selector]));
        }
        if is_variable(&text) {
            rows.push(Row::new("site", "variable", [text.clone()]));
        }
        rows.extend(attributes_in(&text, &source.part));
    }
    rows.extend(queries(source));
    rows.extend(codes(source));
    rows.extend(dialects(source));
    rows
}

/// The attributes in a template; in a script, the framework's attributes and events.
pub(super) fn in_markup(source: &Markup) -> Vec<Row> {
    let mut rows = attributes_in(&without_comments(&source.text), &source.part);
    if source.path.ends_with(".js") {
        rows.extend(in_datasets(&source.text));
        rows.retain(|row| row.part == "framework");
        rows.extend(events(source));
    }
    rows
}

/// A selector with variable parts: `#message--{id}` becomes `#message--*`.
fn selector(text: &str) -> Option<String> {
    let name = text.strip_prefix('#')?;
    let varying = varying(name, '{', '}')?;
    let is_name = varying.chars().all(|c| c.is_ascii_alphanumeric() || "-_*".contains(c));
    (is_name && varying.starts_with(|c: char| c.is_ascii_alphabetic()))
        .then(|| format!("#{varying}"))
}

/// The text with `*` for each part in these brackets.
pub(super) fn varying(text: &str, open: char, close: char) -> Option<String> {
    let (mut rest, mut whole) = (text, String::new());
    while let Some((before, inside)) = rest.split_once(open) {
        whole.push_str(before);
        whole.push('*');
        rest = inside.split_once(close)?.1;
    }
    Some(whole + rest)
}

/// Cookies: `__Host-name`, and `name`, which a site without TLS uses.
fn cookies(texts: &[String]) -> Vec<Row> {
    let secure = texts.iter().filter_map(|text| text.strip_prefix("__Host-"));
    let both = secure.flat_map(|name| [format!("__Host-{name}"), name.to_owned()]);
    both.filter(|name| texts.contains(name))
        .map(|name| Row::new("site", "cookie", [name]))
        .collect()
}

fn is_variable(text: &str) -> bool {
    let is_ours = text.starts_with("BELLWIRE_")
        && !text.starts_with("BELLWIRE_TEST_")
        && !text.ends_with('_');
    let is_name = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (is_ours && is_name) || matches!(text, "DATABASE_URL" | "REDIS_URL")
}

/// The keys that are read from a query, as in `.query("at")` or `key == "since"`.
fn queries(source: &Source) -> Vec<Row> {
    let read = calls(&source.tokens, "query").into_iter().map(Cursor::new);
    let named = read.filter_map(|arguments| arguments.peek(0).and_then(as_string));
    let compared = compared(&source.tokens, "key").into_iter();
    named.chain(compared).map(|name| Row::new(&source.part, "query", [name])).collect()
}

/// The strings that a variable is compared with.
fn compared(tokens: &TokenStream, variable: &str) -> Vec<String> {
    let (mut cursor, mut found) = (Cursor::new(tokens.clone()), Vec::new());
    while cursor.peek(0).is_some() {
        if cursor.ident(0).as_deref() == Some(variable) && cursor.at_after(1, "==") {
            found.extend(cursor.peek(3).and_then(as_string));
        }
        if let Some(group) = cursor.take().as_ref().and_then(as_group) {
            found.extend(compared(&group.stream(), variable));
        }
    }
    found
}

/// The close codes: constants of `Close`.
fn codes(source: &Source) -> Vec<Row> {
    let constants = items(&source.tokens).into_iter().filter(|item| item.word == "const");
    let of_close = constants.filter(|_| source.path.ends_with("/close.rs"));
    let number = |item: &Item| {
        item.head
            .iter()
            .map(ToString::to_string)
            .find(|text| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()))
    };
    of_close.filter_map(|item| Some(Row::new("framework", "code", [number(&item)?]))).collect()
}

/// The words of the dialects: their names, the keys of JSON frames, the kinds of element swaps.
fn dialects(source: &Source) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in items(&source.tokens).iter().filter(|_| source.part == "framework") {
        let kind = match (item.word.as_str(), item.name.as_str()) {
            ("struct", "JsonPatch" | "JsonError" | "JsonPosition") => "key",
            ("enum", "How" | "Swap") => "how",
            ("enum", "Dialect") => "dialect",
            _ => continue,
        };
        let names = fields(&item.body).into_iter().map(|field| field.name.to_lowercase());
        rows.extend(names.map(|name| Row::new("framework", kind, [name])));
    }
    rows
}

/// The events of bellwire.js: `emit(element, "name", …)`, and `#tell(ask, "name")`.
fn events(source: &Markup) -> Vec<Row> {
    let calls = ["emit(", "#tell("].into_iter().flat_map(|call| source.text.split(call).skip(1));
    let named = calls.filter_map(|call| {
        let (_, name) = call.lines().next()?.split_once(", \"")?;
        Some(format!("bellwire:{}", name.split_once('"')?.0))
    });
    named.map(|name| Row::new("framework", "event", [name])).collect()
}

fn attributes_in(text: &str, part: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for prefix in ["data-", "bw-"] {
        for (place, _) in text.match_indices(prefix) {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
            if text[..place].ends_with(is_word) {
                continue;
            }
            let name: String = text[place..].chars().take_while(|c| is_word(*c)).collect();
            rows.extend(attribute(&name, part));
        }
    }
    rows
}

/// Attributes from `dataset.bwKeep` and similar expressions.
fn in_datasets(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, found) in text.match_indices("dataset.") {
        let name = text[place + found.len()..].chars().take_while(char::is_ascii_alphanumeric);
        let kebab: String = name
            .flat_map(|c| {
                if c.is_ascii_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] }
            })
            .collect();
        rows.extend(attribute(&format!("data-{kebab}"), "framework"));
    }
    rows.retain(|row| is_of_the_framework(&row.cells[0]));
    rows
}

fn attribute(name: &str, part: &str) -> Option<Row> {
    let is_wiring = matches!(name, "data-action" | "data-controller")
        || name.ends_with("-target")
        || name.ends_with("-value");
    let is_beginning = name.ends_with('-');
    let part = if is_of_the_framework(name) { "framework" } else { part };
    (!is_wiring && !is_beginning).then(|| Row::new(part, "attribute", [name.to_owned()]))
}

/// Whether bellwire.js or a dialect defines this name.
fn is_of_the_framework(name: &str) -> bool {
    let ours = ["data-feed", "data-seq", "data-client-id", "data-error"];
    ours.contains(&name)
        || ["bw-", "data-bw-", "data-bellwire"].iter().any(|prefix| name.starts_with(prefix))
}

/// The text without the comments of scripts and templates.
fn without_comments(text: &str) -> String {
    let (mut rest, mut kept) = (text, String::new());
    while let Some((place, end)) = ["/*", "{#", "<!--"]
        .iter()
        .zip(["*/", "#}", "-->"])
        .filter_map(|(open, end)| Some((rest.find(open)?, end)))
        .min()
    {
        kept.push_str(&rest[..place]);
        rest = rest[place..].split_once(end).map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}
