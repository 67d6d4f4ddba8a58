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

use crate::error::DbError;
use crate::health::Health;
use crate::job::{self, Ran};
use crate::tx::Left;
use crate::tx::Tx;

/// Jobs that may run or wait for a connection. The next one is refused with [`DbError::Busy`].
const QUEUE: usize = 1024;

/// How long a commit may take. A server that keeps a copy elsewhere may wait for that.
const COMMIT: Duration = Duration::from_secs(10);

/// How long taking back may take; then the connection is dropped, and the server takes back by itself.
const ROLLBACK: Duration = Duration::from_secs(2);

/// The door of PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pool: DatabaseConnection,
    health: Arc<Health>,
    room: Arc<Semaphore>,
    jobs: TaskTracker,
}

impl Writer {
    pub(crate) fn new(pool: DatabaseConnection, health: Arc<Health>) -> Self {
        Self { pool, health, room: Arc::new(Semaphore::new(QUEUE)), jobs: TaskTracker::new() }
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
        let (pool, health) = (self.pool.clone(), self.health.clone());
        self.jobs.spawn(async move {
            let _ = reply.send(write(&pool, &health, work).await);
            drop(place);
        });
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }

    pub(crate) async fn close(&self) {
        self.jobs.close();
        self.jobs.wait().await;
        if let Err(error) = self.pool.close_by_ref().await {
            tracing::warn!(%error, "Could not close the database");
        }
    }
}

async fn write<T, E, F, Fut>(pool: &DatabaseConnection, health: &Arc<Health>, work: F) -> Result<T, E>
where
    F: FnOnce(Tx) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<DbError>,
{
    let transaction = health.watch(pool.begin()).await.map_err(DbError::from)?;
    let Ran { result, transaction, left } = job::run(transaction, health, work).await;
    let kept = match result {
        Ok(kept) => kept,
        Err(error) => {
            take_back(transaction).await;
            return Err(error);
        }
    };
    let Left { callbacks, unsettled, trouble } = left;
    if let Err(error) = commit(transaction, unsettled).await {
        health.note(&error);
        return Err(DbError::not_committed(trouble.unwrap_or(error)).into());
    }
    job::committed(callbacks);
    Ok(kept)
}

/// PostgreSQL answers COMMIT without an error when a statement has failed before, and rolls back: so, where one did,
/// it is asked first.
async fn commit(transaction: DatabaseTransaction, unsettled: bool) -> Result<(), DbErr> {
    let done = timeout(COMMIT, async {
        if unsettled {
            transaction.execute_unprepared("SELECT 1").await?;
        }
        transaction.commit().await
    });
    let late =
        || DbErr::Conn(RuntimeErr::SqlxError(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into()));
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
