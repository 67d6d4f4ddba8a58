//! Waits with a timeout.

use std::time::Duration;

/// The timeout of all waits in tests. Only a failing test reaches it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a future; `what` names it in the panic message.
///
/// # Panics
/// If it does not complete within [`PATIENCE`].
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(PATIENCE, wait).await else {
        panic!("waited {PATIENCE:?} for {what}");
    };
    value
}
