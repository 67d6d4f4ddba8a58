//! What those who do not look at a room are told of it: that there is something new. Gathered, so that a busy room costs the others
//! four patches a second at most.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bellwire_site::SiteState;

use crate::fragments;
use crate::models::room::{Kind, Room};

/// How long news of an open room are gathered.
const GATHER: Duration = Duration::from_millis(250);

/// The newest message of each room that is about to be told: its place, and who wrote it.
#[derive(Default)]
struct Waiting(Mutex<HashMap<i64, (i64, i64)>>);

impl Waiting {
    /// Returns whether nobody is about to tell it yet.
    fn put(&self, room: i64, seq: i64, author: i64) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(room, (seq, author)).is_none()
    }

    fn take(&self, room: i64) -> Option<(i64, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&room)
    }
}

/// Tells of a message: at once where few listen, a little later where everyone does.
pub(crate) fn tell(site: &SiteState, room: Room, seq: i64, author: i64) {
    let news = room.news(site.bellwire().layer());
    if room.kind != Kind::Open {
        return news.patch(fragments::newest(room.id, seq, author));
    }
    let waiting = site.own::<Waiting>();
    if waiting.put(room.id, seq, author) {
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            if let Some((seq, author)) = waiting.take(room.id) {
                news.patch(fragments::newest(room.id, seq, author));
            }
        });
    }
}
