//! Origin checks: decide whether a page may open a socket or submit a form.
//!
//! A browser lets any page of any site open a WebSocket to this server and sends the server's
//! cookies along. The `Origin` header distinguishes the site's own pages from others, and it must
//! match exactly: scheme, host and port (RFC 6454, RFC 6455 §10.2).

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, StatusCode, header};
use url::{Origin, Url};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The allowed origins: those of the site's own pages.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Arc<[String]>,
    /// The name of the setting that allows more origins, for the text of a refusal.
    setting: Arc<str>,
}

impl Origins {
    /// Allows the origins of the given addresses. `setting` is the name of the setting that allows
    /// more; a refusal mentions it.
    ///
    /// # Errors
    /// Returns [`InvalidOrigin`] if an address is not an `http` or `https` URL.
    pub fn new<'a>(
        addresses: impl IntoIterator<Item = &'a str>,
        setting: &str,
    ) -> Result<Self, InvalidOrigin> {
        let allowed = addresses.into_iter().map(serialized).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { allowed: allowed.into(), setting: setting.into() })
    }

    /// Checks that a request with these headers comes from one of the site's own pages.
    ///
    /// A request without `Origin` is permitted only without a cookie: then it does not come from a
    /// browser that acts for a signed-in person.
    ///
    /// # Errors
    /// Returns [`OriginRejection`] if the origin is not allowed, is `null`, is sent twice, or is
    /// missing while a cookie is sent.
    pub fn permits(&self, headers: &HeaderMap) -> Result<(), OriginRejection> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let found = match (origins.next(), origins.next()) {
            (None, _) if headers.contains_key(header::COOKIE) => {
                "missing, although a cookie was sent".to_owned()
            }
            (None, _) => return Ok(()),
            (Some(_), Some(_)) => "given twice".to_owned(),
            (Some(origin), None) if self.contains(origin.as_bytes()) => return Ok(()),
            (Some(origin), None) => excerpt(origin.as_bytes()),
        };
        Err(OriginRejection { found, allowed: self.allowed.clone(), setting: self.setting.clone() })
    }

    /// Checks that a request for server-sent events comes from one of the site's own pages.
    ///
    /// Works like [`permits`](Self::permits), except that a page that reads from its own site sends
    /// no `Origin`. In that case `Sec-Fetch-Site`, which no page can forge either, must be
    /// `same-origin`.
    ///
    /// # Errors
    /// Returns [`OriginRejection`] if the origin is refused, or if it is missing and the request
    /// comes from another site, or sends neither header but a cookie.
    pub fn permits_stream(&self, headers: &HeaderMap) -> Result<(), OriginRejection> {
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        let found = match (sites.next(), sites.next()) {
            _ if headers.contains_key(header::ORIGIN) => return self.permits(headers),
            (None, _) => return self.permits(headers),
            (Some(site), None) if site == "same-origin" => return Ok(()),
            (Some(site), None) => {
                format!("missing, and Sec-Fetch-Site is {}", excerpt(site.as_bytes()))
            }
            (Some(_), Some(_)) => "missing, and Sec-Fetch-Site is given twice".to_owned(),
        };
        Err(OriginRejection { found, allowed: self.allowed.clone(), setting: self.setting.clone() })
    }

    /// The allowed origins, as browsers serialize them.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().map(String::as_str)
    }

    fn contains(&self, origin: &[u8]) -> bool {
        self.allowed.iter().any(|allowed| allowed.as_bytes() == origin)
    }
}

/// The origin of an address as a browser serializes it: lower case, no default port, no path.
fn serialized(address: &str) -> Result<String, InvalidOrigin> {
    let invalid = || InvalidOrigin(address.to_owned());
    let url = Url::parse(address).map_err(|_| invalid())?;
    match url.origin() {
        origin @ Origin::Tuple(..) if matches!(url.scheme(), "http" | "https") => {
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
    "Refused: the Origin of this request is {found}. Allowed: {}. \
     To allow this page, see {setting}.",
    allowed.join(", ")
)]
pub struct OriginRejection {
    found: String,
    allowed: Arc<[String]>,
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
    fn a_missing_origin_is_permitted_only_without_a_cookie() {
        assert!(origins().permits(&headers(None, false)).is_ok());
        assert!(origins().permits(&headers(None, true)).is_err());
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
