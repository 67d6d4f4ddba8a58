//! The session of one request, and the headers that its response sets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::Entry;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};

use super::Sessions;
use super::table::Found;
use super::token::Token;

/// Inserted into each request's extensions by the middleware that looks up the cookie. Empty if
/// there is no session.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestSession {
    /// `None` without the middleware.
    pub(super) sessions: Option<Sessions>,
    pub(crate) found: Option<Found>,
    /// The anonymous session named by the former cookie: `found` itself, or another one.
    pub(super) former: Option<Former>,
    reply: Arc<Mutex<Reply>>,
}

/// A session named by the former cookie.
#[derive(Debug, Clone)]
pub(super) struct Former {
    pub(super) id: i64,
    pub(super) token: Token,
}

/// The headers to add to the response.
#[derive(Debug, Default)]
struct Reply {
    cookies: Vec<HeaderValue>,
    is_private: bool,
    /// The anonymous session that the handler has begun.
    begun: Option<i64>,
}

impl RequestSession {
    pub(super) fn new(sessions: &Sessions, found: Option<Found>, former: Option<Former>) -> Self {
        Self { sessions: Some(sessions.clone()), found, former, reply: Arc::default() }
    }

    /// The session of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The id of the session.
    pub(crate) fn id(&self) -> Option<i64> {
        self.found.as_ref().map(|found| found.id)
    }

    /// The id of the anonymous session, if it is one: found, or begun since.
    pub(crate) fn anonymous_id(&self) -> Option<i64> {
        match &self.found {
            Some(found) => found.user_id.is_none().then_some(found.id),
            None => self.reply().begun,
        }
    }

    /// Records that the handler has begun this anonymous session.
    pub(super) fn note_begun(&self, id: Option<i64>) {
        self.reply().begun = id;
    }

    /// The id of the session named by the former cookie.
    pub(crate) fn former_id(&self) -> Option<i64> {
        self.former.as_ref().map(|former| former.id)
    }

    /// Sets a cookie with the response.
    pub(super) fn set_cookie(&self, cookie: HeaderValue) {
        self.reply().cookies.push(cookie);
    }

    /// Keeps the response out of shared caches, because its content depends on the session.
    pub(super) fn keep_private(&self) {
        self.reply().is_private = true;
    }

    /// Writes the collected headers to the response.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Reply { cookies, is_private, .. } = std::mem::take(&mut *self.reply());
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
