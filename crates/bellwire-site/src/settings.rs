//! What the operator may decide, read once from the environment.
//!
//! Nothing has to be set: the defaults start a site on SQLite at `http://127.0.0.1:8000`. What is set must be right:
//! a wrong value or a name we do not know stops the start with an error that says what was expected.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

mod database;
mod public;

pub use database::DatabaseUrl;
pub use public::PublicUrl;

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    /// Everyone who comes by.
    Open,
    /// Only who was invited. There are no invitations yet, so for now nobody.
    Invite,
    /// Nobody.
    Closed,
}

/// The settings of a site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `BELLWIRE_BIND`: the address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// `BELLWIRE_URL`: the public address; by default it follows from the address we listen on.
    pub url: Option<Url>,
    /// `BELLWIRE_ORIGINS`: further origins of the same site, whose pages may send forms and open sockets here. Cookies are
    /// only sent along from the same site (`https://app.chat.example` for `https://chat.example`).
    pub origins: Vec<String>,
    /// `BELLWIRE_TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `BELLWIRE_CONNECTIONS`: how many connections are served at once, sockets included.
    pub connections: usize,
    /// `BELLWIRE_DATA`: the folder for the SQLite file.
    pub data: PathBuf,
    /// `DATABASE_URL`: which database.
    pub database: DatabaseUrl,
    /// `BELLWIRE_SIGNUP`: who may make an account.
    pub sign_up: SignUp,
    /// `BELLWIRE_ASSETS`: folders to read static files from at each request, for development.
    pub assets: Vec<PathBuf>,
    /// `BELLWIRE_LOG`: what is logged, for example `info,bellwire=debug`.
    pub log: String,
}

/// A setting that is wrong, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}={value}: expected {expected}")]
pub struct SettingsError {
    /// The variable.
    pub name: String,
    /// What it was set to.
    pub value: String,
    /// What would have been right.
    pub expected: String,
}

/// The variables we know; any other `BELLWIRE_…` is taken for a mistyped one.
const KNOWN: [&str; 9] = [
    "BELLWIRE_BIND",
    "BELLWIRE_URL",
    "BELLWIRE_ORIGINS",
    "BELLWIRE_TRUSTED_PROXIES",
    "BELLWIRE_CONNECTIONS",
    "BELLWIRE_DATA",
    "BELLWIRE_SIGNUP",
    "BELLWIRE_ASSETS",
    "BELLWIRE_LOG",
];

/// Variables of the test tools, which pass through the environment of a server under test.
const OF_THE_TESTS: &str = "BELLWIRE_TEST_";

/// Connections served at once; the next ones wait in the kernel's queue.
const CONNECTIONS: usize = 20_000;

impl Settings {
    /// Reads the settings from the environment of this process.
    ///
    /// # Errors
    /// When a variable is wrong or unknown.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::parse(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        }))
    }

    /// Reads the settings from pairs of name and value. An empty value counts as not set.
    ///
    /// ```
    /// use bellwire_site::Settings;
    /// let settings = Settings::parse([("BELLWIRE_BIND", "0.0.0.0:80")]).unwrap();
    /// assert_eq!(settings.bind.port(), 80);
    /// assert!(Settings::parse([("BELLWIRE_BNID", "0.0.0.0:80")]).is_err());
    /// ```
    ///
    /// # Errors
    /// When a variable is wrong or unknown.
    pub fn parse<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let mut database = None;
        for (name, value) in variables {
            let (name, value) = (name.into(), value.into());
            if value.trim().is_empty() && KNOWN.contains(&name.as_str()) {
                continue;
            }
            let setting = Setting { name: &name, value: value.trim() };
            match name.as_str() {
                "DATABASE_URL" if !setting.value.is_empty() => database = Some(setting.database()?),
                "REDIS_URL" if !setting.value.is_empty() => setting.redis()?,
                name if name.starts_with("BELLWIRE_") && !name.starts_with(OF_THE_TESTS) => {
                    settings.set(setting)?
                }
                _ => {}
            }
        }
        settings.database = database.unwrap_or_else(|| DatabaseUrl::sqlite_in(&settings.data));
        Ok(settings)
    }

    fn set(&mut self, setting: Setting<'_>) -> Result<(), SettingsError> {
        match setting.name {
            "BELLWIRE_BIND" => self.bind = setting.bind()?,
            "BELLWIRE_URL" => self.url = Some(setting.public_url()?),
            "BELLWIRE_ORIGINS" => self.origins = setting.origins()?,
            "BELLWIRE_TRUSTED_PROXIES" => self.trusted_proxies = setting.proxies()?,
            "BELLWIRE_CONNECTIONS" => self.connections = setting.connections()?,
            "BELLWIRE_DATA" => self.data = PathBuf::from(setting.value),
            "BELLWIRE_SIGNUP" => self.sign_up = setting.sign_up()?,
            "BELLWIRE_ASSETS" => self.assets = setting.folders()?,
            "BELLWIRE_LOG" => self.log = setting.log()?,
            _ => return Err(setting.wrong(&format!("a setting that exists: {}", KNOWN.join(", ")))),
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        let data = PathBuf::from("./data");
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            url: None,
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            connections: CONNECTIONS,
            database: DatabaseUrl::sqlite_in(&data),
            data,
            sign_up: SignUp::Open,
            assets: Vec::new(),
            log: "info,sqlx=warn,sea_orm_migration=warn".to_owned(),
        }
    }
}

/// One variable while it is being understood.
#[derive(Clone, Copy)]
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
}

impl Setting<'_> {
    fn wrong(&self, expected: &str) -> SettingsError {
        SettingsError {
            name: self.name.to_owned(),
            value: self.value.to_owned(),
            expected: expected.to_owned(),
        }
    }

    fn list(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    fn bind(&self) -> Result<SocketAddr, SettingsError> {
        self.value
            .parse()
            .map_err(|_| self.wrong("an IP address and a port, such as 127.0.0.1:8000 or [::]:8000"))
    }

    fn public_url(&self) -> Result<Url, SettingsError> {
        let expected =
            "the public address, http:// or https:// and a host, without a path: https://chat.example";
        let url = Url::parse(self.value).map_err(|_| self.wrong(expected))?;
        if is_bare(&url) { Ok(url) } else { Err(self.wrong(expected)) }
    }

    fn origins(&self) -> Result<Vec<String>, SettingsError> {
        let expected =
            "addresses separated by commas, each without a path: https://app.example,https://www.example";
        let origin =
            |item: &str| Url::parse(item).ok().filter(is_bare).map(|url| url.origin().ascii_serialization());
        self.list().map(|item| origin(item).ok_or_else(|| self.wrong(expected))).collect()
    }

    fn proxies(&self) -> Result<Vec<IpNet>, SettingsError> {
        let net = |item: &str| item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
        let expected = "IP addresses or networks separated by commas: 127.0.0.1,10.0.0.0/8";
        self.list().map(|item| net(item).map_err(|_| self.wrong(expected))).collect()
    }

    fn connections(&self) -> Result<usize, SettingsError> {
        let most = tokio::sync::Semaphore::MAX_PERMITS;
        let number = self.value.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| self.wrong("a whole number of connections, at least 1"))
    }

    fn sign_up(&self) -> Result<SignUp, SettingsError> {
        match self.value {
            "open" => Ok(SignUp::Open),
            "invite" => Ok(SignUp::Invite),
            "closed" => Ok(SignUp::Closed),
            _ => Err(self.wrong("open, invite or closed")),
        }
    }

    fn folders(&self) -> Result<Vec<PathBuf>, SettingsError> {
        let folder = |item| Some(PathBuf::from(item)).filter(|folder: &PathBuf| folder.is_dir());
        self.list()
            .map(|item| folder(item).ok_or_else(|| self.wrong("folders that exist, separated by commas")))
            .collect()
    }

    fn log(&self) -> Result<String, SettingsError> {
        match tracing_subscriber::EnvFilter::try_new(self.value) {
            Ok(_) => Ok(self.value.to_owned()),
            Err(_) => Err(self.wrong("levels such as info or warn,bellwire_site=debug")),
        }
    }

    fn database(&self) -> Result<DatabaseUrl, SettingsError> {
        self.value.parse().map_err(|expected: &str| SettingsError {
            name: self.name.to_owned(),
            value: without_password(self.value),
            expected: expected.to_owned(),
        })
    }

    /// There is no Redis layer yet, and a site that was meant to be many processes must not start as one.
    fn redis(&self) -> Result<(), SettingsError> {
        let value = without_password(self.value);
        let expected =
            "no value yet: Bellwire does not speak to Redis so far and runs as one process".to_owned();
        Err(SettingsError { name: self.name.to_owned(), value, expected })
    }
}

/// Whether an address is a scheme, a host and perhaps a port, and nothing else.
fn is_bare(url: &Url) -> bool {
    let nothing_more = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && nothing_more && nobody
}

/// A URL as it may be shown on a terminal and in a log.
fn without_password(value: &str) -> String {
    match Url::parse(value) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("…"));
            url.to_string()
        }
        _ if value.contains('@') => "…".to_owned(),
        _ => value.to_owned(),
    }
}
