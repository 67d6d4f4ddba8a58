//! Presence: publishes who is online, and who is in which room, shortly after each change.

use std::time::Duration;

use bellwire_site::accounts::person_of;
use bellwire_site::bellwire::{GroupName, PresenceChanges, PresenceDifference};
use bellwire_site::{SiteError, SiteState};

use crate::models::people;
use crate::models::room::{Kind, ROOM, Room, everyone};
use crate::{ChatError, fragments};

/// How long changes are gathered, so that a thousand users who reconnect after a restart cause only
/// a few updates.
const INTERVAL: Duration = Duration::from_millis(200);
/// The maximum number of people in a room for notices of who joined or left.
const ANNOUNCED: usize = 50;

/// Publishes the changes of presence, as long as the site serves.
pub(crate) async fn publish(site: SiteState, changes: PresenceChanges) {
    let publish = move |group, difference| publish_difference(site.clone(), group, difference);
    changes.gather(INTERVAL, publish).await;
}

async fn publish_difference(site: SiteState, group: GroupName, difference: PresenceDifference) {
    let changed = people_of(&difference);
    let published = match ROOM.id_of(&group) {
        _ if changed.is_empty() => Ok(()),
        Some(room) => publish_room(&site, room, &changed).await,
        None if group == *everyone().name() => publish_here(&site, &changed),
        None => Ok(()),
    };
    if let Err(error) = published {
        let error = SiteError::from(error).for_log();
        tracing::warn!(%group, error, "Failed to publish who is present");
    }
}

/// The users of a difference, each with whether the user arrived.
fn people_of(difference: &PresenceDifference) -> Vec<(i64, bool)> {
    let arrived = difference.arrived.iter().map(|who| (person_of(&who.person), true));
    let left = difference.left.iter().map(|person| (person_of(person), false));
    arrived.chain(left).filter_map(|(person, arrived)| Some((person?, arrived))).collect()
}

/// Publishes who came online or went offline.
fn publish_here(site: &SiteState, changed: &[(i64, bool)]) -> Result<(), ChatError> {
    let windows = site.bellwire().layer().group(everyone());
    for (person, is_here) in changed {
        windows.patch(fragments::here(*person, *is_here)?);
    }
    Ok(())
}

/// Publishes who is in a room, and who joined or left it.
async fn publish_room(
    site: &SiteState,
    room: i64,
    changed: &[(i64, bool)],
) -> Result<(), ChatError> {
    let (db, layer) = (site.db().read(), site.bellwire().layer());
    let Some(room) = Room::by_id(db, room).await? else { return Ok(()) };
    let here = people::present(db, layer.presence(), &room).await?;
    let count = layer.presence().count(room.group());
    let windows = layer.group(room.ephemeral());
    for patch in fragments::people(&here, count)? {
        windows.patch(patch);
    }
    layer.group(room.updates()).patch(fragments::online(room.id, count));
    if room.kind != Kind::Direct && here.len() <= ANNOUNCED {
        let names = people::names(db, changed.iter().map(|(person, _)| *person).collect()).await?;
        for (person, joined) in changed {
            if let Some(name) = names.get(person) {
                windows.patch(fragments::notice(*person, name, *joined));
            }
        }
    }
    Ok(())
}
