//! A site with the playground.

use bellwire_testkit::{TestDatabase, TestSite};
use serde_json::Value;

/// A site with nothing but the playground.
pub(crate) async fn playground() -> TestSite {
    playground_on(&TestDatabase::Sqlite).await
}

pub(crate) async fn playground_on(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_playground::app()]).await
}

/// The words that no page and no frame may repeat unescaped.
pub(crate) const NASTY: &str = "<script>alert(1)</script>\u{202e}👋🏽";

/// Asserts that an answer is an error that a person can read, about this field if any.
pub(crate) fn assert_refused(answer: &Value, field: Option<&str>) {
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error: {answer}"));
    assert!(!error.contains("went wrong"), "our own fault: {answer}");
    assert_eq!(answer["field"].as_str(), field, "{answer}");
}
