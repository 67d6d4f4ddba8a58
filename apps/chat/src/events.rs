//! Events that the chat's windows exchange, in addition to the patches that are the same for
//! everyone.

use serde::{Deserialize, Serialize};

/// An event for the windows of a room or of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The user's list of rooms has changed.
    Rooms,
    /// The room was deleted.
    Gone,
}
