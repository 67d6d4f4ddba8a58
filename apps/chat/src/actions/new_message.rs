//! Somebody says something.

use bellwire_site::{SiteState, Tx, User};

use crate::forms::{ClientId, MessageText};
use crate::models::Room;
use crate::models::message::{Message, NewMessage, Written};
use crate::{ChatError, fragments};

/// What was typed, and the sender's own id for it.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Asked {
    /// The text.
    pub message: String,
    /// An id of the sender's making: a repeated send with it is the same message.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Writes the message; when this returns it is on disk and on its way to everyone in the room.
///
/// # Errors
/// What is wrong with the text, or why it could not be written.
pub async fn new_message(
    site: &SiteState,
    room: &Room,
    author: &User,
    asked: Asked,
) -> Result<Written, ChatError> {
    let new = NewMessage {
        room_id: room.id,
        author_id: author.id,
        author: author.name.clone(),
        text: MessageText::parse(&asked.message)?,
        client_id: ClientId::parse(asked.client_id.as_deref())?,
    };
    let feed = room.feed(site.bellwire().layer());
    site.db()
        .write(async move |tx: Tx| {
            let written = Message::write(&tx, new).await?;
            if let Written::New(message) = &written {
                let (seq, patch) = (message.row.seq.cast_unsigned(), fragments::new_message(message)?);
                // In the order of the commits, so that nobody has to catch up with what is only a moment away.
                tx.on_commit(move || feed.publish(seq, patch));
            }
            Ok(written)
        })
        .await
}
