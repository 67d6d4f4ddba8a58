//! Helpers: a site with the playground.

use bellwire_testkit::{Client, TestDatabase, TestSite, Window};
use serde_json::Value;

/// A site with the playground as its only app.
pub(crate) async fn playground() -> TestSite {
    playground_on(&TestDatabase::Sqlite).await
}

pub(crate) async fn playground_on(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_playground::app()]).await
}

/// Opens a window of a visitor with a list of tasks, and reads the list that it receives first.
pub(crate) async fn open_with_tasks(client: &Client, path: &str) -> Window {
    let mut window = Window::open(client, path).await;
    let list = window.json().await;
    assert_eq!((&list["selector"], &list["append"]), (&"#todo".into(), &Value::Null), "{list}");
    window
}

/// A text that no page and no frame may contain unescaped.
pub(crate) const NASTY: &str = "<script>alert(1)</script>\u{202e}👋🏽";

/// Asserts that the answer is a readable error, for this field if any.
pub(crate) fn assert_refused(answer: &Value, field: Option<&str>) {
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error: {answer}"));
    assert!(!error.contains("went wrong"), "an internal error: {answer}");
    assert_eq!(answer["field"].as_str(), field, "{answer}");
}
