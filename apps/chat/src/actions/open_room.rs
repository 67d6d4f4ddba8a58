//! Opening a room by its name, or a conversation with another user.

use bellwire_site::bellwire::Refusal;
use bellwire_site::{SiteState, Tx, User};

use super::notify_rooms_changed;
use crate::forms::RoomName;
use crate::models::people;
use crate::models::room::{Kind, Room, everyone};
use crate::{ChatError, fragments};

/// Finds the room with this name, or creates it.
///
/// # Errors
/// If the name is invalid, it belongs to a room that the user may not read, or the database fails.
pub async fn open_room(
    site: &SiteState,
    by: &User,
    typed: &str,
    kind: Kind,
) -> Result<Room, ChatError> {
    let name = RoomName::parse(typed)?;
    if let Some(room) = Room::by_slug(site.db().read(), name.slug()).await? {
        return match room.admits(site.db().read(), by.id).await? {
            true => Ok(room),
            false => Err(Refusal::field("name", "That name is taken by a closed room.").into()),
        };
    }
    let (by, layer) = (by.id, site.bellwire().layer().clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = Room::open(&tx, &name, kind, by).await?;
            room.admit(&tx, by).await?;
            match room.kind {
                Kind::Open => {
                    let link = fragments::new_room(&room)?;
                    tx.on_commit(move || layer.group(everyone()).patch(link));
                }
                _ => tx.on_commit(move || notify_rooms_changed(&layer, &[by])),
            }
            Ok(room)
        })
        .await
}

/// Finds the conversation of two users, or creates it, which adds it to the lists of both at once.
/// A conversation with a user whose account is inactive can still be read, but no new one can be
/// created.
///
/// # Errors
/// If there is no such other user, or the database fails.
pub async fn open_conversation(site: &SiteState, by: &User, with: i64) -> Result<Room, ChatError> {
    let db = site.db().read();
    if let Some(room) = Room::find_direct(db, by.id, with).await? {
        return Ok(room);
    }
    let other = people::by_id(db, with).await?.filter(|other| other.is_active);
    let other = other.filter(|other| other.id != by.id).ok_or(ChatError::NoPerson)?;
    let (one, layer) = (by.id, site.bellwire().layer().clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = Room::open_direct(&tx, one, other.id).await?;
            tx.on_commit(move || notify_rooms_changed(&layer, &[one, other.id]));
            Ok(room)
        })
        .await
}
