//! The data of one test site: a folder, and on PostgreSQL a database.

use std::fs;
use std::path::{Path, PathBuf};

use bellwire_site::DatabaseUrl;

use crate::database::TestDatabase;
use crate::postgres::{self, Place};

/// The data of one test site. A failing test leaves it in the system's temporary folder.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    postgres: Option<Place>,
    /// Whether it was borrowed from another site, which removes it.
    borrowed: bool,
}

impl Home {
    /// A new folder, and on PostgreSQL the place of a database, which is not made yet.
    pub(crate) fn new(database: &TestDatabase, purpose: &str) -> Self {
        let name = format!("bellwire_{purpose}_{}", random());
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir_all(&folder).expect("the temporary folder should be writable");
        let postgres = match database {
            TestDatabase::Sqlite => None,
            TestDatabase::Postgres(server) => Some(Place { server: server.clone(), name }),
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

    pub(crate) fn postgres(&self) -> Option<&Place> {
        self.postgres.as_ref()
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match &self.postgres {
            None => DatabaseUrl::sqlite_in(&self.folder),
            Some(place) => place.url(),
        }
    }

    pub(crate) async fn remove(self) {
        if self.borrowed {
            return;
        }
        if let Some(place) = &self.postgres {
            postgres::drop(place).await;
        }
        self.remove_folder();
    }

    pub(crate) fn remove_folder(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn random() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system should have randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
