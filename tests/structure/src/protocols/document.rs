//! Parser of the tables in docs/protocols.md.

use std::collections::BTreeSet;

use super::Row;
use super::names::varying;
use super::routes::BY_HAND;

/// The kinds of tables that are compared with the source, and their number of compared columns.
const KINDS: [(&str, usize); 13] = [
    ("method", 3),
    ("action", 3),
    ("frame", 2),
    ("selector", 1),
    ("cookie", 1),
    ("query", 1),
    ("attribute", 1),
    ("code", 1),
    ("key", 1),
    ("how", 1),
    ("dialect", 1),
    ("event", 1),
    ("table", 2),
];

/// The kind of a table, and its number of compared columns.
fn checked_columns(heading: &str) -> Option<(&'static str, usize)> {
    KINDS.into_iter().find(|(kind, _)| *kind == heading)
}

/// Reads the rows of the document.
pub fn documented(text: &str) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    each_row(text, &mut |part, heading, cells| {
        if let Some((kind, columns)) = checked_columns(heading) {
            let cells =
                (0..columns).map(|n| plain(kind, n, cells.get(n).copied().unwrap_or_default()));
            rows.insert(Row::new(part, kind, cells));
        }
    });
    rows
}

/// The first cells of all tables whose first column has this heading.
pub fn first_column(text: &str, wanted: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_row(text, &mut |_, heading, cells| {
        let first = cells.first().filter(|_| heading == wanted);
        found.extend(first.map(|cell| cell.trim_matches('`').to_owned()));
    });
    found
}

/// The variables in the tables of docs/settings.md.
pub fn variables_of_settings(text: &str) -> BTreeSet<Row> {
    let names = first_column(text, "variable").into_iter();
    names.map(|name| Row::new("site", "variable", [name])).collect()
}

/// Calls `take` for each row of each table: its part, the heading of the first column, its cells.
fn each_row(text: &str, take: &mut dyn FnMut(&str, &str, &[&str])) {
    let (mut part, mut heading) = (String::new(), None);
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            part = part_of(title);
        }
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            heading = None;
            continue;
        };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        match heading {
            None => heading = cells.first().copied(),
            Some(_) if cells.iter().all(|cell| cell.starts_with("--")) => {}
            Some(heading) => take(&part, heading, &cells),
        }
    }
}

/// The part that a chapter describes: "Chat (`apps/chat`)" describes `chat`.
fn part_of(title: &str) -> String {
    let app = title.split_once("`apps/").and_then(|(_, rest)| rest.split_once('`'));
    app.map_or_else(
        || title.split(' ').next().unwrap_or_default().to_lowercase(),
        |(app, _)| app.to_owned(),
    )
}

/// A cell without markup. Lists are sorted; variable parts become `*`.
fn plain(kind: &str, column: usize, cell: &str) -> String {
    let cell = cell.replace('`', "");
    if kind == "selector" {
        return varying(&cell, '<', '>').unwrap_or(cell);
    }
    if cell.starts_with(BY_HAND) {
        return BY_HAND.to_owned();
    }
    let is_list = matches!((kind, column), ("method", 2) | ("action" | "frame" | "table", 1));
    if !is_list {
        return cell;
    }
    let mut list: Vec<_> = cell.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    list.sort_unstable();
    list.join(", ")
}
