use serde_json::{Value, json};

use crate::Person;

impl Person {
    /// Goes to a path of the site, or to a whole address, and waits for the whole page.
    ///
    /// # Panics
    /// If there is no page.
    pub async fn visit(&self, address: &str) {
        let (address, moves) = (self.address(address), self.tab().moves());
        self.tab().settles().await;
        let gone = self.tell("Page.navigate", json!({ "url": address })).await;
        if let Some(error) = gone["errorText"].as_str() {
            panic!("{} cannot visit {address}: {error}", self.name());
        }
        self.arrives_after(moves).await;
    }

    /// The path of the page that is shown.
    pub async fn path(&self) -> String {
        self.ask("return location.pathname", &[]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Loads the page anew.
    pub async fn reloads(&self) {
        let moves = self.tab().moves();
        self.tell("Page.reload", json!({})).await;
        self.arrives_after(moves).await;
    }

    /// Presses the browser's button that leads back.
    pub async fn goes_back(&self) {
        self.walks(-1).await;
    }

    /// Presses the browser's button that leads forward again.
    pub async fn goes_forward(&self) {
        self.walks(1).await;
    }

    async fn walks(&self, steps: i64) {
        let (history, moves) =
            (self.tell("Page.getNavigationHistory", json!({})).await, self.tab().moves());
        let at = history["currentIndex"].as_i64().unwrap_or_default() + steps;
        let entry = usize::try_from(at).ok().and_then(|at| history["entries"].get(at));
        let Some(id) = entry.map(|entry| &entry["id"]) else {
            panic!("{} has no page to go to by {steps} in {history:#}", self.name())
        };
        self.tell("Page.navigateToHistoryEntry", json!({ "entryId": Value::clone(id) })).await;
        self.arrives_after(moves).await;
    }

    async fn arrives_after(&self, moves: u64) {
        assert!(
            self.tab().moves_on_from(moves).await,
            "{} does not get to another page",
            self.name()
        );
        self.settles().await;
    }
}
