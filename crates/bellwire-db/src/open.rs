//! Opens the database with the settings that make commits durable; its errors name the cause and a
//! remedy.

use std::error::Error;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Executor};
use tokio::time::timeout;

use crate::chain::chain;
use crate::error::DbError;
use crate::guard::Guard;
use crate::outage::in_sqlx;

/// Number of read connections of SQLite.
const SQLITE_READERS: u32 = 8;

/// Number of read connections to PostgreSQL, and of write connections: a lock that blocks all
/// writers does not block readers.
const POSTGRES_CONNECTIONS: u32 = 10;

/// How long to wait for a free connection, for the server, or for another process that writes to
/// the same file.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limits that PostgreSQL enforces in each session. All are shorter than a job's ten seconds,
/// except the last, which is for a process that hangs.
const LIMITS: [(&str, &str); 3] = [
    ("lock_timeout", "3s"),
    ("statement_timeout", "8s"),
    ("idle_in_transaction_session_timeout", "15s"),
];

/// A connection that was idle for longer than this is pinged before reuse.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

/// How long a ping may take; then the connection is closed.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens the single write connection. The pool replaces it when its guard reports it as broken.
pub(crate) async fn sqlite_writer(
    file: &Path,
    guard: Arc<Guard>,
) -> Result<DatabaseConnection, DbError> {
    create_file(file)?;
    let opened = guard.clone();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| Box::pin(opened.clone().install(connection)))
        .before_acquire(move |connection, _| {
            let usable = guard.is_usable(connection);
            Box::pin(async move { Ok(usable) })
        });
    let pool = pool.connect_with(sqlite(file)).await.map_err(|error| cannot_open(&error))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Opens all read connections and keeps them and their files open, so that reads still work when
/// the process has reached its limit of open files.
pub(crate) async fn sqlite_readers(file: &Path) -> Result<DatabaseConnection, DbError> {
    let pool = SqlitePoolOptions::new()
        .min_connections(SQLITE_READERS)
        .max_connections(SQLITE_READERS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SELECT count(*) FROM sqlite_master").await.map(|_| ())
            })
        });
    let options = sqlite(file).pragma("query_only", "ON").pragma("temp_store", "MEMORY");
    let pool = pool.connect_with(options).await.map_err(|error| cannot_open(&error))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Write-ahead log, so that reads continue during a write; each commit waits for the disk.
fn sqlite(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(ACQUIRE_TIMEOUT)
        .foreign_keys(true)
}

/// Creates the file, readable by its owner only, since it will hold messages and password hashes.
/// SQLite gives its journal files the same mode. An existing file keeps its mode.
fn create_file(file: &Path) -> Result<(), DbError> {
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    if let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.create(parent).map_err(|error| cannot_create(&error))?;
    }
    match options.open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot_create(&error)),
        _ => Ok(()),
    }
}

/// A reachable PostgreSQL server, with the options for sessions whose commits are durable.
pub(crate) struct Server {
    options: PgConnectOptions,
}

impl Server {
    /// Connects once without a pool, so that an error appears immediately and in the server's own
    /// words.
    pub(crate) async fn connect(url: &str) -> Result<Self, DbError> {
        let options: PgConnectOptions = url.parse().map_err(|error| cannot_reach(&error))?;
        let options = options.application_name("bellwire");
        let read_settings = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let query = "SELECT current_setting('synchronous_commit'), current_setting('fsync')";
            let found: (String, String) = sqlx::query_as(query).fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok(found)
        };
        let timed_out = || {
            sqlx::Error::Io(io::Error::new(
                io::ErrorKind::TimedOut,
                "no answer within five seconds",
            ))
        };
        let found =
            timeout(ACQUIRE_TIMEOUT, read_settings).await.unwrap_or_else(|_| Err(timed_out()));
        let (commit, fsync) = found.map_err(|error| cannot_reach(&error))?;
        if commit == "off" {
            return Err(not_durable());
        }
        if fsync == "off" {
            tracing::warn!(
                "PostgreSQL runs with fsync=off: acknowledged commits can be lost if its machine \
                 crashes"
            );
        }
        // Set in each session, so that a later change of the server's settings does not override
        // it.
        let options = options.options([("synchronous_commit", &*commit)]).options(LIMITS);
        Ok(Self { options })
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    pub(crate) async fn writers(&self) -> Result<DatabaseConnection, DbError> {
        pool(self.options()).await
    }

    pub(crate) async fn readers(&self) -> Result<DatabaseConnection, DbError> {
        pool(self.options().options([("default_transaction_read_only", "on")])).await
    }
}

/// Opens a pool that closes connections that do not answer, instead of waiting for them.
async fn pool(options: PgConnectOptions) -> Result<DatabaseConnection, DbError> {
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(is_durable(connection)))
        .before_acquire(|connection, meta| {
            let idle = meta.idle_for > PING_AFTER_IDLE;
            Box::pin(async move { Ok(!idle || ping(connection).await.is_ok()) })
        })
        .after_release(|connection, _| {
            Box::pin(async move { ping(connection).await.map(|()| true) })
        });
    let pool = pool.connect_with(options).await.map_err(|error| cannot_reach(&error))?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

async fn is_durable(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let query = sqlx::query_scalar("SELECT current_setting('synchronous_commit')");
    let commit: String = query.fetch_one(connection).await?;
    match &*commit {
        "off" => Err(sqlx::Error::Configuration("this session has synchronous_commit=off".into())),
        _ => Ok(()),
    }
}

async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let timed_out = || sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    timeout(PING_TIMEOUT, connection.ping()).await.unwrap_or_else(|_| Err(timed_out()))
}

fn cannot_create(error: &io::Error) -> DbError {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull => "Free disk space, or set another location",
        _ => "Give the user that Bellwire runs as write access, or set another location",
    };
    DbError::Open { operation: "create the database file", cause: error.to_string(), remedy }
}

fn cannot_open(error: &sqlx::Error) -> DbError {
    let remedy = match code_of(error)
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff)
    {
        Some(26) => "Move this file away, or set another: Bellwire creates a missing file",
        Some(5 | 6) => "Another program has locked it: stop that program first",
        Some(13) => "Free disk space",
        _ => {
            "Give the user that Bellwire runs as read and write access to the file and its folder, \
             or set another"
        }
    };
    DbError::Open { operation: "open the database file", cause: cause_of(error), remedy }
}

fn cannot_reach(error: &sqlx::Error) -> DbError {
    let remedy = match code_of(error).as_deref() {
        Some("28000" | "28P01") => {
            "Correct the user or the password, or allow this user in pg_hba.conf"
        }
        Some("3D000") => "Create this database (createdb), or set another",
        Some("42501") => "Grant this user the right to connect to this database",
        Some("53300") => "Raise max_connections: Bellwire uses up to 21 connections",
        Some("57P03") => "Try again in a moment",
        _ if matches!(error, sqlx::Error::Configuration(_)) => "Correct the address",
        _ => "Start PostgreSQL there, or correct the address",
    };
    DbError::Open { operation: "reach PostgreSQL", cause: cause_of(error), remedy }
}

fn not_durable() -> DbError {
    DbError::Open {
        operation: "guarantee durable commits",
        cause: "PostgreSQL runs with synchronous_commit=off and acknowledges commits that it may \
                still lose"
            .to_owned(),
        remedy: "Set synchronous_commit to on, for the server or for this user and database \
                 (ALTER ROLE … SET)",
    }
}

/// Converts the error of a failed migration.
pub(crate) fn cannot_migrate(error: &DbErr) -> DbError {
    let (code, cause) = match in_sqlx(error) {
        Some(error) => (code_of(error), cause_of(error)),
        None => (None, chain(error)),
    };
    let remedy = match code.as_deref() {
        Some("42501") => {
            "Let this user create tables: GRANT CREATE ON SCHEMA public, or make it the owner"
        }
        Some("8" | "264" | "520" | "776" | "1032" | "1288") => {
            "Give the user that Bellwire runs as write access to the file and its folder"
        }
        Some("13") => "Free disk space",
        Some("5" | "6") => "Another program writes to it: stop that program first",
        _ => "The tables are unchanged",
    };
    DbError::Open { operation: "apply the migrations", cause, remedy }
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(Into::into)
}

/// Returns the cause in its own words, without the prefix of the driver.
fn cause_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.source().map_or_else(|| error.to_string(), chain),
    }
}
