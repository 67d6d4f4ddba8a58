//! The list of rooms and conversations, as one person has it.

use std::collections::HashMap;

use askama::Template;
use bellwire_site::{SiteState, User};

use crate::models::room::{Kind, lobby};
use crate::models::{Membership, Message, Room, mention, people};
use crate::{ChatError, online};

/// What leads to a room or a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) is_closed: bool,
    /// The other person, and whether they are here.
    pub(crate) other: Option<(i64, bool)>,
    pub(crate) is_current: bool,
    pub(crate) newest: i64,
    pub(crate) read: i64,
    pub(crate) unread: u64,
    pub(crate) mentions: u64,
    pub(crate) online: usize,
}

/// All of them.
#[derive(Template, Debug, Default)]
#[template(path = "chat/components/_sidebar.html")]
pub(crate) struct Sidebar {
    pub(crate) rooms: Vec<Link>,
    pub(crate) conversations: Vec<Link>,
}

impl Link {
    /// A room in which nothing is unread.
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
    /// What this person has, with the room they look at.
    pub(crate) async fn load(site: &SiteState, user: &User, current: Option<i64>) -> Result<Self, ChatError> {
        let db = site.db().read();
        let memberships = Membership::of_person(db, user.id).await?;
        let read: HashMap<_, _> = memberships.iter().map(|each| (each.room_id, each.last_read_seq)).collect();
        let mut rooms = Room::open_or_among(db, read.keys().copied().collect()).await?;
        rooms.retain(|room| room.kind == Kind::Open || read.contains_key(&room.id));
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
            match read.get(&room.id).copied() {
                Some(read) if read < room.seq => {
                    link.read = read;
                    link.unread = Message::unread(db, room.id, user.id, read).await?;
                    link.mentions = mention::unread(db, room.id, user.id, read).await?;
                }
                Some(_) => {}
                // Never there: nothing is unread, but whoever is named wants to know.
                None => link.mentions = mention::unread(db, room.id, user.id, 0).await?,
            }
            match other {
                Some(other) => {
                    let here = layer.presence().is_present(lobby(layer).name(), &online::key(other));
                    sidebar.conversations.push(Link { other: Some((other, here)), ..link });
                }
                None => sidebar.rooms.push(link),
            }
        }
        sidebar.conversations.sort_by_key(|link| link.title.to_lowercase());
        Ok(sidebar)
    }

    /// The rooms whose news are for members alone.
    pub(crate) async fn closed(site: &SiteState, user: &User) -> Result<Vec<Room>, ChatError> {
        let db = site.db().read();
        let mine = Membership::of_person(db, user.id).await?;
        let rooms = Room::among(db, mine.into_iter().map(|each| each.room_id).collect()).await?;
        Ok(rooms.into_iter().filter(|room| room.kind != Kind::Open).collect())
    }
}
