//! Tables of the database: what `#[sea_orm(table_name = "…")]` stands on.

use super::items::{fields, items, said, text_of};
use super::{Row, Source};

/// The tables of a file, with their columns.
pub(super) fn tables(source: &Source) -> Vec<Row> {
    let models = items(&source.tokens).into_iter().filter(|item| item.word == "struct");
    models
        .filter_map(|model| {
            let table = text_of(&said(&model.attributes, "sea_orm"), "table_name")?.to_owned();
            let mut columns: Vec<_> = fields(&model.body)
                .into_iter()
                .map(|field| {
                    text_of(&said(&field.attributes, "sea_orm"), "column_name")
                        .map_or(field.name, str::to_owned)
                })
                .collect();
            columns.sort();
            Some(Row::new(&source.part, "table", [table, columns.join(", ")]))
        })
        .collect()
}
