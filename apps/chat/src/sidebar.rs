//! The list of rooms and conversations of one user.

use askama::Template;
use bellwire_site::{SiteState, User};

use crate::ChatError;
use crate::dot::Dot;
use crate::models::counts::Counts;
use crate::models::room::Kind;
use crate::models::{Room, people};

/// A link to a room or a conversation, with its counts.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) is_closed: bool,
    /// The other user of a conversation.
    pub(crate) other: Option<Dot>,
    pub(crate) is_current: bool,
    pub(crate) newest: i64,
    pub(crate) read: i64,
    pub(crate) unread: i64,
    pub(crate) mentions: i64,
    pub(crate) online: usize,
}

/// The links of a user's list, as the template renders them.
#[derive(Template, Debug, Default)]
#[template(path = "chat/components/_sidebar.html")]
pub(crate) struct Sidebar {
    pub(crate) rooms: Vec<Link>,
    pub(crate) conversations: Vec<Link>,
}

impl Link {
    /// Creates the link of a room without unread messages.
    pub(crate) fn of(room: &Room, title: &str) -> Self {
        Self {
            id: room.id,
            title: title.to_owned(),
            path: room.path(),
            is_closed: room.kind == Kind::Closed,
            other: None,
            is_current: false,
            newest: room.seq,
            read: room.seq,
            unread: 0,
            mentions: 0,
            online: 0,
        }
    }
}

impl Sidebar {
    /// Loads the list of a user and marks the room `current` in it.
    pub(crate) async fn load(
        site: &SiteState,
        user: &User,
        current: Option<i64>,
    ) -> Result<Self, ChatError> {
        let db = site.db().read();
        let mut rooms = Room::of_member(db, user.id).await?;
        rooms.extend(Room::open_to(db, user.id).await?);
        rooms.sort_by(|a, b| a.slug.cmp(&b.slug));
        let counts = Counts::of(db, user.id, rooms.iter().map(|room| room.id).collect()).await?;
        let others = rooms.iter().filter_map(|room| room.other_than(user.id)).collect();
        let names = people::names(db, others).await?;
        let presence = site.bellwire().layer().presence();
        let mut sidebar = Self::default();
        for room in &rooms {
            let other = room.other_than(user.id);
            let title = other.map_or(&room.name, |other| names.get(&other).unwrap_or(&room.name));
            let mut link = Link::of(room, title);
            link.is_current = current == Some(room.id);
            link.online = presence.count(room.group());
            if let Some(counts) = counts.get(&room.id) {
                link.read = counts.read.unwrap_or(room.seq);
                (link.unread, link.mentions) = (counts.unread, counts.mentions);
            }
            match other {
                Some(other) => {
                    let other = Some(Dot::of(presence, other));
                    sidebar.conversations.push(Link { other, ..link });
                }
                None => sidebar.rooms.push(link),
            }
        }
        sidebar.conversations.sort_by_key(|link| link.title.to_lowercase());
        Ok(sidebar)
    }
}
