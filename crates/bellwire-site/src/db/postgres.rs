//! Writing on PostgreSQL: a transaction of its own for each job.

use std::future::Future;
use std::sync::Arc;

use sea_orm::{DatabaseConnection, TransactionTrait};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;

use super::job::{self, Ran};
use super::{DbError, Tx};

/// Jobs that may run or wait for a connection. The next one is refused with [`DbError::Busy`].
const QUEUE: usize = 1024;

/// The door of PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pool: DatabaseConnection,
    room: Arc<Semaphore>,
    jobs: TaskTracker,
}

impl Writer {
    pub(super) fn new(pool: DatabaseConnection) -> Self {
        Self { pool, room: Arc::new(Semaphore::new(QUEUE)), jobs: TaskTracker::new() }
    }

    /// In a task of its own, so that the job outlives whoever asked for it.
    pub(super) async fn write<T, E, F, Fut>(&self, work: F) -> Result<T, E>
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
        let pool = self.pool.clone();
        self.jobs.spawn(async move {
            let _ = reply.send(write(&pool, work).await);
            drop(place);
        });
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }

    pub(super) async fn close(&self) {
        self.jobs.close();
        self.jobs.wait().await;
    }
}

async fn write<T, E, F, Fut>(pool: &DatabaseConnection, work: F) -> Result<T, E>
where
    F: FnOnce(Tx) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<DbError>,
{
    let transaction = pool.begin().await.map_err(DbError::from)?;
    let Ran { result, transaction, callbacks } = job::run(transaction, work).await;
    let kept = match result {
        Ok(kept) => kept,
        Err(error) => {
            if let Err(error) = transaction.rollback().await {
                tracing::warn!(%error, "Could not roll back");
            }
            return Err(error);
        }
    };
    transaction.commit().await.map_err(|error| DbError::NotCommitted(Arc::new(error)))?;
    job::committed(callbacks);
    Ok(kept)
}
