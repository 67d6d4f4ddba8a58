//! One socket in one room.

use axum::extract::{Path, State};
use axum::response::Response;
use bellwire::{CatchUp, Consumer, Error, GroupName, Patch, Seq, Socket};
use bellwire_site::{SiteError, SiteState, Upgrade, User};

use crate::actions::{Action, new_message};
use crate::models::Room;
use crate::models::message::{Message, Written};
use crate::views::PAGE;
use crate::{ChatError, fragments};

/// How many changes, and how many bytes of text, a page is brought up to date by. One that missed more gets its list anew.
const CATCH_UP: u64 = 500;
const CATCH_UP_BYTES: usize = 256 * 1024;

/// Opens the socket of a room, for those who are signed in and a room that is there.
pub(crate) async fn room(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Result<Response, SiteError> {
    let room = Room::by_slug(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    Ok(upgrade.run(RoomConsumer::new(site, user, room)))
}

/// A person in a room.
#[derive(Debug)]
pub struct RoomConsumer {
    site: SiteState,
    user: User,
    room: Room,
}

impl RoomConsumer {
    /// This person, in this room.
    pub fn new(site: SiteState, user: User, room: Room) -> Self {
        Self { site, user, room }
    }

    /// Everything after number `since`, or the list anew where that is unknown, impossible, or too much.
    async fn missed(&self, since: Option<Seq>) -> Result<CatchUp, ChatError> {
        let db = self.site.db().read();
        let now = Room::current_seq(db, self.room.id).await?;
        if let Some(since) = since.map(Seq::cast_signed).filter(|since| (0..=now).contains(since)) {
            let changed = Message::changed_since(db, self.room.id, since, CATCH_UP + 1).await?;
            let bytes: usize = changed.iter().map(|message| message.row.text.len()).sum();
            if changed.len() as u64 <= CATCH_UP && bytes <= CATCH_UP_BYTES {
                let patches = changed.iter().filter_map(|m| fragments::changed_message(m, since).transpose());
                return caught_up(patches.collect::<Result<_, _>>()?, now, &changed);
            }
        }
        let newest = Message::newest(db, self.room.id, PAGE).await?;
        // A page that knows nothing of a room in which nothing ever happened has nothing to replace.
        let patches =
            if now == 0 && since.is_none() { vec![] } else { vec![fragments::all_messages(&newest)?] };
        caught_up(patches, now, &newest)
    }
}

fn caught_up(patches: Vec<Patch>, now: i64, shown: &[Message]) -> Result<CatchUp, ChatError> {
    Ok(CatchUp { patches, seq: Message::reached(shown, now).cast_unsigned() })
}

impl Consumer for RoomConsumer {
    type Action = Action;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.follow(&self.room.feed(socket.layer()));
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, action: Action) -> Result<(), Error> {
        match action {
            Action::NewMessage(asked) => {
                let written = new_message(&self.site, &self.room, &self.user, asked).await;
                match written.map_err(ChatError::over_socket)? {
                    // It comes by the feed, as to everyone.
                    Written::New(_) => Ok(()),
                    // The answer to the first send was lost on the way; nobody else needs to hear it again.
                    Written::Before(message) => socket.patch(fragments::message_again(&message)?).await,
                }
            }
        }
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        self.missed(since).await.map_err(ChatError::over_socket)
    }
}
