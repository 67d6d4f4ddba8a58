//! What a story does and sees in a page.

use bellwire_browser_tests::Person;
use serde_json::{Value, json};

use super::app::{App, Content, open};

pub(super) fn body(content: &str) -> String {
    format!("<main id=main bw-connect=/live bw-at=home>{content}</main>")
}

/// Whether an expression holds in the page.
pub(super) async fn holds(person: &Person, expression: &str) -> bool {
    person.run_script(&format!("return {expression}"), &[]).await == json!(true)
}

/// The value of an expression in the page.
pub(super) async fn value(person: &Person, expression: &str) -> Value {
    person.run_script(&format!("return {expression}"), &[]).await
}

/// Waits until an expression holds in the page.
pub(super) async fn comes_true(person: &Person, expression: &str) {
    person.until(&format!("saw that {expression}"), &format!("return {expression}"), &[]).await;
}

/// Waits until an event of this name was raised, and returns the last one: its target and detail.
pub(super) async fn hears(person: &Person, event: &str) -> Value {
    let script = "return events.findLast(([name]) => name === arguments[0])?.slice(1)";
    person.until(&format!("heard {event}"), script, &[json!(event)]).await
}

/// The connection is lost, and the page does not return by itself, as its clock stands still.
pub(super) async fn is_cut_off(person: &Person, app: &App) {
    person.run_script("clock.stop()", &[]).await;
    app.closes(4000);
    comes_true(person, "bellwire.state() === 'connecting'").await;
}

/// Signs in, or out without a name. No page or connection is told.
pub(super) async fn signs_in(person: &Person, name: &str) {
    // A cookie that a script sets may be missing in the next request.
    let script = "return fetch(`/as/${arguments[0]}`).then(() => true)";
    person.run_script(script, &[json!(name)]).await;
}

/// A page with a kept form, and a place for each kind of answer.
pub(super) const SAYING: &str =
    "<p id=connection-reason></p><p id=connection-sign-in hidden><a>Sign in</a></p>
    <form id=form bw-send=Say method=post action=/post/say><input type=hidden name=client_id>
      <input id=text name=text aria-describedby=error--text><p id=error--text></p>
      <button>Say</button></form><p id=error></p>";

pub(super) async fn says(person: &Person, text: &str) {
    person.types("#text", text).await;
    person.presses("#form button").await;
}

pub(super) async fn open_as_ada(content: Content) -> (Person, App) {
    let (browsers, app) = open(content).await;
    app.page("/sign-in", Content::Plain("<link rel=icon href='data:,'>Please sign in.".to_owned()));
    let ada = browsers.person("Ada").await;
    ada.visit("/sign-in").await;
    signs_in(&ada, "user.ada").await;
    ada.visit("/").await;
    ada.is_connected().await;
    (ada, app)
}
