//! The data of one test site: a folder, and on PostgreSQL a database.

use std::fs;
use std::path::{Path, PathBuf};

use bellwire_site::DatabaseUrl;

use crate::database::TestDatabase;
use crate::postgres::{self, DatabaseName};

/// The data of one test site. A failing test leaves it in the system's temporary folder.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    postgres: Option<DatabaseName>,
    /// Whether another site owns the data and removes it.
    borrowed: bool,
}

impl Home {
    /// Creates a folder, and on PostgreSQL chooses the name of a database without creating it.
    pub(crate) fn new(database: &TestDatabase, purpose: &str) -> Self {
        let name = format!("bellwire_{purpose}_{}", random());
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir_all(&folder).expect("the temporary folder should be writable");
        let postgres = match database {
            TestDatabase::Sqlite => None,
            TestDatabase::Postgres(server) => Some(DatabaseName { server: server.clone(), name }),
        };
        Self { folder, postgres, borrowed: false }
    }

    /// Returns the same data, for another site.
    pub(crate) fn lend(&self) -> Self {
        Self { folder: self.folder.clone(), postgres: self.postgres.clone(), borrowed: true }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn postgres(&self) -> Option<&DatabaseName> {
        self.postgres.as_ref()
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match &self.postgres {
            None => DatabaseUrl::sqlite_in(&self.folder),
            Some(database) => database.url(),
        }
    }

    pub(crate) async fn remove(self) {
        if self.borrowed {
            return;
        }
        if let Some(database) = &self.postgres {
            postgres::drop(database).await;
        }
        self.remove_folder();
    }

    pub(crate) fn remove_folder(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn random() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system should provide random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
