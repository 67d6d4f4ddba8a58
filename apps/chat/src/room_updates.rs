//! Updates about new messages for windows that show another room. They are coalesced, so that a
//! busy open room sends at most four patches a second to the other windows.

use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::Coalescer;

use crate::fragments;
use crate::models::room::{Kind, Room};

/// How long updates of an open room are collected before they are sent.
const DEBOUNCE: Duration = Duration::from_millis(250);

/// The newest message of each room that has a pending update: its sequence number and its author.
struct PendingUpdates(Coalescer<i64, (i64, i64)>);

impl Default for PendingUpdates {
    fn default() -> Self {
        Self(Coalescer::trailing(DEBOUNCE))
    }
}

/// Publishes that a room has a new message: at once for rooms with members, and coalesced for open
/// rooms, whose updates go to everyone.
pub(crate) fn notify(site: &SiteState, room: Room, seq: i64, author: i64) {
    let room_updates = room.room_updates(site.bellwire().layer());
    if room.kind != Kind::Open {
        return room_updates.patch(fragments::newest(room.id, seq, author));
    }
    let id = room.id;
    site.own::<PendingUpdates>().0.put(
        id,
        |newest| *newest = (seq, author),
        move |(seq, author)| {
            room_updates.patch(fragments::newest(id, seq, author));
            std::future::ready(())
        },
    );
}
