//! Template databases: the tables of a set of apps, migrated once per test program and copied for
//! each site.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, LazyLock, Mutex};

use bellwire_site::{App, DatabaseUrl, Migrations, Settings, Site};
use tokio::sync::OnceCell;

use crate::database::TestDatabase;
use crate::home::Home;
use crate::postgres::{self, DatabaseName};

/// A database with the tables of some apps and no rows.
#[derive(Debug)]
pub(crate) enum Template {
    /// The bytes of the file.
    Sqlite(Vec<u8>),
    /// A database without connections.
    Postgres(DatabaseName),
}

type Templates = HashMap<String, Arc<OnceCell<Template>>>;

static TEMPLATES: LazyLock<Mutex<Templates>> = LazyLock::new(Mutex::default);

/// Fills `home` with a database that has the tables of these apps.
pub(crate) async fn fill(home: &Home, database: &TestDatabase, apps: &[App]) {
    // A site applies the migrations that its template lacks.
    let key = format!("{database:?} {:?}", apps.iter().map(histories).collect::<Vec<_>>());
    let cell = TEMPLATES.lock().unwrap().entry(key).or_default().clone();
    cell.get_or_init(|| make(database, apps)).await.copy_to(home).await;
}

/// The name of an app and its migrations, which identify a template.
fn histories(app: &App) -> (&'static str, Vec<&Migrations>) {
    (app.name(), app.all::<Migrations>().collect())
}

/// Returns an app that has only the migrations of this one.
fn tables_of(app: &App) -> App {
    app.all::<Migrations>()
        .fold(App::new(app.name()), |tables, migrations| tables.with(*migrations))
}

async fn make(database: &TestDatabase, apps: &[App]) -> Template {
    let home = Home::new(database, "template");
    if let Some(database) = home.postgres() {
        postgres::create(database).await;
    }
    migrate(&home, apps).await;
    let template = match home.postgres() {
        Some(database) => Template::Postgres(database.clone()),
        None => Template::Sqlite(fs::read(file(&home)).expect("the template should be readable")),
    };
    home.remove_folder();
    template
}

async fn migrate(home: &Home, apps: &[App]) {
    let settings =
        Settings { data: home.folder().to_owned(), database: home.url(), ..Settings::default() };
    let site = Site::builder(settings).apps(apps.iter().map(tables_of));
    let (_, state) = site.into_router().await.expect("the migrations should be applied");
    state.db().close().await;
}

impl Template {
    async fn copy_to(&self, home: &Home) {
        match (self, home.postgres()) {
            (Self::Postgres(template), Some(to)) => postgres::copy(template, to).await,
            (Self::Sqlite(bytes), None) => {
                fs::write(file(home), bytes).expect("the database should be copied")
            }
            _ => unreachable!("a site and its template use the same kind of database"),
        }
    }
}

fn file(home: &Home) -> std::path::PathBuf {
    match home.url() {
        DatabaseUrl::Sqlite(file) => file,
        DatabaseUrl::Postgres(_) => unreachable!("PostgreSQL has no file"),
    }
}
