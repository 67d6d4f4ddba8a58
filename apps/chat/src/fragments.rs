//! Rendering of patches from typed data. No other module of the chat contains selectors.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use chrono::SecondsFormat;

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

/// A message prepared for the templates.
pub(crate) struct MessageView<'a> {
    pub(crate) id: i64,
    pub(crate) seq: i64,
    pub(crate) author_id: i64,
    pub(crate) author: &'a str,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) edited_at: Option<String>,
    /// The ids of the mentioned users, separated by spaces.
    pub(crate) mentions: String,
    /// The text as typed, for editing, if it differs from the rendered text.
    pub(crate) source: Option<&'a str>,
    pub(crate) html: Html,
}

#[derive(Template)]
#[template(path = "chat/components/_message.html")]
struct MessageItem<'a> {
    message: MessageView<'a>,
}

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        let (row, mentions) = (&message.row, message.mentions());
        let html = markup::render(&row.text, &mentions);
        let ids = mentions.iter().map(|mention| mention.user_id.to_string());
        let utc =
            |time: &chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            id: row.id,
            seq: row.seq,
            author_id: row.author_id,
            author: &message.author,
            client_id: row.client_id.as_deref(),
            sent_at: utc(&row.created_at),
            sent_at_text: row.created_at.format("%-d %b %H:%M UTC").to_string(),
            edited_at: row.edited_at.as_ref().map(utc),
            mentions: ids.collect::<Vec<_>>().join(" "),
            source: (!is_plain(&html, &row.text)).then_some(row.text.as_str()),
            html,
        }
    }
}

/// Returns whether the HTML is one paragraph of the unchanged text. Then the source is not sent as
/// well.
fn is_plain(html: &Html, text: &str) -> bool {
    let inside = html.as_str().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    inside.is_some_and(|inside| inside == Html::text(text).as_str())
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

/// Responds to a repeated send of an existing message: appends it unless the page shows it or it
/// was deleted.
pub(crate) fn message_again(message: &Message) -> Result<Patch, ChatError> {
    match message.row.deleted_at {
        Some(_) => current_message(message),
        None => new_message(message),
    }
}

/// Confirms a send to a room that this page does not show. The element is hidden; bellwire.js reads
/// the `client_id`.
pub(crate) fn sent_elsewhere(message: &Message) -> Patch {
    let id = message.row.client_id.as_deref().unwrap_or_default();
    let mark = format!(
        "<span id=\"said--{}\" data-client-id=\"{}\" hidden></span>",
        message.row.id,
        Html::text(id)
    );
    Patch::append("#alerts", Html::trusted(mark))
}

fn html(message: &Message) -> Result<Html, ChatError> {
    tracing::trace!(id = message.row.id, "Rendered message");
    Ok(Html::from_template(&MessageItem { message: message.into() })?)
}

/// Shows another room: its panel, with the page's URL and title.
pub(crate) fn room(panel: &Panel) -> Result<Patch, ChatError> {
    let patch = Patch::inner("#room", Html::from_template(panel)?);
    Ok(patch.url(panel.path()).title(title(&panel.title)).focus("#message"))
}

/// Returns the title of a window that shows this.
fn title(place: &str) -> String {
    format!("{place} · Bellwire")
}

/// Shows another room in the JSON dialect, whose pages have only three elements to update.
pub(crate) fn room_for_json(panel: &Panel, messages: &[Message]) -> Result<Vec<Patch>, ChatError> {
    let name = match panel.kind {
        Kind::Direct => panel.title.clone(),
        _ => format!("#{}", panel.title),
    };
    Ok(vec![
        Patch::inner("#group-name", Html::text(&name)).url(panel.path()),
        all_messages(messages)?,
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
    Ok(Patch::append(
        "#rooms",
        Html::from_template(&RoomLink { link: Link::of(room, &room.name) })?,
    ))
}

/// Updates the room's name and path in the list.
pub(crate) fn renamed_in_list(room: &Room) -> Patch {
    let (id, name, path) = (room.id, Html::text(&room.name), Html::text(&room.path()));
    let html = format!(
        "<span class=\"link__name\" id=\"room-name--{id}\" dir=\"auto\" \
         data-path=\"{path}\">{name}</span>"
    );
    Patch::replace(format!("#room-name--{id}"), Html::trusted(html))
}

/// Updates the name, URL and title in windows that show the room.
pub(crate) fn renamed(room: &Room) -> [Patch; 3] {
    let name =
        |place: &str| Patch::inner(format!("#room-{place}--{}", room.id), Html::text(&room.name));
    [name("title").url(room.path()).title(title(&room.name)), name("label"), name("empty")]
}

/// Removes the room from the list.
pub(crate) fn room_removed(room: &Room) -> Patch {
    Patch::remove(format!("#room-link--{}", room.id))
}

/// Publishes the sequence number and author of a room's newest message. The page derives its user's
/// unread count from them.
pub(crate) fn newest(room: i64, seq: i64, author: i64) -> Patch {
    let mark = format!(
        "<span id=\"newest--{room}\" data-seq=\"{seq}\" data-author=\"{author}\" hidden></span>"
    );
    Patch::replace(format!("#newest--{room}"), Html::trusted(mark))
}

/// Publishes one user's unread counts of a room at this sequence number, after an edit or a
/// deletion.
pub(crate) fn counted(room: i64, seq: i64, Counts { unread, mentions, .. }: Counts) -> Patch {
    let mark = format!(
        "<span id=\"newest--{room}\" data-seq=\"{seq}\" data-unread=\"{unread}\" \
         data-mentions=\"{mentions}\" hidden></span>"
    );
    Patch::replace(format!("#newest--{room}"), Html::trusted(mark))
}

/// Updates how far the user has read the room, in the user's other windows.
pub(crate) fn read_up_to(room: i64, seq: i64) -> Patch {
    let mark = format!("<span id=\"read--{room}\" data-seq=\"{seq}\" hidden></span>");
    Patch::replace(format!("#read--{room}"), Html::trusted(mark))
}

#[derive(Template)]
#[template(path = "chat/components/_alert.html")]
struct Alert<'a> {
    room: &'a Room,
    path: String,
    message: &'a Message,
    excerpt: String,
}

/// Alerts a user to a mention or a direct message. The page may show a notification.
pub(crate) fn alert(room: &Room, message: &Message) -> Result<Patch, ChatError> {
    let excerpt = markup::plain(&message.row.text, EXCERPT);
    let path = message_path(message.row.id);
    Ok(Patch::append("#alerts", Html::from_template(&Alert { room, path, message, excerpt })?))
}

/// Returns the permanent path of a message.
pub(crate) fn message_path(id: i64) -> String {
    format!("/chat/-/messages/{id}/")
}

/// Shows that a user is typing. The page removes it after a timeout.
pub(crate) fn typing(id: i64, name: &str) -> Patch {
    let mark =
        format!("<span id=\"typing--{id}\" data-person=\"{id}\">{}</span>", Html::text(name));
    Patch::append("#typing", Html::trusted(mark))
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
pub(crate) fn here(person: i64, is_here: bool) -> Patch {
    let (state, words) = if is_here { (" data-here", "online") } else { ("", "") };
    let dot = format!(
        "<span class=\"dot\" id=\"here--{person}\"{state}>\
         <span class=\"visually-hidden\">{words}</span></span>"
    );
    Patch::replace(format!("#here--{person}"), Html::trusted(dot))
}

/// Shows that a user joined or left the room.
pub(crate) fn notice(person: i64, name: &str, joined: bool) -> Patch {
    let (class, words) = if joined { ("joined", "joined") } else { ("left", "left") };
    let line = format!(
        "<p class=\"notice notice--{class}\" id=\"notice--{person}\" \
         data-person=\"{person}\"><b dir=\"auto\">{}</b> {words}</p>",
        Html::text(name)
    );
    Patch::append("#notices", Html::trusted(line))
}
