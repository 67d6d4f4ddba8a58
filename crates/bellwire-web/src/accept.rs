//! The `Accept` header of a request.

use axum::http::HeaderMap;
use bellwire::accepts;

/// Whether the client accepts HTML: a browser rather than a program.
pub fn wants_html(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}
