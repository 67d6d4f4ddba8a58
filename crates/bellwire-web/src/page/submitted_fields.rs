//! What a stranger typed into a form that only takes those who are signed in: shown again, never
//! lost.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::wants_html;
use crate::body::BODY;
use crate::viewer::Viewer;

/// How many fields are shown again at most: more than any form of a person's, and few enough that a
/// page about a form made of thousands of tiny fields is not many times as long as what was sent.
const FIELDS: usize = 32;

/// The fields of a form that was not taken, left on the response for the page that says so.
#[derive(Debug, Clone)]
pub(super) struct SubmittedFields(pub(super) Vec<(String, String)>);

/// Looks into the forms of those who are not signed in, and hands them on. Everybody else's pass
/// untouched.
pub(crate) async fn keep_what_was_typed(request: Request, next: Next) -> Response {
    let stranger = request.extensions().get::<Viewer>().is_none();
    if !stranger || request.method() != Method::POST || !is_form(request.headers()) {
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

/// What a person may have typed, and may read again on this screen.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let typed = |(name, value): &(String, String)| {
        !value.trim().is_empty()
            && name != "client_id"
            && name != "next"
            && !name.contains("password")
    };
    url::form_urlencoded::parse(body).into_owned().filter(typed).take(FIELDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_shown_and_what_is_secret_or_ours_is_not() {
        let body =
            b"message=Lunch%3F+%3Cb%3E&password=secret&new_password=x&client_id=1&next=/&empty=+";
        assert_eq!(fields(body), [("message".to_owned(), "Lunch? <b>".to_owned())]);
    }

    #[test]
    fn a_form_of_thousands_of_fields_does_not_become_a_page_of_thousands_of_fields() {
        assert_eq!(fields("a=1&".repeat(10_000).as_bytes()).len(), FIELDS);
    }
}
