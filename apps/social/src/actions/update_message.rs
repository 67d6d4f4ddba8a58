//! Somebody gives a message another text.

use bellwire_site::{SiteState, Tx};

use crate::forms::{Author, MessageText};
use crate::models::{Changes, Message};
use crate::{SocialError, Visitor, fragments, news};

/// What was typed into the form of a message.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Edit {
    /// Which message.
    #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
    pub id: i64,
    /// The name above it.
    pub author: String,
    /// What it is to say.
    pub text: String,
    /// An id of the sender's making, by which the page knows the answer. To do it twice is to do it
    /// once.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Changes the message. Of one that belongs to somebody the name stays theirs.
///
/// # Errors
/// What is wrong with it, that it is somebody else's or gone, that too much comes from there, or
/// why it could not be written.
pub async fn update_message(
    site: &SiteState,
    by: &Visitor,
    edit: Edit,
) -> Result<Message, SocialError> {
    let (author, text) = (Author::parse(&edit.author), MessageText::parse(&edit.text)?);
    by.writes(site)?;
    let (site_of_news, by, at) = (site.clone(), by.clone(), site.clock().date());
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
            let note = fragments::changed_meanwhile(&message)?;
            tx.on_commit(move || {
                news::tell_editors(&site_of_news, edit.id, by.window, note);
                news::tell(&site_of_news, seq);
            });
            Ok(message)
        })
        .await
}
