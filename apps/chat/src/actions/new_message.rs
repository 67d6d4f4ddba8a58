//! Sending a message.

use bellwire_site::bellwire::serde::lenient_option_int;
use bellwire_site::bellwire::{ActionData, IdempotencyKey, Patch};
use bellwire_site::{SiteState, Tx, User};

use crate::forms::MessageText;
use crate::markup::Mention;
use crate::models::message::{Message, NewMessage};
use crate::models::people::PERSON;
use crate::models::{Room, mention};
use crate::{ChatError, feed, fragments, markup, room_updates};

/// The data of a `New message` action, and the form of the composer.
#[derive(Debug, Default, serde::Deserialize, ActionData)]
#[serde(default)]
pub struct NewMessageData {
    /// The text as typed. A missing one is handled like an empty one.
    pub message: String,
    /// The id of the room that the text was typed in, if the page states it. When the text arrives,
    /// the window may show another room, and another room may have the path.
    #[serde(deserialize_with = "lenient_option_int")]
    pub room: Option<i64>,
    /// The idempotency key: a repeated send with the same key is the same message.
    pub client_id: Option<String>,
}

/// Writes the message, unless an earlier send has. When this returns, it is committed and published
/// to the room.
///
/// # Errors
/// If the text is invalid, the author may not write in this room, or the database fails.
pub async fn new_message(
    site: &SiteState,
    room: i64,
    author: &User,
    data: NewMessageData,
) -> Result<(), ChatError> {
    let text = MessageText::parse(&data.message)?;
    let client_id = IdempotencyKey::parse(data.client_id.as_deref())?;
    let (state, author) = (site.clone(), author.clone());
    site.db()
        .write(async move |tx: Tx| {
            // The lock keeps the room from being closed, renamed or deleted until the commit.
            let room = Room::lock(&tx, room).await?;
            room.admit(&tx, author.id).await?;
            let mentions = mentioned(&tx, &room, text.as_str()).await?;
            let new = NewMessage {
                room_id: room.id,
                author_id: author.id,
                author: author.name,
                text,
                client_id,
                mentions,
                at: chrono::Utc::now(),
            };
            if let Some(message) = Message::write(&tx, state.epochs(), new).await? {
                // Rendered before the commit, so that nothing can fail after it.
                let patch = fragments::new_message(&message)?;
                // Publishing in the order of the commits keeps subscribers from seeing gaps and
                // catching up without need.
                tx.on_commit(move || publish(&state, room, &message, patch));
            }
            Ok(())
        })
        .await
}

/// Returns the users who are mentioned in a text and may read the room.
pub(crate) async fn mentioned(tx: &Tx, room: &Room, text: &str) -> Result<Vec<Mention>, ChatError> {
    let people = mention::people(tx, markup::candidates(text)).await?;
    let mut mentioned = Vec::new();
    for person in people {
        if room.admits(tx, person.user_id).await? {
            mentioned.push(person);
        }
    }
    Ok(mentioned)
}

/// Publishes a new message to its room, alerts the users whom it concerns, and updates the lists of
/// rooms.
fn publish(site: &SiteState, room: Room, message: &Message, patch: Patch) {
    let (seq, author) = (message.row.seq, message.row.author_id);
    feed::of(site, room.id).publish(seq, patch);
    for person in message.concerns(&room) {
        let windows = site.bellwire().layer().group(PERSON.of(person));
        windows.patch(fragments::alert(&room, message));
    }
    room_updates::notify(site, room, seq, author);
}
