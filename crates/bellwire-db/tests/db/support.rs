//! Test databases with one table of notes.

use std::path::Path;

use bellwire_db::{DatabaseUrl, Db, DbError, Migrations, Tx};
use sea_orm::{ConnectionTrait, Database, Statement};
use tempfile::TempDir;

/// A kind of database to test on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TestDatabase {
    /// A file in a separate folder.
    Sqlite,
    /// A separate database on the server of `BELLWIRE_TEST_POSTGRES`.
    Postgres,
}

/// Defines two tests for each function: one on SQLite, one on PostgreSQL.
///
/// The attribute of the tests may come first, if it is not `#[tokio::test]`.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        crate::support::on_both! { tokio::test; $($test),* }
    };
    ($run:meta; $($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[$run]
            async fn $test() {
                super::$test(crate::support::TestDatabase::Sqlite).await;
            })*
        }

        mod postgres {
            $(#[$run]
            #[ignore = "needs PostgreSQL, which bin/test provides"]
            async fn $test() {
                super::$test(crate::support::TestDatabase::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// The location of the data of one test.
pub(crate) struct Home {
    folder: TempDir,
    url: DatabaseUrl,
    postgres: Option<(String, String)>,
}

impl Home {
    pub(crate) async fn make(database: TestDatabase) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder should be writable");
        if database == TestDatabase::Sqlite {
            let url = DatabaseUrl::sqlite_in(folder.path());
            return Self { folder, url, postgres: None };
        }
        let server = std::env::var("BELLWIRE_TEST_POSTGRES").expect(
            "this test needs a PostgreSQL server (BELLWIRE_TEST_POSTGRES); run it with bin/test",
        );
        let name = format!("bellwire_db_{:016x}", number());
        on(&server, &format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(&server).expect("BELLWIRE_TEST_POSTGRES should be a URL");
        url.set_path(&name);
        Self { folder, url: DatabaseUrl::Postgres(url.into()), postgres: Some((server, name)) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub(crate) async fn open(&self, migrations: &[Migrations]) -> Db {
        Db::open(&self.url, migrations).await.unwrap()
    }

    /// Closes the database and removes it.
    pub(crate) async fn end(self, db: Db) {
        db.close().await;
        if let Some((server, name)) = self.postgres {
            on(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

/// Returns a number that no other test uses, in this process or another.
fn number() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

async fn on(server: &str, sql: &str) {
    let connection = Database::connect(server).await.expect("PostgreSQL should answer");
    connection.execute_unprepared(sql).await.expect("PostgreSQL should let tests create databases");
    connection.close().await.expect("PostgreSQL should close a connection");
}

pub(crate) async fn with_notes(database: TestDatabase) -> (Home, Db) {
    let home = Home::make(database).await;
    let db = home.open(&[]).await;
    let made = db.write(async |tx: Tx| {
        Ok::<_, DbError>(tx.execute_unprepared("CREATE TABLE notes (n INTEGER)").await?)
    });
    made.await.unwrap();
    (home, db)
}

pub(crate) async fn note(tx: &Tx, n: i32) -> Result<(), DbError> {
    tx.execute_unprepared(&format!("INSERT INTO notes VALUES ({n})")).await?;
    Ok(())
}

pub(crate) async fn notes(db: &impl ConnectionTrait) -> Vec<i32> {
    let all = Statement::from_string(db.get_database_backend(), "SELECT n FROM notes ORDER BY n");
    db.query_all_raw(all).await.unwrap().iter().map(|row| row.try_get("", "n").unwrap()).collect()
}

/// Waits for something that should happen immediately.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(bellwire::testing::PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}
