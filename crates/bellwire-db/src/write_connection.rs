//! The single write connection of SQLite.
//!
//! Two safeguards protect its commits. A commit hook permits only the writer's own commits: if a
//! full disk makes SQLite roll back in the middle of a job, the job's next statements would
//! otherwise be committed one by one. And a connection whose transaction ended abnormally is closed
//! and replaced: the driver would take the next BEGIN for a savepoint, and releasing a savepoint
//! commits nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::DbError;
use crate::guard::Guard;
use crate::open;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

/// Makes SQLite compare its cached schema with the file's, which BEGIN does not do. If another
/// process has migrated, SQLite would otherwise reload the schema while it prepares a statement
/// whose trigger writes to a virtual table, and fail with "no such table".
const REFRESH: &str = "SELECT 1 FROM sqlite_master LIMIT 0";

/// The write connection and its hooks.
#[derive(Debug, Clone)]
pub(crate) struct WriteConnection {
    connection: DatabaseConnection,
    guard: Arc<Guard>,
}

impl WriteConnection {
    pub(crate) async fn open(file: &Path) -> Result<Self, DbError> {
        let guard = Arc::new(Guard::default());
        let connection = open::sqlite_writer(file, guard.clone()).await?;
        Ok(Self { connection, guard })
    }

    /// Begins an immediate transaction, which takes the write lock at once, so that no statement
    /// fails later because another process writes.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
        let transaction = self.mark_if_failed(self.connection.begin_with_options(options).await)?;
        self.guard.rolled_back.store(false, Ordering::SeqCst);
        let refreshed = transaction.execute_unprepared(REFRESH).await;
        match self.mark_if_failed(refreshed) {
            Ok(_) => Ok(transaction),
            Err(error) => {
                self.abandon(transaction).await;
                Err(error)
            }
        }
    }

    pub(crate) async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), DbErr> {
        if self.guard.rolled_back.load(Ordering::SeqCst) {
            self.abandon(transaction).await;
            return Err(DbErr::Custom("the transaction was rolled back before its end".to_owned()));
        }
        self.guard.may_commit.store(true, Ordering::SeqCst);
        let committed = transaction.commit().await;
        self.guard.may_commit.store(false, Ordering::SeqCst);
        self.mark_if_failed(committed)
    }

    /// Rolls back a transaction that failed, and marks the connection as broken.
    pub(crate) async fn abandon(&self, transaction: DatabaseTransaction) {
        self.guard.broken.store(true, Ordering::SeqCst);
        // The error is ignored: SQLite may have rolled back by itself.
        let _ = transaction.rollback().await;
    }

    /// Rolls back one job to its savepoint, and interrupts the statement that still runs.
    pub(crate) async fn roll_back(&self, savepoint: DatabaseTransaction) -> Result<(), DbErr> {
        self.guard.interrupt.store(true, Ordering::Relaxed);
        let rolled_back = savepoint.rollback().await;
        self.guard.interrupt.store(false, Ordering::Relaxed);
        rolled_back
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.connection.close_by_ref().await
    }

    fn mark_if_failed<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.is_err() {
            self.guard.broken.store(true, Ordering::SeqCst);
        }
        result
    }
}
