//! Everyone with an account: whom one may talk to, and whom one may name.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use bellwire_site::accounts::{person_key, person_of};
use bellwire_site::{Page, SiteError, SiteState, User};

use super::SidePanel;
use crate::actions;
use crate::models::room::everyone;
use crate::models::{Room, people as persons};

/// The most names that are offered while typing.
const OFFERED: u64 = 8;

#[derive(Template)]
#[template(path = "chat/pages/_people.html")]
struct PeoplePart<'a> {
    people: Vec<Row>,
    query: &'a str,
}

/// Whom one looks for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sought {
    q: String,
}

struct Row {
    id: i64,
    name: String,
    is_here: bool,
    is_me: bool,
}

/// `GET /chat/-/people/`: those who are here first; with `?q=`, those in whose name a word begins
/// so.
pub(crate) async fn people(
    user: User,
    Query(sought): Query<Sought>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let layer = site.bellwire().layer();
    let (presence, group) = (layer.presence(), everyone(layer));
    let here = presence.people(group.name()).iter().filter_map(|key| person_of(key)).collect();
    let found = persons::all(site.db().read(), here, &sought.q).await?;
    let row = |person: bellwire_site::accounts::users::Model| Row {
        is_here: presence.is_present(group.name(), &person_key(person.id)),
        is_me: person.id == user.id,
        id: person.id,
        name: person.name,
    };
    let people = found.into_iter().map(row).collect();
    let part = PeoplePart { people, query: &sought.q };
    Ok(SidePanel::new("People", &part)?.page(&site, &user).await?)
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
    room: Option<i64>,
}

/// `GET /chat/-/names/?q=a&room=5`: names that begin so, for whoever types one. In a closed room
/// those of its members: nobody else is called by their name there.
pub(crate) async fn names(
    user: User,
    Query(typed): Query<Typed>,
    State(site): State<SiteState>,
) -> Result<Json<Vec<String>>, SiteError> {
    let db = site.db().read();
    let room = match typed.room {
        Some(id) => Some(Room::by_id(db, id).await?.ok_or(SiteError::NotFound)?),
        None => None,
    };
    if let Some(room) = &room {
        room.admit(db, user.id).await?;
    }
    let people = persons::to_be_named(db, room.as_ref(), &typed.q, OFFERED).await?;
    Ok(Json(people.into_iter().map(|person| person.name).collect()))
}
