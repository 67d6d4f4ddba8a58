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
    /// The very room or conversation, where the page knows its id: names change, and may look
    /// alike.
    #[serde(default, deserialize_with = "bellwire_site::bellwire::serde::lenient_option_int")]
    pub room: Option<i64>,
}

/// The room with this id, the room of this name, or the conversation with the person of this name,
/// for somebody who may be there.
///
/// # Errors
/// [`ChatError::NoRoom`] where there is none, or none for them; [`ChatError::NoPerson`] where
/// nobody is called so.
pub async fn find(site: &SiteState, user: &User, sought: &Where) -> Result<Room, ChatError> {
    let db = site.db().read();
    if let Some(id) = sought.room {
        return Room::for_person(db, id, user.id).await;
    }
    if sought.is_group {
        let name = RoomName::parse(&sought.group_name)?;
        let room = Room::at(db, name.slug()).await?.ok_or(ChatError::NoRoom)?;
        room.admit(db, user.id).await?;
        return Ok(room);
    }
    let other = people::called(db, &sought.group_name).await?.ok_or(ChatError::NoPerson)?;
    open_conversation(site, user, other.id).await
}
