//! Presence: publishes who is online, and who is in which room, shortly after each change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::accounts::person_of;
use bellwire_site::bellwire::{Coalescer, PresenceChange};
use tokio::time::timeout;

use crate::models::people as persons;
use crate::models::room::{Kind, Room, everyone};
use crate::{ChatError, fragments};

/// How long changes are collected, so that a thousand users who reconnect after a restart cause
/// only a few updates.
const DEBOUNCE: Duration = Duration::from_millis(200);
/// How often the watcher checks whether anybody is still online.
const IDLE_CHECK: Duration = Duration::from_secs(1);
/// The maximum number of people in a room who are listed by name.
const LISTED: usize = 200;
/// The maximum number of people in a room for notices of who joined or left.
const ANNOUNCED: usize = 50;

/// Returns the ids and names of the people in a room, sorted by name.
pub(crate) async fn people(site: &SiteState, room: &Room) -> Result<Vec<(i64, String)>, ChatError> {
    let layer = site.bellwire().layer();
    let ids = layer.presence().people(room.feed(layer).name());
    let ids = ids.iter().filter_map(|key| person_of(key)).take(LISTED).collect();
    let mut people: Vec<_> = persons::names(site.db().read(), ids).await?.into_iter().collect();
    people.sort_by_key(|(_, name)| name.to_lowercase());
    Ok(people)
}

/// The collected changes: for each user, whether they joined (`true`) or left a room, or the chat
/// as a whole (`None`).
struct Online {
    /// Whether a watcher task runs.
    watched: AtomicBool,
    changes: Coalescer<Option<i64>, HashMap<i64, bool>>,
}

impl Default for Online {
    fn default() -> Self {
        Self { watched: AtomicBool::new(false), changes: Coalescer::trailing(DEBOUNCE) }
    }
}

/// Starts the task that publishes presence changes, unless it runs. The task ends when nobody is
/// online.
pub(crate) fn watch(site: &SiteState) {
    let online = site.own::<Online>();
    if online.watched.swap(true, Ordering::AcqRel) {
        return;
    }
    let site = site.clone();
    let mut changes = site.bellwire().layer().presence().changes();
    tokio::spawn(async move {
        loop {
            match timeout(IDLE_CHECK, changes.next()).await {
                Ok(Some(change)) => record(&site, &online, change),
                Ok(None) => return,
                Err(_) if nobody_is_online(&site) => {
                    online.watched.store(false, Ordering::Release);
                    // Somebody may have connected in between and found the flag still set.
                    if nobody_is_online(&site) || online.watched.swap(true, Ordering::AcqRel) {
                        return;
                    }
                }
                Err(_) => {}
            }
        }
    });
}

fn nobody_is_online(site: &SiteState) -> bool {
    let layer = site.bellwire().layer();
    layer.presence().count(everyone(layer).name()) == 0 && layer.local_sockets() == 0
}

fn record(site: &SiteState, online: &Online, change: PresenceChange) {
    let (group, key, joined) = match change {
        PresenceChange::Arrived { group, person } => (group, person, true),
        PresenceChange::Left { group, person } => (group, person, false),
        // Missed changes appear with the next change, and on the next page.
        _ => return,
    };
    let Some(person) = person_of(&key) else { return };
    let room = group.as_str().strip_prefix("chat.room.").and_then(|id| id.parse().ok());
    if room.is_some() || group.as_str().starts_with("chat.lobby") {
        let site = site.clone();
        let put = |changed: &mut HashMap<_, _>| {
            changed.insert(person, joined);
        };
        online.changes.put(room, put, move |changed| publish(site.clone(), room, changed));
    }
}

async fn publish(site: SiteState, room: Option<i64>, changed: HashMap<i64, bool>) {
    let Some(room) = room else {
        let everyone = everyone(site.bellwire().layer());
        return changed
            .into_iter()
            .for_each(|(person, joined)| everyone.patch(fragments::here(person, joined)));
    };
    if let Err(error) = publish_room(&site, room, changed).await {
        tracing::warn!(room, %error, "Failed to publish who is in a room");
    }
}

async fn publish_room(
    site: &SiteState,
    room: i64,
    changed: HashMap<i64, bool>,
) -> Result<(), ChatError> {
    let Some(room) = Room::by_id(site.db().read(), room).await? else { return Ok(()) };
    let layer = site.bellwire().layer();
    let (feed, ephemeral, here) =
        (room.feed(layer), room.ephemeral(layer), people(site, &room).await?);
    let count = layer.presence().count(feed.name());
    for patch in fragments::people(&here, count)? {
        ephemeral.patch(patch);
    }
    room.room_updates(layer).patch(fragments::online(room.id, count));
    if room.kind != Kind::Direct && here.len() <= ANNOUNCED {
        let names = persons::names(site.db().read(), changed.keys().copied().collect()).await?;
        for (person, joined) in changed {
            if let Some(name) = names.get(&person) {
                ephemeral.patch(fragments::notice(person, name, joined));
            }
        }
    }
    Ok(())
}
