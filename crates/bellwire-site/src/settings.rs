//! The settings of a site, read once from the environment. Each crate declares its variables as a
//! group of clap arguments; all groups are parsed as one command.
//!
//! All settings are optional: the defaults start a site on SQLite at `http://127.0.0.1:8000`. An
//! invalid value or an unknown `BELLWIRE_*` variable stops the start with an error that names the
//! expected value.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bellwire::{Limits, ServeLimits};
use ipnet::IpNet;
use url::Url;

mod groups;
mod serving;
mod limits;
mod variables;
mod consistency;
mod error;

use bellwire_auth::SignUp;
use bellwire_db::DatabaseUrl;
use clap::CommandFactory;

use crate::SiteState;
use consistency::check_consistency;
use groups::Groups;
use variables::Variables;

pub use error::SettingsError;

/// The settings of a site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `BELLWIRE_BIND`: the address to listen on; port 0 selects a free one.
    pub bind: SocketAddr,
    /// `BELLWIRE_URL`: the public address; by default derived from the listening address.
    pub url: Option<Url>,
    /// `BELLWIRE_ORIGINS`: further origins whose pages may send forms and open sockets. Browsers
    /// send the cookies only from the same site (`https://app.chat.example` for
    /// `https://chat.example`).
    pub origins: Vec<String>,
    /// `BELLWIRE_NATIVE_CLIENTS`: whether programs that send neither an origin nor a cookie, such as
    /// curl and bots, may open sockets.
    pub native_clients: bool,
    /// `BELLWIRE_TRUSTED_PROXIES`: the proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// `BELLWIRE_CONNECTIONS`, `BELLWIRE_HEADER_SECONDS` and `BELLWIRE_RESPONSE_SECONDS`: the
    /// number of connections and the timeouts of each.
    pub serve: ServeLimits,
    /// `BELLWIRE_REQUEST_SECONDS`: the time limit of a whole request, including its body and the
    /// handler. After it the answer is 503; writes already queued for the database still happen.
    pub request: Duration,
    /// `BELLWIRE_MESSAGE_BYTES` and similar: the limits of every socket.
    pub limits: Limits,
    /// `BELLWIRE_DATA`: the folder for the SQLite file.
    pub data: PathBuf,
    /// `DATABASE_URL`: the database.
    pub database: DatabaseUrl,
    /// `BELLWIRE_SIGNUP`: who may create an account.
    pub sign_up: SignUp,
    /// `BELLWIRE_ASSETS`: folders to read static files from at each request, for development.
    pub assets: Vec<PathBuf>,
    /// `BELLWIRE_LOG`: the log filter, for example `info,bellwire=debug`.
    pub log: String,
}

impl Settings {
    /// Reads the settings from the environment of this process.
    ///
    /// # Errors
    /// If a variable is invalid or unknown.
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
    /// If a variable is invalid or unknown.
    pub fn parse<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, SettingsError> {
        let pairs = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        let groups: Groups = Variables::of(Groups::command()).parse(pairs)?;
        let limits = groups.limits.limits();
        check_consistency(&limits)?;
        Ok(Self {
            serve: groups.serving.limits(),
            bind: groups.serving.bind,
            log: groups.serving.log,
            limits,
            request: groups.web.request(),
            url: groups.web.url,
            origins: groups.web.origins,
            native_clients: groups.web.native_clients,
            trusted_proxies: groups.web.trusted_proxies,
            assets: groups.web.assets,
            database: groups.database.database(),
            data: groups.database.data,
            sign_up: groups.accounts.sign_up,
        })
    }
}

/// Access to the settings of a site, for its handlers.
pub trait SiteSettings {
    /// The settings the site was started with.
    ///
    /// # Panics
    /// If the state was not built by a [`Builder`](crate::Builder).
    fn settings(&self) -> &Settings;
}

impl SiteSettings for SiteState {
    fn settings(&self) -> &Settings {
        self.get::<Arc<Settings>>().expect("a site is built with settings")
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::parse::<String, String>([]).expect("the defaults are valid and fit together")
    }
}
