//! Database of one test, and direct queries on it.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

/// The URL of the PostgreSQL server that `bin/test` starts.
pub(crate) fn postgres() -> String {
    std::env::var("BELLWIRE_TEST_POSTGRES").expect(
        "this test needs a PostgreSQL server (BELLWIRE_TEST_POSTGRES); run it with bin/test",
    )
}

/// The database of a server under test.
pub(crate) enum Store {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

impl Store {
    pub(crate) fn sqlite(folder: &Path) -> Self {
        Self::Sqlite(folder.join("bellwire.db"))
    }

    pub(crate) async fn postgres(name: &str) -> Self {
        let (server, name) = (postgres(), format!("bellwire_{name}_{}", std::process::id()));
        let connection = Database::connect(&server).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        Self::Postgres { server, name }
    }

    /// The value for `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Postgres { server, name } => {
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    /// The display name of the database.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// All messages with their sequence numbers, in order.
    pub(crate) async fn messages(&self) -> Vec<(i64, String)> {
        let connection: DatabaseConnection = Database::connect(self.url()).await.unwrap();
        let all = "SELECT seq, text FROM chat_messages ORDER BY seq";
        let rows = connection
            .query_all_raw(Statement::from_string(connection.get_database_backend(), all))
            .await;
        let rows = rows.unwrap();
        connection.close().await.unwrap();
        rows.iter()
            .map(|row| (row.try_get("", "seq").unwrap(), row.try_get("", "text").unwrap()))
            .collect()
    }

    pub(crate) async fn remove(self) {
        if let Self::Postgres { server, name } = self {
            let connection = Database::connect(&server).await.unwrap();
            connection
                .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .unwrap();
        }
    }
}
