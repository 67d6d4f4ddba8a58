//! The transaction of a job.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use crate::callbacks::Callbacks;
use crate::health::Health;
use crate::outage::Outage;
use crate::text;

/// An open transaction: runs queries, and registers callbacks to run after the commit.
///
/// It commits only if its job returns `Ok`. Queries on a `Tx` that outlives its job fail.
#[derive(Debug)]
pub struct Tx {
    shared: Arc<Shared>,
}

/// The owner of a [`Tx`]: reclaims the transaction when the job ends.
pub(crate) struct TxOwner {
    shared: Arc<Shared>,
}

struct Shared {
    backend: DbBackend,
    /// `None` once the job has ended.
    transaction: tokio::sync::Mutex<Option<DatabaseTransaction>>,
    state: Mutex<JobState>,
    health: Arc<Health>,
}

/// The state that a job leaves at its end.
#[derive(Default)]
pub(crate) struct JobState {
    pub(crate) callbacks: Callbacks,
    /// Whether a statement failed or was cancelled: the transaction may have ended without an error
    /// from the driver.
    pub(crate) unsettled: bool,
    /// The first outage of the database during the job.
    pub(crate) outage: Option<DbErr>,
}

impl Tx {
    pub(crate) fn lend(transaction: DatabaseTransaction, health: Arc<Health>) -> (Self, TxOwner) {
        let backend = transaction.get_database_backend();
        let transaction = tokio::sync::Mutex::new(Some(transaction));
        let shared = Arc::new(Shared { backend, transaction, state: Mutex::default(), health });
        (Self { shared: shared.clone() }, TxOwner { shared })
    }

    /// Runs `callback` once the writes of this job are on disk, before `Db::write` returns.
    ///
    /// Callbacks run one after another, in commit order, on a separate task; the next job writes
    /// in the meantime. A panic in one is logged, and the others run. Keep them short and never
    /// block: a write with callbacks also waits for the callbacks of earlier commits.
    pub fn on_commit(&self, callback: impl FnOnce() + Send + 'static) {
        self.shared.state().callbacks.push(Box::new(callback));
    }

    /// Acquires the advisory lock `number` across all processes and holds it until the job ends.
    ///
    /// Does nothing on SQLite, where only one job writes at a time.
    ///
    /// # Errors
    /// If the statement fails, or the lock is not free in time.
    pub async fn lock(&self, number: i64) -> Result<(), DbErr> {
        if self.shared.backend == DbBackend::Postgres {
            self.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({number})")).await?;
        }
        Ok(())
    }
}

impl TxOwner {
    pub(crate) async fn reclaim(self) -> (DatabaseTransaction, JobState) {
        let transaction = self.shared.transaction.lock().await.take();
        let state = std::mem::take(&mut *self.shared.state());
        (
            transaction.unwrap_or_else(|| unreachable!("taken only here, which consumes `self`")),
            state,
        )
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the transaction as unsettled while a statement runs, since that may fail or be
    /// cancelled. Returns the previous mark.
    fn begin_statement(&self) -> bool {
        std::mem::replace(&mut self.state().unsettled, true)
    }

    fn end_statement<T>(&self, was_unsettled: bool, result: &Result<T, DbErr>) {
        let mut state = self.state();
        match result {
            Ok(_) => state.unsettled = was_unsettled,
            Err(error) => {
                self.health.note(error);
                if state.outage.is_none() && Outage::of(error).is_some() {
                    state.outage = Some(error.clone());
                }
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// Runs one statement on the transaction, if the job has not ended.
macro_rules! on_the_transaction {
    ($tx:ident, $method:ident, $argument:ident) => {
        match &*$tx.shared.transaction.lock().await {
            Some(transaction) => {
                let was_unsettled = $tx.shared.begin_statement();
                let result = transaction.$method($argument).await;
                $tx.shared.end_statement(was_unsettled, &result);
                result
            }
            None => Err(DbErr::Custom("the transaction has ended".to_owned())),
        }
    };
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        text::check(&statement)?;
        on_the_transaction!(self, execute_raw, statement)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        on_the_transaction!(self, execute_unprepared, sql)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        text::check(&statement)?;
        on_the_transaction!(self, query_one_raw, statement)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        text::check(&statement)?;
        on_the_transaction!(self, query_all_raw, statement)
    }
}
