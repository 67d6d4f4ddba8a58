//! Extraction of the public protocols from the source: all names that pages, programs, data and
//! scripts of others use.
//!
//! Each entry is a [`Row`] of one of the tables in docs/protocols.md.

mod items;
mod routes;
mod actions;
mod names;
mod tables;
mod sources;
mod document;

use std::collections::BTreeSet;
use std::fmt;

pub use document::{documented, first_column, variables_of_settings};
pub use sources::{Markup, Source, Sources, texts_of_pages};

/// An entry of a protocol: the cells that are derived from the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The part of the workspace: `framework`, `site`, or the name of an app.
    pub part: String,
    /// The kind of table: the heading of its first column.
    pub kind: &'static str,
    /// The cells.
    pub cells: Vec<String>,
}

impl Row {
    fn new(part: &str, kind: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self { part: part.to_owned(), kind, cells: cells.into_iter().collect() }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, table of {}: ", self.part, self.kind)?;
        self.cells.iter().try_for_each(|cell| write!(f, "| {cell} "))?;
        write!(f, "| … |")
    }
}

/// All entries in the source.
pub fn found(sources: &Sources) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for source in sources.rust() {
        rows.extend(routes::routes(sources, source));
        rows.extend(actions::actions(sources, source));
        rows.extend(actions::frames(source));
        rows.extend(names::names(source));
        rows.extend(tables::tables(source));
    }
    rows.extend(sources.markup().flat_map(names::in_markup));
    rows
}
