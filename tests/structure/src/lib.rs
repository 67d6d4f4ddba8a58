//! Reads the source of this workspace, for the tests beside it: imports between crates, imports
//! between files.

pub mod workspace;
pub mod tokens;
pub mod shipped;
pub mod source;
pub mod tree;
pub mod graph;
pub mod circles;
pub mod table;
pub mod protocols;
