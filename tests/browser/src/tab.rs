use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::TEST_TIMEOUT;
use crate::console::ConsoleLog;
use crate::devtools::Command;

/// The progress of a tab's navigations.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// A form submission is scheduled and has not started.
    is_scheduled: bool,
    is_loading: bool,
    /// Number of loaded pages and same-document navigations.
    navigations: u64,
}

impl Progress {
    fn is_settled(self) -> bool {
        !self.is_scheduled && !self.is_loading
    }
}

/// A tab, tracked by its events.
#[derive(Debug)]
pub struct Tab {
    session: String,
    id: String,
    progress: watch::Sender<Progress>,
    console: Arc<ConsoleLog>,
}

impl Tab {
    pub(crate) fn new(session: &str, id: &str, console: Arc<ConsoleLog>) -> Self {
        let (session, id) = (session.to_owned(), id.to_owned());
        Self { session, id, progress: watch::Sender::default(), console }
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// The id of the tab, which is the id of its main frame as well.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn navigations(&self) -> u64 {
        self.progress.borrow().navigations
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.progress.borrow().is_settled()
    }

    /// Waits until no page is loading, or until [`TEST_TIMEOUT`].
    pub(crate) async fn settles(&self) {
        let mut progress = self.progress.subscribe();
        let _ = timeout(TEST_TIMEOUT, progress.wait_for(|progress| progress.is_settled())).await;
    }

    /// Waits until the tab has navigated more than `navigations` times. Returns whether it has.
    pub(crate) async fn navigates_after(&self, navigations: u64) -> bool {
        let mut progress = self.progress.subscribe();
        timeout(TEST_TIMEOUT, progress.wait_for(|progress| progress.navigations > navigations))
            .await
            .is_ok()
    }

    /// Handles an event. Returns the command to send in response.
    pub(crate) fn handle_event(&self, method: &str, parameters: &Value) -> Option<Command> {
        let is_main = parameters["frameId"].as_str() == Some(&self.id);
        match method {
            // Under load the browser omits that a started navigation is no longer scheduled.
            "Page.frameStartedLoading" if is_main => self.update(|progress| {
                progress.is_loading = true;
                progress.is_scheduled = false;
            }),
            "Page.frameStoppedLoading" if is_main => {
                self.update(|progress| progress.is_loading = false)
            }
            "Page.frameScheduledNavigation" if is_main => {
                self.update(|progress| progress.is_scheduled = true)
            }
            "Page.frameClearedScheduledNavigation" if is_main => {
                self.update(|progress| progress.is_scheduled = false);
            }
            "Page.navigatedWithinDocument" if is_main => {
                self.update(|progress| progress.navigations += 1)
            }
            "Page.frameNavigated" if parameters["frame"]["parentId"].is_null() => {
                let is_restored = parameters["type"] == "BackForwardCacheRestore";
                self.update(|progress| {
                    progress.is_loading = !is_restored;
                    progress.navigations += 1;
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
            _ => self.console.record(method, parameters),
        }
        None
    }

    fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }
}
