//! The list of rooms and conversations of one user.

use askama::Template;
use bellwire_site::accounts::person_key;
use bellwire_site::{SiteState, User};

use crate::ChatError;
use crate::models::counts::Counts;
use crate::models::room::{Kind, everyone};
use crate::models::{Room, people};

/// A link to a room or a conversation, with its counts.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) is_closed: bool,
    /// The other user of a conversation, and whether they are online.
    pub(crate) other: Option<(i64, bool)>,
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
        let layer = site.bellwire().layer();
        let mut sidebar = Self::default();
        for room in &rooms {
            let other = room.other_than(user.id).filter(|_| room.kind == Kind::Direct);
            let title = other.map_or(&room.name, |other| names.get(&other).unwrap_or(&room.name));
            let mut link = Link::of(room, title);
            link.is_current = current == Some(room.id);
            link.online = layer.presence().count(room.feed(layer).name());
            if let Some(counts) = counts.get(&room.id) {
                link.read = counts.read.unwrap_or(room.seq);
                (link.unread, link.mentions) = (counts.unread, counts.mentions);
            }
            match other {
                Some(other) => {
                    let here =
                        layer.presence().is_present(everyone(layer).name(), &person_key(other));
                    sidebar.conversations.push(Link { other: Some((other, here)), ..link });
                }
                None => sidebar.rooms.push(link),
            }
        }
        sidebar.conversations.sort_by_key(|link| link.title.to_lowercase());
        Ok(sidebar)
    }

    /// Loads the user's rooms and conversations that only members may read.
    pub(crate) async fn closed(site: &SiteState, user: &User) -> Result<Vec<Room>, ChatError> {
        Room::of_member(site.db().read(), user.id).await
    }
}
