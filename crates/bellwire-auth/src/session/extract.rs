//! The `Session` extractor.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use bellwire_web::bellwire::{ClientAddress, Live};
use bellwire_web::db::{DbError, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;

use super::request::RequestSession;
use super::{data, session_key, table};
use crate::SiteError;

const ENDED: &str = "Your session has ended or has not started. Load the page again.";

/// An extractor: the session of the request, anonymous or signed in, if there is one.
///
/// A page that stores data for its visitors calls [`begin`](Self::begin), which creates an
/// anonymous session if there is none and sets the cookie. No other page creates one. Without a
/// session, reading returns the default and writing fails with an error text for the visitor. Each
/// app stores small, bounded values under its own keys. Signing in moves them into the new session;
/// signing out deletes them. A connection that is [bound](Self::bind) to the session closes when it
/// ends.
///
/// ```
/// use bellwire_auth::Session;
/// use bellwire_web::SiteError;
///
/// async fn count(mut session: Session) -> Result<String, SiteError> {
///     session.begin().await?;
///     let count = |times: &mut u32, _tx: &_| Ok::<_, SiteError>({ *times += 1; *times });
///     let times = session.update("hello.times", count).await?;
///     Ok(format!("You were here {times} times."))
/// }
/// # let _ = axum::Router::<bellwire_web::SiteState>::new().route("/", axum::routing::get(count));
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    id: Option<i64>,
    request: RequestSession,
    from: IpAddr,
    may_begin: bool,
}

impl Session {
    /// Begins an anonymous session if there is none. The response sets its cookie, so only handlers
    /// of pages and forms can call this.
    ///
    /// No session begins for a `HEAD` request, or if this address exceeds its quota of new
    /// sessions.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn begin(&mut self) -> Result<(), SiteError> {
        if let (Some(sessions), true) = (&self.request.sessions, self.may_begin) {
            self.id = sessions.begin_for(&self.request, self.from).await?;
            self.request.note_begun(self.id);
            self.may_begin = false;
        }
        Ok(())
    }

    /// The id of the session, if there is one. Ids are never reused; signing in changes the id.
    pub fn id(&self) -> Option<i64> {
        self.id
    }

    /// The current value under this key, or the default.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn read<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, SiteError> {
        let (Some(sessions), Some(id)) = (&self.request.sessions, self.id) else {
            return Ok(T::default());
        };
        let kept = table::data(sessions.inner.db.read(), id).await?;
        kept.map_or_else(|| Ok(T::default()), |kept| data::get(&kept, key))
    }

    /// Changes the value under this key. Reads, changes and writes in one transaction, so that
    /// concurrent updates both succeed. To run something after the commit, register it with the
    /// transaction.
    ///
    /// # Errors
    /// Errors of `change`, which then changes nothing; if there is no session or it is full; if the
    /// database fails.
    pub async fn update<T, R, E>(
        &self,
        key: &str,
        change: impl FnOnce(&mut T, &Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        T: Serialize + DeserializeOwned + Default + Send,
        R: Send + 'static,
        E: From<SiteError> + From<DbError> + Send + 'static,
    {
        let ended = || E::from(SiteError::Invalid(ENDED.to_owned()));
        let (Some(sessions), Some(id)) = (&self.request.sessions, self.id) else {
            return Err(ended());
        };
        let (key, now) = (key.to_owned(), sessions.inner.clock.date());
        let written = sessions.inner.db.write(async move |tx: Tx| {
            let found = table::lock(&tx, id).await.map_err(SiteError::from)?;
            let Some(row) = found else { return Ok(None) };
            let mut value: T = data::get(&row.data, &key)?;
            let result = change(&mut value, &tx)?;
            let all = data::set(&row.data, &key, &value)?;
            table::store(&tx, id, all, now).await.map_err(SiteError::from)?;
            Ok::<_, E>(Some(result))
        });
        written.await?.ok_or_else(ended)
    }

    /// Closes a connection when this session ends. Connections of signed-in people always are; those
    /// of an anonymous session only if the app calls this, because they may show public content.
    #[must_use]
    pub fn bind(&self, live: Live) -> Live {
        match self.request.anonymous_id() {
            Some(id) => live.session(session_key(id)),
            None => live,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let request = RequestSession::of(&parts.extensions);
        request.keep_private();
        let from = ClientAddress::of(&parts.extensions).network();
        Ok(Self { id: request.id(), request, from, may_begin: parts.method != Method::HEAD })
    }
}
