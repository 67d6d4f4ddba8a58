//! Runs one write job: catches its panic and enforces its time limit.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use crate::error::DbError;
use crate::health::Health;
use crate::outage::Outage;
use crate::tx::{JobState, Tx};

/// How long a job may hold the transaction. It is then rolled back, and the caller gets an error.
const JOB_TIMEOUT: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// The database whose job is running, identified by its [`Health`].
    static CURRENT: Arc<Health>;
}

/// The outcome of a job. Its transaction is still open.
pub(crate) struct Outcome<T, E> {
    pub(crate) result: Result<T, E>,
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) state: JobState,
}

/// Runs a job in `transaction` until it returns, panics or reaches its time limit.
pub(crate) async fn run<T, E, F, Fut>(
    transaction: DatabaseTransaction,
    health: &Arc<Health>,
    job: F,
) -> Outcome<T, E>
where
    F: FnOnce(Tx) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<DbError>,
{
    let (tx, owner) = Tx::lend(transaction, health.clone());
    let work = CURRENT.scope(health.clone(), async move { job(tx).await });
    let work = AssertUnwindSafe(work).catch_unwind();
    let result = match tokio::time::timeout(JOB_TIMEOUT, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(DbError::Panicked.into()),
        Err(_elapsed) => {
            health.log(Outage::TimedOut, "a job exceeded its time limit");
            Err(DbError::TimedOut.into())
        }
    };
    let (transaction, state) = owner.reclaim().await;
    Outcome { result, transaction, state }
}

/// Whether the current task runs a job on the database with this health.
pub(crate) fn is_inside(health: &Arc<Health>) -> bool {
    CURRENT.try_with(|current| Arc::ptr_eq(current, health)).unwrap_or(false)
}
