//! A room as one person sees it: the part of the page that moves when they do.

use askama::Template;
use bellwire_site::{SiteState, User};

use crate::ChatError;
use crate::fragments::MessageView;
use crate::models::room::Kind;
use crate::models::{Membership, Message, Room, people};
use crate::online;

/// How many messages a room's page shows.
pub(crate) const PAGE: u64 = 50;

/// Which part of a room is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The newest messages, live.
    Newest,
    /// What comes before this place.
    Before(i64),
    /// What is around this place.
    Around(i64),
}

/// A room, ready to be shown.
#[derive(Template, Debug)]
#[template(path = "chat/components/_panel.html")]
pub(crate) struct Panel {
    pub(crate) room: Room,
    pub(crate) kind: Kind,
    /// The room's name, or that of the other person.
    pub(crate) title: String,
    /// The other person of a conversation.
    pub(crate) other: Option<i64>,
    pub(crate) feed: String,
    /// The number that the page is at; none where it does not show the room's end.
    pub(crate) seq: Option<i64>,
    pub(crate) last_read: i64,
    pub(crate) messages: Vec<Message>,
    /// Where what is shown begins, if there is something before it.
    pub(crate) older: Option<i64>,
    pub(crate) people: Vec<(i64, String)>,
    pub(crate) may_run: bool,
    pub(crate) me: String,
    pub(crate) draft: String,
    pub(crate) error: Option<String>,
}

impl Panel {
    /// Reads what the page of this room shows.
    pub(crate) async fn load(
        site: &SiteState,
        user: &User,
        room: Room,
        part: Part,
    ) -> Result<Self, ChatError> {
        let db = site.db().read();
        // The number is taken before the messages are read: what comes in between is caught up with, never missed.
        let now = Room::current_seq(db, room.id).await?;
        let (messages, is_end) = shown(db, &room, part).await?;
        let reached = Message::reached(&messages, now);
        let first = messages.first().map(|message| message.row.seq);
        let older = match first {
            Some(first) if !Message::before(db, room.id, first, 1).await?.is_empty() => Some(first),
            _ => None,
        };
        let membership = Membership::of(db, room.id, user.id).await?;
        let other = room.other_than(user.id).filter(|_| room.kind == Kind::Direct);
        let title = match other {
            Some(other) => people::names(db, vec![other]).await?.remove(&other).unwrap_or_default(),
            None => room.name.clone(),
        };
        let layer = site.bellwire().layer();
        Ok(Self {
            kind: room.kind,
            title,
            other,
            feed: room.feed(layer).name().to_string(),
            seq: is_end.then_some(reached),
            last_read: membership.map_or(now, |membership| membership.last_read_seq),
            messages,
            older,
            people: with_me(online::people(site, &room).await?, user),
            may_run: room.is_run_by(user),
            me: user.name.clone(),
            draft: String::new(),
            error: None,
            room,
        })
    }

    pub(crate) fn path(&self) -> String {
        self.room.path()
    }

    fn views(&self) -> impl Iterator<Item = MessageView<'_>> {
        self.messages.iter().map(MessageView::from)
    }

    fn is_direct(&self) -> bool {
        self.kind == Kind::Direct
    }

    fn is_closed(&self) -> bool {
        self.kind == Kind::Closed
    }
}

/// Whoever looks is about to be there.
fn with_me(mut people: Vec<(i64, String)>, user: &User) -> Vec<(i64, String)> {
    if people.iter().all(|(id, _)| *id != user.id) {
        people.push((user.id, user.name.clone()));
        people.sort_by_key(|(_, name)| name.to_lowercase());
    }
    people
}

/// The messages, and whether the newest is among them.
async fn shown(
    db: &impl sea_orm::ConnectionTrait,
    room: &Room,
    part: Part,
) -> Result<(Vec<Message>, bool), ChatError> {
    match part {
        Part::Newest => Ok((Message::newest(db, room.id, PAGE).await?, true)),
        Part::Before(seq) => Ok((Message::before(db, room.id, seq, PAGE).await?, false)),
        Part::Around(seq) => {
            let mut messages = Message::before(db, room.id, seq, PAGE / 2).await?;
            let after = Message::from(db, room.id, seq, PAGE / 2 + 1).await?;
            let is_end = after.len() as u64 <= PAGE / 2;
            messages.extend(after.into_iter().take(PAGE as usize / 2));
            Ok((messages, is_end))
        }
    }
}
