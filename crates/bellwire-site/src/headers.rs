//! What every response says to the browser about safety.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::SiteState;

/// Nothing but our own files, and no script, style or page of ours inside another one.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

/// `same-origin` rather than `no-referrer`, which would make browsers send `Origin: null` with our own forms.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Where browsers reach us over TLS, they shall do nothing else for a year. Other hosts of the domain are not our business.
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers that a response does not have already.
pub(crate) async fn add(State(site): State<SiteState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if site.public_url().is_https() {
        let header = response.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY);
        header.or_insert(STRICT_TRANSPORT_SECURITY);
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
