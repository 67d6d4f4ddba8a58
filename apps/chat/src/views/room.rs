//! Views of a room or a conversation.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{Answer, Page, SiteError, SiteState, User};

use super::{SidePanel, unprocessable};
use crate::ChatError;
use crate::actions::{self, NewMessageData};
use crate::forms::RoomName;
use crate::models::Room;
use crate::models::room::path_of;
use crate::panel::{Panel, Part};

#[derive(Template)]
#[template(path = "chat/pages/_unknown_room.html")]
struct UnknownRoom<'a> {
    name: &'a str,
}

/// The query of a room's page: the messages before a sequence number, those around one, or neither
/// for the newest.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct RoomQuery {
    before: Option<i64>,
    at: Option<i64>,
    /// Whether `at` is the first unread message. The messages themselves were marked as read when
    /// the room was opened.
    unread: Option<String>,
}

impl RoomQuery {
    fn part(&self) -> Part {
        match (self.before, self.at) {
            (Some(seq), _) => Part::Before(seq),
            (None, Some(seq)) => Part::Around(seq),
            (None, None) => Part::Newest,
        }
    }

    fn to_query_string(&self) -> String {
        match self.part() {
            Part::Before(seq) => format!("?before={seq}"),
            Part::Around(seq) => format!("?at={seq}"),
            Part::Newest => String::new(),
        }
    }
}

/// `GET /chat/<slug>/`
pub(crate) async fn room(
    user: User,
    Path(slug): Path<String>,
    Query(query): Query<RoomQuery>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    match Room::by_slug(db, &slug).await? {
        Some(room) if room.admits(db, user.id).await? => {
            let panel = Panel::load(&site, &user, room, query.part()).await?;
            let panel = match query {
                RoomQuery { at: Some(place), unread: Some(_), .. } => panel.unread_from(place),
                _ => panel,
            };
            Ok(page(&site, &user, panel).await?.into_response())
        }
        Some(_) => Err(ChatError::NoRoom.into()),
        None => redirect_or_offer(&site, &user, &slug, &query).await,
    }
}

/// `POST /chat/<slug>/`: sends a message without a socket.
pub(crate) async fn new_message(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    answer: Answer,
    Form(data): Form<NewMessageData>,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    let room = match data.room {
        Some(id) => Room::by_id(db, id).await?,
        None => Room::at(db, &slug).await?,
    };
    let (room, draft) = (room.ok_or(ChatError::NoRoom)?, data.message.clone());
    match actions::new_message(&site, room.id, &user, data).await {
        Ok(()) => Ok(answer.ok(Redirect::to(&room.path()))),
        Err(ChatError::Other(SiteError::Refused(refusal))) => {
            room.admit(db, user.id).await?;
            let panel = Panel::load(&site, &user, room, Part::Newest).await?;
            let panel = Panel { draft, error: Some(refusal.message), ..panel };
            Ok(unprocessable(page(&site, &user, panel).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(site: &SiteState, user: &User, panel: Panel) -> Result<Page, ChatError> {
    let side_panel =
        SidePanel { room: Some(panel.room.id), ..SidePanel::new(&panel.title, &panel)? };
    side_panel.page(site, user).await
}

/// Redirects a former slug, or one that is not in its normal form, to the room. For any other slug,
/// returns a page that offers to create the room.
async fn redirect_or_offer(
    site: &SiteState,
    user: &User,
    slug: &str,
    query: &RoomQuery,
) -> Result<Response, SiteError> {
    let db = site.db().read();
    if let Some(room) = Room::by_old_slug(db, slug).await? {
        room.admit(db, user.id).await?;
        return Ok(
            Redirect::to(&format!("{}{}", room.path(), query.to_query_string())).into_response()
        );
    }
    let name = RoomName::parse(slug).map_err(|_| SiteError::NotFound)?;
    if name.slug() != slug {
        return Ok(Redirect::to(&path_of(name.slug())).into_response());
    }
    let side_panel = SidePanel::new(name.name(), &UnknownRoom { name: name.name() })?;
    let page = side_panel.page(site, user).await?;
    Ok(page.status(StatusCode::NOT_FOUND).into_response())
}
