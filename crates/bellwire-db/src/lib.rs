#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

use std::future::Future;
use std::sync::Arc;

use sea_orm::TransactionTrait;

// From the address to the commit.
mod settings;
mod url;
mod open;
mod migrate;
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

pub use crate::chain::chain;
pub use crate::clock::Clock;
pub use crate::error::DbError;
pub use crate::migrate::Migrations;
pub use crate::reader::Reader;
pub use crate::settings::DatabaseArgs;
pub use crate::text::LookupExt;
pub use crate::tx::Tx;
pub use crate::url::{DatabaseUrl, without_password};

use crate::health::Health;
use crate::write_connection::WriteConnection;

/// A cheap handle on the database.
#[derive(Debug, Clone)]
pub struct Db {
    reader: Reader,
    backend: Backend,
}

/// How writing is done.
#[derive(Debug, Clone)]
enum Backend {
    /// One writer, because SQLite has one; waiting jobs share a commit.
    Sqlite(sqlite::Writer),
    /// A transaction of its own for each job.
    Postgres(postgres::Writer),
}

impl Db {
    /// Opens the database, makes the file if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be reached, or a migration fails.
    pub async fn open(url: &DatabaseUrl, migrations: &[Migrations]) -> Result<Self, DbError> {
        match url {
            DatabaseUrl::Sqlite(file) => {
                let health = Arc::new(Health::default());
                let write_connection = WriteConnection::open(file).await?;
                migrate::on_sqlite(&write_connection, migrations)
                    .await
                    .map_err(|error| open::no_tables(&error))?;
                let reader = Reader::new(open::sqlite_readers(file).await?, health.clone());
                Ok(Self {
                    reader,
                    backend: Backend::Sqlite(sqlite::Writer::start(write_connection, health)),
                })
            }
            DatabaseUrl::Postgres(url) => {
                let server = open::Server::visit(url).await?;
                let health = Arc::new(Health::of_server(server.options()));
                let pool = server.writers().await?;
                migrate::on_postgres(&pool, migrations)
                    .await
                    .map_err(|error| open::no_tables(&error))?;
                let reader = Reader::new(server.readers().await?, health.clone());
                Ok(Self { reader, backend: Backend::Postgres(postgres::Writer::new(pool, health)) })
            }
        }
    }

    /// How many migrations this database has still to see. Changes nothing; the file of SQLite has
    /// to be there.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses to be written.
    pub async fn pending(url: &DatabaseUrl, migrations: &[Migrations]) -> Result<usize, DbError> {
        match url {
            DatabaseUrl::Sqlite(file) => {
                let write_connection = WriteConnection::open(file).await?;
                let transaction = write_connection.begin().await?;
                let pending = migrate::pending(&transaction, migrations).await;
                write_connection.give_up(transaction).await;
                write_connection.close().await?;
                Ok(pending?)
            }
            DatabaseUrl::Postgres(url) => {
                let pool = open::Server::visit(url).await?.writers().await?;
                let transaction = pool.begin().await?;
                let pending = migrate::pending(&transaction, migrations).await;
                transaction.rollback().await?;
                pool.close().await?;
                Ok(pending?)
            }
        }
    }

    /// What to read from. It refuses to write, and what is written meanwhile does not hold it up.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Runs `job` in a transaction and answers when what it wrote is on disk.
    ///
    /// It answers after the callbacks of [`Tx::on_commit`] have run. A `write` inside the job of
    /// another one on the same database is refused at once with [`DbError::Nested`].
    ///
    /// An error or a panic in the job takes back what this job wrote and nothing else. The job goes
    /// on when whoever asked for it has gone, and it ends after ten seconds at the latest.
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
    /// The job's own, or that of the database: too busy, out of time, nested, not committed.
    pub async fn write<T, E, F, Fut>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        if job::is_inside(self.reader.health()) {
            // Said here, because a job may drop the error and go on.
            tracing::error!("{}", DbError::Nested);
            return Err(DbError::Nested.into());
        }
        match &self.backend {
            Backend::Sqlite(writer) => writer.write(job).await,
            Backend::Postgres(writer) => writer.write(job).await,
        }
    }

    /// Lets the jobs that were accepted finish, then closes every connection. Later writes are
    /// refused.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(writer) => writer.close().await,
            Backend::Postgres(writer) => writer.close().await,
        }
        self.reader.close().await;
    }
}
