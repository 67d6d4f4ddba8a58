//! Outages: errors of the database as a whole, as opposed to errors of one statement.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use sqlx::postgres::PgDatabaseError;

/// A temporary state of the database in which every statement would fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outage {
    /// All connections are in use, or another process holds the lock.
    Busy,
    /// A statement exceeded its time limit.
    TimedOut,
    /// The disk is full.
    Full,
    /// The database is read-only.
    ReadOnly,
    /// The database cannot be reached.
    Unreachable,
}

impl Outage {
    pub(crate) fn of(error: &DbErr) -> Option<Self> {
        match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Some(Self::Busy),
            error => Self::of_sqlx(in_sqlx(error)?),
        }
    }

    pub(crate) fn of_sqlx(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::PoolTimedOut => Some(Self::Busy),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                Some(Self::Unreachable)
            }
            sqlx::Error::Database(error) => {
                let code = error.code()?;
                match error.try_downcast_ref::<PgDatabaseError>() {
                    Some(_) => Self::of_postgres(&code),
                    None => Self::of_sqlite(code.parse().ok()?),
                }
            }
            _ => None,
        }
    }

    /// Classifies an error by its SQLSTATE.
    fn of_postgres(code: &str) -> Option<Self> {
        match code {
            "55P03" | "40P01" | "40001" | "53300" => Some(Self::Busy),
            "57014" | "25P03" => Some(Self::TimedOut),
            "53100" => Some(Self::Full),
            "25006" => Some(Self::ReadOnly),
            "57P01" | "57P02" | "57P03" | "57P05" | "58030" => Some(Self::Unreachable),
            code if code.starts_with("08") => Some(Self::Unreachable),
            _ => None,
        }
    }

    /// Classifies an error by its extended result code, whose last byte is the primary code.
    fn of_sqlite(code: i32) -> Option<Self> {
        const IOERR_WRITE: i32 = 10 | (3 << 8);
        const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
        match (code, code & 0xff) {
            (_, 5 | 6) => Some(Self::Busy),                       // BUSY, LOCKED
            (_, 9) => Some(Self::TimedOut),                       // INTERRUPT
            (_, 13) => Some(Self::Full),                          // FULL
            (IOERR_WRITE | IOERR_SHMSIZE, _) => Some(Self::Full), // quota, limit, failing disk
            (_, 8) => Some(Self::ReadOnly),                       // READONLY
            (_, 10 | 14) => Some(Self::Unreachable),              // IOERR, CANTOPEN
            _ => None,
        }
    }

    /// Describes the outage for the operator.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Busy => "The database is busy, or another process holds a lock",
            Self::TimedOut => "A database operation timed out",
            Self::Full => "The disk of the database is full",
            Self::ReadOnly => "The database is read-only",
            Self::Unreachable => "The database cannot be reached",
        }
    }
}

/// Returns the driver error inside an ORM error.
pub(crate) fn in_sqlx(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
