//! How a room is run: its name, who belongs to it, and its end.

use std::collections::HashSet;

use askama::Template;
use axum::Form;
use axum::extract::{Path, RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{Page, SiteError, SiteState, User};

use super::{Beside, unprocessable};
use crate::ChatError;
use crate::actions::{self, Members};
use crate::models::room::Kind;
use crate::models::{Membership, Room, people};

#[derive(Template)]
#[template(path = "chat/pages/_run_room.html")]
struct RunRoomPart<'a> {
    room: &'a Room,
    path: String,
    name: &'a str,
    is_closed: bool,
    people: Vec<Person>,
    error: Option<&'a str>,
}

struct Person {
    id: i64,
    name: String,
    is_member: bool,
    is_me: bool,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Renamed {
    name: String,
}

/// `GET /chat/-/rooms/<id>/`
pub(crate) async fn run_room(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let room = run_by(&site, &user, id).await?;
    Ok(page(&site, &user, &room, &room.name, None).await?)
}

/// `POST /chat/-/rooms/<id>/`
pub(crate) async fn rename_room(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    Form(form): Form<Renamed>,
) -> Result<Response, SiteError> {
    match actions::rename_room(&site, &user, id, &form.name).await {
        Ok(room) => Ok(Redirect::to(&room.path()).into_response()),
        Err(ChatError::Invalid(invalid)) => {
            let room = run_by(&site, &user, id).await?;
            Ok(unprocessable(page(&site, &user, &room, &form.name, Some(&invalid.message)).await?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /chat/-/rooms/<id>/members/` with `kind=open`, or `kind=closed` and `member=<id>` as often as there are members.
pub(crate) async fn set_members(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    RawForm(form): RawForm,
) -> Result<Redirect, SiteError> {
    let fields = form_fields(&form);
    let is_closed = fields.iter().any(|(name, value)| name == "kind" && value == "closed");
    let these = fields.iter().filter(|(name, _)| name == "member").filter_map(|(_, id)| id.parse().ok());
    let members = if is_closed { Members::These(these.collect()) } else { Members::Everyone };
    let room = actions::set_members(&site, &user, id, members).await?;
    Ok(Redirect::to(&room.path()))
}

/// `POST /chat/-/rooms/<id>/delete/`
pub(crate) async fn delete_room(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Redirect, SiteError> {
    actions::delete_room(&site, &user, id).await?;
    Ok(Redirect::to("/chat/"))
}

/// A name may come several times, which the ordinary form does not understand.
fn form_fields(form: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form).into_owned().collect()
}

async fn run_by(site: &SiteState, user: &User, id: i64) -> Result<Room, ChatError> {
    let room = Room::by_id(site.db().read(), id).await?.ok_or(ChatError::NoRoom)?;
    if !room.is_run_by(user) {
        room.admit(site.db().read(), user.id).await?;
        return Err(ChatError::NotYours);
    }
    Ok(room)
}

async fn page(
    site: &SiteState,
    user: &User,
    room: &Room,
    name: &str,
    error: Option<&str>,
) -> Result<Page, ChatError> {
    let db = site.db().read();
    let members: HashSet<_> = Membership::people(db, room.id).await?.into_iter().collect();
    let person = |person: bellwire_site::accounts::users::Model| Person {
        is_member: members.contains(&person.id),
        is_me: person.id == user.id,
        id: person.id,
        name: person.name,
    };
    let people = people::all(db, None).await?.into_iter().map(person).collect();
    let is_closed = room.kind == Kind::Closed;
    let part = RunRoomPart { room, path: room.path(), name, is_closed, people, error };
    Beside { room: Some(room.id), ..Beside::new(&room.name, &part)? }.page(site, user).await
}
