//! SQLite hooks on the write connection: they permit commits and report rollbacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

/// Steps of SQLite's virtual machine between two checks of whether to interrupt a statement.
const PROGRESS_STEPS: i32 = 10_000;

/// The state that the SQLite hooks on the write connection share with the writer.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// Whether the writer itself is committing.
    pub(crate) may_commit: AtomicBool,
    /// Whether the open transaction has been rolled back, by the writer or by SQLite.
    pub(crate) rolled_back: AtomicBool,
    /// Whether to interrupt the statement that still runs, because its job has ended.
    pub(crate) interrupt: AtomicBool,
    /// Whether a transaction on this connection ended abnormally, so it must be replaced.
    pub(crate) broken: AtomicBool,
}

impl Guard {
    /// Installs the hooks on a new connection.
    pub(crate) async fn install(
        self: Arc<Self>,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        self.broken.store(false, Ordering::SeqCst);
        let (on_commit, on_rollback, on_progress) = (self.clone(), self.clone(), self);
        let mut handle = connection.lock_handle().await?;
        handle.set_commit_hook(move || on_commit.may_commit.load(Ordering::SeqCst));
        handle.set_rollback_hook(move || on_rollback.rolled_back.store(true, Ordering::SeqCst));
        handle.set_progress_handler(PROGRESS_STEPS, move || {
            !on_progress.interrupt.load(Ordering::Relaxed)
        });
        Ok(())
    }

    /// Whether a new BEGIN on this connection would start a real transaction, not a savepoint.
    pub(crate) fn is_usable(&self, connection: &SqliteConnection) -> bool {
        !connection.is_in_transaction() && !self.broken.load(Ordering::SeqCst)
    }
}
