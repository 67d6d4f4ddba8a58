//! The source keeps to the map: docs/ARCHITECTURE.md says what is held here.

mod crates;
mod files;
mod parser;
mod protocols;
