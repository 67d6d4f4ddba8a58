//! One window of the social network: the page it shows, and what is being edited in it.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use bellwire_site::bellwire::{Consumer, Error, Html, Invalid, Patch, Socket};
use bellwire_site::{MaybeUser, SiteState, Upgrade, User};
use serde::{Deserialize, Serialize};

use crate::actions::{self, Action, Draft, Edit};
use crate::board::{Board, List};
use crate::forms::page_number;
use crate::fragments::EditForm;
use crate::models::{Changes, Message};
use crate::news::{editors, windows};
use crate::{SocialError, Visitor, fragments};

/// How many messages are edited in one window at most: more forms than a page has messages.
const FORMS: usize = 8;

/// What windows are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Something was added, changed or deleted: lists that are older than this change are to be
    /// read again.
    Changed {
        /// The number of the change.
        seq: i64,
    },
}

/// Opens the socket of a window, for everybody.
pub(crate) async fn window(
    MaybeUser(user): MaybeUser,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Response {
    upgrade.run(SocialConsumer::new(site, user))
}

/// Somebody's window.
#[derive(Debug)]
pub struct SocialConsumer {
    site: SiteState,
    user: Option<User>,
    /// The page it shows. Only its own visitor turns it.
    page: u64,
    /// The list as it was sent last.
    shown: Option<Html>,
    /// The messages that are in a form.
    edited: BTreeSet<i64>,
    /// Whether the page keeps its forms while the list around them is renewed, as bellwire.js does.
    /// Any other gets no list until it is done with them.
    keeps_forms: bool,
}

impl SocialConsumer {
    /// This person, or anybody.
    pub fn new(site: SiteState, user: Option<User>) -> Self {
        Self { site, user, page: 1, shown: None, edited: BTreeSet::new(), keeps_forms: false }
    }

    /// Shows the list as it is after this change, unless it looks the same.
    async fn renew(&mut self, socket: &mut Socket, seq: i64) -> Result<(), SocialError> {
        if !self.edited.is_empty() && !self.keeps_forms {
            return Ok(());
        }
        let list = Board::list(&self.site, self.page, seq).await?;
        if self.shown.as_ref() == Some(&list.html) {
            return Ok(());
        }
        self.show(socket, &list, fragments::refreshed(&list)).await
    }

    /// Shows the list as it is now, whatever the page shows.
    async fn show_again(&mut self, socket: &mut Socket) -> Result<(), SocialError> {
        self.shown = None;
        let seq = Changes::current(self.site.db().read()).await?;
        self.renew(socket, seq).await
    }

    async fn show(
        &mut self,
        socket: &mut Socket,
        list: &List,
        patch: Patch,
    ) -> Result<(), SocialError> {
        self.shown = Some(list.html.clone());
        Ok(socket.patch(patch).await?)
    }

    /// Looks at another page, because this visitor wants to.
    async fn turn(
        &mut self,
        socket: &mut Socket,
        page: u64,
        patch: fn(&List) -> Patch,
    ) -> Result<(), SocialError> {
        self.close_forms(socket).await?;
        let seq = Changes::current(self.site.db().read()).await?;
        let mut list = Board::list(&self.site, page, seq).await?;
        self.page = list.paging.page();
        if self.page != page {
            list = Board::list(&self.site, self.page, seq).await?;
        }
        self.show(socket, &list, patch(&list)).await
    }

    /// Every form gives way to its message. A list that comes next would leave it where it is.
    async fn close_forms(&mut self, socket: &mut Socket) -> Result<(), SocialError> {
        for id in std::mem::take(&mut self.edited) {
            socket.leave(&editors(socket.layer(), id));
            if self.keeps_forms {
                let patch = match Message::find(self.site.db().read(), id).await {
                    Ok(message) => fragments::message(&message)?,
                    Err(SocialError::NoMessage) => fragments::gone(id),
                    Err(error) => return Err(error),
                };
                socket.patch(patch).await?;
            }
        }
        Ok(())
    }

    async fn open_form(&mut self, socket: &mut Socket, id: i64) -> Result<(), SocialError> {
        let message = Message::find(self.site.db().read(), id).await?;
        if !message.may_be_edited_by(self.user.as_ref()) {
            return Err(SocialError::NotYours);
        }
        if self.edited.len() >= FORMS && !self.edited.contains(&id) {
            let full = "Save or cancel what you have begun first.";
            return Err(Invalid::general(full).into());
        }
        // First the group, then the look: what changes from here on is told.
        let editors = editors(socket.layer(), id);
        socket.join(&editors);
        let form = match Message::find(self.site.db().read(), id).await {
            Ok(message) => fragments::edit(&EditForm::of(&message, self.page))?,
            Err(error) => {
                if !self.edited.contains(&id) {
                    socket.leave(&editors);
                }
                return Err(error);
            }
        };
        self.edited.insert(id);
        Ok(socket.patch(form).await?)
    }

    /// A client that waits with its list for a form is done with it when the message turns out to
    /// be gone. A page of ours keeps the form, and what was typed into it, until it is told
    /// otherwise.
    async fn unless_gone(
        &mut self,
        socket: &mut Socket,
        id: i64,
        done: Result<(), SocialError>,
    ) -> Result<(), SocialError> {
        if matches!(done, Err(SocialError::NoMessage))
            && !self.keeps_forms
            && self.edited.contains(&id)
        {
            self.forget_form(socket, id);
            socket.patch(fragments::gone(id)).await?;
            self.show_again(socket).await?;
        }
        done
    }

    fn forget_form(&mut self, socket: &mut Socket, id: i64) {
        socket.leave(&editors(socket.layer(), id));
        self.edited.remove(&id);
    }

    /// Whoever has written something sees it, on the first page; unless they are about to change
    /// something on this one.
    async fn add(&mut self, socket: &mut Socket, draft: Draft) -> Result<(), SocialError> {
        let client_id = draft.client_id.clone();
        actions::add_message(&self.site, &self.visitor(socket), draft).await?;
        answer(socket, client_id, "Your message is there.").await?;
        let shown = match self.keeps_forms && !self.edited.is_empty() {
            true => self.show_again(socket).await,
            false => self.turn(socket, 1, fragments::turned).await,
        };
        shown.map_err(SocialError::after_commit)
    }

    async fn update(&mut self, socket: &mut Socket, edit: Edit) -> Result<(), SocialError> {
        let client_id = edit.client_id.clone();
        let message = actions::update_message(&self.site, &self.visitor(socket), edit).await?;
        self.forget_form(socket, message.id);
        socket.patch(fragments::message(&message)?).await?;
        answer(socket, client_id, "Your change is there.").await?;
        self.show_again(socket).await.map_err(SocialError::after_commit)
    }

    async fn delete(&mut self, socket: &mut Socket, id: i64) -> Result<(), SocialError> {
        actions::delete_message(&self.site, &self.visitor(socket), id).await?;
        if self.edited.contains(&id) {
            self.forget_form(socket, id);
            socket.patch(fragments::gone(id)).await?;
        }
        self.show_again(socket).await.map_err(SocialError::after_commit)
    }

    fn visitor(&self, socket: &Socket) -> Visitor {
        Visitor::of_window(self.user.clone(), socket)
    }

    async fn act(&mut self, socket: &mut Socket, action: Action) -> Result<(), SocialError> {
        match action {
            Action::AddMessage(draft) => self.add(socket, draft).await,
            Action::ListMessages { page } => {
                let page = page_number(Some(&page.to_string()))?;
                self.turn(socket, page, fragments::turned_to).await
            }
            Action::OpenEditPage { id } => {
                let opened = self.open_form(socket, id).await;
                self.unless_gone(socket, id, opened).await
            }
            Action::UpdateMessage(edit) => {
                let id = edit.id;
                let updated = self.update(socket, edit).await;
                self.unless_gone(socket, id, updated).await
            }
            Action::DeleteMessage { id } => {
                let deleted = self.delete(socket, id).await;
                self.unless_gone(socket, id, deleted).await
            }
        }
    }
}

/// Says that it is done, to a page that waits for it.
async fn answer(
    socket: &mut Socket,
    client_id: Option<String>,
    words: &str,
) -> Result<(), SocialError> {
    match client_id.filter(|id| !id.is_empty()) {
        Some(id) => Ok(socket.patch(fragments::said(&id, words)).await?),
        None => Ok(()),
    }
}

impl Consumer for SocialConsumer {
    type Action = Action;
    type Event = Event;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        if let Some(at) = socket.scope().query("at").next() {
            (self.page, self.keeps_forms) = (page_number(Some(&at)).unwrap_or(1), true);
        }
        socket.join(&windows(socket.layer()));
        self.show_again(socket).await.map_err(SocialError::at_connect)
    }

    async fn receive(&mut self, socket: &mut Socket, action: Action) -> Result<(), Error> {
        self.act(socket, action).await.map_err(SocialError::over_socket)
    }

    async fn event(&mut self, socket: &mut Socket, event: &Event) -> Result<(), Error> {
        let Event::Changed { seq } = *event;
        self.renew(socket, seq).await.map_err(SocialError::at_connect)
    }

    /// What was dropped said that the list is another one. Notes to those who edit come again with
    /// the next change.
    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.show_again(socket).await.map_err(SocialError::at_connect)
    }
}
