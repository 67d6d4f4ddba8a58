use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::complaints::Complaints;
use crate::devtools::Command;
use crate::tab::Tab;

/// A browser context: cookies, storage, cache, connections and proxy of one person, and their tabs.
#[derive(Debug)]
pub(crate) struct Context {
    id: String,
    without_javascript: bool,
    tabs: watch::Sender<Vec<Arc<Tab>>>,
    complaints: Arc<Complaints>,
}

impl Context {
    pub(crate) fn new(id: &str, without_javascript: bool) -> Self {
        let (tabs, complaints) = (watch::Sender::default(), Arc::default());
        Self { id: id.to_owned(), without_javascript, tabs, complaints }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn complaints(&self) -> Arc<Complaints> {
        self.complaints.clone()
    }

    pub(crate) fn tabs(&self) -> Vec<Arc<Tab>> {
        self.tabs.borrow().clone()
    }

    /// Adds a tab that the browser has opened. Returns the commands by which it begins to run.
    pub(crate) fn begin(&self, tab: Arc<Tab>) -> Vec<Command> {
        let session = tab.session().to_owned();
        let command = |method, parameters: Value| Command::unanswered(&session, method, parameters);
        let commands = vec![
            command("Page.enable", json!({})),
            command("Runtime.enable", json!({})),
            command("Log.enable", json!({})),
            command(
                "Emulation.setScriptExecutionDisabled",
                json!({ "value": self.without_javascript }),
            ),
            command("Runtime.runIfWaitingForDebugger", json!({})),
        ];
        self.tabs.send_modify(|tabs| tabs.push(tab));
        commands
    }

    /// The tab with this id, as soon as it is observed.
    pub(crate) async fn observed_tab(&self, id: &str) -> Option<Arc<Tab>> {
        let of = |tabs: &Vec<Arc<Tab>>| tabs.iter().find(|tab| tab.id() == id).cloned();
        let mut tabs = self.tabs.subscribe();
        let observed =
            timeout(PATIENCE, tabs.wait_for(|tabs| of(tabs).is_some())).await.ok()?.ok()?;
        of(&observed)
    }
}
