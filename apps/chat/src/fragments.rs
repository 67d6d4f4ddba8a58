//! Patches from typed data: HTML for the page, and events for its scripts. No other module of the
//! chat contains selectors or names of events.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use serde_json::json;

use crate::dot::Dot;
use crate::message_view::{MessageView, message_path};
use crate::models::Message;
use crate::models::counts::Counts;
use crate::models::room::{Kind, Room};
use crate::panel::Panel;
use crate::sidebar::{Link, Sidebar};
use crate::{ChatError, markup};

/// The selector of a room's list of messages.
const LIST: &str = "#messages-list";
/// The maximum length of a message in a notification or announcement, in characters.
const EXCERPT: usize = 120;

#[derive(Template)]
#[template(path = "chat/components/_message.html")]
struct MessageItem<'a> {
    message: MessageView<'a>,
}

/// Appends a new message to the list.
pub(crate) fn new_message(message: &Message) -> Result<Patch, ChatError> {
    Ok(Patch::append(LIST, html(message)?))
}

/// Replaces the content of the list with these messages.
pub(crate) fn all_messages(messages: &[Message]) -> Result<Patch, ChatError> {
    let mut list = String::new();
    for message in messages {
        list.push_str(html(message)?.as_str());
    }
    Ok(Patch::inner(LIST, Html::trusted(list)))
}

/// Updates a message for a page at sequence number `since`. Returns `None` if the message was both
/// created and deleted after it.
pub(crate) fn changed_message(message: &Message, since: i64) -> Result<Option<Patch>, ChatError> {
    let is_new = message.row.seq > since;
    match (message.row.deleted_at.is_some(), is_new) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(new_message(message)?)),
        (_, false) => Ok(Some(current_message(message)?)),
    }
}

/// Replaces or removes a message that the page may show already.
pub(crate) fn current_message(message: &Message) -> Result<Patch, ChatError> {
    let element = format!("#message--{}", message.row.id);
    Ok(match message.row.deleted_at {
        Some(_) => Patch::remove(element),
        None => Patch::replace(element, html(message)?),
    })
}

fn html(message: &Message) -> Result<Html, ChatError> {
    tracing::trace!(id = message.row.id, "Rendered message");
    Ok(Html::from_template(&MessageItem { message: message.into() })?)
}

/// Shows another room: its panel, with the page's URL and title.
pub(crate) fn room(panel: &Panel) -> Result<Patch, ChatError> {
    let patch = Patch::inner("#room", Html::from_template(panel)?);
    Ok(patch.url(panel.room.path()).title(title(&panel.title)).focus("#message"))
}

/// Returns the title of a window that shows this.
fn title(place: &str) -> String {
    format!("{place} · Bellwire")
}

/// Shows another room in the JSON dialect, whose pages have only three elements to update.
pub(crate) fn room_for_json(panel: &Panel) -> Result<Vec<Patch>, ChatError> {
    let name = match panel.room.kind {
        Kind::Direct => panel.title.clone(),
        _ => format!("#{}", panel.title),
    };
    Ok(vec![
        Patch::inner("#group-name", Html::text(&name)).url(panel.room.path()),
        all_messages(&panel.messages)?,
        Patch::inner("#logged-user", Html::text(&panel.me)),
    ])
}

/// Replaces a room that became unavailable with the reason.
pub(crate) fn room_closed(why: &str) -> Patch {
    let html = format!(
        "<div class=\"closed\" role=\"alert\"><p>{}</p>\
         <a class=\"button\" href=\"/chat/\">All rooms</a></div>",
        Html::text(why)
    );
    Patch::inner("#room", Html::trusted(html)).title(title("Chat"))
}

/// Replaces the list of rooms and conversations.
pub(crate) fn sidebar(sidebar: &Sidebar) -> Result<Patch, ChatError> {
    Ok(Patch::inner("#sidebar-rooms", Html::from_template(sidebar)?))
}

#[derive(Template)]
#[template(path = "chat/components/_room_link.html")]
struct RoomLink {
    link: Link,
}

/// Appends a new open room, which has no unread messages, to the list.
pub(crate) fn new_room(room: &Room) -> Result<Patch, ChatError> {
    let link = RoomLink { link: Link::of(room, &room.name) };
    Ok(Patch::append("#rooms", Html::from_template(&link)?))
}

/// Tells the new name and path of a room in the list.
pub(crate) fn renamed_in_list(room: &Room) -> Patch {
    let (room, name, path) = (room.id, &room.name, room.path());
    Patch::event("chat:renamed", json!({ "room": room, "name": name, "path": path }))
}

/// Updates the name, URL and title in windows that show the room.
pub(crate) fn renamed(room: &Room) -> Patch {
    let name = Patch::inner(format!(".room-name--{}", room.id), Html::text(&room.name));
    name.url(room.path()).title(title(&room.name))
}

/// Removes the room from the list.
pub(crate) fn room_removed(room: &Room) -> Patch {
    Patch::remove(format!("#room-link--{}", room.id))
}

/// Tells the sequence number and the author of a room's newest message. The page derives its user's
/// unread count from them.
pub(crate) fn newest(room: i64, seq: i64, author: i64) -> Patch {
    Patch::event("chat:newest", json!({ "room": room, "seq": seq, "author": author }))
}

/// Tells one user's unread counts of a room at this sequence number, after an edit or a deletion.
pub(crate) fn counted(room: i64, seq: i64, Counts { unread, mentions, .. }: Counts) -> Patch {
    let counts = json!({ "room": room, "seq": seq, "unread": unread, "mentions": mentions });
    Patch::event("chat:counted", counts)
}

/// Tells how far the user has read the room, for the user's other windows.
pub(crate) fn read_up_to(room: i64, seq: i64) -> Patch {
    Patch::event("chat:read", json!({ "room": room, "seq": seq }))
}

/// Alerts a user to a mention or a direct message. The page may show a notification.
pub(crate) fn alert(room: &Room, Message { row, author }: &Message) -> Patch {
    let alert = json!({
        "message": row.id,
        "room": room.id,
        "seq": row.seq,
        "from": author,
        "place": room.name,
        "path": message_path(row.id),
        "text": markup::plain(&row.text, EXCERPT),
    });
    Patch::event("chat:alert", alert)
}

/// Tells that a user joined or left the room.
pub(crate) fn notice(person: i64, name: &str, joined: bool) -> Patch {
    Patch::event("chat:notice", json!({ "person": person, "name": name, "joined": joined }))
}

/// The name of a user who is typing. The page makes a sentence of all of them.
pub(crate) fn typing(id: i64, name: &str) -> Html {
    Html::trusted(format!("<span data-person=\"{id}\">{}</span>", Html::text(name)))
}

#[derive(Template)]
#[template(path = "chat/components/_people.html")]
struct People<'a> {
    people: &'a [(i64, String)],
}

/// Updates the list of people in the room, and their number.
pub(crate) fn people(people: &[(i64, String)], count: usize) -> Result<[Patch; 2], ChatError> {
    let list = Html::from_template(&People { people })?;
    let count = Html::text(&count.to_string());
    Ok([Patch::inner("#people", list), Patch::inner("#people-count", count)])
}

/// Updates the number of people in a room in the list.
pub(crate) fn online(room: i64, people: usize) -> Patch {
    Patch::inner(format!("#online--{room}"), Html::text(&people.to_string()))
}

/// Updates whether a user is online, wherever the user is listed.
pub(crate) fn here(person: i64, is_here: bool) -> Result<Patch, ChatError> {
    let dot = Html::from_template(&Dot { person, is_here })?;
    Ok(Patch::replace(format!(".here--{person}"), dot))
}
