//! Converts plain-text error responses to pages for browsers.

use askama::Template;
use axum::body::{Body, HttpBody};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwire::Html;
use http_body_util::BodyExt;

use super::Page;
use super::submitted_fields::SubmittedFields;
use crate::errors::{ErrorInfo, sentence};

/// The header of a refusal of the framework.
const ANSWER: &str = "bellwire-answer";
/// The maximum length of a plain-text body that is shown as a sentence, in bytes.
const MAX_SENTENCE: u64 = 2048;

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    status: u16,
    title: &'a str,
    text: &'a str,
    hint: &'a str,
    /// The path to sign in, for status 401.
    sign_in: Option<&'a str>,
    /// The submitted fields of a refused form.
    fields: &'a [(String, String)],
}

/// Stores a [`Page`] in an error response that has only a status and a sentence.
pub(super) async fn as_page(response: Response, sign_in: String) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || !is_plain(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = match parts.extensions.get::<ErrorInfo>() {
        Some(error) => error.text.clone(),
        None => error_text(status, parts.headers.contains_key(ANSWER), body).await,
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let sign_in = Some(sign_in.as_str()).filter(|_| status == StatusCode::UNAUTHORIZED);
    let fields =
        parts.extensions.remove::<SubmittedFields>().map(|fields| fields.0).unwrap_or_default();
    match page(status, &text, sign_in, &fields) {
        Ok(page) => {
            parts.extensions.insert(page);
            Response::from_parts(parts, Body::empty())
        }
        Err(error) => {
            tracing::error!(%error, "Could not render an error page");
            (status, text).into_response()
        }
    }
}

fn page(
    status: StatusCode,
    text: &str,
    sign_in: Option<&str>,
    fields: &[(String, String)],
) -> Result<Page, askama::Error> {
    let (title, hint) = (title(status), hint(status));
    let main = Html::from_template(&ErrorPage {
        status: status.as_u16(),
        title,
        text,
        hint,
        sign_in,
        fields,
    })?;
    Ok(Page::new(title, main).status(status))
}

/// Whether a response is a status and at most a sentence.
fn is_plain(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    plain && response.body().size_hint().exact().is_some_and(|length| length <= MAX_SENTENCE)
}

/// Returns the text of the response, or else the sentence for its status. With the statuses below,
/// the text comes from a library and is not for people, unless it is marked as a refusal of the
/// framework: apps use [`SiteError`](crate::SiteError) or [`bellwire::Error`].
async fn error_text(status: StatusCode, is_refusal: bool, body: Body) -> String {
    if matches!(status.as_u16(), 400 | 413 | 415 | 422) && !is_refusal {
        return sentence(status).to_owned();
    }
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    match String::from_utf8_lossy(&bytes).trim() {
        text if text.is_empty() || status.is_server_error() => sentence(status).to_owned(),
        text => text.to_owned(),
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Please sign in",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::METHOD_NOT_ALLOWED => "Method not allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        StatusCode::MISDIRECTED_REQUEST => "Wrong address",
        StatusCode::UNPROCESSABLE_ENTITY => "Invalid input",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::SERVICE_UNAVAILABLE => "Temporarily unavailable",
        status if status.is_server_error() => "Something went wrong",
        _ => "The request failed",
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => {
            "Check the address for typing errors. The page may also have been removed."
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            "Use your browser's back button to return to what you typed."
        }
        _ => "",
    }
}
