//! Visits: what the site keeps for somebody who has no account, or does not use it.
//!
//! A visit begins with a page, which gives the browser a cookie of its own, and ends when it is not used for a month, or when somebody signs out
//! in this browser: the next person at this computer begins with nothing.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use bellwire::rate::Quota;
use bellwire::{Bellwire, ClientAddress, Close, Layer};
use bellwire_db::{Clock, Db, DbError, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;

mod migrations;
mod table;

pub(crate) use migrations::Migrator;

use crate::accounts::{Token, cookies, set_cookie};
use crate::{SiteError, SiteState};
use bellwire_web::SharedRateLimiter;

/// New visits from one address, and the time they count for. Whoever is beyond sees every page, and nothing is kept for them.
const MADE: Quota = Quota::at_most(120, Duration::from_secs(60));

/// How many visits of one address are kept. Beyond it that one goes which was away for longest, those with nothing in them first.
const PER_ADDRESS: u64 = 500;

/// How much is kept in one visit, by all apps together, in bytes of JSON.
const DATA: usize = 16 * 1024;

/// The longest a browser may keep the cookie; the visit itself ends earlier, when it is not used.
const COOKIE_DAYS: u32 = 400;

/// How many cookies of our name are looked up at most.
const COOKIES: usize = 4;

const ENDED: &str = "Your visit has ended, or has not begun. Load the page again.";

/// The visits of a site.
#[derive(Debug, Clone)]
pub(crate) struct Visits {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    bellwire: Bellwire,
    secure: bool,
    clock: Clock,
    made: SharedRateLimiter<IpAddr>,
}

/// An extractor: the visit of whoever asks. A page's GET begins one where there is none; sockets and forms find the one that their page began.
///
/// Where there is none (no cookie, or too many from one address) nothing is kept: reading finds nothing, and writing is refused in words.
/// Each app keeps what it likes under a key of its own, small and bounded. Opened with [`Upgrade::visit`](crate::Upgrade::visit), a socket
/// closes when the visit ends.
///
/// ```
/// use bellwire_site::{SiteError, Visit};
///
/// async fn count(visit: Visit) -> Result<String, SiteError> {
///     let times = visit.update("hello.times", |times: &mut u32, _tx| Ok::<_, SiteError>({ *times += 1; *times })).await?;
///     Ok(format!("You were here {times} times."))
/// }
/// # let _ = axum::Router::<bellwire_site::SiteState>::new().route("/", axum::routing::get(count));
/// ```
#[derive(Debug, Clone)]
pub struct Visit {
    visits: Visits,
    id: Option<i64>,
}

impl Visit {
    /// What tells it from others; nothing where there is no visit. Never given to another one.
    pub fn id(&self) -> Option<i64> {
        self.id
    }

    /// What is kept under this key, as it is now.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn read<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, SiteError> {
        let Some(id) = self.id else { return Ok(T::default()) };
        let row = table::by_id(self.visits.inner.db.read(), id).await?;
        row.map_or_else(|| Ok(T::default()), |row| table::get(&row.data, key))
    }

    /// Changes what is kept under this key: read, changed and written in one transaction, so that two who do so at once both succeed. What
    /// is to happen after the commit is left with the transaction.
    ///
    /// # Errors
    /// Those of `change`, which then changes nothing; when there is no visit, or no room in it; when the database cannot take it.
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
        let Some(id) = self.id else { return Err(ended()) };
        let (key, now) = (key.to_owned(), self.visits.inner.clock.date());
        let written = self.visits.inner.db.write(async move |tx: Tx| {
            let found = table::lock(&tx, id).await.map_err(SiteError::from)?;
            let Some(row) = found else { return Ok(None) };
            let mut data: T = table::get(&row.data, &key)?;
            let result = change(&mut data, &tx)?;
            let all = table::set(&row.data, &key, &data)?;
            if all.len() > DATA {
                return Err(SiteError::Invalid("There is no room for more here.".to_owned()).into());
            }
            table::store(&tx, id, all, now).await.map_err(SiteError::from)?;
            Ok::<_, E>(Some(result))
        });
        written.await?.ok_or_else(ended)
    }

    /// The key under which its sockets can be closed.
    pub(crate) fn session_key(&self) -> Option<String> {
        self.id.map(session_key)
    }
}

fn session_key(id: i64) -> String {
    format!("visit.{id}")
}

/// Closes the sockets of these visits, once it is certain that they are over.
fn close(tx: &Tx, layer: Layer, ended: Vec<i64>, why: &'static str) {
    let close = Close::policy(why);
    tx.on_commit(move || {
        ended.into_iter().for_each(|id| layer.kick_session(&session_key(id), close.clone()));
    });
}

impl Visits {
    /// The visits of a site.
    ///
    /// # Panics
    /// If the state was not made by a site with visits.
    pub(crate) fn of(site: &SiteState) -> &Self {
        site.get().expect("a site is built with visits")
    }

    pub(crate) fn new(db: Db, bellwire: Bellwire, secure: bool, clock: Clock) -> Self {
        let made = SharedRateLimiter::new(MADE, clock.clone());
        Self { inner: Arc::new(Inner { db, bellwire, secure, clock, made }) }
    }

    fn cookie_name(&self) -> &'static str {
        if self.inner.secure { "__Host-bellwire_visit" } else { "bellwire_visit" }
    }

    fn cookie(&self, value: &str, seconds: u32) -> Result<HeaderValue, SiteError> {
        set_cookie(self.cookie_name(), value, seconds, self.inner.secure)
    }

    fn tokens<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = Token> + use<'a> {
        cookies(headers, self.cookie_name()).filter_map(Token::parse).take(COOKIES)
    }

    async fn find(&self, headers: &HeaderMap) -> Result<Option<i64>, SiteError> {
        let now = self.inner.clock.date();
        for token in self.tokens(headers) {
            if let Some((id, seen)) = table::find(self.inner.db.read(), token.hash(), now).await? {
                if seen < now - table::TOUCH {
                    self.touch(id);
                }
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Beside the request, which need not wait for it.
    fn touch(&self, id: i64) {
        let (db, now) = (self.inner.db.clone(), self.inner.clock.date());
        tokio::spawn(async move {
            let touched = db.write(async move |tx: Tx| Ok::<_, SiteError>(table::touch(&tx, id, now).await?));
            if let Err(error) = touched.await {
                tracing::warn!(visit = id, %error, "Could not note that a visit goes on");
            }
        });
    }

    /// Begins a visit; nothing, when too many begin from this address.
    async fn make(&self, from: IpAddr) -> Result<Option<(i64, HeaderValue)>, SiteError> {
        if self.inner.made.take(&from).is_err() {
            return Ok(None);
        }
        let token = Token::random().map_err(SiteError::internal)?;
        let cookie = self.cookie(&token.text(), COOKIE_DAYS * 24 * 60 * 60)?;
        let (now, hash) = (self.inner.clock.date(), token.hash());
        let layer = self.inner.bellwire.layer().clone();
        let made = self.inner.db.write(async move |tx: Tx| {
            let mut gone = table::sweep(&tx, now).await?;
            gone.extend(table::make_room(&tx, &from.to_string(), PER_ADDRESS).await?);
            close(&tx, layer, gone, ENDED);
            Ok::<_, SiteError>(table::make(&tx, hash, &from.to_string(), now).await?)
        });
        Ok(Some((made.await?, cookie)))
    }

    /// Ends the visit of this browser, and closes its sockets. Returns the cookie that makes the browser forget it.
    pub(crate) async fn end(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, SiteError> {
        if cookies(headers, self.cookie_name()).next().is_none() {
            return Ok(None);
        }
        let hashes: Vec<_> = self.tokens(headers).map(|token| token.hash()).collect();
        let layer = self.inner.bellwire.layer().clone();
        let ended = self.inner.db.write(async move |tx: Tx| {
            let ended = table::end(&tx, hashes).await?;
            close(&tx, layer, ended, "You are signed out.");
            Ok::<_, SiteError>(())
        });
        ended.await?;
        self.cookie("", 0).map(Some)
    }
}

/// The cookie that a new visit leaves for the response.
#[derive(Debug, Clone, Default)]
struct Left(Arc<Mutex<Option<HeaderValue>>>);

impl Left {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HeaderValue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a browser whose visit begins the cookie.
pub(crate) async fn remember(State(_): State<SiteState>, mut request: Request, next: Next) -> Response {
    let left = Left::default();
    request.extensions_mut().insert(left.clone());
    let mut response = next.run(request).await;
    if let Some(cookie) = left.lock().take() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
        let private = HeaderValue::from_static("private, no-cache");
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(private);
    }
    response
}

/// Whether this is a person with a browser opening a page, rather than its sockets, or a script.
fn is_page(parts: &Parts) -> bool {
    parts.method == Method::GET
        && !parts.headers.contains_key(header::UPGRADE)
        && parts.headers.get(header::ACCEPT).is_none_or(|accept| accept != "text/event-stream")
}

impl<S> FromRequestParts<S> for Visit
where
    SiteState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = SiteError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SiteError> {
        let visits = Visits::of(&SiteState::from_ref(state)).clone();
        let mut id = visits.find(&parts.headers).await?;
        if id.is_none() && is_page(parts) {
            let from = ClientAddress::of(&parts.extensions).network();
            if let Some((new, cookie)) = visits.make(from).await? {
                id = Some(new);
                if let Some(left) = parts.extensions.get::<Left>() {
                    *left.lock() = Some(cookie);
                }
            }
        }
        Ok(Self { visits, id })
    }
}
