//! Editing and deleting a message.

use std::collections::HashSet;

use bellwire_site::{SiteState, Tx, User};

use super::new_message::mentioned;
use crate::forms::MessageText;
use crate::models::counts::Counts;
use crate::models::people::PERSON;
use crate::models::{Message, Room};
use crate::{ChatError, feed, fragments};

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
    let (text, state, by) = (MessageText::parse(typed)?, site.clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let (room, message) = find_message(&tx, &by, id).await?;
            if message.row.author_id != by.id {
                return Err(ChatError::NotYours);
            }
            if message.row.text == text.as_str() {
                return Ok(message);
            }
            let (mentions, before) =
                (mentioned(&tx, &room, text.as_str()).await?, message.concerns(&room));
            let edited = message.edit(&tx, state.epochs(), &text, mentions).await?;
            let changed = &before ^ &edited.concerns(&room);
            publish(&tx, state, &room, &edited, changed).await?;
            Ok(edited)
        })
        .await
}

/// Deletes one of the user's own messages or, for an administrator, anyone's.
///
/// # Errors
/// If the user may not delete the message, it was deleted, or the database fails.
pub async fn delete_message(site: &SiteState, by: &User, id: i64) -> Result<Room, ChatError> {
    let (state, by) = (site.clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let (room, message) = find_message(&tx, &by, id).await?;
            if message.row.author_id != by.id && !by.is_admin {
                return Err(ChatError::NotYours);
            }
            let concerned = message.concerns(&room);
            let deleted = message.delete(&tx, state.epochs()).await?;
            publish(&tx, state, &room, &deleted, concerned).await?;
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
    match room.admits(tx, by.id).await? {
        true => Ok((room, message)),
        // The error must not reveal that the message exists to a user who may not read it.
        false => Err(ChatError::NoMessage),
    }
}

/// Publishes the change to the room, and new unread counts to the users in `concerned`, who may
/// have another room open.
async fn publish(
    tx: &Tx,
    site: SiteState,
    room: &Room,
    message: &Message,
    concerned: HashSet<i64>,
) -> Result<(), ChatError> {
    let (feed, seq) = (feed::of(&site, room.id), message.row.changed_seq);
    let patch = fragments::current_message(message)?;
    let mut counted = Vec::new();
    for each in concerned {
        if !room.admits(tx, each).await? {
            continue; // mentioned while they were a member
        }
        let counts = Counts::of(tx, each, vec![room.id]).await?.remove(&room.id);
        counted.extend(counts.map(|counts| (each, fragments::counted(room.id, seq, counts))));
    }
    tx.on_commit(move || {
        feed.publish(seq, patch);
        for (each, patch) in counted {
            site.bellwire().layer().group(PERSON.of(each)).patch(patch);
        }
    });
    Ok(())
}
