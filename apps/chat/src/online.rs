//! Who is here: told to those who see it, a moment after it changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwire::Change;
use bellwire_site::SiteState;
use bellwire_site::accounts::person_of;
use tokio::time::{Instant, timeout_at};

use crate::models::people as persons;
use crate::models::room::{Kind, Room, lobby};
use crate::{ChatError, fragments};

/// How long changes are gathered, so that a thousand who come back after a restart are announced a few times.
const GATHER: Duration = Duration::from_millis(200);
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

/// Whether somebody watches who comes and goes.
#[derive(Default)]
struct Watched(AtomicBool);

/// Sees to it that changes are told as long as anybody is here.
pub(crate) fn watch(site: &SiteState) {
    let watched = site.own::<Watched>();
    if watched.0.swap(true, Ordering::AcqRel) {
        return;
    }
    let site = site.clone();
    let mut changes = site.bellwire().layer().presence().changes();
    tokio::spawn(async move {
        loop {
            let mut gathered = Gathered::default();
            let until = Instant::now() + Duration::from_secs(1);
            if let Ok(change) = timeout_at(until, changes.next()).await {
                let Some(change) = change else { return };
                gathered.note(change);
                let until = Instant::now() + GATHER;
                while let Ok(Some(change)) = timeout_at(until, changes.next()).await {
                    gathered.note(change);
                }
            }
            gathered.tell(&site).await;
            if nobody_is_here(&site) {
                watched.0.store(false, Ordering::Release);
                // Somebody may have come in between, and found it watched.
                if nobody_is_here(&site) || watched.0.swap(true, Ordering::AcqRel) {
                    return;
                }
            }
        }
    });
}

fn nobody_is_here(site: &SiteState) -> bool {
    let layer = site.bellwire().layer();
    layer.presence().count(lobby(layer).name()) == 0 && layer.sockets_here() == 0
}

/// What changed in a moment: who came (or went) last, by room; and in the chat as a whole.
#[derive(Default)]
struct Gathered {
    rooms: HashMap<i64, HashMap<i64, bool>>,
    chat: HashMap<i64, bool>,
}

impl Gathered {
    fn note(&mut self, change: Change) {
        let (group, key, came) = match change {
            Change::Arrived { group, person } => (group, person, true),
            Change::Left { group, person } => (group, person, false),
            // What was missed shows with the next change, and on the next page.
            _ => return,
        };
        let Some(person) = person_of(&key) else { return };
        if let Some(room) = group.as_str().strip_prefix("chat.room.").and_then(|id| id.parse().ok()) {
            self.rooms.entry(room).or_default().insert(person, came);
        } else if group.as_str().starts_with("chat.lobby") {
            self.chat.insert(person, came);
        }
    }

    async fn tell(self, site: &SiteState) {
        let layer = site.bellwire().layer();
        for (person, came) in self.chat {
            lobby(layer).patch(fragments::here(person, came));
        }
        for (room, changed) in self.rooms {
            if let Err(error) = tell_room(site, room, changed).await {
                tracing::warn!(room, %error, "Who is in a room could not be told");
            }
        }
    }
}

async fn tell_room(site: &SiteState, room: i64, changed: HashMap<i64, bool>) -> Result<(), ChatError> {
    let Some(room) = Room::by_id(site.db().read(), room).await? else { return Ok(()) };
    let layer = site.bellwire().layer();
    let (feed, passing, here) = (room.feed(layer), room.passing(layer), people(site, &room).await?);
    let count = layer.presence().count(feed.name());
    for patch in fragments::people(&here, count)? {
        passing.patch(patch);
    }
    room.news(layer).patch(fragments::online(room.id, count));
    if room.kind != Kind::Direct && here.len() <= ANNOUNCED {
        let names = persons::names(site.db().read(), changed.keys().copied().collect()).await?;
        for (person, came) in changed {
            if let Some(name) = names.get(&person) {
                passing.patch(fragments::notice(person, name, came));
            }
        }
    }
    Ok(())
}
