//! The signed-in person of a request: the `remember` layer and the `User` extractors.

use axum::extract::{
    FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri, Request, State,
};
use axum::http::header::Entry;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_web::bellwire::{ClientAddress, Identity};
use std::convert::Infallible;

use super::session::{RequestSession, session_key};
use super::{Accounts, next};
use crate::{SiteError, Viewer};
use bellwire_web::wants_html;

/// The prefix of a person's key.
const PERSON: &str = "user.";

/// A person who is signed in.
///
/// As an extractor it rejects anonymous requests. Page loads are redirected to the sign-in form,
/// or, while the site has no administrator, to the form for the first account. Sockets, forms, and
/// programs that do not accept HTML are answered with 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id, never reused.
    pub id: i64,
    /// As the person typed it.
    pub name: String,
    /// Whether the person is an administrator.
    pub is_admin: bool,
    /// Whether the person was staff at the time of the request. Administrators are. A socket may
    /// outlive the role: see [`users::is_staff`](super::users::is_staff).
    pub is_staff: bool,
    session: i64,
}

impl User {
    /// The key of the person's sockets, for [`bellwire_web::bellwire::Layer::remove_person`] and
    /// [`bellwire_web::bellwire::Layer::kick_person`].
    pub fn key(&self) -> String {
        person_key(self.id)
    }

    /// The key of the sockets of this browser's session, for
    /// [`bellwire_web::bellwire::Layer::kick_session`].
    pub fn session_key(&self) -> String {
        session_key(self.session)
    }

    pub(crate) fn session(&self) -> i64 {
        self.session
    }

    /// The person as page templates see them.
    fn viewer(&self) -> Viewer {
        let Self { id, name, is_admin, is_staff, .. } = self.clone();
        Viewer { id, name, is_admin, is_staff }
    }
}

/// The key of a person's sockets, also used for presence.
pub fn person_key(id: i64) -> String {
    format!("{PERSON}{id}")
}

/// The id in a person's key; `None` for other keys.
pub fn person_of(key: &str) -> Option<i64> {
    key.strip_prefix(PERSON)?.parse().ok()
}

/// The person who is signed in, if any. Never rejects a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeUser(pub Option<User>);

/// Inserted into the request's extensions for the extractors.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: User,
}

/// Looks up the session and its person once per request. The extractors read both from the
/// request's extensions.
pub async fn remember(
    State(accounts): State<Accounts>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = match accounts.sessions().recognise(request.headers()).await {
        Ok(session) => session,
        Err(error) => return error.into_response(),
    };
    let signed_in = SignedIn::of(&session);
    let address = ClientAddress::of(request.extensions()).network();
    let identity = Identity::default().with_address(address);
    request.extensions_mut().insert(session.clone());
    if let Some(signed_in) = signed_in.clone() {
        let user = &signed_in.user;
        request
            .extensions_mut()
            .insert(identity.with_person(user.key()).with_session(user.session_key()));
        request.extensions_mut().insert(user.viewer());
        request.extensions_mut().insert(signed_in);
    } else {
        request.extensions_mut().insert(identity);
    }
    let mut response = next.run(request).await;
    if let Some(signed_in) = signed_in {
        keep_private(response.headers_mut());
        response.extensions_mut().insert(signed_in.user.viewer());
    }
    session.write(response.headers_mut());
    response
}

impl SignedIn {
    /// The person of this session.
    fn of(session: &RequestSession) -> Option<Self> {
        let found = session.found.as_ref()?;
        let (id, name) = (found.user_id?, found.name.clone()?);
        let is_admin = found.is_admin.unwrap_or(false);
        let is_staff = is_admin || found.is_staff.unwrap_or(false);
        Some(Self { user: User { id, name, is_admin, is_staff, session: found.id } })
    }
}

/// Forbids caching of responses to a signed-in person, unless the handler has set `Cache-Control`.
fn keep_private(headers: &mut HeaderMap) {
    if let Entry::Vacant(cache) = headers.entry(header::CACHE_CONTROL) {
        cache.insert(HeaderValue::from_static("no-store"));
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
}

/// The rejection of [`User`]: nobody is signed in.
#[derive(Debug)]
pub struct UserRejection {
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    Redirect(String),
    Error(SiteError),
}

impl IntoResponse for UserRejection {
    fn into_response(self) -> Response {
        match self.answer {
            Answer::Redirect(to) => Redirect::to(&to).into_response(),
            Answer::Error(error) => error.into_response(),
        }
    }
}

impl<S> FromRequestParts<S> for User
where
    Accounts: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UserRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, UserRejection> {
        match parts.extensions.get::<SignedIn>() {
            Some(signed_in) => Ok(signed_in.user.clone()),
            None => Err(UserRejection { answer: reject(parts, &Accounts::from_ref(state)).await }),
        }
    }
}

async fn reject(parts: &Parts, accounts: &Accounts) -> Answer {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    // A program whose `Accept` header excludes HTML gets the status. Others are redirected.
    let accepts_page = wants_html(&parts.headers) || accepts_anything(&parts.headers);
    if !is_read || !accepts_page || parts.headers.contains_key(header::UPGRADE) {
        return Answer::Error(SiteError::Unauthorized);
    }
    match accounts.has_administrator().await {
        Ok(true) => Answer::Redirect(with_return("/accounts/login/", parts)),
        Ok(false) => Answer::Redirect(with_return("/accounts/first/", parts)),
        Err(error) => Answer::Error(error),
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

impl<S: Send + Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<SignedIn>().map(|signed_in| signed_in.user.clone())))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for User {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Infallible> {
        let MaybeUser(user) =
            <MaybeUser as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(user)
    }
}
