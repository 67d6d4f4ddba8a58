//! Somebody changes what was said, or takes it back.

use bellwire_site::{SiteState, Tx, User};

use super::new_message::mentioned;
use crate::forms::MessageText;
use crate::models::{Message, Room};
use crate::{ChatError, fragments};

/// Gives a message of one's own another text.
///
/// # Errors
/// What is wrong with the text, that the message is not theirs or gone, or why it could not be written.
pub async fn edit_message(site: &SiteState, by: &User, id: i64, typed: &str) -> Result<Message, ChatError> {
    let (text, by) = (MessageText::parse(typed)?, by.clone());
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            let (room, message) = found(&tx, &by, id).await?;
            if message.row.author_id != by.id {
                return Err(ChatError::NotYours);
            }
            if message.row.text == text.as_str() {
                return Ok(message);
            }
            let mentions = mentioned(&tx, &room, text.as_str()).await?;
            let edited = message.edit(&tx, &text, mentions).await?;
            publish(&tx, room.feed(&layer), &edited)?;
            Ok(edited)
        })
        .await
}

/// Takes a message back: one's own, or, as an administrator, anybody's.
///
/// # Errors
/// That the message is not theirs or gone, or why it could not be written.
pub async fn delete_message(site: &SiteState, by: &User, id: i64) -> Result<Room, ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let (room, message) = found(&tx, &by, id).await?;
            if message.row.author_id != by.id && !by.is_admin {
                return Err(ChatError::NotYours);
            }
            let deleted = message.delete(&tx).await?;
            publish(&tx, room.feed(&layer), &deleted)?;
            Ok(room)
        })
        .await
}

/// The message as it is now, for somebody who may read it.
async fn found(tx: &Tx, by: &User, id: i64) -> Result<(Room, Message), ChatError> {
    let message = Message::by_id(tx, id).await?.ok_or(ChatError::NoMessage)?;
    // First the lock, then the look: nobody changes it in between.
    Room::lock(tx, message.row.room_id).await?;
    let message = Message::by_id(tx, id).await?.ok_or(ChatError::NoMessage)?;
    let room = Room::by_id(tx, message.row.room_id).await?.ok_or(ChatError::NoRoom)?;
    // Who may not read it does not learn that it is there.
    room.admit(tx, by.id).await.map_err(|_| ChatError::NoMessage)?;
    Ok((room, message))
}

fn publish(tx: &Tx, feed: bellwire::Group<crate::Event>, message: &Message) -> Result<(), ChatError> {
    let (seq, patch) = (message.row.changed_seq.cast_unsigned(), fragments::message_as_it_is(message)?);
    tx.on_commit(move || feed.publish(seq, patch));
    Ok(())
}
