//! The rejection of an anonymous request: a redirect to a form, or a status.

use axum::extract::OriginalUri;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_web::wants_html;

use super::{Accounts, next};
use crate::SiteError;

/// The rejection of [`User`](super::User): nobody is signed in.
#[derive(Debug)]
pub struct UserRejection {
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    Redirect(String),
    Error(SiteError),
}

impl UserRejection {
    /// Chooses the rejection of this request.
    pub(super) async fn of(parts: &Parts, accounts: &Accounts) -> Self {
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        // A program whose `Accept` header excludes HTML gets the status. Others are redirected.
        let accepts_page = wants_html(&parts.headers) || accepts_anything(&parts.headers);
        if !is_read || !accepts_page || parts.headers.contains_key(header::UPGRADE) {
            return Self { answer: Answer::Error(SiteError::Unauthorized) };
        }
        let answer = match accounts.has_administrator().await {
            Ok(true) => Answer::Redirect(with_return("/accounts/login/", parts)),
            Ok(false) => Answer::Redirect(with_return("/accounts/first/", parts)),
            Err(error) => Answer::Error(error),
        };
        Self { answer }
    }
}

impl IntoResponse for UserRejection {
    fn into_response(self) -> Response {
        match self.answer {
            Answer::Redirect(to) => Redirect::to(&to).into_response(),
            Answer::Error(error) => error.into_response(),
        }
    }
}

fn accepts_anything(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_none_or(|accept| accept == "*/*")
}

fn with_return(address: &str, parts: &Parts) -> String {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    next::with(address, here)
}
