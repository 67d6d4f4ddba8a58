//! Submitted fields of a form that was refused because nobody is signed in: shown again, so that no
//! typed text is lost.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::accept::wants_html;
use crate::body::BODY;
use crate::viewer::Viewer;

/// The maximum number of fields that are shown again: more than any real form has, and few enough
/// that thousands of tiny fields do not become a page many times as long as the request.
const MAX_FIELDS: usize = 32;

/// The fields of a refused form, stored in the response for its error page.
#[derive(Debug, Clone)]
pub(super) struct SubmittedFields(pub(super) Vec<(String, String)>);

/// Middleware that keeps the fields of forms from people who are not signed in. Other requests pass
/// unread.
pub(crate) async fn keep_submitted_fields(request: Request, next: Next) -> Response {
    let signed_in = request.extensions().get::<Viewer>().is_some();
    if signed_in || request.method() != Method::POST || !is_form(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut response = next.run(Request::from_parts(parts, Body::from(body.clone()))).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        response.extensions_mut().insert(SubmittedFields(fields(&body)));
    }
    response
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    wants_html(headers)
        && kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"))
}

/// Returns the fields that a person may have typed, without passwords and internal fields.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let is_shown = |(name, value): &(String, String)| {
        !value.trim().is_empty()
            && name != "client_id"
            && name != "next"
            && !name.contains("password")
    };
    url::form_urlencoded::parse(body).into_owned().filter(is_shown).take(MAX_FIELDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_fields_are_shown_without_secrets_and_internal_fields() {
        let body =
            b"message=Lunch%3F+%3Cb%3E&password=secret&new_password=x&client_id=1&next=/&empty=+";
        assert_eq!(fields(body), [("message".to_owned(), "Lunch? <b>".to_owned())]);
    }

    #[test]
    fn a_form_with_thousands_of_fields_shows_only_the_first_ones() {
        assert_eq!(fields("a=1&".repeat(10_000).as_bytes()).len(), MAX_FIELDS);
    }
}
