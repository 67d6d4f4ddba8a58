//! The session as handlers hold it.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use bellwire_web::bellwire::ClientAddress;
use bellwire_web::db::{DbError, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;

use super::request::RequestSession;
use super::{data, session_key, table};
use crate::SiteError;

const ENDED: &str = "Your session has ended, or has not begun. Load the page again.";

/// An extractor: the session of whoever asks, anonymous or signed in, if there is one.
///
/// A page whose visitors leave something calls [`begin`](Self::begin), which makes an anonymous
/// session where there is none and gives the browser its cookie; no other page makes one. Without a
/// session reading finds nothing, and writing is refused in words. Each app keeps small, bounded
/// values under keys of its own. Signing in moves them into the new session, signing out removes
/// them. Opened with [`Upgrade::session`](crate::Upgrade::session), a socket closes when the
/// session ends.
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
    /// Begins an anonymous session if there is none. Its cookie goes with the response, so only
    /// handlers of pages and forms can call this.
    ///
    /// Nothing begins for a `HEAD`, and nothing if too many begin from this address.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn begin(&mut self) -> Result<(), SiteError> {
        if let (Some(sessions), true) = (&self.request.sessions, self.may_begin) {
            self.id = sessions.begin_for(&self.request, self.from).await?;
            self.may_begin = false;
        }
        Ok(())
    }

    /// What tells it from others, if there is a session. Never given to another one; signing in
    /// gives it another.
    pub fn id(&self) -> Option<i64> {
        self.id
    }

    /// What is kept under this key, as it is now.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn read<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, SiteError> {
        let (Some(sessions), Some(id)) = (&self.request.sessions, self.id) else {
            return Ok(T::default());
        };
        let kept = table::data(sessions.inner.db.read(), id).await?;
        kept.map_or_else(|| Ok(T::default()), |kept| data::get(&kept, key))
    }

    /// Changes what is kept under this key: read, changed and written in one transaction, so that
    /// two who do so at once both succeed. What is to happen after the commit is left with the
    /// transaction.
    ///
    /// # Errors
    /// Those of `change`, which then changes nothing; when there is no session, or no room in it;
    /// when the database cannot take it.
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

    /// The key under which its sockets can be closed.
    pub(crate) fn key(&self) -> Option<String> {
        self.id.map(session_key)
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
