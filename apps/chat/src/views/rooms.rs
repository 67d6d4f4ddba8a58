//! Views of the list of rooms, and of the form that opens a room.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{Page, SiteError, SiteState, User};

use super::{SidePanel, unprocessable};
use crate::models::room::Kind;
use crate::{ChatError, actions};

#[derive(Template)]
#[template(path = "chat/pages/_rooms.html")]
struct RoomsPart<'a> {
    name: &'a str,
    is_closed: bool,
    error: Option<&'a str>,
}

/// The form that opens a room.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct OpenRoomForm {
    name: String,
    closed: Option<String>,
}

/// `GET /chat/`
pub(crate) async fn rooms(user: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    Ok(page(&site, &user, &OpenRoomForm::default(), None).await?)
}

/// `POST /chat/`
pub(crate) async fn open_room(
    user: User,
    State(site): State<SiteState>,
    Form(form): Form<OpenRoomForm>,
) -> Result<Response, SiteError> {
    let kind = if form.closed.is_some() { Kind::Closed } else { Kind::Open };
    match actions::open_room(&site, &user, &form.name, kind).await {
        Ok(room) => Ok(Redirect::to(&room.path()).into_response()),
        Err(ChatError::Other(SiteError::Refused(refusal))) => {
            Ok(unprocessable(page(&site, &user, &form, Some(&refusal.message)).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    site: &SiteState,
    user: &User,
    form: &OpenRoomForm,
    error: Option<&str>,
) -> Result<Page, ChatError> {
    let part = RoomsPart { name: &form.name, is_closed: form.closed.is_some(), error };
    let panel = SidePanel { is_list: true, ..SidePanel::new("Rooms", &part)? };
    panel.page(site, user).await
}
