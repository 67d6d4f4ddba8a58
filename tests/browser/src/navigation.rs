use serde_json::{Value, json};

use crate::Person;

impl Person {
    /// Navigates to a path of the site, or to an absolute address, and waits until the page has
    /// loaded.
    ///
    /// # Panics
    /// If there is no page.
    pub async fn visit(&self, address: &str) {
        let (address, navigations) = (self.address(address), self.tab().navigations());
        self.tab().settles().await;
        let result = self.execute("Page.navigate", json!({ "url": address })).await;
        if let Some(error) = result["errorText"].as_str() {
            panic!("{} cannot visit {address}: {error}", self.name());
        }
        self.waits_for_navigation(navigations).await;
    }

    /// The path of the current page.
    pub async fn path(&self) -> String {
        self.run_script("return location.pathname", &[])
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Reloads the page.
    pub async fn reloads(&self) {
        let navigations = self.tab().navigations();
        self.execute("Page.reload", json!({})).await;
        self.waits_for_navigation(navigations).await;
    }

    /// Presses the browser's back button.
    pub async fn goes_back(&self) {
        self.moves_in_history(-1).await;
    }

    /// Presses the browser's forward button.
    pub async fn goes_forward(&self) {
        self.moves_in_history(1).await;
    }

    async fn moves_in_history(&self, steps: i64) {
        let (history, navigations) =
            (self.execute("Page.getNavigationHistory", json!({})).await, self.tab().navigations());
        let at = history["currentIndex"].as_i64().unwrap_or_default() + steps;
        let entry = usize::try_from(at).ok().and_then(|at| history["entries"].get(at));
        let Some(id) = entry.map(|entry| &entry["id"]) else {
            panic!("{} has no history entry at offset {steps}: {history:#}", self.name())
        };
        self.execute("Page.navigateToHistoryEntry", json!({ "entryId": Value::clone(id) })).await;
        self.waits_for_navigation(navigations).await;
    }

    async fn waits_for_navigation(&self, navigations: u64) {
        assert!(
            self.tab().navigates_after(navigations).await,
            "the browser of {} did not navigate",
            self.name()
        );
        self.settles().await;
    }
}
