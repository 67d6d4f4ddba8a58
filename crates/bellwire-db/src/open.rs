//! Opening the database with the settings that make a commit durable, or saying what is wrong and
//! how to mend it.

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

/// Connections that read at once.
const SQLITE_READERS: u32 = 8;

/// Connections to PostgreSQL that read, and as many again that write: a lock that holds up all
/// writers harms no reader.
const POSTGRES_CONNECTIONS: u32 = 10;

/// How long to wait for a free connection, for a server, or for another process that writes to the
/// same file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What PostgreSQL itself ends, in every session of ours: all of it before a job's ten seconds are
/// over, except the last, which is for a process that stands still.
const LIMITS: [(&str, &str); 3] = [
    ("lock_timeout", "3s"),
    ("statement_timeout", "8s"),
    ("idle_in_transaction_session_timeout", "15s"),
];

/// A connection that was not used for this long is tried before it is used again.
const STALE: Duration = Duration::from_secs(1);

/// How long a connection may take to say that it is well; then it is closed.
const WELL: Duration = Duration::from_secs(2);

/// The writing connection: there is one, and it is replaced when its guard says so.
pub(crate) async fn sqlite_writer(
    file: &Path,
    guard: Arc<Guard>,
) -> Result<DatabaseConnection, DbError> {
    make_file(file)?;
    let opened = guard.clone();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| Box::pin(opened.clone().watch(connection)))
        .before_acquire(move |connection, _| {
            let sound = guard.is_sound(connection);
            Box::pin(async move { Ok(sound) })
        });
    let pool = pool.connect_with(sqlite(file)).await.map_err(|error| not_opened(&error))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// The reading connections. They are all opened now and kept, with all the files they need, so that
/// reading goes on when the process may not open another file.
pub(crate) async fn sqlite_readers(file: &Path) -> Result<DatabaseConnection, DbError> {
    let pool = SqlitePoolOptions::new()
        .min_connections(SQLITE_READERS)
        .max_connections(SQLITE_READERS)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SELECT count(*) FROM sqlite_master").await.map(|_| ())
            })
        });
    let options = sqlite(file).pragma("query_only", "ON").pragma("temp_store", "MEMORY");
    let pool = pool.connect_with(options).await.map_err(|error| not_opened(&error))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Write-ahead log, so that reading goes on while one writes; and every commit waits for the disk.
fn sqlite(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .foreign_keys(true)
}

/// What is made here is nobody else's business: it will hold what people said and the hashes of
/// their passwords. SQLite gives the files beside it the same mode. What is there already keeps the
/// mode somebody chose.
fn make_file(file: &Path) -> Result<(), DbError> {
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
        folder.create(parent).map_err(|error| not_made(&error))?;
    }
    match options.open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(not_made(&error)),
        _ => Ok(()),
    }
}

/// A PostgreSQL server that answered, and what it said about how it commits.
pub(crate) struct Server {
    options: PgConnectOptions,
}

impl Server {
    /// Goes there once, with a plain connection, so that what is wrong is known at once and in the
    /// server's own words.
    pub(crate) async fn visit(url: &str) -> Result<Self, DbError> {
        let options: PgConnectOptions = url.parse().map_err(|error| not_reached(&error))?;
        let options = options.application_name("bellwire");
        let visit = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let asked = "SELECT current_setting('synchronous_commit'), current_setting('fsync')";
            let said: (String, String) = sqlx::query_as(asked).fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok(said)
        };
        let late = || {
            sqlx::Error::Io(io::Error::new(
                io::ErrorKind::TimedOut,
                "no answer within five seconds",
            ))
        };
        let visited = timeout(PATIENCE, visit).await.unwrap_or_else(|_| Err(late()));
        let (commit, fsync) = visited.map_err(|error| not_reached(&error))?;
        if commit == "off" {
            return Err(not_durable());
        }
        if fsync == "off" {
            tracing::warn!(
                "PostgreSQL runs with fsync=off: what it has acknowledged can be lost when its machine stops"
            );
        }
        // Said again in each session, so that a later change of the server's settings does not undo
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

/// A pool that closes what does not answer, instead of waiting for it.
async fn pool(options: PgConnectOptions) -> Result<DatabaseConnection, DbError> {
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(is_durable(connection)))
        .before_acquire(|connection, meta| {
            let stale = meta.idle_for > STALE;
            Box::pin(async move { Ok(!stale || is_well(connection).await.is_ok()) })
        })
        .after_release(|connection, _| {
            Box::pin(async move { is_well(connection).await.map(|()| true) })
        });
    let pool = pool.connect_with(options).await.map_err(|error| not_reached(&error))?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

async fn is_durable(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let asked = sqlx::query_scalar("SELECT current_setting('synchronous_commit')");
    let commit: String = asked.fetch_one(connection).await?;
    match &*commit {
        "off" => Err(sqlx::Error::Configuration("this session has synchronous_commit=off".into())),
        _ => Ok(()),
    }
}

async fn is_well(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let late = || sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    timeout(WELL, connection.ping()).await.unwrap_or_else(|_| Err(late()))
}

fn not_made(error: &io::Error) -> DbError {
    let mend = match error.kind() {
        io::ErrorKind::StorageFull => "Make room on the disk, or name another place",
        _ => "Let the user that Bellwire runs as write there, or name another place",
    };
    DbError::Open { what: "make the database file", cause: error.to_string(), mend }
}

fn not_opened(error: &sqlx::Error) -> DbError {
    let mend = match code_of(error)
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff)
    {
        Some(26) => "Move this file away, or name another: Bellwire makes one where there is none",
        Some(5 | 6) => "Another program holds it: end that first",
        Some(13) => "Make room on the disk",
        _ => {
            "Let the user that Bellwire runs as read and write the file and its folder, or name another"
        }
    };
    DbError::Open { what: "open the database file", cause: cause_of(error), mend }
}

fn not_reached(error: &sqlx::Error) -> DbError {
    let mend = match code_of(error).as_deref() {
        Some("28000" | "28P01") => {
            "Correct the user or the password, or let this user in (pg_hba.conf)"
        }
        Some("3D000") => "Make this database (createdb), or name another",
        Some("42501") => "Let this user connect to this database",
        Some("53300") => "Raise max_connections: Bellwire uses up to 21",
        Some("57P03") => "Try again in a moment",
        _ if matches!(error, sqlx::Error::Configuration(_)) => "Correct the address",
        _ => "Start PostgreSQL there, or correct the address",
    };
    DbError::Open { what: "reach PostgreSQL", cause: cause_of(error), mend }
}

fn not_durable() -> DbError {
    DbError::Open {
        what: "keep what is written",
        cause:
            "PostgreSQL runs with synchronous_commit=off, so it acknowledges what it may still lose"
                .to_owned(),
        mend: "Set synchronous_commit to on, for the server or for this user and database (ALTER ROLE … SET)",
    }
}

/// A migration did not go through.
pub(crate) fn no_tables(error: &DbErr) -> DbError {
    let (code, cause) = match in_sqlx(error) {
        Some(error) => (code_of(error), cause_of(error)),
        None => (None, chain(error)),
    };
    let mend = match code.as_deref() {
        Some("42501") => {
            "Let this user make tables there: GRANT CREATE ON SCHEMA public, or make it the owner"
        }
        Some("8" | "264" | "520" | "776" | "1032" | "1288") => {
            "Let the user that Bellwire runs as write the file and its folder"
        }
        Some("13") => "Make room on the disk",
        Some("5" | "6") => "Another program writes to it: end that first",
        _ => "The tables are as they were before",
    };
    DbError::Open { what: "bring the tables up to date", cause, mend }
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(Into::into)
}

/// The cause in its own words, without what the driver puts before it.
fn cause_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.source().map_or_else(|| error.to_string(), chain),
    }
}
