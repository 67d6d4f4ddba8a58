//! The read-only connections.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use crate::health::Health;
use crate::text;

/// A pool of read-only connections: [`Db::write`](crate::Db::write) is the only way to write.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: DatabaseConnection,
    health: Arc<Health>,
}

impl Reader {
    pub(crate) fn new(pool: DatabaseConnection, health: Arc<Health>) -> Self {
        Self { pool, health }
    }

    pub(crate) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    pub(crate) async fn close(&self) {
        if let Err(error) = self.pool.close_by_ref().await {
            tracing::warn!(%error, "Could not close the database");
        }
    }
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        text::check(&statement)?;
        self.health.watch(self.pool.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.health.watch(self.pool.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        text::check(&statement)?;
        self.health.watch(self.pool.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        text::check(&statement)?;
        self.health.watch(self.pool.query_all_raw(statement)).await
    }
}
