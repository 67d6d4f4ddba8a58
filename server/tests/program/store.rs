//! A database for one test, and what another program finds in it.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

/// The server that `bin/test` brings.
pub(crate) fn postgres() -> String {
    std::env::var("BELLWIRE_TEST_POSTGRES").expect(
        "this test needs a PostgreSQL server (BELLWIRE_TEST_POSTGRES); run it with bin/test",
    )
}

/// Where a server keeps its data.
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

    /// As `DATABASE_URL` has it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Postgres { server, name } => {
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    /// The database's name for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// Every message there is, in the order of its place, with this place.
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
