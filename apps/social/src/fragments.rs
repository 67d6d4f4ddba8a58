//! Renders typed data to patches. The only module of the social network that contains selectors.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use bellwire_site::{Field, Paging, User};
use chrono::SecondsFormat;

use crate::SocialError;
use crate::models::Message;

/// The list of messages, with its pagination.
const LIST: &str = "#messages__list";

/// A rendered page of the list.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) html: Html,
    pub(crate) paging: Paging,
}

/// A message, formatted for the templates.
pub(crate) struct MessageView<'a> {
    pub(crate) id: i64,
    pub(crate) author: &'a str,
    pub(crate) text: &'a str,
    /// The id of the signed-in author. The browser compares it with its own user.
    pub(crate) owner: Option<i64>,
    /// Whether the reader may edit or delete the message. In a list for everyone: whether every
    /// reader may.
    pub(crate) is_editable: bool,
    pub(crate) is_deletable: bool,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) edited_at: Option<String>,
}

impl<'a> MessageView<'a> {
    /// The message as this reader may see it; with `None`, as any reader may.
    pub(crate) fn of(message: &'a Message, reader: Option<&User>) -> Self {
        let utc =
            |time: &chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            id: message.id,
            author: &message.author,
            text: &message.text,
            owner: message.author_id,
            is_editable: message.may_be_edited_by(reader),
            is_deletable: message.may_be_deleted_by(reader),
            sent_at: utc(&message.created_at),
            sent_at_text: message.created_at.format("%-d %b %H:%M UTC").to_string(),
            edited_at: message.edited_at.as_ref().map(utc),
        }
    }
}

#[derive(Template)]
#[template(path = "social/components/_list.html")]
struct ListPart<'a> {
    messages: Vec<MessageView<'a>>,
    paging: Paging,
    /// The page number that the socket sends when it reconnects: the requested page, even if it
    /// does not exist at present.
    requested: u64,
}

impl ListPart<'_> {
    /// The previous and the next page, with their paths.
    fn neighbours(&self) -> [Option<(u64, String)>; 2] {
        [self.paging.previous(), self.paging.next()]
            .map(|page| page.map(|page| (page, path_of(page))))
    }
}

#[derive(Template)]
#[template(path = "social/components/_body.html")]
struct Body<'a> {
    message: MessageView<'a>,
}

/// The edit form of a message.
#[derive(Debug, Clone, Template)]
#[template(path = "social/components/_edit.html")]
pub(crate) struct EditForm {
    pub(crate) id: i64,
    pub(crate) author: Field,
    pub(crate) text: Field,
    /// Whether the message belongs to a signed-in author, whose name cannot be edited.
    pub(crate) is_owned: bool,
    /// The page that contains the message.
    pub(crate) page: u64,
}

impl EditForm {
    pub(crate) fn of(message: &Message, page: u64) -> Self {
        let (author, text) = (Field::typed(&*message.author), Field::typed(&*message.text));
        Self { id: message.id, author, text, is_owned: message.author_id.is_some(), page }
    }

    /// The path of the page that contains the message.
    fn path(&self) -> String {
        path_of(self.page)
    }
}

/// Renders a page of the list for windows on page `requested`. Without a `reader` it is the same
/// for everyone; over HTTP it is rendered for one reader.
pub(crate) fn list(
    messages: &[Message],
    paging: Paging,
    requested: u64,
    reader: Option<&User>,
) -> Result<Html, SocialError> {
    let messages = messages.iter().map(|message| MessageView::of(message, reader)).collect();
    Ok(Html::from_template(&ListPart { messages, paging, requested })?)
}

/// Replaces the list, without a new address.
pub(crate) fn refreshed(list: &List) -> Patch {
    Patch::inner(LIST, list.html.clone())
}

/// Replaces the list with a requested page, and sets its address and title.
pub(crate) fn page(list: &List) -> Patch {
    refreshed(list)
        .url(path_of(list.paging.page()))
        .title(format!("{} · Bellwire", title_of(list.paging.page())))
}

/// As [`page`], and moves the keyboard focus to the list.
pub(crate) fn focused_page(list: &List) -> Patch {
    page(list).focus(LIST)
}

/// The path of a page.
pub(crate) fn path_of(page: u64) -> String {
    match page {
        1 => "/social/".to_owned(),
        page => format!("/social/?page={page}"),
    }
}

/// The title of a page.
pub(crate) fn title_of(page: u64) -> String {
    match page {
        1 => "Social network".to_owned(),
        page => format!("Social network, page {page}"),
    }
}

/// Replaces a message with its edit form.
pub(crate) fn edit(form: &EditForm) -> Result<Patch, SocialError> {
    Ok(Patch::inner(element(form.id), Html::from_template(form)?))
}

/// Replaces an edit form with its message.
pub(crate) fn message(message: &Message) -> Result<Patch, SocialError> {
    let message = MessageView::of(message, None);
    Ok(Patch::inner(element(message.id), Html::from_template(&Body { message })?))
}

/// Removes a deleted message.
pub(crate) fn removed(id: i64) -> Patch {
    Patch::remove(element(id))
}

fn element(id: i64) -> String {
    format!("#message--{id}")
}

#[derive(Template)]
#[template(path = "social/components/_changed.html")]
struct Changed<'a> {
    message: &'a Message,
}

/// A note in an open edit form: someone else has changed the message.
pub(crate) fn note_changed(message: &Message) -> Result<Patch, SocialError> {
    Ok(note(message.id, Html::from_template(&Changed { message })?))
}

/// A note in an open edit form: someone else has deleted the message.
pub(crate) fn note_deleted(id: i64) -> Patch {
    note(id, Html::text("Someone else has deleted this message. Your text is still here."))
}

fn note(id: i64, html: Html) -> Patch {
    Patch::inner(format!("#note--{id}"), html)
}
