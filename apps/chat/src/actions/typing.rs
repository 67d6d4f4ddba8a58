//! Typing notices. They are not stored, and each expires by itself.

use std::time::Duration;

use bellwire_site::User;
use bellwire_site::bellwire::Layer;

use crate::models::room::EPHEMERAL;
use crate::{ChatError, fragments};

/// How long a notice is shown. A page repeats the action every 3 s while its user types.
const SHOWN: Duration = Duration::from_secs(6);

/// Shows everyone in the room that the user is typing. The user's own pages hide it.
pub(crate) fn begin_typing(layer: &Layer, by: &User, room: i64) -> Result<(), ChatError> {
    let name = fragments::typing(by.id, &by.name);
    Ok(layer.group(EPHEMERAL.of(room)).state(&key(by), name, SHOWN)?)
}

/// Ends the notice, because the user has sent the text.
pub(crate) fn end_typing(layer: &Layer, by: &User, room: i64) -> Result<(), ChatError> {
    Ok(layer.group(EPHEMERAL.of(room)).clear_state(&key(by))?)
}

fn key(user: &User) -> String {
    format!("user-{}", user.id)
}
