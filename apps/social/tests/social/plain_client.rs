//! A plain JSON client on a real socket, as written for the original app, without bellwire.js.

use bellwire_testkit::{TestDatabase, TestSite, Window, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{action_frame, ids, social, texts};

struct Plain(Window);

impl Plain {
    async fn open(site: &TestSite) -> Self {
        Self(Window::open(&site.client(), "/ws/social-network/").await)
    }

    async fn send(&mut self, action: &str, data: Value) {
        self.0.ask(&action_frame(action, data)).await;
    }

    async fn receive(&mut self) -> Value {
        self.0.json().await
    }

    /// Waits for a list with exactly these texts. The lists before it are older.
    async fn until_list(&mut self, expected: &[&str]) -> String {
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
    ada.until_list(&[]).await;
    ben.until_list(&[]).await;
    for n in 1..=6 {
        ada.send("add message", json!({"author": "Ada", "text": format!("m{n}")})).await;
    }
    let html = ada.until_list(&["m6", "m5", "m4", "m3", "m2"]).await;
    ben.until_list(&["m6", "m5", "m4", "m3", "m2"]).await;
    let newest = ids(&html)[0];
    ben.send("list messages", json!({"page": "2"})).await;
    ben.until_list(&["m1"]).await;
    ada.send("open edit page", json!({"id": newest.to_string()})).await;
    let form = loop {
        let frame = ada.receive().await;
        if frame["selector"] == format!("#message--{newest}") {
            break frame;
        }
    };
    assert!(form["html"].as_str().unwrap().contains("m6</textarea>"), "{form}");
    ada.send("update message", json!({"id": newest.to_string(), "author": "Ada", "text": "m6!"}))
        .await;
    assert_eq!(ada.receive().await["selector"], format!("#message--{newest}"));
    ada.until_list(&["m6!", "m5", "m4", "m3", "m2"]).await;
    ada.send("delete message", json!({ "id": newest })).await;
    ada.until_list(&["m5", "m4", "m3", "m2", "m1"]).await;
    ben.until_list(&["m5", "m4", "m3", "m2", "m1"]).await;
    ada.send("dance", json!({})).await;
    assert_eq!(ada.receive().await["error"], "Unknown action `dance`.");
    site.stop().await;
}
