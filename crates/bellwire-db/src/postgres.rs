//! Writing on PostgreSQL: a transaction of its own for each job.

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
use crate::job::{self, Ran};
use crate::tx::Left;
use crate::tx::Tx;

/// Jobs that may run, or wait for a connection or for callbacks. The next one is refused with
/// [`DbError::Busy`].
const QUEUE: usize = 1024;

/// How long a commit may take. A server that keeps a copy elsewhere may wait for that.
const COMMIT: Duration = Duration::from_secs(10);

/// How long taking back may take; then the connection is dropped, and the server takes back by
/// itself.
const ROLLBACK: Duration = Duration::from_secs(2);

/// The door of PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pool: DatabaseConnection,
    health: Arc<Health>,
    room: Arc<Semaphore>,
    jobs: TaskTracker,
    callbacks: CallbackQueue,
}

impl Writer {
    pub(crate) fn new(pool: DatabaseConnection, health: Arc<Health>) -> Self {
        let (room, jobs) = (Arc::new(Semaphore::new(QUEUE)), TaskTracker::new());
        Self { pool, health, room, jobs, callbacks: CallbackQueue::start(QUEUE) }
    }

    /// In a task of its own, so that the job outlives whoever asked for it.
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
        let place = self.room.clone().try_acquire_owned().map_err(|_| DbError::Busy)?;
        let (reply, answer) = oneshot::channel();
        let answer_with = move |result| {
            // Whoever asked may have gone: the job is done all the same.
            let _ = reply.send(result);
            drop(place);
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

/// Runs one job, commits it, and answers: after its callbacks, if it left any.
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
    let Ran { result, transaction, left } = job::run(transaction, health, work).await;
    let kept = match result {
        Ok(kept) => kept,
        Err(error) => {
            take_back(transaction).await;
            return answer(Err(error));
        }
    };
    let Left { callbacks, unsettled, outage } = left;
    // Before COMMIT is sent: who waits for a lock of this transaction, or reads what it wrote,
    // takes a later place.
    let place = match callbacks.is_empty() {
        true => None,
        false => Some(queue.place().await),
    };
    if let Err(error) = commit(transaction, unsettled).await {
        health.note(&error);
        return answer(Err(DbError::not_committed(outage.unwrap_or(error)).into()));
    }
    match place {
        Some(place) => place.committed(vec![(callbacks, Box::new(move || answer(Ok(kept))))]),
        None => answer(Ok(kept)),
    }
}

/// PostgreSQL answers COMMIT without an error when a statement has failed before, and rolls back:
/// so, where one did, it is asked first.
async fn commit(transaction: DatabaseTransaction, unsettled: bool) -> Result<(), DbErr> {
    let done = timeout(COMMIT, async {
        if unsettled {
            transaction.execute_unprepared("SELECT 1").await?;
        }
        transaction.commit().await
    });
    let late = || {
        DbErr::Conn(RuntimeErr::SqlxError(
            sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into(),
        ))
    };
    done.await.unwrap_or_else(|_| Err(late()))
}

/// A connection that does not answer is dropped by its pool; see `open::postgres`.
async fn take_back(transaction: DatabaseTransaction) {
    match timeout(ROLLBACK, transaction.rollback()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "Could not roll back"),
        Err(_) => tracing::warn!("Could not roll back in time"),
    }
}
