//! A client written for the original, on a real socket: text frames of JSON, and nothing of ours.

use bellwire_testkit::{TestDatabase, TestSite, Window, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{ask, ids, social, texts};

struct Plain(Window);

impl Plain {
    async fn open(site: &TestSite) -> Self {
        Self(Window::open(&site.client(), "/ws/social-network/").await)
    }

    async fn ask(&mut self, action: &str, data: Value) {
        self.0.ask(&ask(action, data)).await;
    }

    async fn hear(&mut self) -> Value {
        self.0.json().await
    }

    /// The list, when it shows these texts; what comes before is older.
    async fn sees(&mut self, expected: &[&str]) -> String {
        let mut shown = String::new();
        let shows = |frame: &str| {
            let frame: Value = serde_json::from_str(frame).unwrap();
            assert_eq!(frame["selector"], "#messages__list", "{frame}");
            frame["html"].as_str().unwrap().clone_into(&mut shown);
            texts(&shown) == expected
        };
        self.0.until(&format!("a list of {expected:?}"), shows).await;
        shown
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn browse_add_read_edit_and_delete(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (Plain::open(&site).await, Plain::open(&site).await);
    ada.sees(&[]).await;
    ben.sees(&[]).await;
    for n in 1..=6 {
        ada.ask("add message", json!({"author": "Ada", "text": format!("m{n}")})).await;
    }
    let html = ada.sees(&["m6", "m5", "m4", "m3", "m2"]).await;
    ben.sees(&["m6", "m5", "m4", "m3", "m2"]).await;
    let newest = ids(&html)[0];
    ben.ask("list messages", json!({"page": "2"})).await;
    ben.sees(&["m1"]).await;
    ada.ask("open edit page", json!({"id": newest.to_string()})).await;
    let form = loop {
        let frame = ada.hear().await;
        if frame["selector"] == format!("#message--{newest}") {
            break frame;
        }
    };
    assert!(form["html"].as_str().unwrap().contains("m6</textarea>"), "{form}");
    ada.ask("update message", json!({"id": newest.to_string(), "author": "Ada", "text": "m6!"}))
        .await;
    assert_eq!(ada.hear().await["selector"], format!("#message--{newest}"));
    ada.sees(&["m6!", "m5", "m4", "m3", "m2"]).await;
    ada.ask("delete message", json!({ "id": newest })).await;
    ada.sees(&["m5", "m4", "m3", "m2", "m1"]).await;
    ben.sees(&["m5", "m4", "m3", "m2", "m1"]).await;
    ada.ask("dance", json!({})).await;
    assert_eq!(ada.hear().await["error"], "Unknown action `dance`.");
    site.stop().await;
}
