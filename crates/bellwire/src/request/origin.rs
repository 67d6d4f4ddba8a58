//! Which pages may open a socket here, or send a form.
//!
//! A browser lets any page of any site open a WebSocket to us and sends our cookies along. The
//! `Origin` header is what tells our own pages from the rest, and it must match exactly: scheme,
//! host and port (RFC 6454, RFC 6455 §10.2).

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, StatusCode, header};
use url::{Origin, Url};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The origins whose pages are ours.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Arc<[String]>,
    /// What to say to the operator who meant to allow a refused origin.
    setting: Arc<str>,
}

impl Origins {
    /// Allows the origins of the given addresses; `setting` names where more are allowed, for the
    /// refusal's text.
    ///
    /// # Errors
    /// When an address is not an `http` or `https` URL.
    pub fn new<'a>(
        addresses: impl IntoIterator<Item = &'a str>,
        setting: &str,
    ) -> Result<Self, InvalidOrigin> {
        let allowed = addresses.into_iter().map(serialized).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { allowed: allowed.into(), setting: setting.into() })
    }

    /// Whether a request with these headers comes from one of our own pages.
    ///
    /// A request without `Origin` passes only when it carries no cookie: it is then no browser
    /// acting for someone.
    ///
    /// # Errors
    /// When the origin is another one, `null`, said twice, or missing although a cookie is sent.
    pub fn permits(&self, headers: &HeaderMap) -> Result<(), OriginRejection> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let found = match (origins.next(), origins.next()) {
            (None, _) if headers.contains_key(header::COOKIE) => {
                "missing, although a cookie was sent".to_owned()
            }
            (None, _) => return Ok(()),
            (Some(_), Some(_)) => "given twice".to_owned(),
            (Some(origin), None) if self.contains(origin.as_bytes()) => return Ok(()),
            (Some(origin), None) => shown(origin.as_bytes()),
        };
        Err(OriginRejection { found, allowed: self.allowed.clone(), setting: self.setting.clone() })
    }

    /// Whether a request with these headers, which asks for events, comes from one of our own
    /// pages.
    ///
    /// As [`permits`](Self::permits), but a page that reads from its own site sends no `Origin`:
    /// there `Sec-Fetch-Site`, which no page can forge either, has to be `same-origin`.
    ///
    /// # Errors
    /// When the origin is refused, or when it is missing and the request comes from another site or
    /// says nothing although a cookie is sent.
    pub fn permits_stream(&self, headers: &HeaderMap) -> Result<(), OriginRejection> {
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        let found = match (sites.next(), sites.next()) {
            _ if headers.contains_key(header::ORIGIN) => return self.permits(headers),
            (None, _) => return self.permits(headers),
            (Some(site), None) if site == "same-origin" => return Ok(()),
            (Some(site), None) => {
                format!("missing, and Sec-Fetch-Site is {}", shown(site.as_bytes()))
            }
            (Some(_), Some(_)) => "missing, and Sec-Fetch-Site is given twice".to_owned(),
        };
        Err(OriginRejection { found, allowed: self.allowed.clone(), setting: self.setting.clone() })
    }

    /// The allowed origins, as browsers write them.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().map(String::as_str)
    }

    fn contains(&self, origin: &[u8]) -> bool {
        self.allowed.iter().any(|allowed| allowed.as_bytes() == origin)
    }
}

/// An origin as a browser writes it: lower case, no default port, no path.
fn serialized(address: &str) -> Result<String, InvalidOrigin> {
    let bad = || InvalidOrigin(address.to_owned());
    let url = Url::parse(address).map_err(|_| bad())?;
    match url.origin() {
        origin @ Origin::Tuple(..) if matches!(url.scheme(), "http" | "https") => {
            Ok(origin.ascii_serialization())
        }
        _ => Err(bad()),
    }
}

/// A stranger's header, short and harmless enough for a page and a log.
fn shown(origin: &[u8]) -> String {
    let text = String::from_utf8_lossy(origin);
    format!("`{}`", text.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
}

/// An address that has no origin.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an address such as `https://chat.example`")]
pub struct InvalidOrigin(String);

/// The refusal of a request from a page that is not ours. Answers 403 and names the setting.
#[derive(Debug, thiserror::Error)]
#[error(
    "Refused: the Origin of this request is {found}. Allowed here: {}. If the page is yours, see {setting}.",
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
    fn our_own_pages_are_permitted_and_every_look_alike_is_refused() {
        for ours in ["https://chat.example", "http://127.0.0.1:8000"] {
            assert!(origins().permits(&headers(Some(ours), true)).is_ok(), "{ours}");
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
    fn a_missing_origin_passes_only_without_a_cookie() {
        assert!(origins().permits(&headers(None, false)).is_ok());
        assert!(origins().permits(&headers(None, true)).is_err());
    }

    #[test]
    fn an_origin_said_twice_is_refused_even_if_one_is_ours() {
        let mut twice = headers(Some("https://chat.example"), true);
        twice.append(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert!(origins().permits(&twice).is_err());
    }

    #[test]
    fn a_stream_without_an_origin_passes_from_our_own_pages_and_for_programs_without_a_cookie() {
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
                    "ours, whatever else is said"
                );
                assert!(
                    !permits(Some("https://evil.example"), site, cookie),
                    "{site:?} saves no foreign origin"
                );
                assert!(!permits(Some("null"), site, cookie));
            }
        }
        assert!(permits(None, &[], false));
        assert!(!permits(None, &[], true));
    }

    #[test]
    fn the_refusal_names_what_was_found_and_the_setting() {
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
