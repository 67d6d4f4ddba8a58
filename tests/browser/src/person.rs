use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::chromium::{Chromium, Habits};
use crate::complaints::Trouble;
use crate::context::Context;
use crate::devtools::Answer;
use crate::look_until;
use crate::tab::Tab;

/// Somebody with a browser context of their own. What people do is in `verbs`, and where they go in
/// `travels`; this is how their browser is reached.
///
/// Dropping a person fails the story if their browser has complained about an error that the story
/// does not [expect](Self::expects).
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
    pub(crate) async fn arrive(
        name: &str,
        site: &str,
        chromium: Arc<Chromium>,
        habits: Habits,
    ) -> Self {
        let context = chromium.create_context(&habits).await;
        let tab = chromium.open_tab(&context).await;
        let (name, site, current) = (name.to_owned(), site.to_owned(), Mutex::new(tab.clone()));
        let person = Self { name, site, context, current, chromium };
        person.looks_at(&tab).await;
        person
    }

    /// The name, which is also the name of the account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of a path on the site; a whole address stays as it is.
    pub(crate) fn address(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.site) } else { path.to_owned() }
    }

    /// The tab that this person looks at.
    #[must_use]
    pub fn tab(&self) -> Arc<Tab> {
        self.current.lock().expect("the tab").clone()
    }

    /// Looks at another tab: that one is visible and has the focus, as on a desktop.
    pub async fn looks_at(&self, tab: &Arc<Tab>) {
        self.tell("Emulation.setFocusEmulationEnabled", json!({ "enabled": false })).await;
        *self.current.lock().expect("the tab") = tab.clone();
        let shown = self.chromium.devtools.ask(
            None,
            "Target.activateTarget",
            json!({ "targetId": tab.id() }),
        );
        shown.await.unwrap_or_else(|error| panic!("{} cannot look at a tab: {error}", self.name));
        self.tell("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
    }

    /// Opens an empty tab behind the one that is looked at.
    pub async fn opens_tab(&self) -> Arc<Tab> {
        self.chromium.open_tab(&self.context).await
    }

    /// Sends a command to the page; the future is the answer. Commands are executed in order.
    pub(crate) fn command(
        &self,
        method: &'static str,
        parameters: Value,
    ) -> impl Future<Output = Answer> + use<> {
        self.chromium.devtools.ask(Some(self.tab().session()), method, parameters)
    }

    /// Tells the browser something about the page that it does not refuse.
    pub(crate) async fn tell(&self, method: &'static str, parameters: Value) -> Value {
        let told = self.command(method, parameters).await;
        told.unwrap_or_else(|error| {
            panic!("the browser of {} refused {method}: {error}", self.name)
        })
    }

    /// The result of an expression in the page, or `None` if it fails or the page gives way.
    async fn evaluate(&self, expression: String) -> Option<Value> {
        self.tab().settles().await;
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.command("Runtime.evaluate", parameters).await;
        self.tab().settles().await;
        let mut answer = answer.ok()?;
        answer["exceptionDetails"].is_null().then(|| answer["result"]["value"].take())
    }

    /// Waits until all that the page was asked to do has been done, and the next page is there if
    /// it led to one.
    pub(crate) async fn settles(&self) {
        loop {
            self.tab().settles().await;
            // Events of a page come before its answers: after this one, nothing was on its way.
            let _ = self.command("Runtime.evaluate", json!({ "expression": "0" })).await;
            if self.tab().is_settled() {
                return;
            }
        }
    }

    /// The result of a script in the page; `Null` if it fails, as it does while a page gives way to
    /// the next. The script is the body of a function with these `arguments`.
    pub async fn ask(&self, script: &str, arguments: &[Value]) -> Value {
        let expression = format!("(function () {{ {script}\n}}).apply(null, {})", json!(arguments));
        self.evaluate(expression).await.unwrap_or(Value::Null)
    }

    /// Waits until a script returns something that is true, and returns it.
    ///
    /// # Panics
    /// With the sentence "`name` never …" and the page's words, when that does not happen.
    pub async fn until(&self, what: &str, script: &str, arguments: &[Value]) -> Value {
        let look = async || {
            let answer = self.ask(script, arguments).await;
            (!matches!(answer, Value::Null | Value::Bool(false))).then_some(answer)
        };
        match look_until(look).await {
            Some(answer) => answer,
            None => panic!("{} never {what}. {}", self.name, self.page().await),
        }
    }

    /// Lets a network error pass that this story causes on purpose. Everything else that the
    /// browser reports as an error fails the story.
    pub fn expects(&self, trouble: Trouble) {
        self.context.complaints().expect(trouble);
    }

    /// Takes what the browser has complained about so far, warnings included, and nobody expected.
    pub async fn complaints(&self) -> Vec<String> {
        self.settles().await;
        self.context.complaints().take()
    }

    /// The cookies of this person's browser.
    pub async fn cookies(&self) -> Vec<(String, String)> {
        let of = json!({ "browserContextId": self.context.id() });
        let kept = self.chromium.devtools.ask(None, "Storage.getCookies", of).await;
        let kept = kept.unwrap_or_else(|error| panic!("the cookies of {}: {error}", self.name));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cookies = kept["cookies"].as_array().into_iter().flatten();
        cookies.map(|cookie| (text(&cookie["name"]), text(&cookie["value"]))).collect()
    }

    /// Ends this person's browser as a crash does. Only for a person with a browser of their own.
    ///
    /// # Panics
    /// If it survives that.
    pub async fn crashes(&self) {
        let crashed = self.chromium.devtools.ask(None, "Browser.crash", json!({})).await;
        assert!(crashed.is_err(), "nobody is there to answer");
    }

    /// The page in words, for the message of a failure.
    pub(crate) async fn page(&self) -> String {
        let script = "return [location.href, document.documentElement.dataset.bellwire, document.body.innerText]";
        let answer = self.ask(script, &[]).await;
        let complaints = self.context.complaints().take();
        format!("The page shows {answer:#}; the browser complains: {complaints:#?}")
    }

    /// Errors that nobody expected, when all tabs have said everything.
    fn last_errors(&self) -> Vec<String> {
        for tab in self.context.tabs() {
            let nothing = json!({ "expression": "0" });
            let _ = self.chromium.devtools.ask_and_block(
                Some(tab.session()),
                "Runtime.evaluate",
                nothing,
            );
        }
        self.context.complaints().take_errors()
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
