//! One job: run it, never let it harm anything but itself.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use crate::error::DbError;
use crate::health::Health;
use crate::outage::Outage;
use crate::tx::{Left, Tx};

/// How long a job may hold the transaction. It is then rolled back, and whoever asked is told.
const JOB_TIME: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// The database whose job is running, told apart by its health.
    static INSIDE: Arc<Health>;
}

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
    let work = INSIDE.scope(health.clone(), async move { job(tx).await });
    let work = AssertUnwindSafe(work).catch_unwind();
    let result = match tokio::time::timeout(JOB_TIME, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(DbError::Panicked.into()),
        Err(_elapsed) => {
            health.tell(Outage::TimedOut, "a job did not end in time");
            Err(DbError::TimedOut.into())
        }
    };
    let (transaction, left) = lent.take_back().await;
    Ran { result, transaction, left }
}

/// Whether the code that asks is in a job on the database with this health.
pub(crate) fn is_inside(health: &Arc<Health>) -> bool {
    INSIDE.try_with(|inside| Arc::ptr_eq(inside, health)).unwrap_or(false)
}
