//! What can go wrong with the database.

use std::sync::Arc;

use sea_orm::{ConnAcquireErr, DbErr};

/// Why something was not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Too many writes are waiting. Trying again in a moment helps.
    #[error("the database has too much to do, try again in a moment")]
    Busy,
    /// The job took longer than a job may; nothing of it was kept.
    #[error("a write took too long and was given up")]
    TimedOut,
    /// The job panicked; nothing of it was kept.
    #[error("a write panicked")]
    Panicked,
    /// The site is being stopped.
    #[error("the database is closed")]
    Closed,
    /// The transaction could not be begun or committed; nothing of it was kept. Shared by all jobs of one commit.
    #[error("the database did not commit")]
    NotCommitted(#[source] Arc<DbErr>),
    /// The database cannot be opened.
    #[error("cannot open the database {database}")]
    Open {
        /// Which one.
        database: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement failed.
    #[error(transparent)]
    Query(DbErr),
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        if is_busy(&error) { Self::Busy } else { Self::Query(error) }
    }
}

/// Whether all connections are in use, and were for as long as one may wait.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}
