//! Typed data in, patches out. The only place in the chat that knows selectors.

use askama::Template;
use bellwire::{Html, Patch};
use chrono::SecondsFormat;

use crate::ChatError;
use crate::models::Message;

/// The list of a room's messages.
const LIST: &str = "#messages-list";

/// A message as the templates show it.
pub(crate) struct MessageView<'a> {
    pub(crate) id: i64,
    pub(crate) author_id: i64,
    pub(crate) author: &'a str,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) text: &'a str,
}

#[derive(Template)]
#[template(path = "chat/components/_message.html")]
struct MessageItem<'a> {
    message: MessageView<'a>,
}

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        let row = &message.row;
        Self {
            id: row.id,
            author_id: row.author_id,
            author: &message.author,
            client_id: row.client_id.as_deref(),
            sent_at: row.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            sent_at_text: row.created_at.format("%-d %b %H:%M UTC").to_string(),
            text: &row.text,
        }
    }
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

/// What happened to a message since the page knew number `since`. Nothing, when it came and went meanwhile.
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

fn html(message: &Message) -> Result<Html, ChatError> {
    tracing::trace!(message.id = message.row.id, "Rendered message {}", message.row.id);
    Ok(Html::from_template(&MessageItem { message: message.into() })?)
}
