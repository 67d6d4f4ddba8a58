//! Protection against cross-site request forgery (CSRF).
//!
//! Browsers attach this site's cookies to requests that other sites trigger. They also send the
//! origin of the request, which pages cannot forge: `Origin` and `Sec-Fetch-Site`. So forms need no
//! token. The framework checks sockets and streams when they open.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bellwire::Origins;

use crate::{SiteError, SiteState};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Middleware that refuses requests for other hosts and requests from pages of other sites.
pub(crate) async fn check(State(site): State<SiteState>, request: Request, next: Next) -> Response {
    let allowed = check_host(&site, &request).and_then(|()| {
        check_origin(site.bellwire().origins(), request.method(), request.headers())
    });
    match allowed {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Refuses other values of `Host`: an attacker can point another name at this address (DNS
/// rebinding).
fn check_host(site: &SiteState, request: &Request) -> Result<(), SiteError> {
    if site.public_url().accepts_host(request.uri(), request.headers()) {
        return Ok(());
    }
    let public_url = site.public_url().as_str();
    Err(SiteError::Misdirected(format!(
        "This site is at {public_url}. To serve it at the address you used, set BELLWIRE_URL to \
         that address."
    )))
}

fn check_origin(origins: &Origins, method: &Method, headers: &HeaderMap) -> Result<(), SiteError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    if headers.contains_key(header::ORIGIN) {
        return origins
            .permits(headers)
            .map_err(|refused| SiteError::Forbidden(refused.to_string()));
    }
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter().map(|site| site.as_bytes());
    match (sites.next(), sites.next()) {
        (Some(b"same-origin" | b"none"), None) => Ok(()),
        (None, _) if !headers.contains_key(header::COOKIE) => Ok(()),
        _ => Err(SiteError::Forbidden(missing_origin(origins))),
    }
}

fn missing_origin(origins: &Origins) -> String {
    let allowed: Vec<_> = origins.allowed().collect();
    format!(
        "Refused: the request has no Origin header. Forms are accepted only from pages of {}. If \
         the page belongs to this site, check BELLWIRE_URL and BELLWIRE_ORIGINS.",
        allowed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let origins =
            Origins::new(["https://chat.example"], "BELLWIRE_URL and BELLWIRE_ORIGINS").unwrap();
        let pairs =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let _: bool = map.append::<axum::http::HeaderName>(name, value);
        }
        check_origin(&origins, &method, &map).is_err()
    }

    #[test]
    fn safe_methods_are_allowed_from_all_origins() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert!(!refused(method, &[("origin", "https://evil.example"), ("cookie", "a=b")]));
        }
    }

    #[test]
    fn other_methods_are_allowed_only_from_pages_of_the_site() {
        let cookie = ("cookie", "a=b");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
            assert!(!refused(method.clone(), &[("origin", "https://chat.example"), cookie]));
            assert!(refused(method.clone(), &[("origin", "https://evil.example"), cookie]));
            assert!(refused(method, &[("origin", "null"), cookie]));
        }
    }

    #[test]
    fn without_an_origin_sec_fetch_site_is_required() {
        let cookie = ("cookie", "a=b");
        for site in ["same-origin", "none"] {
            assert!(!refused(Method::POST, &[(SEC_FETCH_SITE, site), cookie]), "{site}");
        }
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(refused(Method::POST, &[(SEC_FETCH_SITE, site), cookie]), "{site}");
            assert!(refused(Method::POST, &[(SEC_FETCH_SITE, site)]), "{site} without a cookie");
        }
        assert!(refused(Method::POST, &[cookie]));
        assert!(!refused(Method::POST, &[]));
        assert!(refused(
            Method::POST,
            &[(SEC_FETCH_SITE, "same-origin"), (SEC_FETCH_SITE, "cross-site"), cookie]
        ));
    }

    #[test]
    fn a_foreign_origin_is_refused_whatever_sec_fetch_site_says() {
        let foreign = ("origin", "https://evil.example");
        assert!(refused(Method::POST, &[foreign, (SEC_FETCH_SITE, "same-origin")]));
    }
}
