//! Databases on a PostgreSQL server.

use bellwire_site::DatabaseUrl;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

/// A server and the name of a database on it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) server: String,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn url(&self) -> DatabaseUrl {
        let mut url =
            url::Url::parse(&self.server).expect("BELLWIRE_TEST_POSTGRES should be a URL");
        url.set_path(&self.name);
        DatabaseUrl::Postgres(url.into())
    }
}

/// Makes an empty database.
pub(crate) async fn create(place: &Place) {
    run(&place.server, &format!("CREATE DATABASE {}", place.name)).await;
}

/// Makes a database with everything that is in `template`, to which nobody is connected.
pub(crate) async fn copy(template: &Place, to: &Place) {
    run(&to.server, &format!("CREATE DATABASE {} TEMPLATE {}", to.name, template.name)).await;
}

/// Removes a database, whoever is connected to it.
pub(crate) async fn drop(place: &Place) {
    run(&place.server, &format!("DROP DATABASE {} WITH (FORCE)", place.name)).await;
}

async fn run(server: &str, sql: &str) {
    let connection: DatabaseConnection =
        Database::connect(server).await.expect("PostgreSQL should answer");
    connection.execute_unprepared(sql).await.expect("PostgreSQL should let us make databases");
    connection.close().await.expect("PostgreSQL should let us go");
}
