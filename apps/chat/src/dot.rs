//! The dot beside a user's name, which shows whether the user is online.

use askama::Template;
use bellwire_site::accounts::person_key;
use bellwire_site::bellwire::Presence;

use crate::models::room::everyone;

/// The dot of one user.
#[derive(Template, Debug, Clone, Copy)]
#[template(path = "chat/components/_dot.html")]
pub(crate) struct Dot {
    pub(crate) person: i64,
    pub(crate) is_here: bool,
}

impl Dot {
    /// The dot of this user as of now.
    pub(crate) fn of(presence: &Presence, person: i64) -> Self {
        Self { person, is_here: presence.is_present(everyone(), &person_key(person)) }
    }
}
