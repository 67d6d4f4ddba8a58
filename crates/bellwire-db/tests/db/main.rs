//! The database as its users see it, on SQLite and on PostgreSQL.

mod support;
mod migrations;
mod writer;
mod callbacks;
mod nested;
