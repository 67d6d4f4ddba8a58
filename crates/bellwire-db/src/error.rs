//! What can go wrong with the database.

use sea_orm::{ConnAcquireErr, DbErr};

use crate::outage::Outage;
use crate::text::is_unstorable;

/// Why something was not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Too much waits, or somebody else holds a lock. Trying again in a moment helps.
    #[error("the database has too much to do, try again in a moment")]
    Busy,
    /// The job took longer than a job may; nothing of it was kept.
    #[error("a write took too long and was given up")]
    TimedOut,
    /// The job panicked; nothing of it was kept.
    #[error("a write panicked")]
    Panicked,
    /// [`Db::write`](crate::Db::write) was called inside the job of another one on the same
    /// database. On SQLite it would wait for itself. Use the [`Tx`](crate::Tx) that the job has.
    #[error(
        "db.write was called inside the job of another db.write; use the transaction that the job has"
    )]
    Nested,
    /// The site is being stopped.
    #[error("the database is closed")]
    Closed,
    /// The disk takes no more: what is there can be read, and nothing of this was kept. It heals
    /// when there is room.
    #[error("the disk of the database takes no more")]
    Full(#[source] DbErr),
    /// The database can only be read; nothing of this was kept.
    #[error("the database can only be read")]
    ReadOnly(#[source] DbErr),
    /// The database cannot be reached. When it went away in the middle of a commit, nobody knows
    /// whether that was kept: what is asked for again should carry the same id.
    #[error("the database cannot be reached")]
    Unreachable(#[source] DbErr),
    /// A text has U+0000 in it, which PostgreSQL cannot hold, so that no database here gets it.
    /// Nothing was asked of the database.
    #[error("a text with U+0000 in it cannot be stored")]
    Unstorable,
    /// The transaction could not be begun or committed; nothing of it was kept. Told to all jobs of
    /// one commit.
    #[error("the database did not commit")]
    NotCommitted(#[source] DbErr),
    /// The database cannot be opened.
    #[error("cannot {what}: {cause}. {mend}")]
    Open {
        /// What cannot be done.
        what: &'static str,
        /// Why.
        cause: String,
        /// What helps.
        mend: &'static str,
    },
    /// A statement failed.
    #[error(transparent)]
    Query(DbErr),
}

impl DbError {
    /// What is wrong with the database as a whole, or with what it was given, in a sentence for
    /// people; nothing when it is a fault of ours.
    pub fn for_people(&self) -> Option<&'static str> {
        match self {
            Self::Busy | Self::TimedOut | Self::Closed => {
                Some("There is too much to do at the moment. Try again.")
            }
            Self::Full(_) => Some(
                "The disk is full: nothing can be saved at the moment. What is there can be read.",
            ),
            Self::ReadOnly(_) => {
                Some("Nothing can be saved at the moment. What is there can be read.")
            }
            Self::Unreachable(_) => {
                Some("The database cannot be reached at the moment. Try again soon.")
            }
            Self::Unstorable => {
                Some("There is a character in this that cannot be kept here (U+0000).")
            }
            Self::Panicked
            | Self::Nested
            | Self::NotCommitted(_)
            | Self::Open { .. }
            | Self::Query(_) => None,
        }
    }

    /// The transaction as a whole came to nothing.
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
