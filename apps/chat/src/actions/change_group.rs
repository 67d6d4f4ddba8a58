//! Switching to another room or conversation.

use bellwire_site::bellwire::ActionData;
use bellwire_site::bellwire::serde::lenient_option_int;
use bellwire_site::{SiteState, User};

use super::open_conversation;
use crate::ChatError;
use crate::forms::RoomName;
use crate::models::{Room, people};

/// The data of a `Change group` action: the room or conversation to switch to.
#[derive(Debug, serde::Deserialize, ActionData)]
pub struct ChangeGroupData {
    /// The name of a room or of a user.
    #[serde(rename = "groupName")]
    pub group_name: String,
    /// Whether `group_name` is the name of a room.
    #[serde(rename = "isGroup")]
    pub is_group: bool,
    /// The id of the room or conversation, if the page knows it. The id takes precedence: names
    /// change, and different names may look alike.
    #[serde(default, deserialize_with = "lenient_option_int")]
    pub room: Option<i64>,
}

/// Finds the room with this id, the room with this name, or the conversation with the user of this
/// name, if the user may read it.
///
/// # Errors
/// [`ChatError::NoRoom`] if the room does not exist or the user may not read it;
/// [`ChatError::NoPerson`] if no user has that name.
pub async fn find_room(
    site: &SiteState,
    user: &User,
    data: &ChangeGroupData,
) -> Result<Room, ChatError> {
    let db = site.db().read();
    if let Some(id) = data.room {
        return Room::for_person(db, id, user.id).await;
    }
    if data.is_group {
        let name = RoomName::parse(&data.group_name)?;
        let room = Room::at(db, name.slug()).await?.ok_or(ChatError::NoRoom)?;
        room.admit(db, user.id).await?;
        return Ok(room);
    }
    let other = people::by_name(db, &data.group_name).await?.ok_or(ChatError::NoPerson)?;
    open_conversation(site, user, other.id).await
}
