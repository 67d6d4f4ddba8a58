//! The events of the groups.

use serde::{Deserialize, Serialize};

/// The events of the group of all windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A message was added, changed or deleted: lists older than this change must be read again.
    Changed {
        /// The number of the change.
        seq: i64,
    },
}
