//! Typed data in, patches out. The only place in the social network that knows selectors.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use bellwire_site::{Field, Paging, User};
use chrono::SecondsFormat;

use crate::SocialError;
use crate::board::List;
use crate::models::Message;

/// The list of messages with the way to its other pages.
const LIST: &str = "#messages__list";
/// What is said to the one who asked, and need not be seen.
const SAID: &str = "#messages__said";

/// A message as the templates show it.
pub(crate) struct MessageView<'a> {
    pub(crate) id: i64,
    pub(crate) author: &'a str,
    pub(crate) text: &'a str,
    /// Whose it is. The browser knows whether that is me.
    pub(crate) owner: Option<i64>,
    /// Whether whoever reads this may edit or delete it, as far as that is the same for all who
    /// read it.
    pub(crate) is_editable: bool,
    pub(crate) is_deletable: bool,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) edited_at: Option<String>,
}

impl<'a> MessageView<'a> {
    /// As this one person may see it, or everybody.
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
    /// Where the page is, as its socket says when it comes back: the page that was asked for, be it
    /// gone for a while.
    place: u64,
}

impl ListPart<'_> {
    /// The pages before and after, with where they are.
    fn beside(&self) -> [Option<(u64, String)>; 2] {
        [self.paging.previous(), self.paging.next()]
            .map(|page| page.map(|page| (page, path_of(page))))
    }
}

#[derive(Template)]
#[template(path = "social/components/_body.html")]
struct Body<'a> {
    message: MessageView<'a>,
}

/// The form that changes a message.
#[derive(Debug, Clone, Template)]
#[template(path = "social/components/_edit.html")]
pub(crate) struct EditForm {
    pub(crate) id: i64,
    pub(crate) author: Field,
    pub(crate) text: Field,
    /// Whether the name above it is a person's, which stays.
    pub(crate) is_owned: bool,
    /// The page on which it stands.
    pub(crate) page: u64,
}

impl EditForm {
    pub(crate) fn of(message: &Message, page: u64) -> Self {
        let (author, text) = (Field::typed(&*message.author), Field::typed(&*message.text));
        Self { id: message.id, author, text, is_owned: message.author_id.is_some(), page }
    }

    /// Where the message stands.
    fn path(&self) -> String {
        path_of(self.page)
    }
}

/// A page of the list for those who are on page `place`: the same for everyone, or, by HTTP, as
/// this one person may see it.
pub(crate) fn list(
    messages: &[Message],
    paging: Paging,
    place: u64,
    reader: Option<&User>,
) -> Result<Html, SocialError> {
    let messages = messages.iter().map(|message| MessageView::of(message, reader)).collect();
    Ok(Html::from_template(&ListPart { messages, paging, place })?)
}

/// The list as it is now.
pub(crate) fn refreshed(list: &List) -> Patch {
    Patch::inner(LIST, list.html.clone())
}

/// Another page, with its address: for the one who asked for it.
pub(crate) fn turned(list: &List) -> Patch {
    refreshed(list)
        .url(path_of(list.paging.page()))
        .title(format!("{} · Bellwire", title_of(list.paging.page())))
}

/// The same, and what is read next begins there.
pub(crate) fn turned_to(list: &List) -> Patch {
    turned(list).focus(LIST)
}

/// Where a page is.
pub(crate) fn path_of(page: u64) -> String {
    match page {
        1 => "/social/".to_owned(),
        page => format!("/social/?page={page}"),
    }
}

/// What a page is called.
pub(crate) fn title_of(page: u64) -> String {
    match page {
        1 => "Social network".to_owned(),
        page => format!("Social network, page {page}"),
    }
}

/// A message in a form, where it stood.
pub(crate) fn edit(form: &EditForm) -> Result<Patch, SocialError> {
    Ok(Patch::inner(element(form.id), Html::from_template(form)?))
}

/// A message to be read, in place of its form.
pub(crate) fn message(message: &Message) -> Result<Patch, SocialError> {
    let message = MessageView::of(message, None);
    Ok(Patch::inner(element(message.id), Html::from_template(&Body { message })?))
}

/// A message that is not there any more.
pub(crate) fn gone(id: i64) -> Patch {
    Patch::remove(element(id))
}

fn element(id: i64) -> String {
    format!("#message--{id}")
}

/// The answer to an ask that a page keeps until it is answered.
pub(crate) fn said(client_id: &str, words: &str) -> Patch {
    let html =
        format!("<span data-client-id=\"{}\">{}</span>", Html::text(client_id), Html::text(words));
    Patch::inner(SAID, Html::trusted(html))
}

#[derive(Template)]
#[template(path = "social/components/_changed.html")]
struct Changed<'a> {
    message: &'a Message,
}

/// Somebody has changed what is being edited here.
pub(crate) fn changed_meanwhile(message: &Message) -> Result<Patch, SocialError> {
    Ok(note(message.id, Html::from_template(&Changed { message })?))
}

/// Somebody has taken away what is being edited here.
pub(crate) fn gone_meanwhile(id: i64) -> Patch {
    note(
        id,
        Html::text("Somebody has deleted this message meanwhile. What you wrote is still here."),
    )
}

fn note(id: i64, html: Html) -> Patch {
    Patch::inner(format!("#note--{id}"), html)
}
