//! Somebody looks at another room or conversation.

use bellwire_site::{SiteState, User};

use super::open_conversation;
use crate::ChatError;
use crate::forms::RoomName;
use crate::models::{Room, people};

/// Where somebody wants to be.
#[derive(Debug, serde::Deserialize)]
pub struct Where {
    /// The name of a room, or of a person.
    #[serde(rename = "groupName")]
    pub group_name: String,
    /// Whether it is a room.
    #[serde(rename = "isGroup")]
    pub is_group: bool,
}

/// The room of this name, or the conversation with the person of this name, for somebody who may be there.
///
/// # Errors
/// [`ChatError::NoRoom`] where there is none, or none for them.
pub async fn find(site: &SiteState, user: &User, sought: &Where) -> Result<Room, ChatError> {
    let db = site.db().read();
    if sought.is_group {
        let name = RoomName::parse(sought.group_name.trim_start_matches('#'))?;
        let room = Room::by_slug(db, name.slug()).await?.ok_or(ChatError::NoRoom)?;
        room.admit(db, user.id).await?;
        return Ok(room);
    }
    let other = people::called(db, &sought.group_name).await?.ok_or(ChatError::NoRoom)?;
    open_conversation(site, user, other.id).await
}
