//! Somebody says something.

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::{SiteState, Tx};

use crate::forms::MessageText;
use crate::models::{Changes, Message, NewMessage};
use crate::{SocialError, Visitor, news};

/// What was typed, and the sender's own id for it.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Draft {
    /// The name above it.
    pub author: String,
    /// What it says.
    pub text: String,
    /// An id of the sender's making: a repeated send with it is the same message.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Writes the message; when this returns it is on disk, and every window is about to be told.
///
/// # Errors
/// What is wrong with it, that too much comes from there, or why it could not be written.
pub async fn add_message(
    site: &SiteState,
    by: &Visitor,
    draft: Draft,
) -> Result<Message, SocialError> {
    let new = NewMessage {
        author_id: by.user.as_ref().map(|user| user.id),
        author: by.author(&draft.author)?,
        text: MessageText::parse(&draft.text)?,
        client_id: IdempotencyKey::parse(draft.client_id.as_deref())?,
        at: site.clock().date(),
    };
    by.writes(site)?;
    let told = site.clone();
    site.db()
        .write(async move |tx: Tx| {
            // First the lock, then the look: two equal sends at once are one message.
            Changes::lock(&tx).await?;
            if let Some(id) = &new.client_id
                && let Some(before) = Message::sent_as(&tx, id).await?
            {
                return Ok(before);
            }
            let message = Message::write(&tx, new).await?;
            let seq = Changes::next(&tx).await?;
            tx.on_commit(move || news::tell(&told, seq));
            Ok(message)
        })
        .await
}
