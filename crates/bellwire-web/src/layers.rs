//! The tower layers that wrap all requests and responses of a site.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bellwire::{TrustedProxies, client_address};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::body::BODY;
use crate::{Page, SiteError, SiteState, forgery, headers, index, page, robots};

/// Wraps the pages of a site: an unknown path becomes a page (404, or the list of apps at `/`), a
/// panic becomes a logged 500, and a form that is refused with 401 shows its fields again.
///
/// A layer that recognises sessions belongs around the result, inside [`around_site`]: it stores
/// the [`Viewer`](crate::Viewer) in the extensions of request and response.
pub fn around_pages(pages: Router<SiteState>) -> Router<SiteState> {
    pages
        .merge(robots::routes())
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(page::keep_submitted_fields))
}

/// Wraps a site: static files, limits of body size and request time, the check of `Host` and
/// `Origin`, the client's address, the shell around pages, and security headers.
///
/// `time` is the limit for a whole request, which is then answered with 503.
pub fn around_site(
    pages: Router<SiteState>,
    site: &SiteState,
    proxies: TrustedProxies,
    time: Duration,
) -> Router {
    // From the innermost to the outermost: the last layer sees a request first.
    pages
        .route("/static/{build}/{*path}", get(asset))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, time))
        .layer(from_fn_with_state(site.clone(), forgery::check))
        .layer(from_fn_with_state(proxies, client_address))
        .layer(from_fn_with_state(site.clone(), page::finish))
        .layer(from_fn_with_state(site.clone(), headers::add))
        .with_state(site.clone())
}

/// Logs a line for each request, without its query, which may contain private text.
pub async fn log_request(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), start.elapsed().as_millis());
    tracing::info!("{method} {path} {status} {ms} ms");
    response
}

/// Answers an unknown path. A site without its own home page lists its apps at `/`.
async fn not_found(State(site): State<SiteState>, request: Request) -> Result<Page, SiteError> {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/") => index::page(&site),
        _ => Err(SiteError::NotFound),
    }
}

async fn asset(
    State(site): State<SiteState>,
    Path((build, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    site.assets().get(&build, &path, &headers)
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    SiteError::internal(format!("a handler panicked: {message}")).into_response()
}
