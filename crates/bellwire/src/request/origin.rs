//! Origin checks: decide whether a page may open a socket or submit a form.
//!
//! A browser lets any page of any site open a WebSocket to this server and sends the server's
//! cookies along. The `Origin` header distinguishes the site's own pages from others, and it must
//! match exactly: scheme, host and port (RFC 6454, RFC 6455 §10.2).

use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, StatusCode, header};
use url::{Origin, Url};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The allowed origins: those of the site's own pages.
#[derive(Clone)]
pub struct Origins {
    allowed: Arc<[Pattern]>,
    predicate: Option<Predicate>,
    /// Whether programs that send neither an origin nor a cookie are permitted.
    native_clients: bool,
    /// The name of the setting that allows more origins, for the text of a refusal.
    setting: Arc<str>,
}

type Predicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// An allowed origin.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// Every sub-domain: what stands before and after its labels.
    SubDomains {
        scheme: String,
        rest: String,
    },
}

impl Pattern {
    /// Reads `https://chat.example` or `https://*.chat.example`.
    fn parse(address: &str) -> Result<Self, InvalidOrigin> {
        let Some((scheme, rest)) = address.split_once("://*.") else {
            return serialized(address).map(Self::Exact);
        };
        let parent = serialized(&format!("{scheme}://{rest}"))
            .map_err(|_| InvalidOrigin(address.to_owned()))?;
        match parent.split_once("://") {
            // `*.com` would be every site.
            Some((scheme, rest)) if rest.contains('.') => {
                Ok(Self::SubDomains { scheme: format!("{scheme}://"), rest: format!(".{rest}") })
            }
            _ => Err(InvalidOrigin(address.to_owned())),
        }
    }

    fn matches(&self, origin: &[u8]) -> bool {
        match self {
            Self::Exact(allowed) => allowed.as_bytes() == origin,
            Self::SubDomains { scheme, rest } => {
                let labels = origin
                    .strip_prefix(scheme.as_bytes())
                    .and_then(|host| host.strip_suffix(rest.as_bytes()));
                labels.is_some_and(are_labels)
            }
        }
    }
}

/// Whether these bytes are the labels of a domain, in the lower case that browsers send.
fn are_labels(labels: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        let is_valid =
            |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        !label.is_empty() && label.iter().all(is_valid)
    };
    labels.split(|byte| *byte == b'.').all(is_label)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(origin) => f.write_str(origin),
            Self::SubDomains { scheme, rest } => write!(f, "{scheme}*{rest}"),
        }
    }
}

impl Origins {
    /// Allows the origins of the given addresses. `https://*.chat.example` allows every sub-domain,
    /// and not the domain itself. `setting` is the name of the setting that allows more; a refusal
    /// mentions it.
    ///
    /// # Errors
    /// Returns [`InvalidOrigin`] if an address is not an `http` or `https` URL.
    pub fn new<'a>(
        addresses: impl IntoIterator<Item = &'a str>,
        setting: &str,
    ) -> Result<Self, InvalidOrigin> {
        let allowed = addresses.into_iter().map(Pattern::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            allowed: allowed.into(),
            predicate: None,
            native_clients: false,
            setting: setting.into(),
        })
    }

    /// Also allows the origins for which `predicate` returns true.
    pub(crate) fn or_if(self, predicate: Option<Predicate>) -> Self {
        Self { predicate, ..self }
    }

    /// Also allows programs that send neither an origin nor a cookie.
    pub(crate) fn or_native_clients(self, native_clients: bool) -> Self {
        Self { native_clients, ..self }
    }

    /// Checks that a request with these headers comes from one of the site's own pages, or from a
    /// program without a cookie if those are allowed.
    ///
    /// # Errors
    /// Returns [`OriginRejection`] if the origin is not allowed, is `null`, is sent twice, or is
    /// missing.
    pub fn permits(&self, headers: &HeaderMap) -> Result<(), OriginRejection> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) if headers.contains_key(header::COOKIE) => {
                Err(self.rejection("missing, although a cookie was sent"))
            }
            (None, _) if !self.native_clients => {
                Err(self.rejection("missing, and programs without one are not allowed"))
            }
            (None, _) => Ok(()),
            (Some(_), Some(_)) => Err(self.rejection("given twice")),
            (Some(origin), None) => self.permits_origin(origin.as_bytes()),
        }
    }

    /// Checks an origin.
    ///
    /// # Errors
    /// Returns [`OriginRejection`] if it is not allowed.
    pub(crate) fn permits_origin(&self, origin: &[u8]) -> Result<(), OriginRejection> {
        let is_allowed = || self.allowed.iter().any(|allowed| allowed.matches(origin));
        let is_accepted = || {
            let origin = str::from_utf8(origin).ok().filter(|origin| *origin != "null");
            origin.zip(self.predicate.as_ref()).is_some_and(|(origin, accepts)| accepts(origin))
        };
        match is_allowed() || is_accepted() {
            true => Ok(()),
            false => Err(self.rejection(excerpt(origin))),
        }
    }

    /// Checks that a request for server-sent events comes from one of the site's own pages.
    ///
    /// Works like [`permits`](Self::permits), except that a page that reads from its own site sends
    /// no `Origin`. In that case `Sec-Fetch-Site`, which no page can forge either, must be
    /// `same-origin`.
    ///
    /// # Errors
    /// Returns [`OriginRejection`] if the origin is refused, or if it is missing and the request
    /// comes from another site, or sends neither header.
    pub fn permits_stream(&self, headers: &HeaderMap) -> Result<(), OriginRejection> {
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        match (sites.next(), sites.next()) {
            _ if headers.contains_key(header::ORIGIN) => self.permits(headers),
            (None, _) => self.permits(headers),
            (Some(site), None) if site == "same-origin" => Ok(()),
            (Some(site), None) => Err(self
                .rejection(format!("missing, and Sec-Fetch-Site is {}", excerpt(site.as_bytes())))),
            (Some(_), Some(_)) => Err(self.rejection("missing, and Sec-Fetch-Site is given twice")),
        }
    }

    /// The allowed origins, as browsers serialize them.
    pub fn allowed(&self) -> impl Iterator<Item = String> {
        self.allowed.iter().map(Pattern::to_string)
    }

    fn rejection(&self, found: impl Into<String>) -> OriginRejection {
        let allowed = self.allowed.iter().map(Pattern::to_string).collect::<Vec<_>>().join(", ");
        OriginRejection { found: found.into(), allowed, setting: self.setting.clone() }
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origins").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

/// The origin of an address as a browser serializes it: lower case, no default port, no path.
fn serialized(address: &str) -> Result<String, InvalidOrigin> {
    let invalid = || InvalidOrigin(address.to_owned());
    let url = Url::parse(address).map_err(|_| invalid())?;
    // A `*` that is not the first label would be taken for a host of that name.
    let is_host = url.host_str().is_some_and(|host| !host.contains('*'));
    match url.origin() {
        origin @ Origin::Tuple(..) if is_host && matches!(url.scheme(), "http" | "https") => {
            Ok(origin.ascii_serialization())
        }
        _ => Err(invalid()),
    }
}

/// An untrusted header, shortened and without control characters, for a page or a log.
fn excerpt(origin: &[u8]) -> String {
    let text = String::from_utf8_lossy(origin);
    format!("`{}`", text.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
}

/// An address that is not an `http` or `https` URL and so has no origin.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an address such as `https://chat.example`")]
pub struct InvalidOrigin(String);

/// The refusal of a request from a page of another origin. Responds with 403 and names the setting
/// that allows more origins.
#[derive(Debug, thiserror::Error)]
#[error(
    "Refused: the Origin of this request is {found}. Allowed: {allowed}. \
     To allow this page, see {setting}."
)]
pub struct OriginRejection {
    found: String,
    allowed: String,
    setting: Arc<str>,
}

impl IntoResponse for OriginRejection {
    fn into_response(self) -> Response {
        (StatusCode::FORBIDDEN, format!("{self}\n")).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new(
            ["https://chat.example", "http://127.0.0.1:8000/some/path"],
            "BELLWIRE_ORIGINS",
        )
        .unwrap()
        .or_native_clients(true)
    }

    fn headers(origin: Option<&str>, cookie: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        if cookie {
            headers.insert(header::COOKIE, "session=1".parse().unwrap());
        }
        headers
    }

    #[test]
    fn own_pages_are_permitted_and_look_alikes_are_refused() {
        for own in ["https://chat.example", "http://127.0.0.1:8000"] {
            assert!(origins().permits(&headers(Some(own), true)).is_ok(), "{own}");
        }
        for foreign in [
            "https://evil.example",
            "https://chat.example:8443",
            "http://chat.example",
            "https://sub.chat.example",
            "https://chat.example.evil.example",
            "https://chat.examplE",
            "https://chat.example/",
            "https://chat.example.",
            "https://xchat.example",
            "http://127.0.0.1",
            "http://localhost:8000",
            "null",
            "",
            "file://",
        ] {
            assert!(origins().permits(&headers(Some(foreign), true)).is_err(), "{foreign}");
            assert!(
                origins().permits(&headers(Some(foreign), false)).is_err(),
                "{foreign} without a cookie"
            );
        }
    }

    #[test]
    fn a_missing_origin_is_permitted_only_without_a_cookie_and_if_programs_are_allowed() {
        assert!(origins().permits(&headers(None, false)).is_ok());
        assert!(origins().permits(&headers(None, true)).is_err());
        let only_pages = origins().or_native_clients(false);
        assert!(only_pages.permits(&headers(None, false)).is_err());
        assert!(only_pages.permits_stream(&headers(None, false)).is_err());
    }

    #[test]
    fn a_wildcard_permits_sub_domains_and_nothing_else() {
        let origins = Origins::new(["https://*.chat.example:8443"], "x").unwrap();
        let permits = |origin: &str| origins.permits_origin(origin.as_bytes()).is_ok();
        for own in ["https://a.chat.example:8443", "https://a-1.b.chat.example:8443"] {
            assert!(permits(own), "{own}");
        }
        for foreign in [
            "https://chat.example:8443",
            "https://.chat.example:8443",
            "https://a..chat.example:8443",
            "https://a.chat.example",
            "http://a.chat.example:8443",
            "https://achat.example:8443",
            "https://evil.example/.chat.example:8443",
            "https://evil.example:1@a.chat.example:8443",
            "https://a.chat.example:8443.evil.example",
            "https://A.chat.example:8443",
        ] {
            assert!(!permits(foreign), "{foreign}");
        }
        for bad in ["https://*.com", "https://*.", "https://*", "https://a.*.example", "*.example"]
        {
            assert!(Origins::new([bad], "x").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_predicate_permits_further_origins_but_never_null() {
        let accepts = |origin: &str| origin.ends_with(".tenant.example") || origin == "null";
        let origins = origins().or_if(Some(Arc::new(accepts)));
        let permits = |origin: &str| origins.permits_origin(origin.as_bytes()).is_ok();
        assert!(permits("https://a.tenant.example") && permits("https://chat.example"));
        assert!(!permits("https://evil.example") && !permits("null"));
    }

    #[test]
    fn a_repeated_origin_header_is_refused_even_if_one_is_allowed() {
        let mut twice = headers(Some("https://chat.example"), true);
        twice.append(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert!(origins().permits(&twice).is_err());
    }

    #[test]
    fn a_stream_without_an_origin_is_permitted_for_own_pages_and_for_programs_without_a_cookie() {
        let permits = |origin, sites: &[&str], cookie| {
            let mut headers = headers(origin, cookie);
            for site in sites {
                headers.append(SEC_FETCH_SITE, site.parse().unwrap());
            }
            origins().permits_stream(&headers).is_ok()
        };
        for cookie in [true, false] {
            assert!(permits(None, &["same-origin"], cookie));
            for site in
                ["cross-site", "same-site", "none", "Same-Origin", "same-origin, cross-site", ""]
            {
                assert!(!permits(None, &[site], cookie), "{site}, a cookie: {cookie}");
            }
            assert!(!permits(None, &["same-origin", "same-origin"], cookie), "given twice");
            for site in [&["same-origin"][..], &["cross-site"], &[]] {
                assert!(
                    permits(Some("https://chat.example"), site, cookie),
                    "an allowed origin, whatever Sec-Fetch-Site is"
                );
                assert!(
                    !permits(Some("https://evil.example"), site, cookie),
                    "{site:?} does not permit another origin"
                );
                assert!(!permits(Some("null"), site, cookie));
            }
        }
        assert!(permits(None, &[], false));
        assert!(!permits(None, &[], true));
    }

    #[test]
    fn the_refusal_names_the_received_origin_and_the_setting() {
        let refusal = origins()
            .permits(&headers(Some("https://evil.example"), true))
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("`https://evil.example`") && refusal.contains("BELLWIRE_ORIGINS"),
            "{refusal}"
        );
    }

    #[test]
    fn an_address_without_an_origin_is_not_accepted_as_a_setting() {
        for bad in ["chat.example", "ftp://chat.example", "data:text/html,x", ""] {
            assert!(Origins::new([bad], "x").is_err(), "{bad}");
        }
    }
}
