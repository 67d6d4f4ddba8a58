//! The feed of a room: its numbered changes, and the messages that a page missed.

use bellwire_site::bellwire::{CatchUp, Epochs, Error, Feed, FeedSource, Seq};
use bellwire_site::{Db, FeedEpochs, SiteState};

use crate::models::room::ROOM;
use crate::models::{Message, Room};
use crate::panel::PAGE;
use crate::{ChatError, Event, fragments};

/// The most changes, and the most bytes of message text, that a catch-up sends. A page that missed
/// more receives the whole list again.
const CATCH_UP_CHANGES: u64 = 500;
const CATCH_UP_BYTES: usize = 256 * 1024;

/// Returns the feed of a room.
pub(crate) fn of(site: &SiteState, room: i64) -> Feed<Event, RoomMessages> {
    site.bellwire().layer().feed(ROOM.of(room), RoomMessages { db: site.db().clone(), room })
}

/// The source of a room's feed: the messages of the room, as the database has them.
#[derive(Debug)]
pub(crate) struct RoomMessages {
    db: Db,
    room: i64,
}

impl RoomMessages {
    /// Returns the changes after number `since`, or `None` if they are too many.
    async fn changes(&self, since: Seq) -> Result<Option<CatchUp>, ChatError> {
        let db = self.db.read();
        let now = Room::current_seq(db, self.room).await?;
        let changed = Message::changed_since(db, self.room, since, CATCH_UP_CHANGES + 1).await?;
        let bytes: usize = changed.iter().map(|message| message.row.text.len()).sum();
        if changed.len() as u64 > CATCH_UP_CHANGES || bytes > CATCH_UP_BYTES {
            return Ok(None);
        }
        let patches = changed.iter().map(|message| fragments::changed_message(message, since));
        let patches = patches.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        Ok(Some(CatchUp { patches, seq: Message::reached(&changed, now) }))
    }

    /// Returns the newest messages, which replace the list of a page.
    async fn newest(&self) -> Result<CatchUp, ChatError> {
        let db = self.db.read();
        let now = Room::current_seq(db, self.room).await?;
        let newest = Message::newest(db, self.room, PAGE).await?;
        let patches = vec![fragments::all_messages(&newest)?];
        Ok(CatchUp { patches, seq: Message::reached(&newest, now) })
    }
}

impl FeedSource for RoomMessages {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        if let Some(since) = since
            && let Some(changes) = self.changes(since).await?
        {
            return Ok(changes);
        }
        let mut newest = self.newest().await?;
        // A page without a position has nothing to replace in a room that has no changes yet.
        if since.is_none() && newest.seq == 0 {
            newest.patches.clear();
        }
        Ok(newest)
    }

    async fn reset(&self, _: &str) -> Result<CatchUp, Error> {
        Ok(self.newest().await?)
    }

    async fn epochs(&self) -> Result<Epochs, Error> {
        Ok(FeedEpochs::of(self.db.read(), ROOM.of(self.room).name()).await?)
    }
}
