//! The first page, by HTTP. Everything here works without JavaScript.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire::Html;
use bellwire_site::{Page, SiteError, SiteState, User};

use crate::ChatError;
use crate::actions::{self, Asked};
use crate::forms::RoomName;
use crate::fragments::MessageView;
use crate::models::room::path_of;
use crate::models::{Message, Room};

/// How many messages a room's page shows.
pub(crate) const PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "chat/pages/rooms.html")]
struct RoomsPage<'a> {
    rooms: &'a [RoomRow<'a>],
    name: &'a str,
    error: Option<&'a str>,
}

struct RoomRow<'a> {
    name: &'a str,
    path: String,
}

#[derive(Template)]
#[template(path = "chat/pages/room.html")]
struct RoomPage<'a> {
    room: RoomRow<'a>,
    feed: &'a str,
    seq: i64,
    messages: Vec<MessageView<'a>>,
    draft: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "chat/pages/unknown_room.html")]
struct UnknownRoomPage<'a> {
    name: &'a str,
}

/// What the form on the list of rooms says.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct OpenRoom {
    name: String,
}

/// What the composer says. Without a text it says nothing, which is explained like any other nothing.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct NewMessage {
    message: String,
    client_id: Option<String>,
}

/// `GET /chat/`
pub(crate) async fn rooms(_: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    rooms_page(&site, "", None).await
}

/// `POST /chat/`
pub(crate) async fn open_room(
    user: User,
    State(site): State<SiteState>,
    Form(form): Form<OpenRoom>,
) -> Result<Response, SiteError> {
    match actions::open_room(&site, &user, &form.name).await {
        Ok(room) => Ok(Redirect::to(&room.path()).into_response()),
        Err(ChatError::Invalid(invalid)) => {
            Ok(unprocessable(rooms_page(&site, &form.name, Some(&invalid.message)).await?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /chat/<slug>/`
pub(crate) async fn room(
    _: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    match Room::by_slug(site.db().read(), &slug).await? {
        Some(room) => Ok(room_page(&site, &room, "", None).await?.into_response()),
        None => unknown_room(&slug),
    }
}

/// `POST /chat/<slug>/`: says something without a socket.
pub(crate) async fn new_message(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    Form(form): Form<NewMessage>,
) -> Result<Response, SiteError> {
    let room = Room::by_slug(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    let draft = form.message.clone();
    let asked = Asked { message: form.message, client_id: form.client_id };
    match actions::new_message(&site, &room, &user, asked).await {
        Ok(_) => Ok(Redirect::to(&room.path()).into_response()),
        Err(ChatError::Invalid(invalid)) => {
            Ok(unprocessable(room_page(&site, &room, &draft, Some(&invalid.message)).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn rooms_page(site: &SiteState, name: &str, error: Option<&str>) -> Result<Page, SiteError> {
    let rooms = Room::all(site.db().read()).await?;
    let rows: Vec<_> = rooms.iter().map(RoomRow::from).collect();
    Ok(page("Rooms", &RoomsPage { rooms: &rows, name, error })?)
}

async fn room_page(
    site: &SiteState,
    room: &Room,
    draft: &str,
    error: Option<&str>,
) -> Result<Page, SiteError> {
    let db = site.db().read();
    // The number is taken before the messages are read: what comes in between is caught up with, never missed.
    let now = Room::current_seq(db, room.id).await?;
    let messages = Message::newest(db, room.id, PAGE).await?;
    let seq = Message::reached(&messages, now);
    let feed = room.feed(site.bellwire().layer());
    let messages = messages.iter().map(MessageView::from).collect();
    let template = RoomPage { room: room.into(), feed: feed.name().as_str(), seq, messages, draft, error };
    Ok(page(&room.name, &template)?)
}

/// An address that is not quite a room's leads to the room; for any other the page offers to make one.
fn unknown_room(slug: &str) -> Result<Response, SiteError> {
    let name = RoomName::parse(slug).map_err(|_| SiteError::NotFound)?;
    if name.slug() != slug {
        return Ok(Redirect::to(&path_of(name.slug())).into_response());
    }
    let page = page(name.name(), &UnknownRoomPage { name: name.name() })?;
    Ok(page.status(StatusCode::NOT_FOUND).into_response())
}

fn page(title: &str, template: &impl Template) -> Result<Page, ChatError> {
    let main = Html::from_template(template)?;
    Ok(Page::new(title, main)
        .style("chat/chat.css")
        .script("chat/messages_controller.js")
        .script("chat/composer_controller.js"))
}

fn unprocessable(page: Page) -> Response {
    page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response()
}

impl<'a> From<&'a Room> for RoomRow<'a> {
    fn from(room: &'a Room) -> Self {
        Self { name: &room.name, path: room.path() }
    }
}
