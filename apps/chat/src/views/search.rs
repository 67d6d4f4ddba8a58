//! View of the search over the messages that the user may read.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Query, State};
use bellwire_site::bellwire::Html;
use bellwire_site::{Page, SiteError, SiteState, User};

use super::SidePanel;
use crate::ChatError;
use crate::message_view::{MessageView, message_path};
use crate::models::{Message, Room, people};

/// The maximum number of results.
const RESULTS: u64 = 50;
/// The maximum length of a search text, in characters.
const MAX_CHARS: usize = 200;

#[derive(Template)]
#[template(path = "chat/pages/_search.html")]
struct SearchPart<'a> {
    query: &'a str,
    found: Vec<Found<'a>>,
    is_more: bool,
}

struct Found<'a> {
    place: &'a str,
    path: String,
    author: &'a str,
    sent_at: String,
    sent_at_text: String,
    html: Html,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct SearchQuery {
    q: String,
}

/// `GET /chat/-/search/?q=…`
pub(crate) async fn search(
    user: User,
    Query(search): Query<SearchQuery>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let query: String = search.q.trim().chars().take(MAX_CHARS).collect();
    let db = site.db().read();
    let messages = match query.is_empty() {
        true => Vec::new(),
        false => Message::search(db, user.id, &query, RESULTS).await?,
    };
    let places = places(&site, &user, &messages).await?;
    let found = messages.iter().map(|message| Found::of(message, &places)).collect();
    let part = SearchPart { query: &query, found, is_more: messages.len() as u64 == RESULTS };
    let panel = SidePanel { query: &query, ..SidePanel::new("Search", &part)? };
    Ok(panel.page(&site, &user).await?)
}

/// Returns the names of these messages' rooms, as this user sees them.
async fn places(
    site: &SiteState,
    user: &User,
    messages: &[Message],
) -> Result<HashMap<i64, String>, ChatError> {
    let db = site.db().read();
    let rooms =
        Room::among(db, messages.iter().map(|message| message.row.room_id).collect()).await?;
    let others = rooms.iter().filter_map(|room| room.other_than(user.id)).collect();
    let names = people::names(db, others).await?;
    let name = |room: Room| match room.other_than(user.id).and_then(|other| names.get(&other)) {
        Some(other) => (room.id, format!("your conversation with {other}")),
        None => (room.id, room.name),
    };
    Ok(rooms.into_iter().map(name).collect())
}

impl<'a> Found<'a> {
    fn of(message: &'a Message, places: &'a HashMap<i64, String>) -> Self {
        let MessageView { author, sent_at, sent_at_text, html, .. } = MessageView::from(message);
        let place = places.get(&message.row.room_id).map(String::as_str).unwrap_or_default();
        Self { place, path: message_path(message.row.id), author, sent_at, sent_at_text, html }
    }
}
