//! Room management: renaming a room, changing its members, and deleting it.

use std::collections::HashSet;

use bellwire_site::accounts::person_key;
use bellwire_site::bellwire::{Layer, Refusal};
use bellwire_site::{SiteState, Tx, User};

use super::{notify_rooms_changed, send};
use crate::forms::RoomName;
use crate::models::room::{Kind, Room, everyone};
use crate::models::{Membership, people};
use crate::{ChatError, Event, fragments};

/// A change of who may be in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// The room becomes open to everyone.
    Everyone,
    /// The room is closed, and its members change as follows. If it was open, its members become
    /// the manager and the users in `added`.
    Only {
        /// The ids of the users who become members.
        added: Vec<i64>,
        /// The ids of the users who are no longer members.
        removed: Vec<i64>,
    },
}

/// Renames a room.
///
/// # Errors
/// If the name is invalid or taken, the user may not manage the room, or the database fails.
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
            managed_room(&tx, room, &by).await?;
            let renamed = Room::rename(&tx, room, &name).await?;
            let renamed =
                renamed.ok_or_else(|| Refusal::field("name", "Another room has this name."))?;
            let after = renamed.clone();
            tx.on_commit(move || {
                layer.group(after.updates()).patch(fragments::renamed_in_list(&after));
                layer.group(after.group()).patch(fragments::renamed(&after));
            });
            Ok(renamed)
        })
        .await
}

/// Changes who may be in a room. Former members are removed from the room's groups and receive
/// nothing of it from the commit on.
///
/// # Errors
/// If the user may not manage the room, or the database fails.
pub async fn set_members(
    site: &SiteState,
    by: &User,
    room: i64,
    members: Members,
) -> Result<Room, ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = managed_room(&tx, room, &by).await?;
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

/// Opens the room to everyone. Former members leave its own group of updates, because updates
/// of open rooms go to everyone and would arrive twice.
async fn open(tx: &Tx, layer: Layer, room: &Room) -> Result<Room, ChatError> {
    let former = Membership::members(tx, room.id).await?;
    let (before, after) = (room.clone(), Room::set_kind(tx, room.id, Kind::Open).await?);
    let link = fragments::new_room(&after)?;
    tx.on_commit(move || {
        for each in &former {
            layer.remove_person(&person_key(*each), before.updates());
        }
        layer.group(everyone()).patch(link);
        notify_rooms_changed(&layer, &former);
    });
    Ok(after)
}

/// Closes the room to all but the users in `added` and the manager, who was in it while it was
/// open.
async fn close(
    tx: &Tx,
    layer: Layer,
    room: &Room,
    added: Vec<i64>,
    by: &User,
) -> Result<Room, ChatError> {
    let mut members = people::existing(tx, &added).await?;
    members.push(by.id);
    let after = Room::set_kind(tx, room.id, Kind::Closed).await?;
    Membership::add(tx, room.id, &members).await?;
    let now = after.clone();
    tx.on_commit(move || {
        let may_stay: HashSet<_> = members.iter().map(|each| person_key(*each)).collect();
        for key in layer.presence().people(now.group()) {
            if !may_stay.contains(&*key) {
                remove_person(&layer, &now, &key);
            }
        }
        layer.group(everyone()).patch(fragments::room_removed(&now));
        notify_rooms_changed(&layer, &members);
    });
    Ok(after)
}

/// Changes the members of a closed room.
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
            remove_person(&layer, &now, &person_key(*each));
        }
        notify_rooms_changed(&layer, &removed);
        notify_rooms_changed(&layer, &added);
    });
    Ok(room)
}

/// Removes a user's sockets from the groups of a room.
fn remove_person(layer: &Layer, room: &Room, key: &str) {
    layer.remove_person(key, room.group());
    layer.remove_person(key, room.ephemeral());
    layer.remove_person(key, room.updates());
}

/// Deletes the room with all its messages.
///
/// # Errors
/// If the user may not manage the room, or the database fails.
pub async fn delete_room(site: &SiteState, by: &User, room: i64) -> Result<(), ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = managed_room(&tx, room, &by).await?;
            Room::delete(&tx, room.id).await?;
            tx.on_commit(move || {
                send(&layer, room.group(), Event::Gone);
                layer.group(room.updates()).patch(fragments::room_removed(&room));
            });
            Ok(())
        })
        .await
}

/// Locks and returns the room if the user may manage it. A user who may not read it receives
/// [`ChatError::NoRoom`], which does not reveal that it exists.
async fn managed_room(tx: &Tx, room: i64, by: &User) -> Result<Room, ChatError> {
    let room = Room::lock(tx, room).await?;
    if room.is_managed_by(tx, by).await? {
        return Ok(room);
    }
    room.admit(tx, by.id).await?;
    Err(ChatError::NotYours)
}
