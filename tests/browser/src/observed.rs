use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::context::Context;
use crate::devtools::{Command, Hears};
use crate::tab::Tab;

/// The contexts and tabs whose events are heard.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    contexts: Mutex<HashMap<String, Arc<Context>>>,
    tabs: Mutex<HashMap<String, Arc<Tab>>>,
}

impl Observed {
    /// Hears the tabs of this context from now on.
    pub(crate) fn add(&self, context: Arc<Context>) {
        self.contexts.lock().expect("contexts").insert(context.id().to_owned(), context);
    }

    /// Forgets a context and its tabs.
    pub(crate) fn remove(&self, context: &Context) {
        self.contexts.lock().expect("contexts").remove(context.id());
        let mut tabs = self.tabs.lock().expect("tabs");
        for tab in context.tabs() {
            tabs.remove(tab.session());
        }
    }

    /// Observes a new tab before it runs anything.
    fn attach(&self, parameters: &Value) -> Vec<Command> {
        let session = parameters["sessionId"].as_str().unwrap_or_default();
        let target = &parameters["targetInfo"];
        let of = target["browserContextId"].as_str().unwrap_or_default();
        let context = self.contexts.lock().expect("contexts").get(of).cloned();
        let Some(context) = context else {
            return vec![Command::unanswered(
                session,
                "Runtime.runIfWaitingForDebugger",
                json!({}),
            )];
        };
        let id = target["targetId"].as_str().unwrap_or_default();
        let tab = Arc::new(Tab::new(session, id, context.complaints()));
        self.tabs.lock().expect("tabs").insert(session.to_owned(), tab.clone());
        context.begin(tab)
    }
}

impl Hears for Observed {
    fn hear(&self, session: Option<&str>, method: &str, parameters: &Value) -> Vec<Command> {
        if method == "Target.attachedToTarget" {
            return self.attach(parameters);
        }
        let tabs = self.tabs.lock().expect("tabs");
        let tab = session.and_then(|session| tabs.get(session));
        tab.and_then(|tab| tab.hear(method, parameters)).into_iter().collect()
    }
}
