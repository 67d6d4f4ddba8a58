//! Settings of the database.

use std::path::PathBuf;

use clap::Args;

use crate::DatabaseUrl;

/// The settings of the database, as clap arguments.
///
/// ```
/// use bellwire_db::{DatabaseArgs, DatabaseUrl};
/// use clap::{Args, FromArgMatches};
///
/// let command = DatabaseArgs::augment_args(clap::Command::new("site"));
/// let matches = command.get_matches_from(["site", "--data=/var/lib/site"]);
/// let database = DatabaseArgs::from_arg_matches(&matches)?.database();
/// assert_eq!(database, DatabaseUrl::Sqlite("/var/lib/site/bellwire.db".into()));
/// # Ok::<(), clap::Error>(())
/// ```
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Folder of the SQLite file
    #[arg(long, env = "BELLWIRE_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// Database: `sqlite://…` or `postgres://…`; a file in the data folder by default
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<DatabaseUrl>,
}

impl DatabaseArgs {
    /// Returns the database to open: the configured URL, or the SQLite file in the data folder.
    pub fn database(&self) -> DatabaseUrl {
        self.database_url.clone().unwrap_or_else(|| DatabaseUrl::sqlite_in(&self.data))
    }
}
