//! Tests of the workspace's structure, which docs/ARCHITECTURE.md describes.

mod browser_contract;
mod crates;
mod files;
mod parser;
mod protocols;
