//! Routes of the chat. Every page other than a room is under `/chat/-/`, because no room can have
//! the slug `-`.

use axum::Router;
use axum::routing::{get, post};
use bellwire_site::SiteState;

use crate::{consumers, views};

pub(crate) fn router(_: &SiteState) -> Router<SiteState> {
    Router::new()
        .route("/chat/", get(views::rooms).post(views::open_room))
        .route("/chat/{slug}/", get(views::room).post(views::new_message))
        .route("/chat/-/people/", get(views::people))
        .route("/chat/-/people/{id}/", post(views::open_conversation))
        .route("/chat/-/names/", get(views::names))
        .route("/chat/-/messages/{id}/", get(views::message).post(views::edit_message))
        .route("/chat/-/messages/{id}/delete/", post(views::delete_message))
        .route("/chat/-/rooms/{id}/", get(views::manage_room).post(views::rename_room))
        .route("/chat/-/rooms/{id}/members/", get(views::members).post(views::set_members))
        .route("/chat/-/rooms/{id}/delete/", post(views::delete_room))
        .route("/chat/-/search/", get(views::search))
        .route("/ws/chat/", get(consumers::chat))
        .route("/ws/chat/{slug}/", get(consumers::room))
}
