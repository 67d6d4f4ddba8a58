//! Applies migrations: each app has its own history, and the histories are applied in the order of
//! the apps.

use std::future::Future;
use std::pin::Pin;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use sea_orm_migration::{DbErr, MigratorTrait};

use crate::write_connection::WriteConnection;

/// The advisory lock that a Bellwire process holds while it migrates: "bellwire" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"bellwire");

type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

/// The migrations of one app.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    apply: fn(&DatabaseTransaction) -> Work<'_, ()>,
    pending: fn(&DatabaseTransaction) -> Work<'_, usize>,
}

impl Migrations {
    /// The migrations of a migrator, which must have its own `migration_table_name`.
    pub fn of<M: MigratorTrait + 'static>() -> Self {
        Self {
            apply: |transaction| Box::pin(M::up(transaction, None)),
            pending: |transaction| {
                Box::pin(async move { Ok(M::get_pending_migrations(transaction).await?.len()) })
            },
        }
    }
}

/// Applies the migrations in one transaction: a failed migration leaves the file unchanged.
pub(crate) async fn on_sqlite(
    write_connection: &WriteConnection,
    migrations: &[Migrations],
) -> Result<(), DbErr> {
    let transaction = write_connection.begin().await?;
    apply(&transaction, migrations).await?;
    write_connection.commit(transaction).await
}

/// Applies the migrations under an advisory lock, so that processes that start concurrently do not
/// apply a migration twice. The session's time limits are off: they are for requests.
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

/// Counts the pending migrations. This may create the migration tables; the caller rolls back the
/// transaction.
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
