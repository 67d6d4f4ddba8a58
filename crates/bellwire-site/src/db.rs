//! The database: one pool to read from, one door to write through.
//!
//! The same code runs on SQLite and on PostgreSQL; `DATABASE_URL` decides. What [`Db::write`] has answered is on disk.

use std::future::Future;

use sea_orm::{DatabaseConnection, TransactionTrait};

mod error;
mod job;
mod migrate;
mod open;
mod postgres;
mod sqlite;
mod tx;

pub use error::DbError;
pub use migrate::Migrations;
pub use tx::Tx;

use crate::settings::DatabaseUrl;

/// A cheap handle on the database.
#[derive(Debug, Clone)]
pub struct Db {
    read: DatabaseConnection,
    door: Door,
}

/// How writing is done.
#[derive(Debug, Clone)]
enum Door {
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
                let write = open::sqlite_writer(file).await?;
                migrate::on_sqlite(&write, migrations).await?;
                let read = open::sqlite_readers(file).await?;
                Ok(Self { read, door: Door::Sqlite(sqlite::Writer::start(write)) })
            }
            DatabaseUrl::Postgres(url) => {
                let pool = open::postgres(url).await?;
                migrate::on_postgres(&pool, migrations).await?;
                Ok(Self { read: pool.clone(), door: Door::Postgres(postgres::Writer::new(pool)) })
            }
        }
    }

    /// How many migrations this database has still to see. Changes nothing; the file of SQLite has to be there.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses to be written.
    pub(crate) async fn pending(url: &DatabaseUrl, migrations: &[Migrations]) -> Result<usize, DbError> {
        let (connection, transaction) = match url {
            DatabaseUrl::Sqlite(file) => {
                let connection = open::sqlite_writer(file).await?;
                let transaction = sqlite::begin(&connection).await?;
                (connection, transaction)
            }
            DatabaseUrl::Postgres(url) => {
                let connection = open::postgres(url).await?;
                let transaction = connection.begin().await?;
                (connection, transaction)
            }
        };
        let pending = migrate::pending(transaction, migrations).await;
        connection.close().await?;
        pending
    }

    /// A connection to read from. On SQLite it refuses to write.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Runs `job` in a transaction and answers when what it wrote is on disk.
    ///
    /// An error or a panic in the job takes back what this job wrote and nothing else. The job goes on when whoever
    /// asked for it has gone, and it ends after ten seconds at the latest.
    ///
    /// ```
    /// # use bellwire_site::{Db, DbError, Tx};
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
    /// The job's own, or that of the database: too busy, out of time, not committed.
    pub async fn write<T, E, F, Fut>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match &self.door {
            Door::Sqlite(writer) => writer.write(job).await,
            Door::Postgres(writer) => writer.write(job).await,
        }
    }

    /// Lets the jobs that were accepted finish, then closes every connection. Later writes are refused.
    pub async fn close(&self) {
        match &self.door {
            Door::Sqlite(writer) => writer.close().await,
            Door::Postgres(writer) => writer.close().await,
        }
        if let Err(error) = self.read.close_by_ref().await {
            tracing::warn!(%error, "Could not close the database");
        }
    }
}
