//! The panel of a room as one user sees it: the part of the page that changes with the room.

use askama::Template;
use bellwire_site::bellwire::FeedPosition;
use bellwire_site::{FeedEpochs, SiteState, User};
use sea_orm::ConnectionTrait;

use crate::ChatError;
use crate::dot::Dot;
use crate::message_view::MessageView;
use crate::models::room::Kind;
use crate::models::{Membership, Message, Room, UNREAD, people};

/// The number of messages on a room's page.
pub(crate) const PAGE: u64 = 50;

/// The part of a room to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The newest messages, with live updates.
    Newest,
    /// The messages before this sequence number.
    Before(i64),
    /// The messages around this sequence number.
    Around(i64),
}

/// A room prepared for the template.
#[derive(Template, Debug)]
#[template(path = "chat/components/_panel.html")]
pub(crate) struct Panel {
    pub(crate) room: Room,
    /// The name of the room, or of the other user in a conversation.
    pub(crate) title: String,
    /// The other user of a conversation.
    pub(crate) other: Option<Dot>,
    /// The position of the page in the room's feed, or `None` if it does not show the newest
    /// messages.
    pub(crate) position: Option<FeedPosition>,
    pub(crate) last_read: i64,
    /// The sequence number of the first message of others after `last_read`.
    pub(crate) first_unread: Option<i64>,
    /// The number of unread messages as text and the sequence number of the first, if it is before
    /// the messages shown.
    pub(crate) unseen: Option<(String, i64)>,
    pub(crate) messages: Vec<Message>,
    /// The sequence number of the first message shown, if there are older ones.
    pub(crate) older: Option<i64>,
    pub(crate) people: Vec<(i64, String)>,
    pub(crate) may_manage: bool,
    pub(crate) me: String,
    pub(crate) draft: String,
    pub(crate) error: Option<String>,
}

impl Panel {
    /// Loads this part of the room for the user.
    pub(crate) async fn load(
        site: &SiteState,
        user: &User,
        room: Room,
        part: Part,
    ) -> Result<Self, ChatError> {
        let db = site.db().read();
        let LoadedMessages { messages, seq, now } = LoadedMessages::read(db, room.id, part).await?;
        let first = messages.first().map(|message| message.row.seq);
        let older = match first {
            Some(first) if !Message::before(db, room.id, first, 1).await?.is_empty() => Some(first),
            _ => None,
        };
        let membership = Membership::of(db, room.id, user.id).await?;
        let last_read = membership.map_or(now, |membership| membership.last_read_seq);
        let unread = match last_read < now {
            true => Message::unread(db, room.id, user.id, last_read).await?,
            false => Vec::new(),
        };
        let first_unread = unread.first().copied();
        let before = first_unread
            .filter(|unread| seq.is_some() && first.is_some_and(|shown| *unread < shown));
        let other = room.other_than(user.id);
        let title = match other {
            Some(other) => people::names(db, vec![other]).await?.remove(&other).unwrap_or_default(),
            None => room.name.clone(),
        };
        let layer = site.bellwire().layer();
        let epochs = FeedEpochs::of(db, room.group().name()).await?;
        let present = people::present(db, layer.presence(), &room).await?;
        Ok(Self {
            title,
            other: other.map(|other| Dot::of(layer.presence(), other)),
            position: seq.map(|seq| epochs.position(seq, layer.epoch())),
            last_read,
            first_unread,
            unseen: before.map(|place| (count_text(unread.len()), place)),
            messages,
            older,
            people: with_me(present, user),
            may_manage: room.is_managed_by(db, user).await?,
            me: user.name.clone(),
            draft: String::new(),
            error: None,
            room,
        })
    }

    fn views(&self) -> impl Iterator<Item = MessageView<'_>> {
        self.messages.iter().map(MessageView::from)
    }

    /// Shows the messages from this sequence number on as unread, below the line "New".
    pub(crate) fn unread_from(self, seq: i64) -> Self {
        Self { last_read: seq - 1, first_unread: Some(seq), unseen: None, ..self }
    }

    fn is_direct(&self) -> bool {
        self.room.kind == Kind::Direct
    }

    fn is_closed(&self) -> bool {
        self.room.kind == Kind::Closed
    }
}

fn count_text(unread: usize) -> String {
    if unread as u64 >= UNREAD { format!("{}+", UNREAD - 1) } else { unread.to_string() }
}

/// Adds the user, who is about to enter the room, to the people in it.
fn with_me(mut people: Vec<(i64, String)>, user: &User) -> Vec<(i64, String)> {
    if people.iter().all(|(id, _)| *id != user.id) {
        people.push((user.id, user.name.clone()));
        people.sort_by_key(|(_, name)| name.to_lowercase());
    }
    people
}

/// The messages of a part of a room, and the position that they reach.
struct LoadedMessages {
    messages: Vec<Message>,
    /// The sequence number that is reached with them, or `None` without the newest message.
    seq: Option<i64>,
    /// The room's sequence number before they were read.
    now: i64,
}

impl LoadedMessages {
    // The sequence number is read before the messages, so that a change in between is sent again
    // by the catch-up rather than missed.
    async fn read(db: &impl ConnectionTrait, room: i64, part: Part) -> Result<Self, ChatError> {
        let now = Room::current_seq(db, room).await?;
        let (messages, seq) = match part {
            Part::Newest => {
                let newest = Message::newest(db, room, PAGE).await?;
                let reached = Message::reached(&newest, now);
                (newest, Some(reached))
            }
            Part::Before(seq) => (Message::before(db, room, seq, PAGE).await?, None),
            Part::Around(seq) => {
                let mut messages = Message::before(db, room, seq, PAGE / 2).await?;
                let after = Message::from(db, room, seq, PAGE / 2 + 1).await?;
                let is_end = after.len() as u64 <= PAGE / 2;
                messages.extend(after.into_iter().take(PAGE as usize / 2));
                // Two queries: a change that the second one saw may be missing from the first.
                (messages, is_end.then_some(now))
            }
        };
        Ok(Self { messages, seq, now })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bellwire_site::Reader;
    use bellwire_testkit::{TestDatabase, apply, on_databases};
    use sea_orm::{DbBackend, DbErr, ExecResult, QueryResult, Statement};

    use super::*;
    use crate::actions::{self, NewMessageData};

    /// A connection that edits two messages after the page has read the first half of its messages.
    struct Between<'a> {
        db: &'a Reader,
        site: &'a SiteState,
        user: &'a User,
        reads: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl ConnectionTrait for Between<'_> {
        fn get_database_backend(&self) -> DbBackend {
            self.db.get_database_backend()
        }

        async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
            self.db.execute_raw(statement).await
        }

        async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
            self.db.execute_unprepared(sql).await
        }

        async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
            self.db.query_one_raw(statement).await
        }

        async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
            if self.reads.fetch_add(1, Ordering::Relaxed) == 1 {
                for id in [1, 4] {
                    actions::edit_message(self.site, self.user, id, "edited")
                        .await
                        .expect("an edit");
                }
            }
            self.db.query_all_raw(statement).await
        }
    }

    #[apply(on_databases)]
    #[tokio::test]
    async fn a_page_around_a_message_does_not_skip_changes_between_queries(database: TestDatabase) {
        let site = bellwire_testkit::TestSite::start(&database, vec![crate::app()]).await;
        let mut ada = site.person("Ada").await;
        ada.post("/chat/", &[("name", "hi")]).await;
        let (user, state) = (site.user(&ada).await, site.state());
        let db = state.db().read();
        let room = Room::by_slug(db, "hi").await.unwrap().expect("the room");
        for n in 1..=4 {
            let data = NewMessageData { message: n.to_string(), ..NewMessageData::default() };
            actions::new_message(state, room.id, &user, data).await.unwrap();
        }
        let between = Between { db, site: state, user: &user, reads: AtomicUsize::new(0) };
        let shown = LoadedMessages::read(&between, room.id, Part::Around(3)).await.unwrap();
        let texts: Vec<_> =
            shown.messages.iter().map(|message| message.row.text.as_str()).collect();
        assert_eq!(
            texts,
            ["1", "2", "3", "edited"],
            "the page read the first message before its edit"
        );
        let seq = shown.seq.expect("the page shows the newest message");
        let missed = Message::changed_since(db, room.id, seq, 10).await.unwrap();
        assert!(missed.iter().any(|message| message.row.seq == 1), "{seq}: {missed:?}");
        site.stop().await;
    }
}
