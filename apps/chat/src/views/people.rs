//! Views of users: the list to start a conversation from, and names for mentions.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use bellwire_site::accounts::{person_of, users};
use bellwire_site::{Page, SiteError, SiteState, User};

use super::SidePanel;
use crate::actions;
use crate::dot::Dot;
use crate::models::room::everyone;
use crate::models::{Room, people as persons};

/// The maximum number of suggested names.
const SUGGESTIONS: u64 = 8;

#[derive(Template)]
#[template(path = "chat/pages/_people.html")]
struct PeoplePart<'a> {
    people: Vec<Row>,
    query: &'a str,
}

/// The query of the list of users: the beginning of a word in their names.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct PeopleQuery {
    q: String,
}

struct Row {
    id: i64,
    name: String,
    dot: Dot,
    is_me: bool,
}

/// `GET /chat/-/people/`: lists users, those who are online first; with `?q=`, only those in whose
/// name a word begins with it.
pub(crate) async fn people(
    user: User,
    Query(search): Query<PeopleQuery>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let presence = site.bellwire().layer().presence();
    let here = presence.people(everyone()).iter().filter_map(|key| person_of(key)).collect();
    let found = persons::all(site.db().read(), here, &search.q).await?;
    let row = |person: users::Model| Row {
        dot: Dot::of(presence, person.id),
        is_me: person.id == user.id,
        id: person.id,
        name: person.name,
    };
    let people = found.into_iter().map(row).collect();
    let part = PeoplePart { people, query: &search.q };
    Ok(SidePanel::new("People", &part)?.page(&site, &user).await?)
}

/// `POST /chat/-/people/<id>/`: opens the conversation with this user.
pub(crate) async fn open_conversation(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Redirect, SiteError> {
    let room = actions::open_conversation(&site, &user, id).await?;
    Ok(Redirect::to(&room.path()))
}

/// The query for names to mention: the beginning of a name, and the room.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct NamesQuery {
    q: String,
    room: Option<i64>,
}

/// `GET /chat/-/names/?q=a&room=5`: suggests names that begin with `q`. In a closed room these are
/// the names of its members, because nobody else can be mentioned there.
pub(crate) async fn names(
    user: User,
    Query(search): Query<NamesQuery>,
    State(site): State<SiteState>,
) -> Result<Json<Vec<String>>, SiteError> {
    let db = site.db().read();
    let room = match search.room {
        Some(id) => Some(Room::for_person(db, id, user.id).await?),
        None => None,
    };
    let people = persons::mentionable(db, room.as_ref(), &search.q, SUGGESTIONS).await?;
    Ok(Json(people.into_iter().map(|person| person.name).collect()))
}
