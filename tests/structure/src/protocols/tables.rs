//! Extraction of database tables: structs with `#[sea_orm(table_name = "…")]`.

use super::items::{arguments_of, fields, items, text_of};
use super::{Row, Source};

/// The tables of a file, with their columns.
pub(super) fn tables(source: &Source) -> Vec<Row> {
    let models = items(&source.tokens).into_iter().filter(|item| item.word == "struct");
    models
        .filter_map(|model| {
            let table =
                text_of(&arguments_of(&model.attributes, "sea_orm"), "table_name")?.to_owned();
            let mut columns: Vec<_> = fields(&model.body)
                .into_iter()
                .map(|field| {
                    text_of(&arguments_of(&field.attributes, "sea_orm"), "column_name")
                        .map_or(field.name, str::to_owned)
                })
                .collect();
            columns.sort();
            Some(Row::new(&source.part, "table", [table, columns.join(", ")]))
        })
        .collect()
}
