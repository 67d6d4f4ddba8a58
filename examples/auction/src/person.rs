//! Sign-in by a cookie of the app's own. It asks for a name only, because it is an example.

use axum::Form;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use bellwire::{Close, Error, header_items};
use serde::Deserialize;

use crate::Auction;
use crate::error::AuctionError;

/// A person who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl Person {
    /// The key of the person, for pages and connections.
    pub(crate) fn key(&self) -> String {
        key_of(self.id)
    }
}

/// The key of the person with this id.
pub(crate) fn key_of(id: i64) -> String {
    format!("person.{id}")
}

/// The person of a request, if one is signed in.
pub(crate) struct MaybePerson(pub(crate) Option<Person>);

impl FromRequestParts<Auction> for MaybePerson {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, auction: &Auction) -> Result<Self, Error> {
        let mut cookies = header_items(&parts.headers, COOKIE, b';');
        let token = cookies.find_map(|cookie| cookie.strip_prefix(b"auction="));
        match token.and_then(|token| str::from_utf8(token).ok()) {
            Some(token) => Ok(Self(auction.store.person(token).await?)),
            None => Ok(Self(None)),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    #[serde(default)]
    name: String,
}

/// `POST /sign-in`
pub(crate) async fn sign_in(
    State(auction): State<Auction>,
    MaybePerson(former): MaybePerson,
    Form(SignIn { name }): Form<SignIn>,
) -> Result<Response, AuctionError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 40 {
        return Err(AuctionError::NoName);
    }
    end(&auction, former).await?;
    let token = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
    auction.store.sign_in(name, &token).await?;
    let cookie = format!("auction={token}; Path=/; HttpOnly; SameSite=Lax");
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to("/")).into_response())
}

/// `POST /sign-out`
pub(crate) async fn sign_out(
    State(auction): State<Auction>,
    MaybePerson(person): MaybePerson,
) -> Result<Response, AuctionError> {
    end(&auction, person).await?;
    let cookie = "auction=; Path=/; Max-Age=0";
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to("/")).into_response())
}

/// Ends a session, and closes its connections.
async fn end(auction: &Auction, person: Option<Person>) -> sqlx::Result<()> {
    if let Some(person) = person {
        auction.store.sign_out(&person.token).await?;
        let signed_out = Close::policy("You are signed out.");
        auction.bellwire.layer().kick_session(&person.token, signed_out);
    }
    Ok(())
}
