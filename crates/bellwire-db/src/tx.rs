//! The transaction a job writes in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use crate::callbacks::Callbacks;
use crate::health::Health;
use crate::outage::Outage;
use crate::text;

/// An open transaction: queries run on it, and what must wait for the commit is left with it.
///
/// It commits when its job ends with `Ok`, and only then. A `Tx` that outlives its job can do
/// nothing any more.
#[derive(Debug)]
pub struct Tx {
    shared: Arc<Shared>,
}

/// The other end of a [`Tx`]: takes the transaction back when the job is over.
pub(crate) struct Lent {
    shared: Arc<Shared>,
}

struct Shared {
    backend: DbBackend,
    /// Empty once the job is over.
    transaction: tokio::sync::Mutex<Option<DatabaseTransaction>>,
    left: Mutex<Left>,
    health: Arc<Health>,
}

/// What a job leaves when it is over.
#[derive(Default)]
pub(crate) struct Left {
    pub(crate) callbacks: Callbacks,
    /// Whether a statement failed, or nobody waited for its end: its transaction may be over
    /// without having said so.
    pub(crate) unsettled: bool,
    /// What was wrong with the database as a whole, if it was that.
    pub(crate) outage: Option<DbErr>,
}

impl Tx {
    pub(crate) fn lend(transaction: DatabaseTransaction, health: Arc<Health>) -> (Self, Lent) {
        let backend = transaction.get_database_backend();
        let transaction = tokio::sync::Mutex::new(Some(transaction));
        let shared = Arc::new(Shared { backend, transaction, left: Mutex::default(), health });
        (Self { shared: shared.clone() }, Lent { shared })
    }

    /// Runs `callback` once what this job wrote is on disk, and before the job is answered.
    ///
    /// Callbacks run one after another, in the order of the commits, on a task of their own: the
    /// next job writes meanwhile. A panic in one is logged, and the others run. Keep them short,
    /// and never block: a job that leaves callbacks is answered after those of earlier commits.
    pub fn on_commit(&self, callback: impl FnOnce() + Send + 'static) {
        self.shared.left().callbacks.push(Box::new(callback));
    }

    /// Waits until no other job, in any process, holds the lock with this number; it is held until
    /// the job ends.
    ///
    /// On SQLite nothing is to be done: there only one job writes at a time.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lock(&self, number: i64) -> Result<(), DbErr> {
        if self.shared.backend == DbBackend::Postgres {
            self.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({number})")).await?;
        }
        Ok(())
    }
}

impl Lent {
    pub(crate) async fn take_back(self) -> (DatabaseTransaction, Left) {
        let transaction = self.shared.transaction.lock().await.take();
        let left = std::mem::take(&mut *self.shared.left());
        (
            transaction.unwrap_or_else(|| unreachable!("taken only here, and `self` is gone then")),
            left,
        )
    }
}

impl Shared {
    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement begins. Until it has ended well, nothing is certain: it may fail, or be dropped
    /// half way.
    fn begun(&self) -> bool {
        std::mem::replace(&mut self.left().unsettled, true)
    }

    fn ended<T>(&self, before: bool, result: &Result<T, DbErr>) {
        let mut left = self.left();
        match result {
            Ok(_) => left.unsettled = before,
            Err(error) => {
                self.health.note(error);
                if left.outage.is_none() && Outage::of(error).is_some() {
                    left.outage = Some(error.clone());
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

/// Runs one statement on the transaction while it is lent.
macro_rules! on_the_transaction {
    ($tx:ident, $method:ident, $argument:ident) => {
        match &*$tx.shared.transaction.lock().await {
            Some(transaction) => {
                let before = $tx.shared.begun();
                let result = transaction.$method($argument).await;
                $tx.shared.ended(before, &result);
                result
            }
            None => Err(DbErr::Custom("this transaction is over".to_owned())),
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
