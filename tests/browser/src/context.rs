use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::TEST_TIMEOUT;
use crate::console::ConsoleLog;
use crate::devtools::Command;
use crate::tab::Tab;

/// The browser context of one person: cookies, storage, cache, connections, proxy and tabs.
#[derive(Debug)]
pub(crate) struct Context {
    id: String,
    without_javascript: bool,
    tabs: watch::Sender<Vec<Arc<Tab>>>,
    console: Arc<ConsoleLog>,
}

impl Context {
    pub(crate) fn new(id: &str, without_javascript: bool) -> Self {
        let (tabs, console) = (watch::Sender::default(), Arc::default());
        Self { id: id.to_owned(), without_javascript, tabs, console }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn console(&self) -> Arc<ConsoleLog> {
        self.console.clone()
    }

    pub(crate) fn tabs(&self) -> Vec<Arc<Tab>> {
        self.tabs.borrow().clone()
    }

    /// Adds a tab that the browser has opened. Returns the commands that start it.
    pub(crate) fn add_tab(&self, tab: Arc<Tab>) -> Vec<Command> {
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

    /// Waits until the tab with this id is attached.
    pub(crate) async fn attached_tab(&self, id: &str) -> Option<Arc<Tab>> {
        let find = |tabs: &Vec<Arc<Tab>>| tabs.iter().find(|tab| tab.id() == id).cloned();
        let mut tabs = self.tabs.subscribe();
        let attached =
            timeout(TEST_TIMEOUT, tabs.wait_for(|tabs| find(tabs).is_some())).await.ok()?.ok()?;
        find(&attached)
    }
}
