//! The end of each response: pages get their shell, and errors become pages.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{Html as HtmlBody, IntoResponse, Response};
use bellwire::Identity;
use bellwire_db::chain;
use url::{Position, Url};

use super::{Page, refusal};
use crate::accept::wants_html;
use crate::errors::ErrorInfo;
use crate::viewer::Viewer;
use crate::{NavItem, SiteError, SiteState, next};

/// Middleware that finishes each response: renders pages in the shell and errors as pages, and logs
/// internal errors.
pub(crate) async fn finish(
    State(site): State<SiteState>,
    request: Request,
    next: Next,
) -> Response {
    let info = RequestInfo::of(&request);
    let mut response = next.run(request).await;
    if let Some(cause) =
        response.extensions_mut().get_mut::<ErrorInfo>().and_then(|error| error.cause.take())
    {
        let error = chain(&*cause);
        tracing::error!(method = %info.method, path = %info.path, error, "A request failed");
    }
    if response.extensions().get::<Page>().is_none() && info.wants_html {
        response = refusal::as_page(response, info.sign_in(&site)).await;
    }
    if response.status().is_client_error() || response.status().is_server_error() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    }
    match response.extensions_mut().remove::<Page>() {
        Some(page) => with_shell(&site, &info.path, response, &page),
        None => response,
    }
}

/// The properties of a request that its response needs.
struct RequestInfo {
    method: Method,
    path: String,
    query: String,
    /// The page that sent the request, according to the browser.
    referer: Option<HeaderValue>,
    wants_html: bool,
}

impl RequestInfo {
    fn of(request: &Request) -> Self {
        let (method, uri, headers) = (request.method().clone(), request.uri(), request.headers());
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let (path, referer) = (uri.path().to_owned(), headers.get(header::REFERER).cloned());
        Self { method, path, query, referer, wants_html: wants_html(headers) }
    }

    /// Returns the path to sign in and return to the requested page, or to the page of the
    /// submitted form.
    fn sign_in(&self, site: &SiteState) -> String {
        let here = match self.method {
            Method::GET | Method::HEAD => Some(format!("{}{}", self.path, self.query)),
            _ => self.form_page(site),
        };
        next::with("/accounts/login/", here.as_deref().unwrap_or_default())
    }

    fn form_page(&self, site: &SiteState) -> Option<String> {
        let url = Url::parse(&ascii(self.referer.as_ref()?)).ok()?;
        let is_own =
            site.public_url().origins().any(|origin| origin == url.origin().ascii_serialization());
        is_own.then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    }
}

/// Percent-encodes the non-ASCII bytes of an address in a header.
fn ascii(address: &HeaderValue) -> String {
    address.as_bytes().iter().fold(String::new(), |mut text, byte| {
        match byte.is_ascii() {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

fn with_shell(site: &SiteState, path: &str, mut response: Response, page: &Page) -> Response {
    let viewer = response.extensions().get::<Viewer>().cloned();
    let owner = response.extensions().get::<Identity>();
    let app = response.extensions().get::<NavItem>();
    let body = match page.render(site, path, viewer.as_ref(), owner, app) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(path, %error, "Could not render the shell");
            return SiteError::internal(error).into_response();
        }
    };
    // Shared caches must not store it. The browser's back/forward cache may: signing out clears it,
    // and bellwire.js checks that a restored page still belongs to the signed-in person.
    let cache = "private, no-cache";
    let content = HtmlBody(body).into_response();
    *response.body_mut() = content.into_body();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if !headers.get_all(header::VARY).iter().any(|vary| vary == "Cookie") {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
    headers.remove(header::CONTENT_LENGTH);
    response
}
