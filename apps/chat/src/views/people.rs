//! Everyone with an account: whom one may talk to, and whom one may name.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use bellwire_site::accounts::name_key;
use bellwire_site::{Page, SiteError, SiteState, User};

use super::Beside;
use crate::models::people as persons;
use crate::models::room::lobby;
use crate::{actions, online};

/// The most names that are offered while typing.
const OFFERED: usize = 8;

#[derive(Template)]
#[template(path = "chat/pages/_people.html")]
struct PeoplePart {
    people: Vec<Row>,
}

struct Row {
    id: i64,
    name: String,
    is_here: bool,
    is_me: bool,
}

/// `GET /chat/-/people/`: those who are here first.
pub(crate) async fn people(user: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    let layer = site.bellwire().layer();
    let (presence, lobby) = (layer.presence(), lobby(layer));
    let everyone = persons::all(site.db().read(), None).await?;
    let row = |person: bellwire_site::accounts::users::Model| Row {
        is_here: presence.is_present(lobby.name(), &online::key(person.id)),
        is_me: person.id == user.id,
        id: person.id,
        name: person.name,
    };
    let mut people: Vec<_> = everyone.into_iter().map(row).collect();
    people.sort_by_key(|person| !person.is_here);
    Ok(Beside::new("People", &PeoplePart { people })?.page(&site, &user).await?)
}

/// `POST /chat/-/people/<id>/`: the conversation with this person.
pub(crate) async fn open_conversation(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Redirect, SiteError> {
    let room = actions::open_conversation(&site, &user, id).await?;
    Ok(Redirect::to(&room.path()))
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    q: String,
}

/// `GET /chat/-/names/?q=a`: names that begin so, for whoever types one.
pub(crate) async fn names(
    _: User,
    Query(typed): Query<Typed>,
    State(site): State<SiteState>,
) -> Result<Json<Vec<String>>, SiteError> {
    let people = persons::all(site.db().read(), Some(&name_key(&typed.q))).await?;
    Ok(Json(people.into_iter().take(OFFERED).map(|person| person.name).collect()))
}
