#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

use std::future::Future;
use std::sync::Arc;

use sea_orm::TransactionTrait;

// Modules in the order of use: from the database URL to the commit.
mod settings;
mod url;
mod open;
mod migrate;
mod tables;
mod reader;
mod text;
mod tx;
mod job;
mod callbacks;
mod sqlite;
mod write_connection;
mod guard;
mod postgres;
mod health;
mod outage;
mod error;
mod chain;
mod clock;
mod feed_epochs;
mod table_journal;

pub use crate::chain::chain;
pub use crate::clock::Clock;
pub use crate::error::DbError;
pub use crate::feed_epochs::FeedEpochs;
pub use crate::migrate::Migrations;
pub use crate::reader::Reader;
pub use crate::settings::DatabaseArgs;
pub use crate::table_journal::TableJournal;
pub use crate::tables::Migrator;
pub use crate::text::LookupExt;
pub use crate::tx::Tx;
pub use crate::url::{DatabaseUrl, without_password};

use crate::health::Health;
use crate::write_connection::WriteConnection;

/// A handle to the database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    reader: Reader,
    backend: Backend,
}

/// The writer for each kind of database.
#[derive(Debug, Clone)]
enum Backend {
    /// One writer task, because SQLite permits one writer; queued jobs share a commit.
    Sqlite(sqlite::Writer),
    /// A separate transaction for each job.
    Postgres(postgres::Writer),
}

impl Db {
    /// Opens the database, creates the SQLite file if it is missing, and applies the migrations.
    ///
    /// # Errors
    /// If the database cannot be reached, or a migration fails.
    pub async fn open(url: &DatabaseUrl, migrations: &[Migrations]) -> Result<Self, DbError> {
        match url {
            DatabaseUrl::Sqlite(file) => {
                let health = Arc::new(Health::default());
                let write_connection = WriteConnection::open(file).await?;
                migrate::on_sqlite(&write_connection, migrations)
                    .await
                    .map_err(|error| open::cannot_migrate(&error))?;
                let reader = Reader::new(open::sqlite_readers(file).await?, health.clone());
                Ok(Self {
                    reader,
                    backend: Backend::Sqlite(sqlite::Writer::start(write_connection, health)),
                })
            }
            DatabaseUrl::Postgres(url) => {
                let server = open::Server::connect(url).await?;
                let health = Arc::new(Health::of_server(server.options()));
                let pool = server.writers().await?;
                migrate::on_postgres(&pool, migrations)
                    .await
                    .map_err(|error| open::cannot_migrate(&error))?;
                let reader = Reader::new(server.readers().await?, health.clone());
                Ok(Self { reader, backend: Backend::Postgres(postgres::Writer::new(pool, health)) })
            }
        }
    }

    /// Returns the number of pending migrations. Changes nothing; the SQLite file must exist.
    ///
    /// # Errors
    /// If the database cannot be reached or is not writable.
    pub async fn pending(url: &DatabaseUrl, migrations: &[Migrations]) -> Result<usize, DbError> {
        match url {
            DatabaseUrl::Sqlite(file) => {
                let write_connection = WriteConnection::open(file).await?;
                let transaction = write_connection.begin().await?;
                let pending = migrate::pending(&transaction, migrations).await;
                write_connection.abandon(transaction).await;
                write_connection.close().await?;
                Ok(pending?)
            }
            DatabaseUrl::Postgres(url) => {
                let pool = open::Server::connect(url).await?.writers().await?;
                let transaction = pool.begin().await?;
                let pending = migrate::pending(&transaction, migrations).await;
                transaction.rollback().await?;
                pool.close().await?;
                Ok(pending?)
            }
        }
    }

    /// Returns the read-only connections. Concurrent writes do not block them.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Runs `job` in a transaction and returns once its writes are on disk.
    ///
    /// It returns after the callbacks of [`Tx::on_commit`] have run. A `write` inside the job of
    /// another `write` to the same database is refused immediately with [`DbError::Nested`].
    ///
    /// An error or a panic rolls back this job and no other. The job continues if the caller is
    /// cancelled, and is rolled back after ten seconds.
    ///
    /// ```
    /// # use bellwire_db::{Db, DbError, Tx};
    /// # use sea_orm::ConnectionTrait;
    /// # async fn example(db: Db) -> Result<(), DbError> {
    /// db.write(async move |tx: Tx| {
    ///     tx.execute_unprepared("UPDATE counter SET n = n + 1").await?;
    ///     tx.on_commit(|| tracing::info!("Counted"));
    ///     Ok::<_, DbError>(())
    /// })
    /// .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// The job's own error, or that of the database: busy, timed out, nested, not committed.
    pub async fn write<T, E, F, Fut>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        if job::is_inside(self.reader.health()) {
            // Logged here, because a job may ignore the error and continue.
            tracing::error!("{}", DbError::Nested);
            return Err(DbError::Nested.into());
        }
        match &self.backend {
            Backend::Sqlite(writer) => writer.write(job).await,
            Backend::Postgres(writer) => writer.write(job).await,
        }
    }

    /// Waits for the accepted jobs to finish, then closes all connections. Later writes are
    /// refused.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(writer) => writer.close().await,
            Backend::Postgres(writer) => writer.close().await,
        }
        self.reader.close().await;
    }
}
