//! Tests of the public API, on SQLite and on PostgreSQL.

mod support;
mod migrations;
mod writer;
mod callbacks;
mod nested;
mod feed_epochs;
mod table_journal;
