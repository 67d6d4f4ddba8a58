//! Adds a message.

use bellwire_site::bellwire::{ActionData, IdempotencyKey};
use bellwire_site::{SiteState, Tx};
use serde::Deserialize;

use crate::forms::MessageText;
use crate::models::{Changes, Message, NewMessage};
use crate::{SocialError, Visitor, updates};

/// The fields of a new message, as submitted.
#[derive(Debug, Default, Deserialize, ActionData)]
pub struct Draft {
    /// The author's name. Ignored if the sender is signed in.
    pub author: String,
    /// The text.
    pub text: String,
    /// The idempotency key, chosen by the client: a repeated send with it adds no second message.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Stores the message. When this returns, it is committed and every window is about to be notified.
///
/// # Errors
/// An invalid field, an exceeded rate limit, or a database error.
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
    by.count_write(site)?;
    let site_for_update = site.clone();
    site.db()
        .write(async move |tx: Tx| {
            // Lock before the lookup: two concurrent sends with one key must add one message.
            Changes::lock(&tx).await?;
            if let Some(id) = &new.client_id
                && let Some(existing) = Message::sent_as(&tx, id).await?
            {
                return Ok(existing);
            }
            let message = Message::write(&tx, new).await?;
            let seq = Changes::next(&tx).await?;
            tx.on_commit(move || updates::publish(&site_for_update, seq));
            Ok(message)
        })
        .await
}
