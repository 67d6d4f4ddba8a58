//! Sending a message.

use bellwire_site::bellwire::{IdempotencyKey, Layer};
use bellwire_site::{SiteState, Tx, User};

use crate::forms::MessageText;
use crate::markup::Mention;
use crate::models::mention;
use crate::models::message::{Message, NewMessage, Written};
use crate::models::room::{Kind, Room, person};
use crate::{ChatError, fragments, markup, room_updates};

/// The data of a `New message` action.
#[derive(Debug, Default, serde::Deserialize)]
pub struct NewMessageData {
    /// The text as typed.
    pub message: String,
    /// The id of the room that the text was typed in, if the page states it. The action may arrive
    /// after the window has switched to another room.
    #[serde(default, deserialize_with = "bellwire_site::bellwire::serde::lenient_option_int")]
    pub room: Option<i64>,
    /// The idempotency key: a repeated send with the same key is the same message.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Writes the message. When this returns, the message is committed and published to the room.
///
/// # Errors
/// If the text is invalid, the author may not write in this room, or the database fails.
pub async fn new_message(
    site: &SiteState,
    room: &Room,
    author: &User,
    data: NewMessageData,
) -> Result<Written, ChatError> {
    let (text, client_id) =
        (MessageText::parse(&data.message)?, IdempotencyKey::parse(data.client_id.as_deref())?);
    let (author_id, name, room, site_for_publish) =
        (author.id, author.name.clone(), room.id, site.clone());
    site.db()
        .write(async move |tx: Tx| {
            // The room may have been closed, renamed or deleted since it was read. The lock
            // prevents that until the commit.
            let room = Room::lock(&tx, room).await?;
            room.admit(&tx, author_id).await?;
            let mentions = mentioned(&tx, &room, text.as_str()).await?;
            let new = NewMessage {
                room_id: room.id,
                author_id,
                author: name,
                text,
                client_id,
                mentions,
                at: chrono::Utc::now(),
            };
            let written = Message::write(&tx, new).await?;
            if let Written::New(message) = &written {
                let announcement = Announcement::of(&room, message)?;
                // Publishing in the order of the commits keeps subscribers from seeing gaps and
                // catching up without need.
                tx.on_commit(move || announcement.publish(&site_for_publish));
            }
            Ok(written)
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

/// The patches that announce a new message. They are rendered before the commit, so that nothing
/// can fail after it.
struct Announcement {
    room: Room,
    seq: i64,
    author: i64,
    patch: bellwire_site::bellwire::Patch,
    alert: bellwire_site::bellwire::Patch,
    alerted: Vec<i64>,
}

impl Announcement {
    fn of(room: &Room, message: &Message) -> Result<Self, ChatError> {
        let author = message.row.author_id;
        let named = message.mentions().into_iter().map(|mention| mention.user_id);
        let other = room.other_than(author).filter(|_| room.kind == Kind::Direct);
        let mut alerted: Vec<_> = named.chain(other).filter(|person| *person != author).collect();
        alerted.dedup();
        Ok(Self {
            room: room.clone(),
            seq: message.row.seq,
            author,
            patch: fragments::new_message(message)?,
            alert: fragments::alert(room, message)?,
            alerted,
        })
    }

    fn publish(self, site: &SiteState) {
        let layer: &Layer = site.bellwire().layer();
        self.room.feed(layer).publish(self.seq.cast_unsigned(), self.patch);
        for alerted in &self.alerted {
            person(layer, *alerted).patch(self.alert.clone());
        }
        room_updates::notify(site, self.room, self.seq, self.author);
    }
}
