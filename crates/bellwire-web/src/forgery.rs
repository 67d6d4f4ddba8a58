//! Keeps pages of other sites from acting in the name of our people.
//!
//! Browsers send our cookies along with whatever another page makes them send. What they also send,
//! and pages cannot forge, is where it came from: `Origin`, and `Sec-Fetch-Site`. So our forms need
//! no token, and pages are the same bytes for everyone. Sockets and streams are checked by the
//! framework, as they open.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bellwire::Origins;

use crate::{SiteError, SiteState};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Lets through what is meant for this site and does not come from another one's page.
pub(crate) async fn check(State(site): State<SiteState>, request: Request, next: Next) -> Response {
    let allowed = is_for_us(&site, &request).and_then(|()| {
        comes_from_us(site.bellwire().origins(), request.method(), request.headers())
    });
    match allowed {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Another name for our address may be a stranger's, pointed at us to be taken for ours.
fn is_for_us(site: &SiteState, request: &Request) -> Result<(), SiteError> {
    if site.public_url().is_meant(request.uri(), request.headers()) {
        return Ok(());
    }
    let ours = site.public_url().as_str();
    Err(SiteError::Misdirected(format!(
        "This site is at {ours}. If it should answer at the address you used, set BELLWIRE_URL to that address."
    )))
}

fn comes_from_us(origins: &Origins, method: &Method, headers: &HeaderMap) -> Result<(), SiteError> {
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
        _ => Err(SiteError::Forbidden(unknown(origins))),
    }
}

fn unknown(origins: &Origins) -> String {
    let allowed: Vec<_> = origins.allowed().collect();
    format!(
        "Refused: this request does not say that it comes from a page of this site (no Origin header). Forms are taken \
         from pages of {}. If the page is yours, see BELLWIRE_URL and BELLWIRE_ORIGINS.",
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
        comes_from_us(&origins, &method, &map).is_err()
    }

    #[test]
    fn reading_is_free_from_everywhere() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert!(!refused(method, &[("origin", "https://evil.example"), ("cookie", "a=b")]));
        }
    }

    #[test]
    fn every_other_method_must_come_from_our_own_pages() {
        let cookie = ("cookie", "a=b");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
            assert!(!refused(method.clone(), &[("origin", "https://chat.example"), cookie]));
            assert!(refused(method.clone(), &[("origin", "https://evil.example"), cookie]));
            assert!(refused(method, &[("origin", "null"), cookie]));
        }
    }

    #[test]
    fn without_an_origin_the_browser_must_say_where_it_comes_from() {
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
    fn an_origin_that_is_not_ours_is_not_saved_by_what_else_is_said() {
        let foreign = ("origin", "https://evil.example");
        assert!(refused(Method::POST, &[foreign, (SEC_FETCH_SITE, "same-origin")]));
    }
}
