//! One window of the chat: one socket that moves between rooms and keeps the list of rooms live.

use axum::extract::{Path, State};
use axum::response::Response;
use bellwire_site::bellwire::{
    CatchUp, Close, Consumer, Dialect, Error, Group, GroupName, Invalid, Patch, Seq, Socket,
};
use bellwire_site::{SiteError, SiteState, Upgrade, User};
use serde::{Deserialize, Serialize};

use crate::actions::{self, Action, Asked, Where};
use crate::models::message::{Message, Written};
use crate::models::room::{Kind, Room, everyone, person};
use crate::panel::{PAGE, Panel, Part};
use crate::sidebar::Sidebar;
use crate::{ChatError, fragments, online};

/// How many changes, and how many bytes of text, a page is brought up to date by. One that missed
/// more gets its list anew.
const CATCH_UP: u64 = 500;
const CATCH_UP_BYTES: usize = 256 * 1024;

/// What a page is told that shows a room which is not there for its person: whether it was removed,
/// or they were, is not told apart.
const NOT_HERE: &str = "This room was removed, or you are not in it any more.";

/// What windows are told beside the patches that go to all alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The list of rooms has changed.
    Rooms,
    /// This room was removed.
    Gone,
}

/// Opens the socket of a window, for those who are signed in.
pub(crate) async fn chat(
    user: User,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Result<Response, SiteError> {
    Ok(upgrade.run(ChatConsumer::new(site, user, None)))
}

/// Opens the socket of a window in a room, for those who may be there.
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

/// A person's window, in a room or in none.
#[derive(Debug)]
pub struct ChatConsumer {
    site: SiteState,
    user: User,
    room: Option<Room>,
    /// Whether the page has a list of rooms to be kept live.
    has_sidebar: bool,
    /// The groups of the rooms in it whose news are for members alone.
    room_updates: Vec<Group<Event>>,
}

impl ChatConsumer {
    /// This person, in this room or in none yet.
    pub fn new(site: SiteState, user: User, room: Option<Room>) -> Self {
        Self { site, user, room, has_sidebar: false, room_updates: Vec::new() }
    }

    /// The room that the page shows, as it says itself: by its id (`at=5`), as our pages do, or by
    /// its address (`at=/chat/hi/`).
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] when it shows a room that is not there, or not for this person. An
    /// address alone shows nothing.
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

    /// Looks at the room that the page shows, from where the page stands.
    async fn enter(&mut self, socket: &mut Socket, room: Room) -> Result<(), ChatError> {
        let room = match self.be_in(socket, &room).await {
            Ok(room) => room,
            Err(error) => {
                self.be_out_of(socket, &room);
                return Err(error);
            }
        };
        socket.follow(&room.feed(socket.layer()));
        // It may have been renamed while nobody could tell this page.
        if self.has_sidebar && room.kind != Kind::Direct {
            for patch in fragments::renamed(&room) {
                socket.patch(patch).await?;
            }
        }
        self.room = Some(room);
        Ok(())
    }

    /// Is in the room's groups, for others to see, if this person may be in it. Asked again when
    /// they are in: from then on whoever closes the room finds them there and takes them out.
    async fn be_in(&self, socket: &mut Socket, room: &Room) -> Result<Room, ChatError> {
        let feed = room.feed(socket.layer());
        socket.join(&feed);
        socket.track(&feed);
        if self.has_sidebar {
            socket.join(&room.ephemeral(socket.layer()));
        }
        Room::for_person(self.site.db().read(), room.id, self.user.id).await
    }

    fn be_out_of(&self, socket: &mut Socket, room: &Room) {
        socket.leave(&room.feed(socket.layer()));
        socket.leave(&room.ephemeral(socket.layer()));
    }

    fn leave(&mut self, socket: &mut Socket) {
        if let Some(room) = self.room.take() {
            self.be_out_of(socket, &room);
        }
    }

    /// Looks at another room: joins first, then reads what to show, and goes on from there. Whoever
    /// cannot stays where they are.
    async fn move_to(&mut self, socket: &mut Socket, sought: &Where) -> Result<(), ChatError> {
        let room = actions::find(&self.site, &self.user, sought).await?;
        let is_here = self.room.as_ref().is_some_and(|here| here.id == room.id);
        let (panel, patches) = match self.look_into(socket, &room).await {
            Ok(shown) => shown,
            Err(error) => {
                if !is_here {
                    self.be_out_of(socket, &room);
                }
                return Err(error);
            }
        };
        if !is_here {
            self.leave(socket);
        }
        for patch in patches {
            socket.patch(patch).await?;
        }
        socket
            .follow_from(&room.feed(socket.layer()), panel.seq.unwrap_or_default().cast_unsigned());
        self.room = Some(panel.room);
        Ok(())
    }

    /// What is shown of a room, read after it was joined.
    async fn look_into(
        &self,
        socket: &mut Socket,
        room: &Room,
    ) -> Result<(Panel, Vec<Patch>), ChatError> {
        socket.join(&room.feed(socket.layer()));
        let panel = Panel::load(&self.site, &self.user, room.clone(), Part::Newest).await?;
        let patches = match socket.dialect() {
            Dialect::Htmx => vec![fragments::room(&panel)?],
            _ => fragments::room_in_places(&panel, &panel.messages)?,
        };
        self.be_in(socket, room).await?;
        Ok((panel, patches))
    }

    /// The list of rooms as it is now, and the groups that bring its news. Whoever stops being a
    /// member hears it as an event, and leaves here what they joined in the same moment.
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

    /// Closes the view when the room was removed, or the person from it, and nobody could tell.
    async fn is_still_here(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let Some(room) = &self.room else { return Ok(()) };
        match Room::for_person(self.site.db().read(), room.id, self.user.id).await {
            Ok(_) => Ok(()),
            Err(ChatError::NoRoom) => self.close_room(socket, NOT_HERE).await,
            Err(error) => Err(error.at_connect()),
        }
    }

    async fn say(&self, socket: &mut Socket, asked: Asked) -> Result<(), ChatError> {
        let room = match (&self.room, asked.room) {
            (Some(here), None) => here.clone(),
            (Some(here), Some(id)) if here.id == id => here.clone(),
            (_, Some(id)) => {
                Room::by_id(self.site.db().read(), id).await?.ok_or(ChatError::NoRoom)?
            }
            (None, None) => return Err(Invalid::field("message", "Choose a room first.").into()),
        };
        match actions::new_message(&self.site, &room, &self.user, asked).await? {
            // It comes by the feed, as to everyone; to whoever has moved on meanwhile the answer is
            // that it was said.
            Written::New(message) if self.room.as_ref().is_none_or(|here| here.id != room.id) => {
                let said = fragments::said_elsewhere(&message);
                Ok(socket.patch(said).await?)
            }
            Written::New(_) => Ok(()),
            // The answer to the first send was lost on the way; nobody else needs to hear it again.
            Written::Before(message) => {
                let again = match self.room.as_ref().is_some_and(|here| here.id == room.id) {
                    true => fragments::message_again(&message)?,
                    false => fragments::said_elsewhere(&message),
                };
                Ok(socket.patch(again).await?)
            }
        }
    }

    async fn act(&mut self, socket: &mut Socket, action: Action) -> Result<(), ChatError> {
        let (site, user) = (&self.site, &self.user);
        match action {
            Action::NewMessage(asked) => self.say(socket, asked).await,
            Action::EditMessage { id, message } => {
                actions::edit_message(site, user, id, &message).await.map(|_| ())
            }
            Action::DeleteMessage { id } => {
                actions::delete_message(site, user, id).await.map(|_| ())
            }
            Action::ChangeGroup(sought) => self.move_to(socket, &sought).await,
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

    /// Everything after number `since`, or the list anew where that is unknown, impossible, or too
    /// much.
    async fn missed(&self, room: &Room, since: Option<Seq>) -> Result<CatchUp, ChatError> {
        let db = self.site.db().read();
        let now = Room::current_seq(db, room.id).await?;
        if let Some(since) = since.map(Seq::cast_signed).filter(|since| (0..=now).contains(since)) {
            let changed = Message::changed_since(db, room.id, since, CATCH_UP + 1).await?;
            let bytes: usize = changed.iter().map(|message| message.row.text.len()).sum();
            if changed.len() as u64 <= CATCH_UP && bytes <= CATCH_UP_BYTES {
                let patches =
                    changed.iter().filter_map(|m| fragments::changed_message(m, since).transpose());
                return caught_up(patches.collect::<Result<_, _>>()?, now, &changed);
            }
        }
        let newest = Message::newest(db, room.id, PAGE).await?;
        // A page that knows nothing of a room in which nothing ever happened has nothing to
        // replace.
        let patches = if now == 0 && since.is_none() {
            vec![]
        } else {
            vec![fragments::all_messages(&newest)?]
        };
        caught_up(patches, now, &newest)
    }

    async fn close_room(&mut self, socket: &mut Socket, why: &'static str) -> Result<(), Error> {
        self.leave(socket);
        match socket.dialect() {
            Dialect::Htmx if self.has_sidebar => socket.patch(fragments::room_closed(why)).await,
            _ => Err(Close::policy(why).into()),
        }
    }
}

fn caught_up(patches: Vec<Patch>, now: i64, shown: &[Message]) -> Result<CatchUp, ChatError> {
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
            nowhere => nowhere.map(|_| ()),
        };
        match entered {
            Ok(()) => {}
            Err(ChatError::NoRoom) => self.close_room(socket, NOT_HERE).await?,
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
            Event::Gone => self.close_room(socket, "This room was removed.").await,
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
                self.missed(room, since).await.map_err(ChatError::over_socket)
            }
            _ => Ok(CatchUp { patches: Vec::new(), seq: since.unwrap_or_default() }),
        }
    }

    /// What was dropped are hints: who is here, what is new elsewhere, that the room is gone. The
    /// list of rooms is shown anew.
    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.is_still_here(socket).await?;
        match self.has_sidebar {
            true => self.show_sidebar(socket).await.map_err(ChatError::at_connect),
            false => Ok(()),
        }
    }

    async fn removed(&mut self, socket: &mut Socket, group: &GroupName) -> Result<(), Error> {
        match &self.room {
            Some(room) if GroupName::of("chat.room", room.id) == *group => {
                self.close_room(socket, "You are not in this room any more.").await
            }
            _ => Ok(()),
        }
    }
}
