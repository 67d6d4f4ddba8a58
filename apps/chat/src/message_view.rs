//! A message as the templates show it: the same for everyone, the author included.

use bellwire_site::bellwire::Html;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::markup;
use crate::models::Message;

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

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        let (row, mentions) = (&message.row, message.mentions());
        let html = markup::render(&row.text, &mentions);
        let ids = mentions.iter().map(|mention| mention.user_id.to_string());
        let utc = |time: &DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
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

/// Returns the permanent path of a message.
pub(crate) fn message_path(id: i64) -> String {
    format!("/chat/-/messages/{id}/")
}
