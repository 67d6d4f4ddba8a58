//! What the operator may decide, read once from the environment.
//!
//! Nothing has to be set: the defaults start a site on SQLite at `http://127.0.0.1:8000`. What is set must be right:
//! a wrong value or a name we do not know stops the start with an error that says what was expected.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bellwire::{Limits, ServeLimits};
use ipnet::IpNet;
use url::Url;

mod bounds;
mod setting;

use bellwire_auth::SignUp;
use bellwire_db::DatabaseUrl;

use crate::SiteState;
use bounds::{BOUNDS, Bound};
use setting::Setting;

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
    /// `BELLWIRE_CONNECTIONS`, `BELLWIRE_HEADER_SECONDS` and `BELLWIRE_RESPONSE_SECONDS`: the bounds of every connection.
    pub serve: ServeLimits,
    /// `BELLWIRE_REQUEST_SECONDS`: the time for a request as a whole, its body and our work included. Then it is answered with
    /// 503; what it asked the database to write is written all the same.
    pub request: Duration,
    /// `BELLWIRE_MESSAGE_BYTES` and the like: the bounds of every socket.
    pub limits: Limits,
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

/// The variables we know, beside the [`BOUNDS`]; any other `BELLWIRE_…` is taken for a mistyped one.
const KNOWN: [&str; 8] = [
    "BELLWIRE_BIND",
    "BELLWIRE_URL",
    "BELLWIRE_ORIGINS",
    "BELLWIRE_TRUSTED_PROXIES",
    "BELLWIRE_DATA",
    "BELLWIRE_SIGNUP",
    "BELLWIRE_ASSETS",
    "BELLWIRE_LOG",
];

/// Variables of the test tools, which pass through the environment of a server under test.
const OF_THE_TESTS: &str = "BELLWIRE_TEST_";

/// The time for a request: what takes longer is no page any more.
const REQUEST: Duration = Duration::from_secs(30);

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
            if value.trim().is_empty() && known().any(|known| known == name) {
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
        bounds::fit_together(&settings)?;
        settings.database = database.unwrap_or_else(|| DatabaseUrl::sqlite_in(&settings.data));
        Ok(settings)
    }

    fn set(&mut self, setting: Setting<'_>) -> Result<(), SettingsError> {
        match setting.name {
            "BELLWIRE_BIND" => self.bind = setting.bind()?,
            "BELLWIRE_URL" => self.url = Some(setting.public_url()?),
            "BELLWIRE_ORIGINS" => self.origins = setting.origins()?,
            "BELLWIRE_TRUSTED_PROXIES" => self.trusted_proxies = setting.proxies()?,
            "BELLWIRE_DATA" => self.data = PathBuf::from(setting.value),
            "BELLWIRE_SIGNUP" => self.sign_up = setting.sign_up()?,
            "BELLWIRE_ASSETS" => self.assets = setting.folders()?,
            "BELLWIRE_LOG" => self.log = setting.log()?,
            name => match BOUNDS.iter().find(|bound| bound.name == name) {
                Some(bound) => bound.set(self, setting)?,
                None => {
                    let known = known().collect::<Vec<_>>().join(", ");
                    return Err(setting.wrong(&format!("a setting that exists: {known}")));
                }
            },
        }
        Ok(())
    }
}

/// Every variable there is.
fn known() -> impl Iterator<Item = &'static str> {
    KNOWN.into_iter().chain(BOUNDS.iter().map(|bound: &Bound| bound.name))
}

/// The settings of a site, for its handlers.
pub trait SiteSettings {
    /// The settings the site was started with.
    ///
    /// # Panics
    /// If the state was not made by a [`Builder`](crate::Builder).
    fn settings(&self) -> &Settings;
}

impl SiteSettings for SiteState {
    fn settings(&self) -> &Settings {
        self.get::<Arc<Settings>>().expect("a site is built with settings")
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
            serve: ServeLimits::default(),
            request: REQUEST,
            limits: Limits::default(),
            database: DatabaseUrl::sqlite_in(&data),
            data,
            sign_up: SignUp::Open,
            assets: Vec::new(),
            log: "info,sqlx=warn,sea_orm_migration=warn".to_owned(),
        }
    }
}
