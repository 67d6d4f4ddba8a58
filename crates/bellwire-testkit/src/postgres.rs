//! Creates, copies and drops databases on a PostgreSQL server.

use bellwire_site::DatabaseUrl;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

/// A server and the name of a database on it.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseName {
    pub(crate) server: String,
    pub(crate) name: String,
}

impl DatabaseName {
    pub(crate) fn url(&self) -> DatabaseUrl {
        let mut url =
            url::Url::parse(&self.server).expect("BELLWIRE_TEST_POSTGRES should be a URL");
        url.set_path(&self.name);
        DatabaseUrl::Postgres(url.into())
    }
}

/// Creates an empty database.
pub(crate) async fn create(database: &DatabaseName) {
    run(&database.server, &format!("CREATE DATABASE {}", database.name)).await;
}

/// Creates a copy of `template`, which must have no open connections.
pub(crate) async fn copy(template: &DatabaseName, to: &DatabaseName) {
    run(&to.server, &format!("CREATE DATABASE {} TEMPLATE {}", to.name, template.name)).await;
}

/// Drops a database and closes all its connections.
pub(crate) async fn drop(database: &DatabaseName) {
    run(&database.server, &format!("DROP DATABASE {} WITH (FORCE)", database.name)).await;
}

async fn run(server: &str, sql: &str) {
    let connection: DatabaseConnection =
        Database::connect(server).await.expect("PostgreSQL should answer");
    connection.execute_unprepared(sql).await.expect("PostgreSQL should let tests create databases");
    connection.close().await.expect("PostgreSQL should close a connection");
}
