//! Somebody opens a room by its name.

use bellwire_site::{SiteState, Tx, User};

use crate::ChatError;
use crate::forms::RoomName;
use crate::models::Room;

/// Finds the room of this name, or makes it.
///
/// # Errors
/// What is wrong with the name, or why the room could not be made.
pub async fn open_room(site: &SiteState, by: &User, typed: &str) -> Result<Room, ChatError> {
    let name = RoomName::parse(typed)?;
    if let Some(room) = Room::by_slug(site.db().read(), name.slug()).await? {
        return Ok(room);
    }
    let by = by.id;
    site.db().write(async move |tx: Tx| Room::open(&tx, &name, by).await).await
}
