//! A room, or a conversation.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{AppError, Page, SiteError, SiteState, User};

use super::{SidePanel, unprocessable};
use crate::ChatError;
use crate::actions::{self, Asked};
use crate::forms::RoomName;
use crate::models::Room;
use crate::models::room::path_of;
use crate::panel::{Panel, Part};

#[derive(Template)]
#[template(path = "chat/pages/_unknown_room.html")]
struct UnknownRoom<'a> {
    name: &'a str,
}

/// Which part of the room is asked for: what comes before a place, or what is around one.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Shown {
    before: Option<i64>,
    at: Option<i64>,
    /// Whether that is where what is unread begins: it counts as read since the room was opened.
    unread: Option<String>,
}

impl Shown {
    fn part(&self) -> Part {
        match (self.before, self.at) {
            (Some(seq), _) => Part::Before(seq),
            (None, Some(seq)) => Part::Around(seq),
            (None, None) => Part::Newest,
        }
    }

    fn query(&self) -> String {
        match self.part() {
            Part::Before(seq) => format!("?before={seq}"),
            Part::Around(seq) => format!("?at={seq}"),
            Part::Newest => String::new(),
        }
    }
}

/// What the composer says. Without a text it says nothing, which is explained like any other
/// nothing.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct NewMessage {
    message: String,
    client_id: Option<String>,
    /// The room it was typed in: another one may have this address by now.
    #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_option_int")]
    room: Option<i64>,
}

/// `GET /chat/<slug>/`
pub(crate) async fn room(
    user: User,
    Path(slug): Path<String>,
    Query(shown): Query<Shown>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    match Room::by_slug(db, &slug).await? {
        Some(room) if room.admits(db, user.id).await? => {
            let panel = Panel::load(&site, &user, room, shown.part()).await?;
            let panel = match shown {
                Shown { at: Some(place), unread: Some(_), .. } => panel.unread_from(place),
                _ => panel,
            };
            Ok(page(&site, &user, panel).await?.into_response())
        }
        Some(_) => Err(SiteError::NotFound),
        None => elsewhere(&site, &user, &slug, &shown).await,
    }
}

/// `POST /chat/<slug>/`: says something without a socket.
pub(crate) async fn new_message(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    Form(form): Form<NewMessage>,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    let room = match form.room {
        Some(id) => Room::by_id(db, id).await?,
        None => Room::at(db, &slug).await?,
    };
    let room = room.ok_or(SiteError::NotFound)?;
    let draft = form.message.clone();
    let asked = Asked { message: form.message, room: None, client_id: form.client_id };
    match actions::new_message(&site, &room, &user, asked).await {
        Ok(_) => Ok(Redirect::to(&room.path()).into_response()),
        Err(ChatError::AppError(AppError::Invalid(invalid))) => {
            room.admit(site.db().read(), user.id).await?;
            let panel = Panel::load(&site, &user, room, Part::Newest).await?;
            let panel = Panel { draft, error: Some(invalid.message), ..panel };
            Ok(unprocessable(page(&site, &user, panel).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(site: &SiteState, user: &User, panel: Panel) -> Result<Page, ChatError> {
    let beside = SidePanel { room: Some(panel.room.id), ..SidePanel::new(&panel.title, &panel)? };
    beside.page(site, user).await
}

/// A room's old address, or one that is not quite a room's, leads to the room; for any other the
/// page offers to make one.
async fn elsewhere(
    site: &SiteState,
    user: &User,
    slug: &str,
    shown: &Shown,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    if let Some(room) = Room::once_called(db, slug).await? {
        room.admit(db, user.id).await?;
        return Ok(Redirect::to(&format!("{}{}", room.path(), shown.query())).into_response());
    }
    let name = RoomName::parse(slug).map_err(|_| SiteError::NotFound)?;
    if name.slug() != slug {
        return Ok(Redirect::to(&path_of(name.slug())).into_response());
    }
    let beside = SidePanel::new(name.name(), &UnknownRoom { name: name.name() })?;
    let page = beside.page(site, user).await?;
    Ok(page.status(StatusCode::NOT_FOUND).into_response())
}
