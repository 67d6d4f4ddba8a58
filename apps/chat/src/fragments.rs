//! Typed data in, patches out. The only place in the chat that knows selectors.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use chrono::SecondsFormat;

use crate::models::Message;
use crate::models::counts::Counts;
use crate::models::room::{Kind, Room};
use crate::panel::Panel;
use crate::sidebar::{Link, Sidebar};
use crate::{ChatError, markup};

/// The list of a room's messages.
const LIST: &str = "#messages-list";
/// How much of a message is read out or shown in a notification, in characters.
const EXCERPT: usize = 120;

/// A message as the templates show it.
pub(crate) struct MessageView<'a> {
    pub(crate) id: i64,
    pub(crate) seq: i64,
    pub(crate) author_id: i64,
    pub(crate) author: &'a str,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) edited_at: Option<String>,
    /// The ids of those who are named in it, with spaces between.
    pub(crate) mentions: String,
    /// As it was typed, for the one who edits it, where that is more than what is read.
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

/// Whether this is one paragraph of nothing but the text: then it need not be sent twice.
fn is_plain(html: &Html, text: &str) -> bool {
    let inside = html.as_str().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    inside.is_some_and(|inside| inside == Html::text(text).as_str())
}

/// A message comes last.
pub(crate) fn new_message(message: &Message) -> Result<Patch, ChatError> {
    Ok(Patch::append(LIST, html(message)?))
}

/// The list shows these messages and no others.
pub(crate) fn all_messages(messages: &[Message]) -> Result<Patch, ChatError> {
    let mut list = String::new();
    for message in messages {
        list.push_str(html(message)?.as_str());
    }
    Ok(Patch::inner(LIST, Html::trusted(list)))
}

/// What happened to a message since the page knew number `since`. Nothing, when it came and went
/// meanwhile.
pub(crate) fn changed_message(message: &Message, since: i64) -> Result<Option<Patch>, ChatError> {
    let is_new = message.row.seq > since;
    match (message.row.deleted_at.is_some(), is_new) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(new_message(message)?)),
        (_, false) => Ok(Some(message_as_it_is(message)?)),
    }
}

/// A message that a page may show already, as it is now.
pub(crate) fn message_as_it_is(message: &Message) -> Result<Patch, ChatError> {
    let element = format!("#message--{}", message.row.id);
    Ok(match message.row.deleted_at {
        Some(_) => Patch::remove(element),
        None => Patch::replace(element, html(message)?),
    })
}

/// The answer to a send that made this message before: it comes last, unless it is there, or gone.
pub(crate) fn message_again(message: &Message) -> Result<Patch, ChatError> {
    match message.row.deleted_at {
        Some(_) => message_as_it_is(message),
        None => new_message(message),
    }
}

/// The answer to a send into a room that this page does not show: it was said. Nothing shows;
/// bellwire.js looks for the id.
pub(crate) fn said_elsewhere(message: &Message) -> Patch {
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

/// Another room: the page's part for it, with its address and title.
pub(crate) fn room(panel: &Panel) -> Result<Patch, ChatError> {
    let patch = Patch::inner("#room", Html::from_template(panel)?);
    Ok(patch.url(panel.path()).title(title(&panel.title)).focus("#message"))
}

/// The title of a window that shows this.
fn title(place: &str) -> String {
    format!("{place} · Bellwire")
}

/// The same for a page that has three places only, as the JSON dialect knows them.
pub(crate) fn room_in_places(panel: &Panel, messages: &[Message]) -> Result<Vec<Patch>, ChatError> {
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

/// The room that was shown is closed to this page: what to say instead.
pub(crate) fn room_closed(why: &str) -> Patch {
    let html = format!(
        "<div class=\"closed\" role=\"alert\"><p>{}</p><a class=\"button\" href=\"/chat/\">All rooms</a></div>",
        Html::text(why)
    );
    Patch::inner("#room", Html::trusted(html)).title(title("Chat"))
}

/// The list of rooms and conversations, as this person has it.
pub(crate) fn sidebar(sidebar: &Sidebar) -> Result<Patch, ChatError> {
    Ok(Patch::inner("#sidebar-rooms", Html::from_template(sidebar)?))
}

#[derive(Template)]
#[template(path = "chat/components/_room_link.html")]
struct RoomLink {
    link: Link,
}

/// A new open room, for everyone: nothing in it is unread.
pub(crate) fn new_room(room: &Room) -> Result<Patch, ChatError> {
    Ok(Patch::append(
        "#rooms",
        Html::from_template(&RoomLink { link: Link::of(room, &room.name) })?,
    ))
}

/// The room's name and address as they are now, for those who have it in their lists.
pub(crate) fn renamed_in_list(room: &Room) -> Patch {
    let (id, name, path) = (room.id, Html::text(&room.name), Html::text(&room.path()));
    let html = format!(
        "<span class=\"link__name\" id=\"room-name--{id}\" dir=\"auto\" data-path=\"{path}\">{name}</span>"
    );
    Patch::replace(format!("#room-name--{id}"), Html::trusted(html))
}

/// The same for those who look at it, wherever their windows say it.
pub(crate) fn renamed(room: &Room) -> [Patch; 3] {
    let name =
        |place: &str| Patch::inner(format!("#room-{place}--{}", room.id), Html::text(&room.name));
    [name("title").url(room.path()).title(title(&room.name)), name("label"), name("empty")]
}

/// The room is no more.
pub(crate) fn room_gone(room: &Room) -> Patch {
    Patch::remove(format!("#room-link--{}", room.id))
}

/// Where the room has got to, for those who do not look at it: the page knows what that means for
/// its person.
pub(crate) fn newest(room: i64, seq: i64, author: i64) -> Patch {
    let mark = format!(
        "<span id=\"newest--{room}\" data-seq=\"{seq}\" data-author=\"{author}\" hidden></span>"
    );
    Patch::replace(format!("#newest--{room}"), Html::trusted(mark))
}

/// What is unread to one person in a room that has got to this place, where it is not a matter of
/// what came last.
pub(crate) fn counted(room: i64, seq: i64, Counts { unread, mentions, .. }: Counts) -> Patch {
    let mark = format!(
        "<span id=\"newest--{room}\" data-seq=\"{seq}\" data-unread=\"{unread}\" data-mentions=\"{mentions}\" hidden></span>"
    );
    Patch::replace(format!("#newest--{room}"), Html::trusted(mark))
}

/// How far this person has read the room, for their other windows.
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

/// Somebody is named, or spoken to alone: the page may say so aloud.
pub(crate) fn alert(room: &Room, message: &Message) -> Result<Patch, ChatError> {
    let excerpt = markup::plain(&message.row.text, EXCERPT);
    let path = message_path(message.row.id);
    Ok(Patch::append("#alerts", Html::from_template(&Alert { room, path, message, excerpt })?))
}

/// Where a message is found by itself.
pub(crate) fn message_path(id: i64) -> String {
    format!("/chat/-/messages/{id}/")
}

/// Somebody types. The page forgets it by itself.
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

/// Who is in the room, and how many.
pub(crate) fn people(people: &[(i64, String)], count: usize) -> Result<[Patch; 2], ChatError> {
    let list = Html::from_template(&People { people })?;
    let count = Html::text(&count.to_string());
    Ok([Patch::inner("#people", list), Patch::inner("#people-count", count)])
}

/// How many are in the room, for those who see its name.
pub(crate) fn online(room: i64, people: usize) -> Patch {
    Patch::inner(format!("#online--{room}"), Html::text(&people.to_string()))
}

/// Whether somebody is here at all, for those who see their name.
pub(crate) fn here(person: i64, is_here: bool) -> Patch {
    let (state, words) = if is_here { (" data-here", "online") } else { ("", "") };
    let dot = format!(
        "<span class=\"dot\" id=\"here--{person}\"{state}><span class=\"visually-hidden\">{words}</span></span>"
    );
    Patch::replace(format!("#here--{person}"), Html::trusted(dot))
}

/// Somebody came or went.
pub(crate) fn notice(person: i64, name: &str, came: bool) -> Patch {
    let (class, words) = if came { ("joined", "joined") } else { ("left", "left") };
    let line = format!(
        "<p class=\"notice notice--{class}\" id=\"notice--{person}\" data-person=\"{person}\"><b dir=\"auto\">{}</b> {words}</p>",
        Html::text(name)
    );
    Patch::append("#notices", Html::trusted(line))
}
