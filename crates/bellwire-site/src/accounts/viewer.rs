//! Who is looking: the session cookie, and the extractors made of it.

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri, Request, State};
use axum::http::header::Entry;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire::{ClientAddress, Identity};
use std::convert::Infallible;

use super::SiteAccounts;
use super::token::Token;
use super::{Accounts, next, sessions, users};
use crate::Viewer;
use crate::{SiteError, SiteState};
use bellwire_web::wants_html;

/// How many cookies of our name are looked up at most.
const COOKIES: usize = 4;

/// What the key of a person begins with.
const PERSON: &str = "user.";

/// A person who is signed in.
///
/// As an extractor it lets nobody else through: whoever asks for a page is sent to sign in (or, while the site has no
/// administrator, to make the first account). Sockets, forms, and programs that do not accept pages are answered with 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never given to somebody else.
    pub id: i64,
    /// As the person wrote it.
    pub name: String,
    /// Whether they may administer the site.
    pub is_admin: bool,
    /// Whether they look after what the apps show, when they asked; administrators do. A socket may outlive the role:
    /// see [`users::is_staff`](super::users::is_staff).
    pub is_staff: bool,
    session: i64,
}

impl User {
    /// The key of the person's sockets, for [`bellwire::Layer::expel_person`] and [`bellwire::Layer::kick_person`].
    pub fn key(&self) -> String {
        person_key(self.id)
    }

    /// The key of the sockets of this browser's session, for [`bellwire::Layer::kick_session`].
    pub fn session_key(&self) -> String {
        session_key(self.session)
    }

    pub(super) fn session(&self) -> i64 {
        self.session
    }

    /// The person as pages see them.
    fn viewer(&self) -> Viewer {
        let Self { id, name, is_admin, is_staff, .. } = self.clone();
        Viewer { id, name, is_admin, is_staff }
    }
}

/// The key of the sockets of the person with this id, under which they are present, too.
pub fn person_key(id: i64) -> String {
    format!("{PERSON}{id}")
}

/// Whose key this is, if it is a person's.
pub fn person_of(key: &str) -> Option<i64> {
    key.strip_prefix(PERSON)?.parse().ok()
}

/// The key under which the sockets of a session can be closed.
pub(super) fn session_key(session: i64) -> String {
    format!("session.{session}")
}

/// The person who is signed in, if anybody is. Never refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeUser(pub Option<User>);

/// Left on the request for the extractors.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: User,
}

/// Finds out who is looking, once for each request.
pub(crate) async fn remember(State(site): State<SiteState>, mut request: Request, next: Next) -> Response {
    let signed_in = match site.accounts().recognise(request.headers()).await {
        Ok(signed_in) => signed_in,
        Err(error) => return error.into_response(),
    };
    let address = ClientAddress::of(request.extensions()).network();
    let identity = Identity::default().with_address(address);
    let Some(signed_in) = signed_in else {
        request.extensions_mut().insert(identity);
        return next.run(request).await;
    };
    let (user, viewer) = (&signed_in.user, signed_in.user.viewer());
    request.extensions_mut().insert(identity.with_person(user.key()).with_session(user.session_key()));
    request.extensions_mut().insert(signed_in);
    request.extensions_mut().insert(viewer.clone());
    let mut response = next.run(request).await;
    keep_private(response.headers_mut());
    response.extensions_mut().insert(viewer);
    response
}

/// What was answered to somebody is for nobody else's eyes, where the handler does not say otherwise.
fn keep_private(headers: &mut HeaderMap) {
    if let Entry::Vacant(cache) = headers.entry(header::CACHE_CONTROL) {
        cache.insert(HeaderValue::from_static("no-store"));
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
}

impl Accounts {
    /// Whether the session by which somebody was recognised still counts. One indexed query.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn still_signed_in(&self, user: &User) -> Result<bool, SiteError> {
        Ok(sessions::counts(self.inner.db.read(), user.session, self.inner.clock.date()).await?)
    }

    async fn recognise(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, SiteError> {
        for token in cookies(headers, self.cookie_name()).filter_map(Token::parse).take(COOKIES) {
            if let Some(signed_in) = self.signed_in_by(&token).await? {
                return Ok(Some(signed_in));
            }
        }
        Ok(None)
    }

    async fn signed_in_by(&self, token: &Token) -> Result<Option<SignedIn>, SiteError> {
        let now = self.inner.clock.date();
        let Some((session, user)) = sessions::find(self.inner.db.read(), token.hash(), now).await? else {
            return Ok(None);
        };
        if session.last_seen_at < now - sessions::TOUCH {
            self.touch(session.id);
        }
        let users::Model { id, name, is_admin, is_staff, .. } = user;
        let user = User { id, name, is_admin, is_staff: is_staff || is_admin, session: session.id };
        Ok(Some(SignedIn { user }))
    }

    /// Beside the request, which need not wait for it.
    fn touch(&self, session: i64) {
        let (db, now) = (self.inner.db.clone(), self.inner.clock.date());
        tokio::spawn(async move {
            let touched =
                db.write(async move |tx| Ok::<_, SiteError>(sessions::touch(&tx, session, now).await?)).await;
            if let Err(error) = touched {
                tracing::warn!(session, %error, "Could not note that a session was used");
            }
        });
    }
}

/// The values of all cookies of that name: somebody else on this host, or a former path, may have set one as well.
pub(crate) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// Nobody is signed in where somebody has to be.
#[derive(Debug)]
pub struct SignInFirst {
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    Go(String),
    Error(SiteError),
}

impl IntoResponse for SignInFirst {
    fn into_response(self) -> Response {
        match self.answer {
            Answer::Go(to) => Redirect::to(&to).into_response(),
            Answer::Error(error) => error.into_response(),
        }
    }
}

impl<S> FromRequestParts<S> for User
where
    SiteState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = SignInFirst;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SignInFirst> {
        match parts.extensions.get::<SignedIn>() {
            Some(signed_in) => Ok(signed_in.user.clone()),
            None => Err(SignInFirst { answer: stranger(parts, &SiteState::from_ref(state)).await }),
        }
    }
}

async fn stranger(parts: &Parts, site: &SiteState) -> Answer {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    // A program that says what it accepts, and does not mean pages, learns the status; anybody else is shown the way.
    let page = wants_html(&parts.headers) || accepts_anything(&parts.headers);
    if !reads || !page || parts.headers.contains_key(header::UPGRADE) {
        return Answer::Error(SiteError::Unauthorized);
    }
    match site.accounts().has_administrator().await {
        Ok(true) => Answer::Go(and_back("/accounts/login/", parts)),
        Ok(false) => Answer::Go(and_back("/accounts/first/", parts)),
        Err(error) => Answer::Error(error),
    }
}

fn accepts_anything(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_none_or(|accept| accept == "*/*")
}

fn and_back(address: &str, parts: &Parts) -> String {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    next::with(address, here)
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<SignedIn>().map(|signed_in| signed_in.user.clone())))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for User {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Infallible> {
        let MaybeUser(user) = <MaybeUser as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            "a=1; session=abc; xsession=no; session=def".parse().unwrap(),
        )]);
        assert!(cookies(&headers, "session").eq(["abc", "def"]));
        assert_eq!(cookies(&headers, "sess").next(), None);
        assert_eq!(cookies(&HeaderMap::new(), "session").next(), None);
    }
}
