//! What those who do not look at a room are told of it: that there is something new. Gathered, so
//! that a busy room costs the others four patches a second at most.

use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::Debouncer;

use crate::fragments;
use crate::models::room::{Kind, Room};

/// How long news of an open room are gathered.
const GATHER: Duration = Duration::from_millis(250);

/// The newest message of each room that is about to be told: its place, and who wrote it.
struct Waiting(Debouncer<i64, (i64, i64)>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Debouncer::trailing(GATHER))
    }
}

/// Tells of a message: at once where few listen, a little later where everyone does.
pub(crate) fn tell(site: &SiteState, room: Room, seq: i64, author: i64) {
    let room_updates = room.room_updates(site.bellwire().layer());
    if room.kind != Kind::Open {
        return room_updates.patch(fragments::newest(room.id, seq, author));
    }
    let id = room.id;
    site.own::<Waiting>().0.put(
        id,
        |newest| *newest = (seq, author),
        move |(seq, author)| {
            room_updates.patch(fragments::newest(id, seq, author));
            std::future::ready(())
        },
    );
}
