//! Every path of the chat.

use axum::Router;
use axum::routing::get;
use bellwire_site::SiteState;

use crate::{consumers, views};

pub(crate) fn router(_: &SiteState) -> Router<SiteState> {
    Router::new()
        .route("/chat/", get(views::rooms).post(views::open_room))
        .route("/chat/{slug}/", get(views::room).post(views::new_message))
        .route("/ws/chat/{slug}/", get(consumers::room))
}
