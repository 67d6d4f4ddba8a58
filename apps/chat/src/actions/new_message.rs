//! Somebody says something.

use bellwire_site::bellwire::{IdempotencyKey, Layer};
use bellwire_site::{SiteState, Tx, User};

use crate::forms::MessageText;
use crate::markup::Mention;
use crate::models::mention;
use crate::models::message::{Message, NewMessage, Written};
use crate::models::room::{Kind, Room, person};
use crate::{ChatError, fragments, markup, room_updates};

/// What was typed, where, and the sender's own id for it.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Asked {
    /// The text.
    pub message: String,
    /// The room it was typed in, where the page says so: it may come later than the move to another
    /// one.
    #[serde(default, deserialize_with = "bellwire_site::bellwire::serde::lenient_option_int")]
    pub room: Option<i64>,
    /// An id of the sender's making: a repeated send with it is the same message.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Writes the message; when this returns it is on disk and on its way to everyone in the room.
///
/// # Errors
/// What is wrong with the text, that the author may not write here, or why it could not be written.
pub async fn new_message(
    site: &SiteState,
    room: &Room,
    author: &User,
    asked: Asked,
) -> Result<Written, ChatError> {
    let (text, client_id) =
        (MessageText::parse(&asked.message)?, IdempotencyKey::parse(asked.client_id.as_deref())?);
    let (author_id, name, room, site_of_news) =
        (author.id, author.name.clone(), room.id, site.clone());
    site.db()
        .write(async move |tx: Tx| {
            // Read again: the room may have been closed, renamed or removed since it was looked at,
            // and nobody does so from here on.
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
                let told = Told::of(&room, message)?;
                // In the order of the commits, so that nobody has to catch up with what is only a
                // moment away.
                tx.on_commit(move || told.tell(&site_of_news));
            }
            Ok(written)
        })
        .await
}

/// The people who are named in a text and may read it.
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

/// What is told of a new message, made before the commit so that nothing can fail after it.
struct Told {
    room: Room,
    seq: i64,
    author: i64,
    patch: bellwire_site::bellwire::Patch,
    alert: bellwire_site::bellwire::Patch,
    alerted: Vec<i64>,
}

impl Told {
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

    fn tell(self, site: &SiteState) {
        let layer: &Layer = site.bellwire().layer();
        self.room.feed(layer).publish(self.seq.cast_unsigned(), self.patch);
        for alerted in &self.alerted {
            person(layer, *alerted).patch(self.alert.clone());
        }
        room_updates::tell(site, self.room, self.seq, self.author);
    }
}
