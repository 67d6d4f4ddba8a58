//! Bringing the tables up to date: each app has a history of its own, applied in the order of the
//! apps.

use std::future::Future;
use std::pin::Pin;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use sea_orm_migration::{DbErr, MigratorTrait};

use crate::write_connection::WriteConnection;

/// The number two processes of Bellwire agree on while one of them migrates: "bellwire" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"bellwire");

type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

/// The migrations of one app.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    apply: fn(&DatabaseTransaction) -> Work<'_, ()>,
    pending: fn(&DatabaseTransaction) -> Work<'_, usize>,
}

impl Migrations {
    /// Those of a migrator, which must have a `migration_table_name` of its own.
    pub fn of<M: MigratorTrait + 'static>() -> Self {
        Self {
            apply: |transaction| Box::pin(M::up(transaction, None)),
            pending: |transaction| {
                Box::pin(async move { Ok(M::get_pending_migrations(transaction).await?.len()) })
            },
        }
    }
}

/// All or nothing: a migration that fails leaves the file as it was.
pub(crate) async fn on_sqlite(
    write_connection: &WriteConnection,
    migrations: &[Migrations],
) -> Result<(), DbErr> {
    let transaction = write_connection.begin().await?;
    apply(&transaction, migrations).await?;
    write_connection.commit(transaction).await
}

/// Under a lock of the server's, so that processes that start at once do not apply the same
/// migration twice. It may take as long as it takes: the time limits are for what people wait for.
pub(crate) async fn on_postgres(
    pool: &DatabaseConnection,
    migrations: &[Migrations],
) -> Result<(), DbErr> {
    let transaction = pool.begin().await?;
    for limit in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        transaction.execute_unprepared(&format!("SET LOCAL {limit} = 0")).await?;
    }
    transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    apply(&transaction, migrations).await?;
    transaction.commit().await
}

async fn apply(transaction: &DatabaseTransaction, migrations: &[Migrations]) -> Result<(), DbErr> {
    for migrations in migrations {
        (migrations.apply)(transaction).await?;
    }
    Ok(())
}

/// How many migrations have still to be applied. What looking needs is written, and meant to be
/// taken back.
pub(crate) async fn pending(
    transaction: &DatabaseTransaction,
    migrations: &[Migrations],
) -> Result<usize, DbErr> {
    let mut pending = 0;
    for migrations in migrations {
        pending += (migrations.pending)(transaction).await?;
    }
    Ok(pending)
}
