//! Waits that have an end.

use std::time::Duration;

/// How long anything a test waits for may take. Only a broken test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `what`. However much else happens meanwhile, the wait has an end.
///
/// # Panics
/// When it does not come within [`PATIENCE`].
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(PATIENCE, wait).await else {
        panic!("waited {PATIENCE:?} for {what}");
    };
    value
}
