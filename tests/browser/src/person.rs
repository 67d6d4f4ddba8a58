use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::chromium::{Chromium, ContextOptions};
use crate::console::NetworkError;
use crate::context::Context;
use crate::devtools::CommandResult;
use crate::poll_until;
use crate::tab::Tab;

/// A person with a separate browser context. The actions of people are in `actions` and
/// `navigation`; this module is the access to their browser.
///
/// Dropping a person fails the story if their browser has reported an error that the story does not
/// [expect](Self::expects).
#[derive(Debug)]
pub struct Person {
    name: String,
    site: String,
    context: Arc<Context>,
    current: Mutex<Arc<Tab>>,
    // Dropped last: the browser may end with it.
    chromium: Arc<Chromium>,
}

impl Person {
    pub(crate) async fn open(
        name: &str,
        site: &str,
        chromium: Arc<Chromium>,
        options: ContextOptions,
    ) -> Self {
        let context = chromium.create_context(&options).await;
        let tab = chromium.open_tab(&context).await;
        let (name, site, current) = (name.to_owned(), site.to_owned(), Mutex::new(tab.clone()));
        let person = Self { name, site, context, current, chromium };
        person.switches_to(&tab).await;
        person
    }

    /// The name, which is also the account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of a path on the site; an absolute URL is returned unchanged.
    pub(crate) fn address(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.site) } else { path.to_owned() }
    }

    /// The current tab of this person.
    #[must_use]
    pub fn tab(&self) -> Arc<Tab> {
        self.current.lock().expect("the tab").clone()
    }

    /// Switches to another tab, which becomes visible and focused, as on a desktop.
    pub async fn switches_to(&self, tab: &Arc<Tab>) {
        self.execute("Emulation.setFocusEmulationEnabled", json!({ "enabled": false })).await;
        *self.current.lock().expect("the tab") = tab.clone();
        let shown = self.chromium.devtools.call(
            None,
            "Target.activateTarget",
            json!({ "targetId": tab.id() }),
        );
        shown.await.unwrap_or_else(|error| panic!("{} cannot switch to a tab: {error}", self.name));
        self.execute("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
    }

    /// Opens an empty tab in the background.
    pub async fn opens_tab(&self) -> Arc<Tab> {
        self.chromium.open_tab(&self.context).await
    }

    /// Sends a command to the page; the future returns its result. Commands are executed in order.
    pub(crate) fn command(
        &self,
        method: &'static str,
        parameters: Value,
    ) -> impl Future<Output = CommandResult> + use<> {
        self.chromium.devtools.call(Some(self.tab().session()), method, parameters)
    }

    /// Executes a command on the page. Panics if the browser refuses it.
    pub(crate) async fn execute(&self, method: &'static str, parameters: Value) -> Value {
        let result = self.command(method, parameters).await;
        result.unwrap_or_else(|error| {
            panic!("the browser of {} refused {method}: {error}", self.name)
        })
    }

    /// The result of an expression in the page, or `None` if it fails or the page is unloaded.
    async fn evaluate(&self, expression: String) -> Option<Value> {
        self.tab().settles().await;
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.command("Runtime.evaluate", parameters).await;
        self.tab().settles().await;
        let mut answer = answer.ok()?;
        answer["exceptionDetails"].is_null().then(|| answer["result"]["value"].take())
    }

    /// Waits until all commands are executed, including navigations that they caused.
    pub(crate) async fn settles(&self) {
        loop {
            self.tab().settles().await;
            // Events of a page precede its results, so after this result no event is outstanding.
            let _ = self.command("Runtime.evaluate", json!({ "expression": "0" })).await;
            if self.tab().is_settled() {
                return;
            }
        }
    }

    /// Runs a script in the page and returns its result, or `Null` if it fails, as it does during a
    /// navigation. The script is the body of a function with these `arguments`.
    pub async fn run_script(&self, script: &str, arguments: &[Value]) -> Value {
        let expression = format!("(function () {{ {script}\n}}).apply(null, {})", json!(arguments));
        self.evaluate(expression).await.unwrap_or(Value::Null)
    }

    /// Waits until a script returns neither `null` nor `false`, and returns the result.
    ///
    /// # Panics
    /// With the sentence "`name` never …" and the page's text, after the timeout.
    pub async fn until(&self, what: &str, script: &str, arguments: &[Value]) -> Value {
        let poll = async || {
            let answer = self.run_script(script, arguments).await;
            (!matches!(answer, Value::Null | Value::Bool(false))).then_some(answer)
        };
        match poll_until(poll).await {
            Some(answer) => answer,
            None => panic!("{} never {what}. {}", self.name, self.page().await),
        }
    }

    /// Allows a network error that this story causes on purpose. Any other error that the browser
    /// reports fails the story.
    pub fn expects(&self, error: NetworkError) {
        self.context.console().expect(error);
    }

    /// Takes the unexpected errors and warnings that the browser has reported so far.
    pub async fn console_messages(&self) -> Vec<String> {
        self.settles().await;
        self.context.console().take()
    }

    /// The cookies of this person's browser.
    pub async fn cookies(&self) -> Vec<(String, String)> {
        let of = json!({ "browserContextId": self.context.id() });
        let kept = self.chromium.devtools.call(None, "Storage.getCookies", of).await;
        let kept = kept.unwrap_or_else(|error| panic!("the cookies of {}: {error}", self.name));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cookies = kept["cookies"].as_array().into_iter().flatten();
        cookies.map(|cookie| (text(&cookie["name"]), text(&cookie["value"]))).collect()
    }

    /// Crashes this person's browser. Only for a person with a separate browser.
    ///
    /// # Panics
    /// If it does not crash.
    pub async fn crashes(&self) {
        let crashed = self.chromium.devtools.call(None, "Browser.crash", json!({})).await;
        assert!(crashed.is_err(), "the browser has not crashed");
    }

    /// Describes the page, for the message of a failure.
    pub(crate) async fn page(&self) -> String {
        let script = "return [location.href, document.documentElement.dataset.bellwire, document.body.innerText]";
        let answer = self.run_script(script, &[]).await;
        let console = self.context.console().take();
        format!("The page shows {answer:#}; the browser reports: {console:#?}")
    }

    /// The unexpected errors, after all tabs have sent their events.
    fn last_errors(&self) -> Vec<String> {
        for tab in self.context.tabs() {
            let no_op = json!({ "expression": "0" });
            let _ = self.chromium.devtools.call_blocking(
                Some(tab.session()),
                "Runtime.evaluate",
                no_op,
            );
        }
        self.context.console().take_errors()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let is_failing = std::thread::panicking();
        let errors = if is_failing { Vec::new() } else { self.last_errors() };
        self.chromium.dispose(&self.context);
        assert!(errors.is_empty(), "the browser of {} reports errors: {errors:#?}", self.name);
    }
}
