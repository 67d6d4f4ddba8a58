//! Views of room management: renaming, members and deletion.

use std::collections::BTreeSet;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::accounts::users;
use bellwire_site::{Page, SiteError, SiteState, User};

use super::{SidePanel, unprocessable};
use crate::ChatError;
use crate::actions::{self, Members};
use crate::models::room::Kind;
use crate::models::{Room, people};

#[derive(Template)]
#[template(path = "chat/pages/_manage_room.html")]
struct ManageRoomPart<'a> {
    room: &'a Room,
    path: String,
    name: &'a str,
    is_closed: bool,
    people: Vec<Person>,
    query: &'a PeopleQuery,
    is_more: bool,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "chat/pages/_members.html")]
struct MembersPart<'a> {
    room: &'a Room,
    path: String,
    people: Vec<Person>,
    query: &'a PeopleQuery,
    is_more: bool,
    may_manage: bool,
}

/// The query of a list of users: the beginning of a word in their names, and the page number.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct PeopleQuery {
    q: String,
    page: u32,
}

impl PeopleQuery {
    fn index(&self) -> u64 {
        u64::from(self.page.saturating_sub(1))
    }

    /// Returns the URL of the previous page, if there is one.
    fn previous_page(&self) -> Option<String> {
        (self.page > 1).then(|| self.address(self.page - 1))
    }

    /// Returns the URL of the next page.
    fn next_page(&self) -> String {
        self.address(self.page.max(1).saturating_add(1))
    }

    fn address(&self, page: u32) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &self.q)
            .append_pair("page", &page.to_string())
            .finish();
        format!("?{query}")
    }
}

struct Person {
    id: i64,
    name: String,
    is_member: bool,
    is_me: bool,
}

impl Person {
    fn of(person: users::Model, is_member: bool, me: &User) -> Self {
        Self { is_me: person.id == me.id, id: person.id, name: person.name, is_member }
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct RenameForm {
    name: String,
}

/// `GET /chat/-/rooms/<id>/`
pub(crate) async fn manage_room(
    user: User,
    Path(id): Path<i64>,
    Query(query): Query<PeopleQuery>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let room = managed_room(&site, &user, id).await?;
    Ok(page(&site, &user, &room, &query, &room.name, None).await?)
}

/// `GET /chat/-/rooms/<id>/members/`: lists the members of a closed room for its members.
pub(crate) async fn members(
    user: User,
    Path(id): Path<i64>,
    Query(query): Query<PeopleQuery>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    let room = Room::for_person(db, id, user.id).await?;
    if room.kind != Kind::Closed {
        return Ok(Redirect::to("/chat/-/people/").into_response());
    }
    let listed = people::members(db, id, &query.q, query.index()).await?;
    let people = listed.people.into_iter().map(|person| Person::of(person, true, &user)).collect();
    let may_manage = room.is_managed_by(db, &user).await?;
    let path = room.path();
    let part = MembersPart {
        room: &room,
        path,
        people,
        query: &query,
        is_more: listed.is_more,
        may_manage,
    };
    let title = format!("Members of {}", room.name);
    Ok(SidePanel { room: Some(id), ..SidePanel::new(&title, &part)? }
        .page(&site, &user)
        .await?
        .into_response())
}

/// `POST /chat/-/rooms/<id>/`
pub(crate) async fn rename_room(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    Form(form): Form<RenameForm>,
) -> Result<Response, SiteError> {
    match actions::rename_room(&site, &user, id, &form.name).await {
        Ok(room) => Ok(Redirect::to(&room.path()).into_response()),
        Err(ChatError::Other(SiteError::Refused(refusal))) => {
            let room = managed_room(&site, &user, id).await?;
            let (all, error) = (PeopleQuery::default(), Some(&*refusal.message));
            Ok(unprocessable(page(&site, &user, &room, &all, &form.name, error).await?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /chat/-/rooms/<id>/members/` with `kind=open`, or with `kind=closed`, `was=<id>` for each
/// member on the form and `member=<id>` for each checked user. Only the differences between the two
/// lists change, so members who were not on the form stay.
pub(crate) async fn set_members(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    RawForm(form): RawForm,
) -> Result<Redirect, SiteError> {
    let fields = form_fields(&form);
    let is_closed = fields.iter().any(|(name, value)| name == "kind" && value == "closed");
    let members = match is_closed {
        true => {
            let (checked, before) = (ids(&fields, "member"), ids(&fields, "was"));
            let added = checked.difference(&before).copied().collect();
            Members::Only { added, removed: before.difference(&checked).copied().collect() }
        }
        false => Members::Everyone,
    };
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

/// Parses the fields of a form whose field names may repeat, which `Form` does not support.
fn form_fields(form: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form).into_owned().collect()
}

fn ids(fields: &[(String, String)], name: &str) -> BTreeSet<i64> {
    fields.iter().filter(|(field, _)| field == name).filter_map(|(_, id)| id.parse().ok()).collect()
}

async fn managed_room(site: &SiteState, user: &User, id: i64) -> Result<Room, ChatError> {
    let db = site.db().read();
    let room = Room::by_id(db, id).await?.ok_or(ChatError::NoRoom)?;
    if !room.is_managed_by(db, user).await? {
        room.admit(db, user.id).await?;
        return Err(ChatError::NotYours);
    }
    Ok(room)
}

async fn page(
    site: &SiteState,
    user: &User,
    room: &Room,
    query: &PeopleQuery,
    name: &str,
    error: Option<&str>,
) -> Result<Page, ChatError> {
    let db = site.db().read();
    let listed = people::with_membership(db, room.id, &query.q, query.index()).await?;
    let people =
        listed.people.into_iter().map(|(person, is)| Person::of(person, is, user)).collect();
    let (path, is_closed, is_more) = (room.path(), room.kind == Kind::Closed, listed.is_more);
    let part = ManageRoomPart { room, path, name, is_closed, people, query, is_more, error };
    SidePanel { room: Some(room.id), ..SidePanel::new(&room.name, &part)? }.page(site, user).await
}
