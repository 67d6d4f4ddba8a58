use serde_json::{Value, json};

use crate::Person;

/// Sends the forms one after another, each after the response to the previous one. An accepted form
/// is answered with a redirect.
const POST: &str = "return (async ([path, forms]) => {
    for (const fields of forms) {
      const body = new URLSearchParams(fields)
      const answer = await fetch(path, { method: 'POST', body, redirect: 'manual' })
      if (answer.type !== 'opaqueredirect') return `${answer.status} for ${body}`
    }
    return 'accepted'
  })(arguments)";

/// Number of forms that one script sends, which limits its duration.
const BATCH: usize = 20;

impl Person {
    /// Sends a form by HTTP with the cookies of this person's browser. The open page does not
    /// change.
    ///
    /// # Panics
    /// If it is not accepted.
    pub async fn posts(&self, path: &str, fields: &[(&str, &str)]) {
        self.post_all(path, &[json!(fields)]).await;
    }

    /// Sends messages one after another by HTTP, which is faster than typing.
    ///
    /// # Panics
    /// If one is not accepted.
    pub async fn posts_messages(&self, room: &str, messages: &[String]) {
        let forms: Vec<Value> = messages.iter().map(|text| json!([["message", text]])).collect();
        for some in forms.chunks(BATCH) {
            self.post_all(room, some).await;
        }
    }

    async fn post_all(&self, path: &str, forms: &[Value]) {
        let answer = self.run_script(POST, &[json!(path), json!(forms)]).await;
        assert_eq!(answer, json!("accepted"), "{} sent {forms:?} to {path}", self.name());
    }

    /// The user id of this person, from the page.
    pub async fn id(&self) -> i64 {
        let id = self.run_script("return Number(document.documentElement.dataset.user)", &[]).await;
        id.as_i64().unwrap_or_else(|| panic!("the page of {} has no user id", self.name()))
    }
}
