use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::complaints::Complaints;
use crate::devtools::Command;

/// The progress of a tab's navigations.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// A form's submission has been scheduled and has not begun.
    is_scheduled: bool,
    is_loading: bool,
    /// How many pages were shown, and how many addresses a page gave itself.
    moves: u64,
}

impl Progress {
    fn is_settled(self) -> bool {
        !self.is_scheduled && !self.is_loading
    }
}

/// One tab, as its events tell of it.
#[derive(Debug)]
pub struct Tab {
    session: String,
    id: String,
    progress: watch::Sender<Progress>,
    complaints: Arc<Complaints>,
}

impl Tab {
    pub(crate) fn new(session: &str, id: &str, complaints: Arc<Complaints>) -> Self {
        let (session, id) = (session.to_owned(), id.to_owned());
        Self { session, id, progress: watch::Sender::default(), complaints }
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// The id of the tab, which is the id of its main frame as well.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn moves(&self) -> u64 {
        self.progress.borrow().moves
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.progress.borrow().is_settled()
    }

    /// Waits until no page is on its way, or the patience is over.
    pub(crate) async fn settles(&self) {
        let mut progress = self.progress.subscribe();
        let _ = timeout(PATIENCE, progress.wait_for(|progress| progress.is_settled())).await;
    }

    /// Waits until the tab has moved on from `moves`, and whether it has.
    pub(crate) async fn moves_on_from(&self, moves: u64) -> bool {
        let mut progress = self.progress.subscribe();
        timeout(PATIENCE, progress.wait_for(|progress| progress.moves > moves)).await.is_ok()
    }

    /// Takes note of an event. Returns the command that it asks for.
    pub(crate) fn hear(&self, method: &str, parameters: &Value) -> Option<Command> {
        let is_main = parameters["frameId"].as_str() == Some(&self.id);
        match method {
            "Page.frameStartedLoading" if is_main => {
                self.note(|progress| progress.is_loading = true)
            }
            "Page.frameStoppedLoading" if is_main => {
                self.note(|progress| progress.is_loading = false)
            }
            "Page.frameScheduledNavigation" if is_main => {
                self.note(|progress| progress.is_scheduled = true)
            }
            "Page.frameClearedScheduledNavigation" if is_main => {
                self.note(|progress| progress.is_scheduled = false);
            }
            "Page.navigatedWithinDocument" if is_main => self.note(|progress| progress.moves += 1),
            "Page.frameNavigated" if parameters["frame"]["parentId"].is_null() => {
                let is_restored = parameters["type"] == "BackForwardCacheRestore";
                self.note(|progress| {
                    progress.is_loading = !is_restored;
                    progress.moves += 1;
                });
            }
            "Page.javascriptDialogOpening" => {
                let accept = json!({ "accept": true });
                return Some(Command::unanswered(
                    &self.session,
                    "Page.handleJavaScriptDialog",
                    accept,
                ));
            }
            _ => self.complaints.hear(method, parameters),
        }
        None
    }

    fn note(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }
}
