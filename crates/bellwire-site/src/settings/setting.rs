//! One variable: what it may be, and what is said when it is not.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use bellwire_db::{DatabaseUrl, without_password};

use super::{SettingsError, SignUp};

/// One variable while it is being understood.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Setting<'_> {
    pub(super) fn wrong(&self, expected: &str) -> SettingsError {
        SettingsError {
            name: self.name.to_owned(),
            value: without_password(self.value),
            expected: expected.to_owned(),
        }
    }

    fn list(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    pub(super) fn bind(&self) -> Result<SocketAddr, SettingsError> {
        self.value
            .parse()
            .map_err(|_| self.wrong("an IP address and a port, such as 127.0.0.1:8000 or [::]:8000"))
    }

    pub(super) fn public_url(&self) -> Result<Url, SettingsError> {
        let expected =
            "the public address, http:// or https:// and a host, without a path: https://chat.example";
        let url = Url::parse(self.value).map_err(|_| self.wrong(expected))?;
        if is_bare(&url) { Ok(url) } else { Err(self.wrong(expected)) }
    }

    pub(super) fn origins(&self) -> Result<Vec<String>, SettingsError> {
        let expected =
            "addresses separated by commas, each without a path: https://app.example,https://www.example";
        let origin =
            |item: &str| Url::parse(item).ok().filter(is_bare).map(|url| url.origin().ascii_serialization());
        self.list().map(|item| origin(item).ok_or_else(|| self.wrong(expected))).collect()
    }

    pub(super) fn proxies(&self) -> Result<Vec<IpNet>, SettingsError> {
        let net = |item: &str| item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
        let expected = "IP addresses or networks separated by commas: 127.0.0.1,10.0.0.0/8";
        self.list().map(|item| net(item).map_err(|_| self.wrong(expected))).collect()
    }

    pub(super) fn sign_up(&self) -> Result<SignUp, SettingsError> {
        match self.value {
            "open" => Ok(SignUp::Open),
            "invite" => Ok(SignUp::Invite),
            "closed" => Ok(SignUp::Closed),
            _ => Err(self.wrong("open, invite or closed")),
        }
    }

    pub(super) fn folders(&self) -> Result<Vec<PathBuf>, SettingsError> {
        let folder = |item| Some(PathBuf::from(item)).filter(|folder: &PathBuf| folder.is_dir());
        self.list()
            .map(|item| folder(item).ok_or_else(|| self.wrong("folders that exist, separated by commas")))
            .collect()
    }

    pub(super) fn log(&self) -> Result<String, SettingsError> {
        match tracing_subscriber::EnvFilter::try_new(self.value) {
            Ok(_) => Ok(self.value.to_owned()),
            Err(_) => Err(self.wrong("levels such as info or warn,bellwire_site=debug")),
        }
    }

    pub(super) fn database(&self) -> Result<DatabaseUrl, SettingsError> {
        self.value.parse().map_err(|expected: &str| SettingsError {
            name: self.name.to_owned(),
            value: without_password(self.value),
            expected: expected.to_owned(),
        })
    }

    /// There is no Redis layer yet, and a site that was meant to be many processes must not start as one.
    pub(super) fn redis(&self) -> Result<(), SettingsError> {
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
