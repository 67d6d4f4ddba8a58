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

/// Publishes that a room has a new message: at once for rooms with members, and coalesced for open
/// rooms, whose updates go to everyone.
pub(crate) fn notify(site: &SiteState, room: Room, seq: i64, author: i64) {
    let windows = site.bellwire().layer().group(room.updates());
    if room.kind != Kind::Open {
        return windows.patch(fragments::newest(room.id, seq, author));
    }
    let id = room.id;
    let pending = site.own_or(|| PendingUpdates(Coalescer::trailing(DEBOUNCE)));
    pending.0.put(
        id,
        |newest| *newest = (seq, author),
        move |(seq, author)| {
            windows.patch(fragments::newest(id, seq, author));
            std::future::ready(())
        },
    );
}
