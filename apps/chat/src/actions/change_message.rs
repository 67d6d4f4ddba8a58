//! Editing and deleting a message.

use std::collections::HashSet;

use bellwire_site::bellwire::Layer;
use bellwire_site::{SiteState, Tx, User};

use super::new_message::mentioned;
use crate::forms::MessageText;
use crate::models::counts::Counts;
use crate::models::room::person;
use crate::models::{Message, Room};
use crate::{ChatError, fragments};

/// Changes the text of one of the user's own messages.
///
/// # Errors
/// If the text is invalid, the message is another user's or was deleted, or the database fails.
pub async fn edit_message(
    site: &SiteState,
    by: &User,
    id: i64,
    typed: &str,
) -> Result<Message, ChatError> {
    let (text, by) = (MessageText::parse(typed)?, by.clone());
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            let (room, message) = find_message(&tx, &by, id).await?;
            if message.row.author_id != by.id {
                return Err(ChatError::NotYours);
            }
            if message.row.text == text.as_str() {
                return Ok(message);
            }
            let mentions = mentioned(&tx, &room, text.as_str()).await?;
            let (before, after) =
                (mentioned_ids(&message), mentions.iter().map(|mention| mention.user_id).collect());
            let edited = message.edit(&tx, &text, mentions).await?;
            let concerned = before.symmetric_difference(&after).copied();
            publish(&tx, layer, &room, &edited, concerned.collect()).await?;
            Ok(edited)
        })
        .await
}

/// Deletes one of the user's own messages or, for an administrator, anyone's.
///
/// # Errors
/// If the user may not delete the message, it was deleted, or the database fails.
pub async fn delete_message(site: &SiteState, by: &User, id: i64) -> Result<Room, ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let (room, message) = find_message(&tx, &by, id).await?;
            if message.row.author_id != by.id && !by.is_admin {
                return Err(ChatError::NotYours);
            }
            let other = room.other_than(message.row.author_id);
            let concerned = mentioned_ids(&message).into_iter().chain(other).collect();
            let deleted = message.delete(&tx).await?;
            publish(&tx, layer, &room, &deleted, concerned).await?;
            Ok(room)
        })
        .await
}

/// Locks the message's room and returns the message as it is now, if the user may read it.
async fn find_message(tx: &Tx, by: &User, id: i64) -> Result<(Room, Message), ChatError> {
    let message = Message::by_id(tx, id).await?.ok_or(ChatError::NoMessage)?;
    // Read again under the lock, so that nobody changes the message in between.
    let room = Room::lock(tx, message.row.room_id).await?;
    let message = Message::by_id(tx, id).await?.ok_or(ChatError::NoMessage)?;
    // The error must not reveal that the message exists to a user who may not read it.
    room.admit(tx, by.id).await.map_err(|_| ChatError::NoMessage)?;
    Ok((room, message))
}

fn mentioned_ids(message: &Message) -> HashSet<i64> {
    message.mentions().into_iter().map(|mention| mention.user_id).collect()
}

/// Publishes the change to the room, and new unread counts to the users in `concerned`, who may
/// have another room open.
async fn publish(
    tx: &Tx,
    layer: Layer,
    room: &Room,
    message: &Message,
    concerned: HashSet<i64>,
) -> Result<(), ChatError> {
    let (feed, seq) = (room.feed(&layer), message.row.changed_seq);
    let patch = fragments::current_message(message)?;
    let mut counted = Vec::new();
    for each in concerned.into_iter().filter(|each| *each != message.row.author_id) {
        if !room.admits(tx, each).await? {
            continue; // mentioned while they were a member
        }
        let counts = Counts::of(tx, each, vec![room.id]).await?.remove(&room.id);
        counted.extend(counts.map(|counts| (each, fragments::counted(room.id, seq, counts))));
    }
    tx.on_commit(move || {
        feed.publish(seq.cast_unsigned(), patch);
        for (each, patch) in counted {
            person(&layer, each).patch(patch);
        }
    });
    Ok(())
}
