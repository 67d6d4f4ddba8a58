//! Somebody who runs a room renames it, says who belongs to it, or removes it.

use std::collections::HashSet;

use bellwire_site::accounts::person_key;
use bellwire_site::bellwire::{Invalid, Layer};
use bellwire_site::{SiteState, Tx, User};

use crate::forms::RoomName;
use crate::models::room::{Kind, Room, everyone, person};
use crate::models::{Membership, people};
use crate::{ChatError, Event, fragments};

/// Who belongs to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// Everyone.
    Everyone,
    /// Those who do, with these changes. Where everyone did, whoever says so does, and those who
    /// are added.
    Only {
        /// They belong to it from now on.
        added: Vec<i64>,
        /// They do not any more.
        removed: Vec<i64>,
    },
}

/// Gives the room another name.
///
/// # Errors
/// What is wrong with the name, that the room is not theirs to run, or why it could not be written.
pub async fn rename_room(
    site: &SiteState,
    by: &User,
    room: i64,
    typed: &str,
) -> Result<Room, ChatError> {
    let (name, by) = (RoomName::parse(typed)?, by.clone());
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            run_by(&tx, room, &by).await?;
            let renamed = Room::rename(&tx, room, &name).await?;
            let renamed =
                renamed.ok_or_else(|| Invalid::field("name", "Another room has that name."))?;
            let after = renamed.clone();
            tx.on_commit(move || {
                after.room_updates(&layer).patch(fragments::renamed_in_list(&after));
                for patch in fragments::renamed(&after) {
                    after.feed(&layer).patch(patch);
                }
            });
            Ok(renamed)
        })
        .await
}

/// Says who belongs to the room. Whoever does not any more sees and hears nothing of it from now
/// on.
///
/// # Errors
/// That the room is not theirs to run, or why it could not be written.
pub async fn set_members(
    site: &SiteState,
    by: &User,
    room: i64,
    members: Members,
) -> Result<Room, ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = run_by(&tx, room, &by).await?;
            match (members, room.kind) {
                (Members::Everyone, Kind::Open) => Ok(room),
                (Members::Everyone, _) => open(&tx, layer, &room).await,
                (Members::Only { added, .. }, Kind::Open) => {
                    close(&tx, layer, &room, added, &by).await
                }
                (Members::Only { added, removed }, _) => {
                    change(&tx, layer, room, added, removed).await
                }
            }
        })
        .await
}

/// For everyone from now on. Its news come with everybody's, and not a second time.
async fn open(tx: &Tx, layer: Layer, room: &Room) -> Result<Room, ChatError> {
    let had = Membership::members(tx, room.id).await?;
    let (before, after) = (room.clone(), Room::set_kind(tx, room.id, Kind::Open).await?);
    let link = fragments::new_room(&after)?;
    tx.on_commit(move || {
        for each in &had {
            layer.remove_person(&person_key(*each), before.room_updates(&layer).name());
        }
        everyone(&layer).patch(link);
        tell(&layer, &had);
    });
    Ok(after)
}

/// For those who are named from now on, and whoever says so, who may be there until then like
/// everyone.
async fn close(
    tx: &Tx,
    layer: Layer,
    room: &Room,
    named: Vec<i64>,
    by: &User,
) -> Result<Room, ChatError> {
    let mut has = people::existing(tx, &named).await?;
    has.push(by.id);
    let after = Room::set_kind(tx, room.id, Kind::Closed).await?;
    Membership::add(tx, room.id, &has).await?;
    let now = after.clone();
    tx.on_commit(move || {
        let may_stay: HashSet<_> = has.iter().map(|each| person_key(*each)).collect();
        for who in layer.presence().people(now.feed(&layer).name()) {
            if !may_stay.contains(&*who) {
                expel(&layer, &now, &who);
            }
        }
        everyone(&layer).patch(fragments::room_gone(&now));
        tell(&layer, &has);
    });
    Ok(after)
}

async fn change(
    tx: &Tx,
    layer: Layer,
    room: Room,
    added: Vec<i64>,
    removed: Vec<i64>,
) -> Result<Room, ChatError> {
    let added = people::existing(tx, &added).await?;
    Membership::remove(tx, room.id, &removed).await?;
    Membership::add(tx, room.id, &added).await?;
    let now = room.clone();
    tx.on_commit(move || {
        let removed: Vec<_> = removed.into_iter().filter(|each| !added.contains(each)).collect();
        for each in &removed {
            expel(&layer, &now, &person_key(*each));
        }
        tell(&layer, &removed);
        tell(&layer, &added);
    });
    Ok(room)
}

fn expel(layer: &Layer, room: &Room, who: &str) {
    for group in [room.feed(layer), room.ephemeral(layer), room.room_updates(layer)] {
        layer.remove_person(who, group.name());
    }
}

/// The list of rooms of these people has changed.
fn tell(layer: &Layer, people: &[i64]) {
    for each in people {
        person(layer, *each).send(Event::Rooms);
    }
}

/// Removes the room with all that was said in it.
///
/// # Errors
/// That the room is not theirs to run, or why it could not be written.
pub async fn delete_room(site: &SiteState, by: &User, room: i64) -> Result<(), ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = run_by(&tx, room, &by).await?;
            Room::delete(&tx, room.id).await?;
            tx.on_commit(move || {
                room.feed(&layer).send(Event::Gone);
                room.room_updates(&layer).patch(fragments::room_gone(&room));
            });
            Ok(())
        })
        .await
}

/// The room, as nobody else changes it, for somebody who runs it. Who may not read it does not
/// learn that it is there.
async fn run_by(tx: &Tx, room: i64, by: &User) -> Result<Room, ChatError> {
    let room = Room::lock(tx, room).await?;
    if room.is_run_by(tx, by).await? {
        return Ok(room);
    }
    room.admit(tx, by.id).await?;
    Err(ChatError::NotYours)
}
