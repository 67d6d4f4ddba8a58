//! Messages of a connection: text or binary.

use bytes::Bytes;

/// A message from the browser, or to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text, known to be UTF-8.
    Text(String),
    /// Binary data.
    Binary(Bytes),
}
