//! Somebody changes what was said, or takes it back.

use std::collections::HashSet;

use bellwire_site::bellwire::Layer;
use bellwire_site::{SiteState, Tx, User};

use super::new_message::mentioned;
use crate::forms::MessageText;
use crate::models::counts::Counts;
use crate::models::room::person;
use crate::models::{Message, Room};
use crate::{ChatError, fragments};

/// Gives a message of one's own another text.
///
/// # Errors
/// What is wrong with the text, that the message is not theirs or gone, or why it could not be
/// written.
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
            let (room, message) = found(&tx, &by, id).await?;
            if message.row.author_id != by.id {
                return Err(ChatError::NotYours);
            }
            if message.row.text == text.as_str() {
                return Ok(message);
            }
            let mentions = mentioned(&tx, &room, text.as_str()).await?;
            let (before, after) =
                (named(&message), mentions.iter().map(|mention| mention.user_id).collect());
            let edited = message.edit(&tx, &text, mentions).await?;
            let concerned = before.symmetric_difference(&after).copied();
            publish(&tx, layer, &room, &edited, concerned.collect()).await?;
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
            let other = room.other_than(message.row.author_id);
            let concerned = named(&message).into_iter().chain(other).collect();
            let deleted = message.delete(&tx).await?;
            publish(&tx, layer, &room, &deleted, concerned).await?;
            Ok(room)
        })
        .await
}

/// The message as it is now, for somebody who may read it.
async fn found(tx: &Tx, by: &User, id: i64) -> Result<(Room, Message), ChatError> {
    let message = Message::by_id(tx, id).await?.ok_or(ChatError::NoMessage)?;
    // First the lock, then the look: nobody changes it in between.
    let room = Room::lock(tx, message.row.room_id).await?;
    let message = Message::by_id(tx, id).await?.ok_or(ChatError::NoMessage)?;
    // Who may not read it does not learn that it is there.
    room.admit(tx, by.id).await.map_err(|_| ChatError::NoMessage)?;
    Ok((room, message))
}

fn named(message: &Message) -> HashSet<i64> {
    message.mentions().into_iter().map(|mention| mention.user_id).collect()
}

/// Tells everyone in the room, and those whose count of what is unread it changes: they may be
/// elsewhere.
async fn publish(
    tx: &Tx,
    layer: Layer,
    room: &Room,
    message: &Message,
    concerned: HashSet<i64>,
) -> Result<(), ChatError> {
    let (feed, seq) = (room.feed(&layer), message.row.changed_seq);
    let patch = fragments::message_as_it_is(message)?;
    let mut counted = Vec::new();
    for each in concerned.into_iter().filter(|each| *each != message.row.author_id) {
        if !room.admits(tx, each).await? {
            continue; // named while they belonged here
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
