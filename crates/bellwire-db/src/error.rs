//! Errors of the database.

use sea_orm::{ConnAcquireErr, DbErr};

use crate::outage::Outage;
use crate::text::is_unstorable;

/// The reason why a read or a write failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The queue is full, or another process holds a lock. A retry in a moment can succeed.
    #[error("the database is busy, try again in a moment")]
    Busy,
    /// The job exceeded its time limit and was rolled back.
    #[error("a write timed out and was rolled back")]
    TimedOut,
    /// The job panicked and was rolled back.
    #[error("a write panicked")]
    Panicked,
    /// [`Db::write`](crate::Db::write) was called inside the job of another write to the
    /// same database. On SQLite it would wait for itself. Use the job's own [`Tx`](crate::Tx).
    #[error(
        "db.write was called inside the job of another db.write; use the job's own transaction"
    )]
    Nested,
    /// The site is shutting down.
    #[error("the database is closed")]
    Closed,
    /// The disk is full: reads still work, and this write was rolled back. Writes work again once
    /// there is free space.
    #[error("the disk of the database is full")]
    Full(#[source] DbErr),
    /// The database is read-only; this write was rolled back.
    #[error("the database is read-only")]
    ReadOnly(#[source] DbErr),
    /// The database cannot be reached. If the connection broke during a commit, it is unknown
    /// whether the commit succeeded: a retry should carry the same idempotency key.
    #[error("the database cannot be reached")]
    Unreachable(#[source] DbErr),
    /// A text contains U+0000, which PostgreSQL cannot store, so it is refused on SQLite as well.
    /// The statement was not sent.
    #[error("a text that contains U+0000 cannot be stored")]
    Unstorable,
    /// The transaction could not be begun or committed, and was rolled back. All jobs of the commit
    /// receive this error.
    #[error("the transaction was not committed")]
    NotCommitted(#[source] DbErr),
    /// The database cannot be opened.
    #[error("cannot {operation}: {cause}. {remedy}")]
    Open {
        /// The operation that failed.
        operation: &'static str,
        /// The cause.
        cause: String,
        /// The next step for the operator.
        remedy: &'static str,
    },
    /// A statement failed.
    #[error(transparent)]
    Query(DbErr),
}

impl DbError {
    /// Returns a sentence for the visitor if the database as a whole has a problem or the input is
    /// invalid; `None` for a bug of the program.
    pub fn for_people(&self) -> Option<&'static str> {
        match self {
            Self::Busy | Self::TimedOut | Self::Closed => {
                Some("The server is busy. Please try again.")
            }
            Self::Full(_) => {
                Some("The disk is full: nothing can be saved at the moment. Reading still works.")
            }
            Self::ReadOnly(_) => Some("Nothing can be saved at the moment. Reading still works."),
            Self::Unreachable(_) => {
                Some("The database cannot be reached at the moment. Please try again soon.")
            }
            Self::Unstorable => Some(
                "The text contains a character that cannot be stored (U+0000). Please remove it.",
            ),
            Self::Panicked
            | Self::Nested
            | Self::NotCommitted(_)
            | Self::Open { .. }
            | Self::Query(_) => None,
        }
    }

    /// Converts the error of a transaction that failed as a whole.
    pub(crate) fn not_committed(error: DbErr) -> Self {
        match Self::from(error) {
            Self::Query(error) => Self::NotCommitted(error),
            outage => outage,
        }
    }
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        match Outage::of(&error) {
            Some(Outage::Busy) => Self::Busy,
            Some(Outage::TimedOut) => Self::TimedOut,
            Some(Outage::Full) => Self::Full(error),
            Some(Outage::ReadOnly) => Self::ReadOnly(error),
            Some(Outage::Unreachable) => Self::Unreachable(error),
            None if matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)) => {
                Self::Closed
            }
            None if is_unstorable(&error) => Self::Unstorable,
            None => Self::Query(error),
        }
    }
}
