//! Opening the database with the settings that make a commit durable.

use std::path::Path;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::DbError;
use crate::settings::DatabaseUrl;

/// Connections that read at once.
const SQLITE_READERS: u32 = 8;

/// Connections to PostgreSQL, reading and writing.
const POSTGRES_CONNECTIONS: u32 = 20;

/// How long to wait for a free connection, or for another process that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(5);

/// The writing connection: there is one, and it never ends.
pub(super) async fn sqlite_writer(file: &Path) -> Result<DatabaseConnection, DbError> {
    make_folder_of(file)?;
    let options = sqlite(file).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.connect_with(options).await.map_err(|error| cannot_open(file, error))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// The reading connections. They refuse to write, so nothing goes past the one door.
pub(super) async fn sqlite_readers(file: &Path) -> Result<DatabaseConnection, DbError> {
    let pool = SqlitePoolOptions::new().max_connections(SQLITE_READERS).acquire_timeout(PATIENCE);
    let options = sqlite(file).pragma("query_only", "ON");
    let pool = pool.connect_with(options).await.map_err(|error| cannot_open(file, error))?;
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

/// One pool for reading and writing; no commit is answered before it is on disk.
pub(super) async fn postgres(url: &str) -> Result<DatabaseConnection, DbError> {
    let options: PgConnectOptions = url.parse().map_err(|error| cannot_reach(url, error))?;
    let options = options.application_name("bellwire").options([("synchronous_commit", "on")]);
    let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(PATIENCE);
    let pool = pool.connect_with(options).await.map_err(|error| cannot_reach(url, error))?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// A folder that is made here is nobody else's business: it will hold what people said and the hashes of their passwords.
fn make_folder_of(file: &Path) -> Result<(), DbError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            builder.create(folder).map_err(|error| cannot_open(file, error))
        }
        _ => Ok(()),
    }
}

fn cannot_open(file: &Path, source: impl std::error::Error + Send + Sync + 'static) -> DbError {
    DbError::Open { database: file.display().to_string(), source: Box::new(source) }
}

fn cannot_reach(url: &str, source: impl std::error::Error + Send + Sync + 'static) -> DbError {
    DbError::Open {
        database: format!("{:?}", DatabaseUrl::Postgres(url.to_owned())),
        source: Box::new(source),
    }
}
