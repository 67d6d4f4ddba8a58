//! One socket that moves between rooms, and who is here.

use bellwire_site::testing::databases;
use serde_json::{Value, json};

use crate::support::{chat, enter, hear, open, say, window};

fn go(name: &str, is_group: bool) -> Value {
    json!({"action": "Change group", "data": {"groupName": name, "isGroup": is_group}})
}

#[tokio::test]
async fn a_window_moves_to_another_room_and_hears_only_that_one() {
    for database in databases() {
        let site = chat(&database).await;
        let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
        let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
        ada.post("/chat/python/", &[("message", "before you came")]).await;
        let mut bens = window(&site, &ben, "/chat/hi/").await;
        hear(&mut bens, "sidebar-rooms").await;
        bens.send_json(&go("python", true)).await;
        let panel = hear(&mut bens, "before you came").await;
        assert!(
            panel.contains("innerHTML:#room") && panel.contains("data-bw-url=\"/chat/python/\""),
            "{panel}"
        );
        assert!(panel.contains(&format!("data-feed=\"chat.room.{}\" data-seq=\"1\"", python.id)), "{panel}");
        ada.post("/chat/hi/", &[("message", "in the room that was left")]).await;
        ada.post("/chat/python/", &[("message", "next")]).await;
        let heard = hear(&mut bens, "next").await;
        assert!(!heard.contains("that was left"), "{heard}");
        // What was typed in the room that was left goes there, whenever it is sent.
        let late = json!({"action": "New message", "data": {"message": "overtaken", "client_id": "l-1", "room": hi.id.to_string()}});
        bens.send_json(&late).await;
        assert!(hear(&mut bens, "data-client-id=\"l-1\"").await.contains("#alerts"));
        assert!(ben.get("/chat/hi/").await.text.contains("overtaken"));
        assert!(!ben.get("/chat/python/").await.text.contains("overtaken"));
        site.stop().await;
    }
}

#[tokio::test]
async fn a_json_client_moves_as_the_book_has_it() {
    for database in databases() {
        let site = chat(&database).await;
        let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
        let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
        let mut bens = enter(&site, &ben, &hi, "").await;
        bens.send_json(&go("python", true)).await;
        let frames: Vec<Value> =
            vec![bens.receive_json().await, bens.receive_json().await, bens.receive_json().await];
        assert_eq!((&frames[0]["selector"], &frames[0]["html"]), (&json!("#group-name"), &json!("#python")));
        assert_eq!(frames[0]["url"], "/chat/python/");
        assert_eq!((&frames[1]["selector"], &frames[1]["html"]), (&json!("#messages-list"), &json!("")));
        assert_eq!((&frames[2]["selector"], &frames[2]["html"]), (&json!("#logged-user"), &json!("Ben")));
        ada.post(&python.path(), &[("message", "hello")]).await;
        let said: Value = bens.receive_json().await;
        assert_eq!(said["seq"], 1);
        bens.send_json(&go("Ada", false)).await;
        let frame: Value = bens.receive_json().await;
        assert_eq!((&frame["selector"], &frame["html"]), (&json!("#group-name"), &json!("Ada")));
        bens.send_json(&say("only for Ada", "d-1")).await;
        let mut said = Value::Null;
        while said["append"] != json!(true) || !said["html"].to_string().contains("only for Ada") {
            said = bens.receive_json().await;
        }
        site.stop().await;
    }
}

#[tokio::test]
async fn who_is_here_is_told_to_those_present_and_three_windows_are_one_person() {
    for database in databases() {
        let site = chat(&database).await;
        let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
        let room = open(&site, &mut ada, "hi").await;
        let mut adas = window(&site, &ada, "/chat/hi/").await;
        hear(&mut adas, "Ada</b> joined").await;
        let mut windows = Vec::new();
        for _ in 0..3 {
            windows.push(window(&site, &ben, "/chat/hi/").await);
        }
        let heard = hear(&mut adas, "Ben</b> joined").await;
        assert!(
            heard.contains(&format!("innerHTML:#online--{}\">2</div>", room.id)) || {
                hear(&mut adas, &format!("#online--{}", room.id)).await;
                true
            }
        );
        assert_eq!(heard.matches("</b> joined").count(), 1, "{heard}");
        windows.pop().unwrap().cut().await;
        windows.pop().unwrap().cut().await;
        let layer = site.state().bellwire().layer();
        assert_eq!(layer.presence().count(room.feed(layer).name()), 2, "one window is enough to be here");
        windows.pop().unwrap().cut().await;
        hear(&mut adas, "Ben</b> left").await;
        assert_eq!(layer.presence().count(room.feed(layer).name()), 1);
        site.stop().await;
    }
}

#[tokio::test]
async fn typing_is_told_to_the_others_in_the_room_and_to_nobody_else() {
    for database in databases() {
        let site = chat(&database).await;
        let (mut ada, ben, cy) =
            (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
        open(&site, &mut ada, "hi").await;
        open(&site, &mut ada, "python").await;
        let mut adas = window(&site, &ada, "/chat/hi/").await;
        let mut bens = window(&site, &ben, "/chat/hi/").await;
        let mut cys = window(&site, &cy, "/chat/python/").await;
        hear(&mut cys, "sidebar-rooms").await;
        adas.send_json(&json!({"action": "Typing", "data": {}})).await;
        hear(&mut bens, "typing--").await;
        // What is sent afterwards has arrived, so what was sent before would have.
        ada.post("/chat/hi/", &[("message", "done")]).await;
        assert!(!hear(&mut cys, "newest--").await.contains("typing--"));
        assert!(!hear(&mut adas, "done").await.contains("typing--"), "never oneself");
        site.stop().await;
    }
}
