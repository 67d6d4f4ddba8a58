//! The error of a rate limit.

use std::time::Duration;

/// The error of an exhausted budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests")]
pub struct TooOften {
    /// The time to wait before a retry.
    pub retry_after: Duration,
}
