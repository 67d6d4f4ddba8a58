//! Consumer of a chat window: one connection that switches between rooms and updates the list of
//! rooms.

use axum::extract::{Path, State};
use axum::response::Response;
use bellwire_site::bellwire::{Close, Consumer, Dialect, Group, GroupName, Patch, Refusal, Socket};
use bellwire_site::{Live, SiteError, SiteState, User};

use crate::actions::{self, ChangeGroupData, ChatAction, NewMessageData};
use crate::models::people::PERSON;
use crate::models::room::{Kind, ROOM, Room, everyone};
use crate::panel::{Panel, Part};
use crate::sidebar::Sidebar;
use crate::{ChatError, Event, feed, fragments};

/// The notice for a page that shows a room which its user cannot read. It does not reveal whether
/// the room or the user was removed.
const ROOM_UNAVAILABLE: &str = "This room was deleted, or you are no longer a member.";

/// Opens the connection of a window for a user who is signed in.
pub(crate) async fn chat(user: User, State(site): State<SiteState>, live: Live) -> Response {
    live.run(ChatConsumer::new(site, user, None))
}

/// Opens the connection of a window in a room that the user may read.
pub(crate) async fn room(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    live: Live,
) -> Result<Response, SiteError> {
    let room = Room::at(site.db().read(), &slug).await?.ok_or(ChatError::NoRoom)?;
    room.admit(site.db().read(), user.id).await?;
    Ok(live.run(ChatConsumer::new(site, user, Some(room))))
}

/// One window of a user, which shows a room or none.
#[derive(Debug)]
pub struct ChatConsumer {
    site: SiteState,
    user: User,
    room: Option<Room>,
    /// Whether the page has a list of rooms that needs live updates.
    has_sidebar: bool,
    /// The groups with updates of the rooms that only members may read.
    updates: Vec<Group>,
    /// Whether this window has shown that its user is typing.
    is_typing: bool,
}

impl ChatConsumer {
    /// Creates the consumer of a user's window, which shows this room or none yet.
    pub fn new(site: SiteState, user: User, room: Option<Room>) -> Self {
        Self { site, user, room, has_sidebar: false, updates: Vec::new(), is_typing: false }
    }

    /// Finds the room that the page shows: the one of the connection's path, or the one that its
    /// `at` parameter states, by id (`at=5`), as our pages do, or by path (`at=/chat/hi/`).
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] if the id is of a room that does not exist or that the user may not
    /// read. A path of such a room yields `None`.
    async fn room_of_page(&mut self, at: &str) -> Result<Option<Room>, ChatError> {
        if let Some(room) = self.room.take() {
            return Ok(Some(room));
        }
        let db = self.site.db().read();
        if let Ok(id) = at.parse() {
            return Room::for_person(db, id, self.user.id).await.map(Some);
        }
        let slug = at.strip_prefix("/chat/").map(|rest| rest.trim_end_matches('/'));
        let Some(slug) = slug.filter(|slug| !slug.is_empty() && !slug.contains('/')) else {
            return Ok(None);
        };
        let slug = percent_encoding::percent_decode_str(slug).decode_utf8_lossy();
        match Room::at(db, &slug).await? {
            Some(room) if room.admits(db, self.user.id).await? => Ok(Some(room)),
            _ => Ok(None),
        }
    }

    /// Enters the room that the page shows, if any, and follows its feed from the page's position.
    async fn enter(&mut self, socket: &mut Socket<Self>) -> Result<(), ChatError> {
        let at = socket.scope().query("at").next().unwrap_or_default();
        let Some(room) = self.room_of_page(&at).await? else { return Ok(()) };
        self.join_room(socket, &room);
        let admitted = self.admit(socket, &room).await;
        let room = admitted.inspect_err(|_| leave_room(socket, &room))?;
        socket.follow(&feed::of(&self.site, room.id));
        // The room may have been renamed while the page was disconnected.
        if self.has_sidebar && room.kind != Kind::Direct {
            socket.patch(fragments::renamed(&room)).await?;
        }
        self.room = Some(room);
        Ok(())
    }

    fn join_room(&self, socket: &mut Socket<Self>, room: &Room) {
        socket.join(room.group());
        if self.has_sidebar {
            socket.join(room.ephemeral());
        }
    }

    /// Makes the user present in a room that this window has joined, then checks the permission.
    /// Not before: closing a room removes those who are present from its groups.
    async fn admit(&self, socket: &mut Socket<Self>, room: &Room) -> Result<Room, ChatError> {
        socket.track(room.group());
        Room::for_person(self.site.db().read(), room.id, self.user.id).await
    }

    fn leave_current(&mut self, socket: &mut Socket<Self>) {
        if let Some(room) = self.room.take() {
            leave_room(socket, &room);
        }
    }

    /// Switches to another room: joins its groups, reads what to show, and follows the feed from
    /// there. On an error the window stays in its current room.
    async fn change_room(
        &mut self,
        socket: &mut Socket<Self>,
        data: &ChangeGroupData,
    ) -> Result<(), ChatError> {
        let room = actions::find_room(&self.site, &self.user, data).await?;
        let is_here = self.room.as_ref().is_some_and(|here| here.id == room.id);
        let loaded = self.load_room(socket, &room).await;
        if loaded.is_err() && !is_here {
            leave_room(socket, &room);
        }
        let (panel, patches) = loaded?;
        if !is_here {
            self.leave_current(socket);
        }
        for patch in patches {
            socket.patch(patch).await?;
        }
        let seq = panel.position.map_or(0, |position| position.seq);
        socket.follow_from(&feed::of(&self.site, panel.room.id), seq);
        self.room = Some(panel.room);
        Ok(())
    }

    /// Joins the room's groups, then reads its panel and renders the patches that show it.
    async fn load_room(
        &self,
        socket: &mut Socket<Self>,
        room: &Room,
    ) -> Result<(Panel, Vec<Patch>), ChatError> {
        // The new panel shows nobody as typing, and only a join sends who is.
        socket.leave(room.ephemeral());
        self.join_room(socket, room);
        let panel = Panel::load(&self.site, &self.user, room.clone(), Part::Newest).await?;
        let patches = match socket.dialect() {
            Dialect::Htmx => vec![fragments::room(&panel)?],
            _ => fragments::room_for_json(&panel)?,
        };
        self.admit(socket, room).await?;
        Ok((panel, patches))
    }

    /// Joins the groups that update the list of rooms, then sends the current list. A user who
    /// loses a membership receives an event that runs this again, which leaves the group of that
    /// room even if it was joined at the same moment.
    async fn show_sidebar(&mut self, socket: &mut Socket<Self>) -> Result<(), ChatError> {
        if !self.has_sidebar {
            return Ok(());
        }
        let closed = Room::of_member(self.site.db().read(), self.user.id).await?;
        let updates: Vec<_> = closed.iter().map(Room::updates).collect();
        updates.iter().for_each(|group| socket.join(group));
        for left in std::mem::replace(&mut self.updates, updates) {
            if self.updates.iter().all(|group| group.name() != left.name()) {
                socket.leave(left);
            }
        }
        let current = self.room.as_ref().map(|room| room.id);
        let sidebar = Sidebar::load(&self.site, &self.user, current).await?;
        Ok(socket.patch(fragments::sidebar(&sidebar)?).await?)
    }

    async fn new_message(
        &mut self,
        socket: &Socket<Self>,
        data: NewMessageData,
    ) -> Result<(), ChatError> {
        let here = self.room.as_ref().map(|room| room.id);
        let room = data.room.or(here);
        let room = room.ok_or_else(|| Refusal::field("message", "Choose a room first."))?;
        actions::new_message(&self.site, room, &self.user, data).await?;
        if std::mem::take(&mut self.is_typing) {
            actions::end_typing(socket.layer(), &self.user, room)?;
        }
        Ok(())
    }

    fn typing(&mut self, socket: &Socket<Self>) -> Result<(), ChatError> {
        let Some(room) = &self.room else { return Ok(()) };
        self.is_typing = true;
        actions::begin_typing(socket.layer(), &self.user, room.id)
    }

    async fn close_room(
        &mut self,
        socket: &mut Socket<Self>,
        why: &'static str,
    ) -> Result<(), ChatError> {
        self.leave_current(socket);
        match socket.dialect() {
            Dialect::Htmx if self.has_sidebar => {
                Ok(socket.patch(fragments::room_closed(why)).await?)
            }
            _ => Err(Close::policy(why).into()),
        }
    }
}

fn leave_room(socket: &mut Socket<ChatConsumer>, room: &Room) {
    socket.leave(room.group());
    socket.leave(room.ephemeral());
}

impl Consumer for ChatConsumer {
    type Action = ChatAction;
    type Event = Event;
    type Error = ChatError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), ChatError> {
        self.has_sidebar = socket.scope().query("sidebar").next().is_some();
        if self.has_sidebar {
            socket.join(everyone());
        }
        socket.join(PERSON.of(self.user.id));
        socket.track(everyone());
        match self.enter(socket).await {
            Err(ChatError::NoRoom) => self.close_room(socket, ROOM_UNAVAILABLE).await?,
            entered => entered?,
        }
        self.show_sidebar(socket).await
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: ChatAction,
    ) -> Result<(), ChatError> {
        let (site, user) = (&self.site, &self.user);
        match action {
            ChatAction::NewMessage(data) => self.new_message(socket, data).await,
            ChatAction::EditMessage { id, message } => {
                actions::edit_message(site, user, id, &message).await.map(drop)
            }
            ChatAction::DeleteMessage { id } => {
                actions::delete_message(site, user, id).await.map(drop)
            }
            ChatAction::ChangeGroup(data) => self.change_room(socket, &data).await,
            ChatAction::Typing {} => self.typing(socket),
            ChatAction::Read { room, seq } => actions::read(site, user, room, seq).await,
            ChatAction::MarkUnread { room, seq } => actions::unread(site, user, room, seq).await,
        }
    }

    async fn event(&mut self, socket: &mut Socket<Self>, event: &Event) -> Result<(), ChatError> {
        match event {
            Event::Rooms => self.show_sidebar(socket).await,
            Event::Gone => self.close_room(socket, "This room was deleted.").await,
        }
    }

    /// Recovers after dropped messages: presence, unread counts, or the deletion of the room.
    /// Checks that the room is still available and sends the list of rooms again.
    async fn lagged(&mut self, socket: &mut Socket<Self>) -> Result<(), ChatError> {
        if let Some(room) = &self.room {
            match Room::for_person(self.site.db().read(), room.id, self.user.id).await {
                Err(ChatError::NoRoom) => self.close_room(socket, ROOM_UNAVAILABLE).await?,
                found => drop(found?),
            }
        }
        self.show_sidebar(socket).await
    }

    async fn removed(
        &mut self,
        socket: &mut Socket<Self>,
        group: &GroupName,
    ) -> Result<(), ChatError> {
        match &self.room {
            Some(room) if ROOM.id_of(group) == Some(room.id) => {
                self.close_room(socket, "You are no longer a member of this room.").await
            }
            _ => Ok(()),
        }
    }
}
