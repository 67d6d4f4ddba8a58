//! One message from the browser.

use bytes::Bytes;

/// One message as it came from the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text, known to be UTF-8.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}
