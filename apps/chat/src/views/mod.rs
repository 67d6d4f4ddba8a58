//! HTTP views of the chat. Every page and form works without JavaScript.

mod messages;
mod people;
mod room;
mod rooms;
mod manage_room;
mod search;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bellwire_site::bellwire::Html;
use bellwire_site::{Page, SiteState, User};

use crate::ChatError;
use crate::sidebar::Sidebar;

pub(crate) use manage_room::{delete_room, manage_room, members, rename_room, set_members};
pub(crate) use messages::{delete_message, edit_message, message};
pub(crate) use people::{names, open_conversation, people};
pub(crate) use room::{new_message, room};
pub(crate) use rooms::{open_room, rooms};
pub(crate) use search::search;

/// A page of the chat: the list of rooms and, beside it, the content.
#[derive(Template)]
#[template(path = "chat/pages/chat.html")]
struct ChatPage<'a> {
    sidebar: Sidebar,
    part: Html,
    /// Whether a narrow screen shows the list of rooms first.
    is_list: bool,
    is_admin: bool,
    query: &'a str,
}

/// The content beside the list of rooms.
struct SidePanel<'a> {
    title: &'a str,
    part: Html,
    /// The id of the room that it is about.
    room: Option<i64>,
    is_list: bool,
    query: &'a str,
}

impl<'a> SidePanel<'a> {
    fn new(title: &'a str, part: &impl Template) -> Result<Self, ChatError> {
        Ok(Self { title, part: Html::from_template(part)?, room: None, is_list: false, query: "" })
    }

    async fn page(self, site: &SiteState, user: &User) -> Result<Page, ChatError> {
        let sidebar = Sidebar::load(site, user, self.room).await?;
        let page = ChatPage {
            sidebar,
            part: self.part,
            is_list: self.is_list,
            is_admin: user.is_admin,
            query: self.query,
        };
        Ok(Page::new(self.title, Html::from_template(&page)?)
            .style("chat/chat.css")
            .style("chat/messages.css")
            .script("chat/chat_controller.js")
            .script("chat/sidebar_controller.js")
            .script("chat/messages_controller.js")
            .script("chat/composer_controller.js"))
    }
}

fn unprocessable(page: Page) -> Response {
    page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response()
}
