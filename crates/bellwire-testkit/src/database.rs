//! The databases tests run on.

use std::path::{Path, PathBuf};

use bellwire_site::DatabaseUrl;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

/// A kind of database to test on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestDatabase {
    /// SQLite, in a folder of its own.
    Sqlite,
    /// A database of its own on this PostgreSQL server.
    Postgres(String),
}

/// All kinds of databases, so that one test covers all: `for database in databases() { … }`.
///
/// # Panics
/// When `BELLWIRE_TEST_POSTGRES` does not name a server: a test that silently leaves PostgreSQL out would prove nothing.
pub fn databases() -> Vec<TestDatabase> {
    let server = std::env::var("BELLWIRE_TEST_POSTGRES");
    let server =
        server.expect("this test needs a PostgreSQL server (BELLWIRE_TEST_POSTGRES); run it with bin/test");
    vec![TestDatabase::Sqlite, TestDatabase::Postgres(server)]
}

/// Where one site of a test keeps its data. What a test leaves behind when it fails is in the system's temporary folder.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    postgres: Option<(String, String)>,
    /// Whether it was borrowed from another site, which removes it.
    borrowed: bool,
}

impl Home {
    pub(crate) async fn make(database: &TestDatabase) -> Self {
        let name = format!("bellwire_test_{}", random());
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).expect("the temporary folder should be writable");
        let postgres = match database {
            TestDatabase::Sqlite => None,
            TestDatabase::Postgres(server) => {
                on(server, &format!("CREATE DATABASE {name}")).await;
                Some((server.clone(), name))
            }
        };
        Self { folder, postgres, borrowed: false }
    }

    /// The same data, for a second process's site.
    pub(crate) fn lend(&self) -> Self {
        Self { folder: self.folder.clone(), postgres: self.postgres.clone(), borrowed: true }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match &self.postgres {
            None => DatabaseUrl::sqlite_in(&self.folder),
            Some((server, name)) => {
                let mut url = url::Url::parse(server).expect("BELLWIRE_TEST_POSTGRES should be a URL");
                url.set_path(name);
                DatabaseUrl::Postgres(url.into())
            }
        }
    }

    pub(crate) async fn remove(self) {
        if self.borrowed {
            return;
        }
        if let Some((server, name)) = &self.postgres {
            on(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn on(server: &str, sql: &str) {
    let connection: DatabaseConnection = Database::connect(server).await.expect("PostgreSQL should answer");
    connection.execute_unprepared(sql).await.expect("PostgreSQL should let us make databases");
    connection.close().await.expect("PostgreSQL should let us go");
}

fn random() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system should have randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
