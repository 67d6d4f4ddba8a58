//! `DATABASE_URL`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of SQLite's.
    Sqlite(PathBuf),
    /// A PostgreSQL server and the database on it.
    Postgres(String),
}

const EXPECTED: &str = "sqlite:path/to/file.db or postgres://user:password@host:port/database";

impl DatabaseUrl {
    /// The SQLite file of a data folder.
    pub fn sqlite_in(folder: &Path) -> Self {
        Self::Sqlite(folder.join("bellwire.db"))
    }
}

impl FromStr for DatabaseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            let unusable = file.is_empty() || file.contains(":memory:") || file.contains('?');
            return if unusable { Err(EXPECTED) } else { Ok(Self::Sqlite(PathBuf::from(file))) };
        }
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self::Postgres(text.to_owned())),
            _ => Err(EXPECTED),
        }
    }
}

/// Never shows a password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(url) => f.write_str(&super::without_password(url)),
        }
    }
}
