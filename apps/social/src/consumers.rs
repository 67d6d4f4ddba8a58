//! The consumer of a window: tracks the page that it shows and the messages that it edits.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use bellwire_site::bellwire::{Close, Consumer, Html, Patch, Socket};
use bellwire_site::{Live, MaybeUser, SiteError, SiteState, User};

use crate::actions::{self, Action, Draft, Edit};
use crate::forms::page_number;
use crate::fragments::{EditForm, List};
use crate::models::{Changes, EDITORS, Message, WINDOWS};
use crate::page_cache::PageCache;
use crate::{Event, SocialError, Visitor, fragments};

/// The most messages edited at once in one window: more than a page shows.
const FORMS: usize = 8;

/// `GET /ws/social-network/`: opens the connection of a window. No login is required.
pub(crate) async fn window(
    MaybeUser(user): MaybeUser,
    State(site): State<SiteState>,
    live: Live,
) -> Response {
    live.run(SocialConsumer::new(site, user))
}

/// The consumer of one window.
#[derive(Debug)]
pub struct SocialConsumer {
    site: SiteState,
    user: Option<User>,
    /// The number of the page that is shown. Only this window's own actions change it.
    page: u64,
    /// The list as last sent.
    shown: Option<Html>,
    /// The ids of the messages that are open in an edit form.
    edited: BTreeSet<i64>,
    /// Whether the page keeps its forms while the list around them is replaced, as bellwire.js
    /// does. Other clients receive no list until their forms are closed.
    keeps_forms: bool,
}

impl SocialConsumer {
    /// A consumer for this user, or for an anonymous visitor.
    pub fn new(site: SiteState, user: Option<User>) -> Self {
        Self { site, user, page: 1, shown: None, edited: BTreeSet::new(), keeps_forms: false }
    }

    fn visitor(&self, socket: &Socket<Self>) -> Visitor {
        Visitor::of_window(self.user.clone(), socket)
    }

    /// Sends the list as of this change, unless the window shows the same already.
    async fn refresh(&mut self, socket: &mut Socket<Self>, seq: i64) -> Result<(), SocialError> {
        if !self.edited.is_empty() && !self.keeps_forms {
            return Ok(());
        }
        let list = PageCache::list(&self.site, self.page, seq).await?;
        if self.shown.as_ref() == Some(&list.html) {
            return Ok(());
        }
        self.show(socket, &list, fragments::refreshed(&list)).await
    }

    /// Sends the current list, even if the window shows the same already.
    async fn resend(&mut self, socket: &mut Socket<Self>) -> Result<(), SocialError> {
        self.shown = None;
        let seq = Changes::current(self.site.db().read()).await?;
        self.refresh(socket, seq).await
    }

    async fn show(
        &mut self,
        socket: &mut Socket<Self>,
        list: &List,
        patch: Patch,
    ) -> Result<(), SocialError> {
        self.shown = Some(list.html.clone());
        Ok(socket.patch(patch).await?)
    }

    /// Shows another page, as requested by this visitor.
    async fn show_page(
        &mut self,
        socket: &mut Socket<Self>,
        page: u64,
        patch: fn(&List) -> Patch,
    ) -> Result<(), SocialError> {
        self.close_forms(socket).await?;
        let seq = Changes::current(self.site.db().read()).await?;
        let mut list = PageCache::list(&self.site, page, seq).await?;
        self.page = list.paging.page();
        if self.page != page {
            list = PageCache::list(&self.site, self.page, seq).await?;
        }
        self.show(socket, &list, patch(&list)).await
    }

    /// Replaces every form with its message. A later list would keep the forms in place.
    async fn close_forms(&mut self, socket: &mut Socket<Self>) -> Result<(), SocialError> {
        for id in std::mem::take(&mut self.edited) {
            socket.leave(EDITORS.of(id));
            if self.keeps_forms {
                let patch = match Message::find(self.site.db().read(), id).await {
                    Ok(message) => fragments::message(&message)?,
                    Err(SocialError::NoMessage) => fragments::removed(id),
                    Err(error) => return Err(error),
                };
                socket.patch(patch).await?;
            }
        }
        Ok(())
    }

    async fn open_form(&mut self, socket: &mut Socket<Self>, id: i64) -> Result<(), SocialError> {
        let message = Message::find(self.site.db().read(), id).await?;
        if !message.may_be_edited_by(self.user.as_ref()) {
            return Err(SocialError::NotYours);
        }
        if self.edited.len() >= FORMS && !self.edited.contains(&id) {
            return Err(SocialError::TooManyForms);
        }
        // Join before reading: every change after the read is then sent to this window.
        socket.join(EDITORS.of(id));
        let form = match Message::find(self.site.db().read(), id).await {
            Ok(message) => fragments::edit(&EditForm::of(&message, self.page))?,
            Err(error) => {
                if !self.edited.contains(&id) {
                    socket.leave(EDITORS.of(id));
                }
                return Err(error);
            }
        };
        self.edited.insert(id);
        Ok(socket.patch(form).await?)
    }

    /// Closes the form of a deleted message for clients that receive no list while a form is open.
    /// Pages with bellwire.js keep the form and the text in it until the visitor closes it.
    async fn close_form_if_deleted(
        &mut self,
        socket: &mut Socket<Self>,
        id: i64,
        result: Result<(), SocialError>,
    ) -> Result<(), SocialError> {
        if matches!(result, Err(SocialError::NoMessage))
            && !self.keeps_forms
            && self.edited.contains(&id)
        {
            self.forget_form(socket, id);
            socket.patch(fragments::removed(id)).await?;
            self.resend(socket).await?;
        }
        result
    }

    fn forget_form(&mut self, socket: &mut Socket<Self>, id: i64) {
        socket.leave(EDITORS.of(id));
        self.edited.remove(&id);
    }

    /// Adds a message and shows the first page, which contains it. A window with open forms stays
    /// on its page.
    async fn add(&mut self, socket: &mut Socket<Self>, draft: Draft) -> Result<(), SocialError> {
        actions::add_message(&self.site, &self.visitor(socket), draft).await?;
        let shown = match self.keeps_forms && !self.edited.is_empty() {
            true => self.resend(socket).await,
            false => self.show_page(socket, 1, fragments::page).await,
        };
        after_commit(socket, shown)
    }

    async fn update(&mut self, socket: &mut Socket<Self>, edit: Edit) -> Result<(), SocialError> {
        let message = actions::update_message(&self.site, &self.visitor(socket), edit).await?;
        self.forget_form(socket, message.id);
        socket.patch(fragments::message(&message)?).await?;
        let shown = self.resend(socket).await;
        after_commit(socket, shown)
    }

    async fn delete(&mut self, socket: &mut Socket<Self>, id: i64) -> Result<(), SocialError> {
        actions::delete_message(&self.site, &self.visitor(socket), id).await?;
        if self.edited.contains(&id) {
            self.forget_form(socket, id);
            socket.patch(fragments::removed(id)).await?;
        }
        let shown = self.resend(socket).await;
        after_commit(socket, shown)
    }
}

/// Ends a committed action. It has succeeded, also if the list cannot be sent: then the connection
/// closes, and the window returns shortly and receives the list.
fn after_commit(
    socket: &mut Socket<SocialConsumer>,
    shown: Result<(), SocialError>,
) -> Result<(), SocialError> {
    match shown {
        Err(SocialError::Other(SiteError::Closed(_))) | Ok(()) => shown,
        Err(error) => {
            let error = SiteError::from(error).for_log();
            tracing::warn!(error, "Could not send the list after a committed action");
            socket.close(Close::new(Close::TRY_AGAIN, "the list cannot be read at the moment"));
            Ok(())
        }
    }
}

impl Consumer for SocialConsumer {
    type Action = Action;
    type Event = Event;
    type Error = SocialError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), SocialError> {
        if let Some(at) = socket.scope().query("at").next() {
            (self.page, self.keeps_forms) = (page_number(Some(&at)).unwrap_or(1), true);
        }
        socket.join(WINDOWS.of(0));
        self.resend(socket).await
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: Action,
    ) -> Result<(), SocialError> {
        match action {
            Action::AddMessage(draft) => self.add(socket, draft).await,
            Action::ListMessages { page } => {
                let page = page_number(Some(&page.to_string()))?;
                self.show_page(socket, page, fragments::focused_page).await
            }
            Action::OpenEditPage { id } => {
                let opened = self.open_form(socket, id).await;
                self.close_form_if_deleted(socket, id, opened).await
            }
            Action::UpdateMessage(edit) => {
                let id = edit.id;
                let updated = self.update(socket, edit).await;
                self.close_form_if_deleted(socket, id, updated).await
            }
            Action::DeleteMessage { id } => {
                let deleted = self.delete(socket, id).await;
                self.close_form_if_deleted(socket, id, deleted).await
            }
        }
    }

    async fn event(&mut self, socket: &mut Socket<Self>, event: &Event) -> Result<(), SocialError> {
        let Event::Changed { seq } = *event;
        self.refresh(socket, seq).await
    }

    /// Sends the current list: the dropped events announced changes of it. Dropped notes to editors
    /// are not repeated; the next change sends a new one.
    async fn lagged(&mut self, socket: &mut Socket<Self>) -> Result<(), SocialError> {
        self.resend(socket).await
    }
}
