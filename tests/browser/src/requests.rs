use serde_json::{Value, json};

use crate::Person;

/// Sends the forms one after the other, each when the one before was answered. A form that was
/// taken leads elsewhere.
const POST: &str = "return (async ([path, forms]) => {
    for (const fields of forms) {
      const body = new URLSearchParams(fields)
      const answer = await fetch(path, { method: 'POST', body, redirect: 'manual' })
      if (answer.type !== 'opaqueredirect') return `${answer.status} for ${body}`
    }
    return 'taken'
  })(arguments)";

/// As many as one script sends, so that none takes long.
const AT_ONCE: usize = 20;

impl Person {
    /// Sends a form by HTTP with the cookie of this person's browser; the page that is open stays
    /// as it is.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn posts(&self, path: &str, fields: &[(&str, &str)]) {
        self.post_all(path, &[json!(fields)]).await;
    }

    /// Says these one after the other by HTTP, which is faster than typing.
    ///
    /// # Panics
    /// When one is not taken.
    pub async fn posts_messages(&self, room: &str, messages: &[String]) {
        let forms: Vec<Value> = messages.iter().map(|text| json!([["message", text]])).collect();
        for some in forms.chunks(AT_ONCE) {
            self.post_all(room, some).await;
        }
    }

    async fn post_all(&self, path: &str, forms: &[Value]) {
        let answer = self.ask(POST, &[json!(path), json!(forms)]).await;
        assert_eq!(answer, json!("taken"), "{} sent {forms:?} to {path}", self.name());
    }

    /// This person's number, as the page says it.
    pub async fn id(&self) -> i64 {
        let id = self.ask("return Number(document.documentElement.dataset.user)", &[]).await;
        id.as_i64()
            .unwrap_or_else(|| panic!("the page of {} does not say who looks at it", self.name()))
    }
}
