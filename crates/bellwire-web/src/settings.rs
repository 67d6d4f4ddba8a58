//! Settings of pages, and parsers for settings of other crates.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use ipnet::IpNet;
use url::Url;

/// The settings of pages, as clap arguments.
///
/// ```
/// use bellwire_web::WebArgs;
/// use clap::{Args, FromArgMatches};
///
/// let command = WebArgs::augment_args(clap::Command::new("site"));
/// let matches = command.get_matches_from(["site", "--trusted-proxies=127.0.0.1,10.0.0.0/8"]);
/// let web = WebArgs::from_arg_matches(&matches)?;
/// assert_eq!((web.trusted_proxies.len(), web.request().as_secs()), (2, 30));
/// # Ok::<(), clap::Error>(())
/// ```
// `std::vec::Vec`, because the derive macro parses each item of a plain `Vec` separately.
#[derive(Debug, Clone, Args)]
pub struct WebArgs {
    /// Public URL of the site; by default derived from the address to listen on
    #[arg(long, env = "BELLWIRE_URL", hide_env_values = true, value_parser = public_url)]
    pub url: Option<Url>,
    /// Additional origins whose pages may send forms and open sockets here
    #[arg(long, env = "BELLWIRE_ORIGINS", default_value = "", hide_default_value = true, value_parser = origins)]
    pub origins: std::vec::Vec<String>,
    /// Whether programs that send neither an origin nor a cookie may open sockets: true or false
    #[arg(long, env = "BELLWIRE_NATIVE_CLIENTS", default_value_t = true, action = ArgAction::Set, value_parser = flag)]
    pub native_clients: bool,
    /// Addresses and networks of the proxies whose `X-Forwarded-For` is trusted
    #[arg(long, env = "BELLWIRE_TRUSTED_PROXIES", default_value = "", hide_default_value = true, value_parser = proxies)]
    pub trusted_proxies: std::vec::Vec<IpNet>,
    /// Folders to read static files from at each request, for development
    #[arg(long, env = "BELLWIRE_ASSETS", default_value = "", hide_default_value = true, value_parser = folders)]
    pub assets: std::vec::Vec<PathBuf>,
    /// Time limit of a request in seconds, including its body; then it is answered with 503
    #[arg(long, env = "BELLWIRE_REQUEST_SECONDS", default_value_t = REQUEST_SECONDS, value_parser = whole_number::<u64>(SECONDS))]
    pub request_seconds: u64,
}

impl WebArgs {
    /// Returns the time limit of a request.
    pub fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }
}

/// The default time limit of a request: people do not wait longer for a page.
const REQUEST_SECONDS: u64 = 30;

/// The range of a timeout in seconds: up to an hour.
pub const SECONDS: RangeInclusive<u64> = 1..=3600;

/// Returns a parser of a whole number within a range, for `#[arg(value_parser = …)]`.
///
/// ```
/// let parse = bellwire_web::settings::whole_number::<u16>(1..=10);
/// assert_eq!(parse("7"), Ok(7));
/// assert_eq!(parse("11"), Err("a whole number from 1 to 10".to_owned()));
/// ```
pub fn whole_number<N: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let number = number.and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn public_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(is_bare);
    url.ok_or(
        "the public address, http:// or https:// and a host, without a path: https://chat.example",
    )
}

fn origins(text: &str) -> Result<Vec<String>, &'static str> {
    let origin =
        |item| Url::parse(item).ok().filter(is_bare).map(|url| url.origin().ascii_serialization());
    let expected = "addresses separated by commas, each without a path: \
                    https://app.example,https://www.example";
    list(text).map(|item| origin(item).ok_or(expected)).collect()
}

fn flag(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "true or false")
}

fn proxies(text: &str) -> Result<Vec<IpNet>, &'static str> {
    let net = |item: &str| item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
    let expected = "IP addresses or networks separated by commas: 127.0.0.1,10.0.0.0/8";
    list(text).map(|item| net(item).map_err(|_| expected)).collect()
}

fn folders(text: &str) -> Result<Vec<PathBuf>, &'static str> {
    let folder = |item| Some(PathBuf::from(item)).filter(|folder| folder.is_dir());
    list(text).map(|item| folder(item).ok_or("folders that exist, separated by commas")).collect()
}

/// Whether a URL has only a scheme, a host and optionally a port.
fn is_bare(url: &Url) -> bool {
    let nothing_more =
        matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let no_user = url.username().is_empty() && url.password().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && nothing_more && no_user
}
