//! The routes of the social network.

use axum::Router;
use axum::routing::{get, post};
use bellwire_site::SiteState;

use crate::{consumers, views};

pub(crate) fn router(_: &SiteState) -> Router<SiteState> {
    Router::new()
        .route("/social/", get(views::messages).post(views::add_message))
        .route("/social/messages/{id}/", get(views::edit_page).post(views::update_message))
        .route("/social/messages/{id}/delete/", post(views::delete_message))
        .route("/ws/social-network/", get(consumers::window))
}
