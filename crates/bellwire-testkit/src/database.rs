//! The kinds of test databases, and macros that define a test case for each.

/// A kind of database to test on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestDatabase {
    /// SQLite, in a separate folder.
    Sqlite,
    /// A separate database on this PostgreSQL server.
    Postgres(String),
}

impl TestDatabase {
    /// Returns the PostgreSQL server that `BELLWIRE_TEST_POSTGRES` names.
    ///
    /// # Panics
    /// If the variable is not set: a test that silently skipped PostgreSQL would prove nothing.
    pub fn postgres() -> Self {
        let server = std::env::var("BELLWIRE_TEST_POSTGRES");
        Self::Postgres(server.expect(
            "this test needs a PostgreSQL server: run bin/test, or set BELLWIRE_TEST_POSTGRES",
        ))
    }
}

/// Defines two test cases of one test: `name::on_sqlite`, and `name::on_postgres`, which `cargo
/// test` runs only with `--ignored` or `--include-ignored`.
///
/// ```
/// use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};
///
/// #[apply(on_databases)]
/// #[tokio::test]
/// async fn nobody_is_signed_in_at_first(database: TestDatabase) {
///     let site = TestSite::start(&database, vec![]).await;
///     assert_eq!(site.client().get("/accounts/").await.status, 303);
///     site.stop().await;
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_databases {
    ($(#[$attribute:meta])* async fn $name:ident($database:ident: $kind:ty $(,)?) $body:block) => {
        async fn $name($database: $kind) $body

        mod $name {
            $(#[$attribute])*
            async fn on_sqlite() {
                super::$name($crate::TestDatabase::Sqlite).await;
            }

            $(#[$attribute])*
            #[ignore = "needs PostgreSQL, which bin/test provides"]
            async fn on_postgres() {
                super::$name($crate::TestDatabase::postgres()).await;
            }
        }
    };
}

/// Defines the test case `name::on_postgres` of a test that concerns PostgreSQL only; see
/// [`on_databases`].
#[macro_export]
macro_rules! on_postgres {
    ($(#[$attribute:meta])* async fn $name:ident($database:ident: $kind:ty $(,)?) $body:block) => {
        async fn $name($database: $kind) $body

        mod $name {
            $(#[$attribute])*
            #[ignore = "needs PostgreSQL, which bin/test provides"]
            async fn on_postgres() {
                super::$name($crate::TestDatabase::postgres()).await;
            }
        }
    };
}
