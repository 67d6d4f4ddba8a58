//! The one connection that writes to SQLite.
//!
//! Two things are not left to trust. SQLite asks before every commit, and only the writer's own is
//! let through: when a full disk has made SQLite roll back in the middle of a job, what the job
//! does next would otherwise be committed statement by statement. And a connection whose
//! transaction did not end as it should is closed and replaced, because the driver then takes the
//! next BEGIN for a savepoint, and what is "committed" into that is never committed.

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

/// Lets SQLite compare its copy of the schema with the file's, which BEGIN does not. Another
/// process may have migrated; SQLite would then read the schema again in the middle of preparing a
/// statement whose trigger writes to a virtual table, and would fail with "no such table".
const REFRESH: &str = "SELECT 1 FROM sqlite_master LIMIT 0";

/// The writing connection.
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

    /// Begins to write at once, so that there is no finding out in the middle that another process
    /// does.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
        let transaction = self.spoiled_by(self.connection.begin_with_options(options).await)?;
        self.guard.rolled_back.store(false, Ordering::SeqCst);
        let refreshed = transaction.execute_unprepared(REFRESH).await;
        match self.spoiled_by(refreshed) {
            Ok(_) => Ok(transaction),
            Err(error) => {
                self.give_up(transaction).await;
                Err(error)
            }
        }
    }

    pub(crate) async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), DbErr> {
        if self.guard.rolled_back.load(Ordering::SeqCst) {
            self.give_up(transaction).await;
            return Err(DbErr::Custom("the transaction was rolled back before its end".to_owned()));
        }
        self.guard.may_commit.store(true, Ordering::SeqCst);
        let committed = transaction.commit().await;
        self.guard.may_commit.store(false, Ordering::SeqCst);
        self.spoiled_by(committed)
    }

    /// Gives up a transaction that something is wrong with.
    pub(crate) async fn give_up(&self, transaction: DatabaseTransaction) {
        self.guard.spoiled.store(true, Ordering::SeqCst);
        // Where SQLite has rolled back by itself, there is nothing left to roll back.
        let _ = transaction.rollback().await;
    }

    /// Takes back what one job wrote, and breaks off the statement it is still at.
    pub(crate) async fn take_back(&self, savepoint: DatabaseTransaction) -> Result<(), DbErr> {
        self.guard.hurry.store(true, Ordering::Relaxed);
        let taken_back = savepoint.rollback().await;
        self.guard.hurry.store(false, Ordering::Relaxed);
        taken_back
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.connection.close_by_ref().await
    }

    fn spoiled_by<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.is_err() {
            self.guard.spoiled.store(true, Ordering::SeqCst);
        }
        result
    }
}
