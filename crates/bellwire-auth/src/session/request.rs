//! The session of one request: what was found of it, and what the response says about it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::Entry;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};

use super::Sessions;
use super::table::Found;
use super::token::Token;

/// Left on each request by the middleware that recognises its cookie. Empty where there is no
/// session.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestSession {
    /// None without the middleware.
    pub(super) sessions: Option<Sessions>,
    pub(crate) found: Option<Found>,
    /// An anonymous session that is named by the former cookie: the one that was found, or another.
    pub(super) former: Option<Former>,
    reply: Arc<Mutex<Reply>>,
}

/// A session that is named by the former cookie.
#[derive(Debug, Clone)]
pub(super) struct Former {
    pub(super) id: i64,
    pub(super) token: Token,
}

/// What is added to the response.
#[derive(Debug, Default)]
struct Reply {
    cookies: Vec<HeaderValue>,
    is_private: bool,
}

impl RequestSession {
    pub(super) fn new(sessions: &Sessions, found: Option<Found>, former: Option<Former>) -> Self {
        Self { sessions: Some(sessions.clone()), found, former, reply: Arc::default() }
    }

    /// The one of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The id of the session.
    pub(crate) fn id(&self) -> Option<i64> {
        self.found.as_ref().map(|found| found.id)
    }

    /// The id of the session that is named by the former cookie.
    pub(crate) fn former_id(&self) -> Option<i64> {
        self.former.as_ref().map(|former| former.id)
    }

    /// Sets a cookie with the response.
    pub(super) fn set_cookie(&self, cookie: HeaderValue) {
        self.reply().cookies.push(cookie);
    }

    /// Keeps the response from caches that others share, because what is in it depends on the
    /// session.
    pub(super) fn keep_private(&self) {
        self.reply().is_private = true;
    }

    /// Writes what was said about the response.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Reply { cookies, is_private } = std::mem::take(&mut *self.reply());
        if let (true, Entry::Vacant(cache)) = (is_private, headers.entry(header::CACHE_CONTROL)) {
            cache.insert(HeaderValue::from_static("private, no-cache"));
        }
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
    }

    fn reply(&self) -> MutexGuard<'_, Reply> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
