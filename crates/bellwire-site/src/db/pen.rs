//! The one connection that writes to SQLite.
//!
//! Two things are not left to trust. SQLite asks before every commit, and only the writer's own is let through: when a
//! full disk has made SQLite roll back in the middle of a job, what the job does next would otherwise be committed
//! statement by statement. And a connection whose transaction did not end as it should is closed and replaced, because the driver
//! then takes the next BEGIN for a savepoint, and what is "committed" into that is never committed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::{DbError, open};

/// Steps of SQLite's machine between two looks at whether a statement is to be broken off.
const LOOK_EVERY: i32 = 10_000;

/// The writing connection.
#[derive(Debug, Clone)]
pub(super) struct Pen {
    connection: DatabaseConnection,
    guard: Arc<Guard>,
}

/// What is said to SQLite's own hooks on the writing connection.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Whether a commit is one of ours.
    may_commit: AtomicBool,
    /// Whether what was begun has been rolled back, by whomever.
    rolled_back: AtomicBool,
    /// Whether a statement that still runs is to be broken off: its job is over.
    hurry: AtomicBool,
    /// Whether a transaction on this connection did not end as it should.
    spoiled: AtomicBool,
}

impl Guard {
    /// Looks after a connection that was just opened.
    pub(super) async fn watch(self: Arc<Self>, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.spoiled.store(false, Ordering::SeqCst);
        let (asked, told, looking) = (self.clone(), self.clone(), self);
        let mut handle = connection.lock_handle().await?;
        handle.set_commit_hook(move || asked.may_commit.load(Ordering::SeqCst));
        handle.set_rollback_hook(move || told.rolled_back.store(true, Ordering::SeqCst));
        handle.set_progress_handler(LOOK_EVERY, move || !looking.hurry.load(Ordering::Relaxed));
        Ok(())
    }

    /// Whether a transaction that begins on this connection now would be a real one.
    pub(super) fn is_sound(&self, connection: &SqliteConnection) -> bool {
        !connection.is_in_transaction() && !self.spoiled.load(Ordering::SeqCst)
    }
}

impl Pen {
    pub(super) async fn open(file: &Path) -> Result<Self, DbError> {
        let guard = Arc::new(Guard::default());
        let connection = open::sqlite_writer(file, guard.clone()).await?;
        Ok(Self { connection, guard })
    }

    /// Begins to write at once, so that there is no finding out in the middle that another process does.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
        let transaction = self.spoiled_by(self.connection.begin_with_options(options).await)?;
        self.guard.rolled_back.store(false, Ordering::SeqCst);
        Ok(transaction)
    }

    pub(super) async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), DbErr> {
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
    pub(super) async fn give_up(&self, transaction: DatabaseTransaction) {
        self.guard.spoiled.store(true, Ordering::SeqCst);
        // Where SQLite has rolled back by itself, there is nothing left to roll back.
        let _ = transaction.rollback().await;
    }

    /// Takes back what one job wrote, and breaks off the statement it is still at.
    pub(super) async fn take_back(&self, savepoint: DatabaseTransaction) -> Result<(), DbErr> {
        self.guard.hurry.store(true, Ordering::Relaxed);
        let taken_back = savepoint.rollback().await;
        self.guard.hurry.store(false, Ordering::Relaxed);
        taken_back
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.connection.close_by_ref().await
    }

    fn spoiled_by<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.is_err() {
            self.guard.spoiled.store(true, Ordering::SeqCst);
        }
        result
    }
}
