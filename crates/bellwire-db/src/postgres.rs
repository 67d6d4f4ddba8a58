//! Writer for PostgreSQL: a separate transaction for each job.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait,
};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::callbacks::CallbackQueue;
use crate::error::DbError;
use crate::health::Health;
use crate::job::{self, Outcome};
use crate::tx::JobState;
use crate::tx::Tx;

/// Jobs that may run, or wait for a connection or for callbacks. Further jobs are refused with
/// [`DbError::Busy`].
const QUEUE: usize = 1024;

/// How long a commit may take. A server with synchronous replication may wait for its standby.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a rollback may take; then the connection is dropped, and the server rolls back by
/// itself.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(2);

/// The write backend for PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pool: DatabaseConnection,
    health: Arc<Health>,
    permits: Arc<Semaphore>,
    jobs: TaskTracker,
    callbacks: CallbackQueue,
}

impl Writer {
    pub(crate) fn new(pool: DatabaseConnection, health: Arc<Health>) -> Self {
        let (permits, jobs) = (Arc::new(Semaphore::new(QUEUE)), TaskTracker::new());
        Self { pool, health, permits, jobs, callbacks: CallbackQueue::start(QUEUE) }
    }

    /// Runs the job in a separate task, so that it continues if the caller is cancelled.
    pub(crate) async fn write<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        if self.jobs.is_closed() {
            return Err(DbError::Closed.into());
        }
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| DbError::Busy)?;
        let (reply, answer) = oneshot::channel();
        let answer_with = move |result| {
            // The caller may have been cancelled; the job is complete nevertheless.
            let _ = reply.send(result);
            drop(permit);
        };
        let (pool, health, callbacks) =
            (self.pool.clone(), self.health.clone(), self.callbacks.clone());
        self.jobs.spawn(async move { write(&pool, &health, &callbacks, work, answer_with).await });
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }

    pub(crate) async fn close(&self) {
        self.jobs.close();
        self.jobs.wait().await;
        self.callbacks.close().await;
        if let Err(error) = self.pool.close_by_ref().await {
            tracing::warn!(%error, "Could not close the database");
        }
    }
}

/// Runs one job, commits it, and replies to the caller after the callbacks, if there are any.
async fn write<T, E, F, Fut, A>(
    pool: &DatabaseConnection,
    health: &Arc<Health>,
    queue: &CallbackQueue,
    work: F,
    answer: A,
) where
    F: FnOnce(Tx) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: Send + 'static,
    E: From<DbError>,
    A: FnOnce(Result<T, E>) + Send + 'static,
{
    let transaction = match health.watch(pool.begin()).await {
        Ok(transaction) => transaction,
        Err(error) => return answer(Err(DbError::from(error).into())),
    };
    let Outcome { result, transaction, state } = job::run(transaction, health, work).await;
    let value = match result {
        Ok(value) => value,
        Err(error) => {
            roll_back(transaction).await;
            return answer(Err(error));
        }
    };
    let JobState { callbacks, unsettled, outage } = state;
    // Reserved before COMMIT is sent: a job that waits for a lock of this transaction, or reads its
    // writes, then gets a later slot.
    let slot = match callbacks.is_empty() {
        true => None,
        false => Some(queue.reserve().await),
    };
    if let Err(error) = commit(transaction, unsettled).await {
        health.note(&error);
        return answer(Err(DbError::not_committed(outage.unwrap_or(error)).into()));
    }
    match slot {
        Some(slot) => slot.committed(vec![(callbacks, Box::new(move || answer(Ok(value))))]),
        None => answer(Ok(value)),
    }
}

/// Commits the transaction. If a statement has failed before, PostgreSQL answers COMMIT without an
/// error and rolls back, so a `SELECT 1` checks the transaction first.
async fn commit(transaction: DatabaseTransaction, unsettled: bool) -> Result<(), DbErr> {
    let committed = timeout(COMMIT_TIMEOUT, async {
        if unsettled {
            transaction.execute_unprepared("SELECT 1").await?;
        }
        transaction.commit().await
    });
    let timed_out = || {
        DbErr::Conn(RuntimeErr::SqlxError(
            sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into(),
        ))
    };
    committed.await.unwrap_or_else(|_| Err(timed_out()))
}

/// Rolls back. The pool drops a connection that does not answer; see `open::pool`.
async fn roll_back(transaction: DatabaseTransaction) {
    match timeout(ROLLBACK_TIMEOUT, transaction.rollback()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "Could not roll back"),
        Err(_) => tracing::warn!("A rollback timed out; its connection is dropped"),
    }
}
