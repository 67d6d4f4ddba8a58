//! Parses the source of this workspace, for the tests of its structure: imports between crates,
//! imports between files, protocols.

pub mod workspace;
pub mod tokens;
pub mod shipped;
pub mod source;
pub mod tree;
pub mod graph;
pub mod cycles;
pub mod table;
pub mod protocols;
