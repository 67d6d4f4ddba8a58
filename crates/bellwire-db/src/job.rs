//! One job: run it, never let it harm anything but itself.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use crate::error::DbError;
use crate::health::Health;
use crate::trouble::Trouble;
use crate::tx::{Callbacks, Left, Tx};

/// How long a job may hold the transaction. It is then rolled back, and whoever asked is told.
const JOB_TIME: Duration = Duration::from_secs(10);

/// What came of a job. Its transaction is still open.
pub(crate) struct Ran<T, E> {
    pub(crate) result: Result<T, E>,
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) left: Left,
}

/// Runs a job in `transaction`: to its end, its panic or its time limit.
pub(crate) async fn run<T, E, F, Fut>(
    transaction: DatabaseTransaction,
    health: &Arc<Health>,
    job: F,
) -> Ran<T, E>
where
    F: FnOnce(Tx) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<DbError>,
{
    let (tx, lent) = Tx::lend(transaction, health.clone());
    let work = AssertUnwindSafe(async move { job(tx).await }).catch_unwind();
    let result = match tokio::time::timeout(JOB_TIME, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(DbError::Panicked.into()),
        Err(_elapsed) => {
            health.tell(Trouble::TimedOut, "a job did not end in time");
            Err(DbError::TimedOut.into())
        }
    };
    let (transaction, left) = lent.take_back().await;
    Ran { result, transaction, left }
}

/// Runs what waited for the commit. A panic in one does not keep the others from running.
pub(crate) fn committed(callbacks: Callbacks) {
    for callback in callbacks {
        if std::panic::catch_unwind(AssertUnwindSafe(callback)).is_err() {
            tracing::error!("What was to follow a commit panicked");
        }
    }
}
