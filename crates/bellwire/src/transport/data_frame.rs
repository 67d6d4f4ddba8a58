//! [`Frame`]: one complete message of a connection, text or binary. It has the name that Channels
//! uses; RFC 6455 calls it a message, which may consist of several frames on the wire.

use bytes::Bytes;

/// A message from the browser, or to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text, known to be UTF-8.
    Text(String),
    /// Binary data.
    Binary(Bytes),
}
