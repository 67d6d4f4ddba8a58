//! Views of one message: its permanent link, and editing and deleting it without JavaScript.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{Answer, Page, SiteError, SiteState, User};

use super::{SidePanel, unprocessable};
use crate::models::Room;
use crate::models::message::{Message, Model};
use crate::{ChatError, actions};

#[derive(Template)]
#[template(path = "chat/pages/_edit_message.html")]
struct EditPart<'a> {
    id: i64,
    text: &'a str,
    back: String,
    is_mine: bool,
    error: Option<&'a str>,
}

/// The query of a message's link: `edit` requests the form that changes it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct MessageQuery {
    edit: Option<String>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct EditMessageForm {
    message: String,
}

/// `GET /chat/-/messages/<id>/`: redirects to the message in its room, or shows the form that
/// changes it with `?edit=1`.
pub(crate) async fn message(
    user: User,
    Path(id): Path<i64>,
    Query(query): Query<MessageQuery>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    let (room, message) = find_message(&site, &user, id).await?;
    if query.edit.is_some() && (message.row.author_id == user.id || user.is_admin) {
        return Ok(edit_page(&site, &user, &room, &message, None).await?.into_response());
    }
    Ok(Redirect::to(&message_url(&room, &message)).into_response())
}

/// `POST /chat/-/messages/<id>/`
pub(crate) async fn edit_message(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    answer: Answer,
    Form(form): Form<EditMessageForm>,
) -> Result<Response, SiteError> {
    let (room, message) = find_message(&site, &user, id).await?;
    match actions::edit_message(&site, &user, id, &form.message).await {
        Ok(message) => Ok(answer.ok(Redirect::to(&message_url(&room, &message)))),
        Err(ChatError::Other(SiteError::Refused(refusal))) => {
            let row = Model { text: form.message, ..message.row };
            let (typed, error) = (Message { row, ..message }, Some(&*refusal.message));
            Ok(unprocessable(edit_page(&site, &user, &room, &typed, error).await?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /chat/-/messages/<id>/delete/`
pub(crate) async fn delete_message(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    answer: Answer,
) -> Result<Response, SiteError> {
    let room = actions::delete_message(&site, &user, id).await?;
    Ok(answer.ok(Redirect::to(&room.path())))
}

async fn edit_page(
    site: &SiteState,
    user: &User,
    room: &Room,
    message: &Message,
    error: Option<&str>,
) -> Result<Page, ChatError> {
    let back = message_url(room, message);
    let is_mine = message.row.author_id == user.id;
    let part = EditPart { id: message.row.id, text: &message.row.text, back, is_mine, error };
    SidePanel { room: Some(room.id), ..SidePanel::new("Edit message", &part)? }
        .page(site, user)
        .await
}

fn message_url(room: &Room, message: &Message) -> String {
    format!("{}?at={}#message--{}", room.path(), message.row.seq, message.row.id)
}

async fn find_message(
    site: &SiteState,
    user: &User,
    id: i64,
) -> Result<(Room, Message), ChatError> {
    let db = site.db().read();
    let message = Message::by_id(db, id).await?.ok_or(ChatError::NoMessage)?;
    let room = Room::by_id(db, message.row.room_id).await?.ok_or(ChatError::NoMessage)?;
    match room.admits(db, user.id).await? {
        true => Ok((room, message)),
        // The error must not reveal that the message exists to a user who may not read it.
        false => Err(ChatError::NoMessage),
    }
}
