//! SQLite's own hooks on the writing connection: what it may commit, and what it has rolled back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

/// Steps of SQLite's machine between two looks at whether a statement is to be broken off.
const LOOK_EVERY: i32 = 10_000;

/// What is said to SQLite's own hooks on the writing connection.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// Whether a commit is one of ours.
    pub(crate) may_commit: AtomicBool,
    /// Whether what was begun has been rolled back, by whomever.
    pub(crate) rolled_back: AtomicBool,
    /// Whether a statement that still runs is to be broken off: its job is over.
    pub(crate) hurry: AtomicBool,
    /// Whether a transaction on this connection did not end as it should.
    pub(crate) spoiled: AtomicBool,
}

impl Guard {
    /// Looks after a connection that was just opened.
    pub(crate) async fn watch(
        self: Arc<Self>,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        self.spoiled.store(false, Ordering::SeqCst);
        let (asked, told, looking) = (self.clone(), self.clone(), self);
        let mut handle = connection.lock_handle().await?;
        handle.set_commit_hook(move || asked.may_commit.load(Ordering::SeqCst));
        handle.set_rollback_hook(move || told.rolled_back.store(true, Ordering::SeqCst));
        handle.set_progress_handler(LOOK_EVERY, move || !looking.hurry.load(Ordering::Relaxed));
        Ok(())
    }

    /// Whether a transaction that begins on this connection now would be a real one.
    pub(crate) fn is_sound(&self, connection: &SqliteConnection) -> bool {
        !connection.is_in_transaction() && !self.spoiled.load(Ordering::SeqCst)
    }
}
