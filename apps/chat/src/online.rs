//! Who is here: told to those who see it, a moment after it changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::accounts::person_of;
use bellwire_site::bellwire::{Debouncer, PresenceChange};
use tokio::time::timeout;

use crate::models::people as persons;
use crate::models::room::{Kind, Room, everyone};
use crate::{ChatError, fragments};

/// How long changes are gathered, so that a thousand who come back after a restart are announced a
/// few times.
const GATHER: Duration = Duration::from_millis(200);
/// How often it is looked whether anybody is here still.
const LOOK: Duration = Duration::from_secs(1);
/// The most people of a room who are listed by name.
const LISTED: usize = 200;
/// In a room with more people nobody is told who comes and goes.
const ANNOUNCED: usize = 50;

/// The people in a room, by name.
pub(crate) async fn people(site: &SiteState, room: &Room) -> Result<Vec<(i64, String)>, ChatError> {
    let layer = site.bellwire().layer();
    let ids = layer.presence().people(room.feed(layer).name());
    let ids = ids.iter().filter_map(|key| person_of(key)).take(LISTED).collect();
    let mut people: Vec<_> = persons::names(site.db().read(), ids).await?.into_iter().collect();
    people.sort_by_key(|(_, name)| name.to_lowercase());
    Ok(people)
}

/// What changed in a moment, as person and whether they came: in a room, or in the chat as a whole
/// (`None`).
struct Online {
    /// Whether somebody watches who comes and goes.
    watched: AtomicBool,
    changes: Debouncer<Option<i64>, HashMap<i64, bool>>,
}

impl Default for Online {
    fn default() -> Self {
        Self { watched: AtomicBool::new(false), changes: Debouncer::trailing(GATHER) }
    }
}

/// Sees to it that changes are told as long as anybody is here.
pub(crate) fn watch(site: &SiteState) {
    let online = site.own::<Online>();
    if online.watched.swap(true, Ordering::AcqRel) {
        return;
    }
    let site = site.clone();
    let mut changes = site.bellwire().layer().presence().changes();
    tokio::spawn(async move {
        loop {
            match timeout(LOOK, changes.next()).await {
                Ok(Some(change)) => note(&site, &online, change),
                Ok(None) => return,
                Err(_) if nobody_is_here(&site) => {
                    online.watched.store(false, Ordering::Release);
                    // Somebody may have come in between, and found it watched.
                    if nobody_is_here(&site) || online.watched.swap(true, Ordering::AcqRel) {
                        return;
                    }
                }
                Err(_) => {}
            }
        }
    });
}

fn nobody_is_here(site: &SiteState) -> bool {
    let layer = site.bellwire().layer();
    layer.presence().count(everyone(layer).name()) == 0 && layer.local_sockets() == 0
}

fn note(site: &SiteState, online: &Online, change: PresenceChange) {
    let (group, key, came) = match change {
        PresenceChange::Arrived { group, person } => (group, person, true),
        PresenceChange::Left { group, person } => (group, person, false),
        // What was missed shows with the next change, and on the next page.
        _ => return,
    };
    let Some(person) = person_of(&key) else { return };
    let room = group.as_str().strip_prefix("chat.room.").and_then(|id| id.parse().ok());
    if room.is_some() || group.as_str().starts_with("chat.lobby") {
        let site = site.clone();
        let put = |changed: &mut HashMap<_, _>| {
            changed.insert(person, came);
        };
        online.changes.put(room, put, move |changed| tell(site.clone(), room, changed));
    }
}

async fn tell(site: SiteState, room: Option<i64>, changed: HashMap<i64, bool>) {
    let Some(room) = room else {
        let everyone = everyone(site.bellwire().layer());
        return changed
            .into_iter()
            .for_each(|(person, came)| everyone.patch(fragments::here(person, came)));
    };
    if let Err(error) = tell_room(&site, room, changed).await {
        tracing::warn!(room, %error, "Who is in a room could not be told");
    }
}

async fn tell_room(
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
        for (person, came) in changed {
            if let Some(name) = names.get(&person) {
                ephemeral.patch(fragments::notice(person, name, came));
            }
        }
    }
    Ok(())
}
