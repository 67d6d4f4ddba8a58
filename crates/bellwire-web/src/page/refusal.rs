//! A short answer in plain text becomes a page for those who read it in a browser.

use askama::Template;
use axum::body::{Body, HttpBody};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwire::Html;
use http_body_util::BodyExt;

use super::Page;
use super::submitted_fields::SubmittedFields;
use crate::errors::{ErrorInfo, sentence};

/// The longest plain text that is taken for a sentence to show.
const SENTENCE: u64 = 2048;

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    status: u16,
    title: &'a str,
    text: &'a str,
    hint: &'a str,
    /// Where to sign in, when that is what is missing.
    sign_in: Option<&'a str>,
    /// What was typed and not taken.
    typed: &'a [(String, String)],
}

/// Leaves a [`Page`] on a response that says with nothing but its status and a sentence that
/// something is wrong.
pub(super) async fn as_page(response: Response, sign_in: String) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || !is_plain(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = match parts.extensions.get::<ErrorInfo>() {
        Some(failed) => failed.text.clone(),
        None => said(status, body).await,
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let sign_in = Some(sign_in.as_str()).filter(|_| status == StatusCode::UNAUTHORIZED);
    let typed =
        parts.extensions.remove::<SubmittedFields>().map(|typed| typed.0).unwrap_or_default();
    match page(status, &text, sign_in, &typed) {
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
    typed: &[(String, String)],
) -> Result<Page, askama::Error> {
    let (title, hint) = (title(status), hint(status));
    let main = Html::from_template(&ErrorPage {
        status: status.as_u16(),
        title,
        text,
        hint,
        sign_in,
        typed,
    })?;
    Ok(Page::new(title, main).status(status))
}

/// Whether a response is a status and at most a sentence.
fn is_plain(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    plain && response.body().size_hint().exact().is_some_and(|length| length <= SENTENCE)
}

/// What the response itself says, or else what its status means. With these statuses it is a
/// library that speaks, of its own matters: an app that has something to say to people says it as a
/// [`SiteError`](crate::SiteError).
async fn said(status: StatusCode, body: Body) -> String {
    if matches!(status.as_u16(), 400 | 413 | 415 | 422) {
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
        StatusCode::METHOD_NOT_ALLOWED => "Not that way",
        StatusCode::PAYLOAD_TOO_LARGE => "Too big",
        StatusCode::MISDIRECTED_REQUEST => "Another address",
        StatusCode::UNPROCESSABLE_ENTITY => "That will not do",
        StatusCode::TOO_MANY_REQUESTS => "Too often",
        StatusCode::SERVICE_UNAVAILABLE => "One moment, please",
        status if status.is_server_error() => "Something went wrong",
        _ => "That did not work",
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "The address may be mistyped, or what was there is gone.",
        StatusCode::SERVICE_UNAVAILABLE => "Your browser's back button brings back what you typed.",
        _ => "",
    }
}
