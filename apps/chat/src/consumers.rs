//! WebSocket consumer of a chat window: one socket that switches between rooms and updates the
//! list of rooms.

use axum::extract::{Path, State};
use axum::response::Response;
use bellwire_site::bellwire::{
    CatchUp, Close, Consumer, Dialect, Error, Group, GroupName, Invalid, Patch, Seq, Socket,
};
use bellwire_site::{SiteError, SiteState, Upgrade, User};
use serde::{Deserialize, Serialize};

use crate::actions::{self, Action, ChangeGroupData, NewMessageData};
use crate::models::message::{Message, Written};
use crate::models::room::{Kind, Room, everyone, person};
use crate::panel::{PAGE, Panel, Part};
use crate::sidebar::Sidebar;
use crate::{ChatError, fragments, online};

/// The most changes, and the most bytes of message text, that a catch-up sends. A page that missed
/// more receives the whole list again.
const CATCH_UP_CHANGES: u64 = 500;
const CATCH_UP_BYTES: usize = 256 * 1024;

/// The notice for a page that shows a room which its user cannot read. It does not reveal whether
/// the room or the user was removed.
const ROOM_UNAVAILABLE: &str = "This room was deleted, or you are no longer a member.";

/// Events for windows, in addition to the patches that are the same for everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The list of rooms has changed.
    Rooms,
    /// The room was deleted.
    Gone,
}

/// Opens the socket of a window for a user who is signed in.
pub(crate) async fn chat(
    user: User,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Result<Response, SiteError> {
    Ok(upgrade.run(ChatConsumer::new(site, user, None)))
}

/// Opens the socket of a window in a room that the user may read.
pub(crate) async fn room(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Result<Response, SiteError> {
    let room = Room::at(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    room.admit(site.db().read(), user.id).await?;
    Ok(upgrade.run(ChatConsumer::new(site, user, Some(room))))
}

/// One window of a user, which shows a room or none.
#[derive(Debug)]
pub struct ChatConsumer {
    site: SiteState,
    user: User,
    room: Option<Room>,
    /// Whether the page has a list of rooms that needs live updates.
    has_sidebar: bool,
    /// The `room_updates` groups of the rooms that only members may read.
    room_updates: Vec<Group<Event>>,
}

impl ChatConsumer {
    /// Creates the consumer of a user's window, which shows this room or none yet.
    pub fn new(site: SiteState, user: User, room: Option<Room>) -> Self {
        Self { site, user, room, has_sidebar: false, room_updates: Vec::new() }
    }

    /// Finds the room that the page shows, as its `at` parameter states: by id (`at=5`), as our
    /// pages do, or by path (`at=/chat/hi/`).
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] if the id is of a room that does not exist or that the user may not
    /// read. A path of such a room yields `None`.
    async fn room_of_page(&self, at: &str) -> Result<Option<Room>, ChatError> {
        let db = self.site.db().read();
        if let Ok(id) = at.parse() {
            return Room::for_person(db, id, self.user.id).await.map(Some);
        }
        let slug = at.strip_prefix("/chat/").map(|rest| rest.trim_end_matches('/'));
        let Some(slug) = slug.filter(|slug| !slug.is_empty() && !slug.contains('/')) else {
            return Ok(None);
        };
        let slug = percent_encoding::percent_decode_str(slug).decode_utf8_lossy().into_owned();
        match Room::at(db, &slug).await? {
            Some(room) if room.admits(db, self.user.id).await? => Ok(Some(room)),
            _ => Ok(None),
        }
    }

    /// Enters the room that the page shows and follows its feed from the page's position.
    async fn enter(&mut self, socket: &mut Socket, room: Room) -> Result<(), ChatError> {
        let room = match self.join_room(socket, &room).await {
            Ok(room) => room,
            Err(error) => {
                self.leave_room(socket, &room);
                return Err(error);
            }
        };
        socket.follow(&room.feed(socket.layer()));
        // The room may have been renamed while the page was disconnected.
        if self.has_sidebar && room.kind != Kind::Direct {
            for patch in fragments::renamed(&room) {
                socket.patch(patch).await?;
            }
        }
        self.room = Some(room);
        Ok(())
    }

    /// Joins the room's groups and tracks presence. Checks the permission after the join, not
    /// before: from the join on, closing the room removes the user from its groups.
    async fn join_room(&self, socket: &mut Socket, room: &Room) -> Result<Room, ChatError> {
        let feed = room.feed(socket.layer());
        socket.join(&feed);
        socket.track(&feed);
        if self.has_sidebar {
            socket.join(&room.ephemeral(socket.layer()));
        }
        Room::for_person(self.site.db().read(), room.id, self.user.id).await
    }

    fn leave_room(&self, socket: &mut Socket, room: &Room) {
        socket.leave(&room.feed(socket.layer()));
        socket.leave(&room.ephemeral(socket.layer()));
    }

    fn leave_current(&mut self, socket: &mut Socket) {
        if let Some(room) = self.room.take() {
            self.leave_room(socket, &room);
        }
    }

    /// Switches to another room: joins its groups, reads what to show, and follows the feed from
    /// there. On an error the window stays in its current room.
    async fn change_room(
        &mut self,
        socket: &mut Socket,
        data: &ChangeGroupData,
    ) -> Result<(), ChatError> {
        let room = actions::find_room(&self.site, &self.user, data).await?;
        let is_here = self.room.as_ref().is_some_and(|here| here.id == room.id);
        let (panel, patches) = match self.load_room(socket, &room).await {
            Ok(shown) => shown,
            Err(error) => {
                if !is_here {
                    self.leave_room(socket, &room);
                }
                return Err(error);
            }
        };
        if !is_here {
            self.leave_current(socket);
        }
        for patch in patches {
            socket.patch(patch).await?;
        }
        socket
            .follow_from(&room.feed(socket.layer()), panel.seq.unwrap_or_default().cast_unsigned());
        self.room = Some(panel.room);
        Ok(())
    }

    /// Joins the room's feed, then reads its panel and renders the patches that show it.
    async fn load_room(
        &self,
        socket: &mut Socket,
        room: &Room,
    ) -> Result<(Panel, Vec<Patch>), ChatError> {
        socket.join(&room.feed(socket.layer()));
        let panel = Panel::load(&self.site, &self.user, room.clone(), Part::Newest).await?;
        let patches = match socket.dialect() {
            Dialect::Htmx => vec![fragments::room(&panel)?],
            _ => fragments::room_for_json(&panel, &panel.messages)?,
        };
        self.join_room(socket, room).await?;
        Ok((panel, patches))
    }

    /// Joins the groups that update the list of rooms, then sends the current list. A user who
    /// loses a membership receives an event that runs this again, which leaves the group of that
    /// room even if it was joined at the same moment.
    async fn show_sidebar(&mut self, socket: &mut Socket) -> Result<(), ChatError> {
        let closed = Sidebar::closed(&self.site, &self.user).await?;
        let room_updates: Vec<_> =
            closed.iter().map(|room| room.room_updates(socket.layer())).collect();
        room_updates.iter().for_each(|group| socket.join(group));
        for left in std::mem::replace(&mut self.room_updates, room_updates) {
            if self.room_updates.iter().all(|group| group.name() != left.name()) {
                socket.leave(&left);
            }
        }
        let current = self.room.as_ref().map(|room| room.id);
        let sidebar = Sidebar::load(&self.site, &self.user, current).await?;
        Ok(socket.patch(fragments::sidebar(&sidebar)?).await?)
    }

    /// Closes the room if it was deleted, or the user removed from it, and the event was dropped.
    async fn close_if_unavailable(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let Some(room) = &self.room else { return Ok(()) };
        match Room::for_person(self.site.db().read(), room.id, self.user.id).await {
            Ok(_) => Ok(()),
            Err(ChatError::NoRoom) => self.close_room(socket, ROOM_UNAVAILABLE).await,
            Err(error) => Err(error.at_connect()),
        }
    }

    async fn new_message(
        &self,
        socket: &mut Socket,
        data: NewMessageData,
    ) -> Result<(), ChatError> {
        let room = match (&self.room, data.room) {
            (Some(here), None) => here.clone(),
            (Some(here), Some(id)) if here.id == id => here.clone(),
            (_, Some(id)) => {
                Room::by_id(self.site.db().read(), id).await?.ok_or(ChatError::NoRoom)?
            }
            (None, None) => return Err(Invalid::field("message", "Choose a room first.").into()),
        };
        match actions::new_message(&self.site, &room, &self.user, data).await? {
            // The feed delivers the message to this window too. A window that has switched to
            // another room in the meantime receives a confirmation instead.
            Written::New(message) if self.room.as_ref().is_none_or(|here| here.id != room.id) => {
                let confirmation = fragments::sent_elsewhere(&message);
                Ok(socket.patch(confirmation).await?)
            }
            Written::New(_) => Ok(()),
            // The response to the first send was lost. Only the sender needs it again.
            Written::Before(message) => {
                let again = match self.room.as_ref().is_some_and(|here| here.id == room.id) {
                    true => fragments::message_again(&message)?,
                    false => fragments::sent_elsewhere(&message),
                };
                Ok(socket.patch(again).await?)
            }
        }
    }

    async fn act(&mut self, socket: &mut Socket, action: Action) -> Result<(), ChatError> {
        let (site, user) = (&self.site, &self.user);
        match action {
            Action::NewMessage(data) => self.new_message(socket, data).await,
            Action::EditMessage { id, message } => {
                actions::edit_message(site, user, id, &message).await.map(|_| ())
            }
            Action::DeleteMessage { id } => {
                actions::delete_message(site, user, id).await.map(|_| ())
            }
            Action::ChangeGroup(data) => self.change_room(socket, &data).await,
            Action::Typing {} => {
                if let Some(room) = &self.room {
                    let typing = fragments::typing(user.id, &user.name);
                    room.ephemeral(socket.layer()).patch_except(socket.channel(), typing);
                }
                Ok(())
            }
            Action::Read { room, seq } => actions::read(site, user, room, seq).await,
            Action::MarkUnread { room, seq } => actions::unread(site, user, room, seq).await,
        }
    }

    /// Returns the changes after sequence number `since`, or the whole list if `since` is missing,
    /// out of range, or too far back.
    async fn changes_since(&self, room: &Room, since: Option<Seq>) -> Result<CatchUp, ChatError> {
        let db = self.site.db().read();
        let now = Room::current_seq(db, room.id).await?;
        if let Some(since) = since.map(Seq::cast_signed).filter(|since| (0..=now).contains(since)) {
            let changed = Message::changed_since(db, room.id, since, CATCH_UP_CHANGES + 1).await?;
            let bytes: usize = changed.iter().map(|message| message.row.text.len()).sum();
            if changed.len() as u64 <= CATCH_UP_CHANGES && bytes <= CATCH_UP_BYTES {
                let patches =
                    changed.iter().filter_map(|m| fragments::changed_message(m, since).transpose());
                return catch_up_to(patches.collect::<Result<_, _>>()?, now, &changed);
            }
        }
        let newest = Message::newest(db, room.id, PAGE).await?;
        // A page without a position has nothing to replace in a room that has no changes yet.
        let patches = if now == 0 && since.is_none() {
            vec![]
        } else {
            vec![fragments::all_messages(&newest)?]
        };
        catch_up_to(patches, now, &newest)
    }

    async fn close_room(&mut self, socket: &mut Socket, why: &'static str) -> Result<(), Error> {
        self.leave_current(socket);
        match socket.dialect() {
            Dialect::Htmx if self.has_sidebar => socket.patch(fragments::room_closed(why)).await,
            _ => Err(Close::policy(why).into()),
        }
    }
}

fn catch_up_to(patches: Vec<Patch>, now: i64, shown: &[Message]) -> Result<CatchUp, ChatError> {
    Ok(CatchUp { patches, seq: Message::reached(shown, now).cast_unsigned() })
}

impl Consumer for ChatConsumer {
    type Action = Action;
    type Event = Event;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.has_sidebar = socket.scope().query("sidebar").next().is_some();
        online::watch(&self.site);
        let everyone = everyone(socket.layer());
        if self.has_sidebar {
            socket.join(&everyone);
        }
        socket.join(&person(socket.layer(), self.user.id));
        socket.track(&everyone);
        let at = socket.scope().query("at").next().unwrap_or_default();
        let room = match self.room.take() {
            Some(room) => Ok(Some(room)),
            None => self.room_of_page(&at).await,
        };
        let entered = match room {
            Ok(Some(room)) => self.enter(socket, room).await,
            no_room => no_room.map(|_| ()),
        };
        match entered {
            Ok(()) => {}
            Err(ChatError::NoRoom) => self.close_room(socket, ROOM_UNAVAILABLE).await?,
            Err(error) => return Err(error.at_connect()),
        }
        if self.has_sidebar {
            self.show_sidebar(socket).await.map_err(ChatError::at_connect)?;
        }
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, action: Action) -> Result<(), Error> {
        self.act(socket, action).await.map_err(ChatError::over_socket)
    }

    async fn event(&mut self, socket: &mut Socket, event: &Event) -> Result<(), Error> {
        match event {
            Event::Rooms if self.has_sidebar => {
                self.show_sidebar(socket).await.map_err(ChatError::at_connect)
            }
            Event::Rooms => Ok(()),
            Event::Gone => self.close_room(socket, "This room was deleted.").await,
        }
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        match &self.room {
            Some(room) if GroupName::of("chat.room", room.id) == *feed => {
                self.changes_since(room, since).await.map_err(ChatError::over_socket)
            }
            _ => Ok(CatchUp { patches: Vec::new(), seq: since.unwrap_or_default() }),
        }
    }

    /// Recovers after dropped messages: presence, unread counts, or the deletion of the room.
    /// Checks that the room is still available and sends the list of rooms again.
    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.close_if_unavailable(socket).await?;
        match self.has_sidebar {
            true => self.show_sidebar(socket).await.map_err(ChatError::at_connect),
            false => Ok(()),
        }
    }

    async fn removed(&mut self, socket: &mut Socket, group: &GroupName) -> Result<(), Error> {
        match &self.room {
            Some(room) if GroupName::of("chat.room", room.id) == *group => {
                self.close_room(socket, "You are no longer a member of this room.").await
            }
            _ => Ok(()),
        }
    }
}
