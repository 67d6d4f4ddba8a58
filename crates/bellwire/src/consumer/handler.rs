//! The handlers of a consumer, by name.

use std::fmt;

/// A handler of a [`Consumer`](crate::Consumer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handler {
    /// `connect`
    Connect,
    /// `receive`
    Receive,
    /// `event`
    Event,
    /// `lagged`
    Lagged,
    /// `removed`
    Removed,
    /// `disconnect`
    Disconnect,
}

impl Handler {
    /// The name of the method.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Receive => "receive",
            Self::Event => "event",
            Self::Lagged => "lagged",
            Self::Removed => "removed",
            Self::Disconnect => "disconnect",
        }
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
