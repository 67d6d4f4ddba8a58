use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::context::Context;
use crate::devtools::{Command, EventHandler};
use crate::tab::Tab;

/// Routes the events of the browser to the contexts and tabs of people.
#[derive(Debug, Default)]
pub(crate) struct EventRouter {
    contexts: Mutex<HashMap<String, Arc<Context>>>,
    tabs: Mutex<HashMap<String, Arc<Tab>>>,
}

impl EventRouter {
    /// Routes the events of this context's tabs from now on.
    pub(crate) fn add(&self, context: Arc<Context>) {
        self.contexts.lock().expect("contexts").insert(context.id().to_owned(), context);
    }

    /// Removes a context and its tabs.
    pub(crate) fn remove(&self, context: &Context) {
        self.contexts.lock().expect("contexts").remove(context.id());
        let mut tabs = self.tabs.lock().expect("tabs");
        for tab in context.tabs() {
            tabs.remove(tab.session());
        }
    }

    /// Registers a new tab before it runs any script.
    fn attach(&self, parameters: &Value) -> Vec<Command> {
        let session = parameters["sessionId"].as_str().unwrap_or_default();
        let target = &parameters["targetInfo"];
        let context_id = target["browserContextId"].as_str().unwrap_or_default();
        let context = self.contexts.lock().expect("contexts").get(context_id).cloned();
        let Some(context) = context else {
            return vec![Command::unanswered(
                session,
                "Runtime.runIfWaitingForDebugger",
                json!({}),
            )];
        };
        let id = target["targetId"].as_str().unwrap_or_default();
        let tab = Arc::new(Tab::new(session, id, context.console()));
        self.tabs.lock().expect("tabs").insert(session.to_owned(), tab.clone());
        context.add_tab(tab)
    }
}

impl EventHandler for EventRouter {
    fn handle_event(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: &Value,
    ) -> Vec<Command> {
        if method == "Target.attachedToTarget" {
            return self.attach(parameters);
        }
        let tabs = self.tabs.lock().expect("tabs");
        let tab = session.and_then(|session| tabs.get(session));
        tab.and_then(|tab| tab.handle_event(method, parameters)).into_iter().collect()
    }
}
