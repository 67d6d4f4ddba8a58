//! Changes a message.

use bellwire_site::bellwire::{ActionData, serde::lenient_int};
use bellwire_site::{SiteState, Tx};
use serde::Deserialize;

use crate::forms::{Author, MessageText};
use crate::models::{Changes, Message};
use crate::{SocialError, Visitor, fragments, updates};

/// The fields of the edit form, as submitted.
#[derive(Debug, Default, Deserialize, ActionData)]
pub struct Edit {
    /// The id of the message.
    #[serde(deserialize_with = "lenient_int")]
    pub id: i64,
    /// The author's name. Ignored if the message belongs to a signed-in author.
    pub author: String,
    /// The new text.
    pub text: String,
}

/// Changes the message. A repeated edit changes nothing, and the name on a message of a signed-in
/// author never changes.
///
/// # Errors
/// An invalid field, [`SocialError::NotYours`], [`SocialError::NoMessage`], an exceeded rate limit,
/// or a database error.
pub async fn update_message(
    site: &SiteState,
    by: &Visitor,
    edit: Edit,
) -> Result<Message, SocialError> {
    let (author, text) = (Author::parse(&edit.author), MessageText::parse(&edit.text)?);
    by.count_write(site)?;
    let (site_for_update, by, at) = (site.clone(), by.clone(), site.clock().date());
    site.db()
        .write(async move |tx: Tx| {
            Changes::lock(&tx).await?;
            let message = Message::find(&tx, edit.id).await?;
            if !message.may_be_edited_by(by.user.as_ref()) {
                return Err(SocialError::NotYours);
            }
            let author = match message.author_id {
                Some(_) => Author::known(&message.author),
                None => author?,
            };
            if (&*message.author, &*message.text) == (author.as_str(), text.as_str()) {
                return Ok(message);
            }
            let message = message.edit(&tx, &author, &text, at).await?;
            let seq = Changes::next(&tx).await?;
            let note = fragments::note_changed(&message)?;
            tx.on_commit(move || {
                updates::notify_editors(&site_for_update, edit.id, by.window, note);
                updates::publish(&site_for_update, seq);
            });
            Ok(message)
        })
        .await
}
