//! Marking messages as read or unread.

use bellwire_site::{SiteState, Tx, User};

use crate::models::people::PERSON;
use crate::models::{Membership, Room};
use crate::{ChatError, fragments};

/// Stores how far the user has read, and notifies the user's other windows.
///
/// # Errors
/// If the user may not read the room, or the database fails.
pub async fn read(site: &SiteState, by: &User, room: i64, seq: i64) -> Result<(), ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.id);
    site.db()
        .write(async move |tx: Tx| {
            let room = Room::for_person(&tx, room, by).await?;
            let seq = seq.clamp(0, room.seq);
            if Membership::read(&tx, room.id, by, seq).await? {
                tx.on_commit(move || {
                    layer.group(PERSON.of(by)).patch(fragments::read_up_to(room.id, seq))
                });
            }
            Ok(())
        })
        .await
}

/// Marks the messages from this sequence number on as unread again.
///
/// # Errors
/// The same as [`read`].
pub async fn unread(site: &SiteState, by: &User, room: i64, seq: i64) -> Result<(), ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.id);
    site.db()
        .write(async move |tx: Tx| {
            let room = Room::for_person(&tx, room, by).await?;
            let seq = seq.clamp(1, room.seq.max(1));
            Membership::read(&tx, room.id, by, seq - 1).await?;
            Membership::unread(&tx, room.id, by, seq).await?;
            tx.on_commit(move || {
                layer.group(PERSON.of(by)).patch(fragments::read_up_to(room.id, seq - 1))
            });
            Ok(())
        })
        .await
}
