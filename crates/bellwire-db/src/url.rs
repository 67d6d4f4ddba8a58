//! Parser of `DATABASE_URL`.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// The location of the database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server and a database on it.
    Postgres(String),
}

const EXPECTED: &str = "sqlite:path/to/file.db or postgres://user:password@host:port/database";

const NO_PARAMETERS: &str = "sqlite:path/to/file.db without parameters (mode=rwc is the default: \
                             a missing file is created)";

impl DatabaseUrl {
    /// Returns the SQLite file in a data folder.
    pub fn sqlite_in(folder: &Path) -> Self {
        Self::Sqlite(folder.join("bellwire.db"))
    }
}

impl FromStr for DatabaseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            let (file, parameters) = file.split_once('?').unwrap_or((file, ""));
            return match (file, parameters) {
                ("", _) => Err(EXPECTED),
                (file, _) if file.contains(":memory:") => Err(EXPECTED),
                (file, "" | "mode=rwc") => Ok(Self::Sqlite(PathBuf::from(file))),
                _ => Err(NO_PARAMETERS),
            };
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
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

/// Redacts the passwords in an address, for terminals and logs.
pub fn without_password(value: &str) -> String {
    let Ok(mut url) = Url::parse(value) else {
        return if value.contains('@') || value.contains("pass") {
            "…".to_owned()
        } else {
            value.to_owned()
        };
    };
    let named = !url.username().is_empty() || url.password().is_some();
    if value.contains('@') && !named {
        // A slash in the password makes the parser take the user name for the host.
        return "…".to_owned();
    }
    let is_web = matches!(url.scheme(), "http" | "https");
    if is_web && named {
        // In a web address the user name is as secret as a password: it may be a token.
        let _ = url.set_username("…").and_then(|()| url.set_password(None));
    }
    if url.password().is_some() {
        let _ = url.set_password(Some("…"));
    }
    if url.query_pairs().any(|(name, _)| is_secret(&name)) {
        let redacted: Vec<_> = url.query_pairs().map(redacted).collect();
        url.query_pairs_mut().clear().extend_pairs(redacted);
    }
    match url.as_str() == value || !(named || url.query().is_some()) {
        true => value.to_owned(),
        false => url.as_str().replace("%E2%80%A6", "…"),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "secret", "token"].iter().any(|word| name.contains(word))
}

fn redacted((name, value): (Cow<'_, str>, Cow<'_, str>)) -> (String, String) {
    let value = if is_secret(&name) { "…".to_owned() } else { value.into_owned() };
    (name.into_owned(), value)
}
