//! The signed-in person of a request: the `User` extractors.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use super::Accounts;
use super::session::{RequestSession, session_key};
use super::user_rejection::UserRejection;
use crate::Viewer;

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
    pub(super) fn viewer(&self) -> Viewer {
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

impl SignedIn {
    /// The person of this session.
    pub(super) fn of(session: &RequestSession) -> Option<Self> {
        let found = session.found.as_ref()?;
        let (id, name) = (found.user_id?, found.name.clone()?);
        let is_admin = found.is_admin.unwrap_or(false);
        let is_staff = is_admin || found.is_staff.unwrap_or(false);
        Some(Self { user: User { id, name, is_admin, is_staff, session: found.id } })
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
            None => Err(UserRejection::of(parts, &Accounts::from_ref(state)).await),
        }
    }
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
