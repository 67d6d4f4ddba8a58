//! Rooms: opening, closing, renaming and deleting.

use bellwire_chat::models::room::Kind;
use bellwire_chat::models::{Membership, Room};
use bellwire_chat::{ChatError, RoomName};
use bellwire_site::Tx;
use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{admin, chat, enter, event, new_message, open, receive_until, since, window};

#[apply(on_databases)]
#[tokio::test]
async fn the_list_has_the_newest_500_open_rooms_and_all_memberships_and_others_have_their_path(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let bens_id = site.user(&ben).await.id;
    assert_eq!(ada.post(&format!("/chat/-/people/{bens_id}/"), &[]).await.status, 303);
    let read = open(&site, &mut ada, "read").await;
    let mine = [("name", "ours"), ("closed", "1")];
    assert_eq!(ben.post("/chat/", &mine).await.status, 303);
    let made = site.state().db().write(async move |tx: Tx| {
        Membership::read(&tx, read.id, bens_id, 0).await?;
        for number in 0..501 {
            let name = RoomName::parse(&format!("open {number}"))?;
            Room::open(&tx, &name, Kind::Open, bens_id).await?;
        }
        Ok::<_, ChatError>(())
    });
    made.await.unwrap();
    let list = ben.get("/chat/").await.text;
    let listed = |path: &str| list.contains(&format!("href=\"{path}\""));
    assert_eq!((0..501).filter(|number| listed(&format!("/chat/open-{number}/"))).count(), 500);
    assert!(!listed("/chat/open-0/") && listed("/chat/open-500/"), "{database:?}: the newest");
    assert!(
        listed("/chat/ours/") && listed("/chat/read/") && listed("/chat/-direct-1-2/"),
        "{list}"
    );
    assert_eq!(ben.get("/chat/open-0/").await.status, 200);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn after_a_rename_the_old_path_redirects_and_everyone_sees_the_new_name(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let room = open(&site, &mut ada, "hi").await;
    open(&site, &mut ada, "taken").await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    let mut cys = window(&site, &cy, "/chat/taken/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    receive_until(&mut cys, "sidebar-rooms").await;
    let settings = format!("/chat/-/rooms/{}/", room.id);
    let refused = ada.post(&settings, &[("name", "Taken")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Another room has this name."), "{}", refused.text);
    let renamed = ada.post(&settings, &[("name", "Hello <all>")]).await;
    assert_eq!((renamed.status, renamed.location()), (303, "/chat/hello-%3Call%3E/"));
    let received = receive_until(&mut bens, &format!(".room-name--{}\"", room.id)).await;
    let path = "/chat/hello-%3Call%3E/";
    let new_name = json!({"room": room.id, "name": "Hello <all>", "path": path});
    let in_the_list = event("chat:renamed", &new_name);
    assert!(received.contains(&in_the_list), "{received}");
    assert!(received.contains("data-bw-title=\"Hello &lt;all&gt; · Bellwire\""), "{received}");
    assert!(received.contains(&format!("data-bw-url=\"{path}\"")), "{received}");
    // A window in another room receives the name and keeps its own URL.
    let received = receive_until(&mut cys, &in_the_list).await;
    assert!(!received.contains("data-bw-url"), "{received}");
    let old = ben.get("/chat/hi/?before=9").await;
    assert_eq!((old.status, old.location()), (303, "/chat/hello-%3Call%3E/?before=9"));
    // The former name can be given to another room, whose path it then is.
    let second = open(&site, &mut ben, "hi").await;
    assert_ne!(second.id, room.id);
    assert_eq!(ben.get("/chat/hi/").await.status, 200);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_window_that_was_disconnected_during_a_rename_enters_the_room_and_shows_its_name(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    ada.post("/chat/hi/", &[("message", "before")]).await;
    ada.post(&format!("/chat/-/rooms/{}/", room.id), &[("name", "Hello")]).await;
    let since = format!("&{}", since(&site, &room, 1));
    // By id, as our pages state their room, and by path.
    for at in [room.id.to_string(), "/chat/hi/".to_owned(), "/chat/hello/".to_owned()] {
        let mut bens = window(&site, &ben, &format!("{at}{since}")).await;
        let received = receive_until(&mut bens, "sidebar-rooms").await;
        assert!(received.contains("data-bw-url=\"/chat/hello/\""), "{at}: {received}");
        assert!(received.contains("data-bw-title=\"Hello · Bellwire\""), "{at}: {received}");
        ben.post("/chat/hello/", &[("message", &format!("at {at}"))]).await;
        receive_until(&mut bens, &format!("at {at}<")).await;
    }
    let mut bens = window(&site, &ben, "/chat/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    bens.send_json(
        &json!({"action": "Change group", "data": {"groupName": "hi", "isGroup": true}}),
    )
    .await;
    receive_until(&mut bens, "data-bw-url=\"/chat/hello/\"").await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_window_that_shows_an_unavailable_room_is_notified_when_it_reconnects(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (closed, deleted) =
        (open(&site, &mut ada, "board").await, open(&site, &mut ada, "hi").await);
    ada.post(&format!("/chat/-/rooms/{}/members/", closed.id), &[("kind", "closed")]).await;
    ada.post(&format!("/chat/-/rooms/{}/delete/", deleted.id), &[]).await;
    let mut notices = Vec::new();
    for room in [closed.id, deleted.id, i64::MAX] {
        let mut bens = window(&site, &ben, &room.to_string()).await;
        notices
            .push(receive_until(&mut bens, "role=\"alert\"").await.replace(&room.to_string(), "?"));
        receive_until(&mut bens, "sidebar-rooms").await;
    }
    assert!(notices[0].contains("innerHTML:#room"), "{notices:?}");
    assert!(
        notices.iter().all(|each| *each == notices[0]),
        "deleted and closed rooms are indistinguishable: {notices:?}"
    );
    // A path alone does not mean that the page shows a room: nothing closes, and a closed room is
    // indistinguishable from none.
    for at in ["/chat/board/", "/chat/hi/", "/chat/", "", "-1x"] {
        let mut bens = window(&site, &ben, at).await;
        assert!(!receive_until(&mut bens, "sidebar-rooms").await.contains("alert"), "{at}");
        bens.send_json(&json!({"action": "New message", "data": {"message": "where am I?"}})).await;
        receive_until(&mut bens, "Choose a room first.").await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn only_the_creator_and_administrators_can_manage_a_room(database: TestDatabase) {
    let site = chat(&database).await;
    let mut admin = admin(&site).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let (run, delete) =
        (format!("/chat/-/rooms/{}/", room.id), format!("/chat/-/rooms/{}/delete/", room.id));
    assert_eq!(ben.get(&run).await.status, 403);
    for path in [&run, &delete, &format!("{run}members/")] {
        assert_eq!(
            ben.post(path, &[("name", "mine"), ("kind", "closed")]).await.status,
            403,
            "{path}"
        );
    }
    assert_eq!(admin.get(&run).await.status, 200);
    assert_eq!(ada.post(&delete, &[]).await.status, 303);
    assert_eq!(ada.get("/chat/hi/").await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_closed_room_does_not_exist_for_other_users(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben, mut cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let made = ada.post("/chat/", &[("name", "board"), ("closed", "1")]).await;
    assert_eq!((made.status, made.location()), (303, "/chat/board/"));
    let db = site.state().db().read();
    let room = bellwire_chat::models::Room::by_slug(db, "board").await.unwrap().unwrap();
    assert_eq!(room.kind, Kind::Closed);
    let ben_id = site.user(&ben).await.id.to_string();
    let members = format!("/chat/-/rooms/{}/members/", room.id);
    let fields = [("kind", "closed"), ("member", ben_id.as_str())];
    assert_eq!(ada.post(&members, &fields).await.status, 303);
    let people = Membership::members(db, room.id).await.unwrap();
    assert_eq!(people.len(), 2, "Ada, who closed it, and Ben");
    ada.post("/chat/board/", &[("message", "the secret plan")]).await;
    assert!(ben.get("/chat/board/").await.text.contains("the secret plan"));

    let message = "/chat/-/messages/1/";
    assert_eq!(ben.get(message).await.status, 303);
    for path in ["/chat/board/", "/chat/board/?before=9", message, "/chat/-/messages/1/?edit=1"] {
        let answer = cy.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text.contains("secret plan"), "{path}");
    }
    for (hidden, missing) in [
        (message, "/chat/-/messages/99/"),
        (&*members, "/chat/-/rooms/99/members/"),
        (&format!("/chat/-/names/?room={}", room.id), "/chat/-/names/?room=99"),
        ("/ws/chat/board/", "/ws/chat/nowhere/"),
    ] {
        let [hidden, missing] = [cy.get(hidden).await.text, cy.get(missing).await.text];
        assert_eq!(hidden, missing, "a hidden room is indistinguishable from a missing one");
    }
    assert_eq!(cy.post("/chat/board/", &[("message", "let me in")]).await.status, 404);
    assert_eq!(cy.post(message, &[("message", "changed")]).await.status, 404);
    assert_eq!(cy.post("/chat/-/messages/1/delete/", &[]).await.status, 404);
    assert!(!cy.get("/chat/").await.text.contains("board"));
    assert!(!cy.get("/chat/-/search/?q=secret").await.text.contains("secret plan"));
    assert!(ben.get("/chat/-/search/?q=SECRET").await.text.contains("secret plan"));
    let taken = cy.post("/chat/", &[("name", "board")]).await;
    assert_eq!(taken.status, 422);
    let mut socket = window(&site, &cy, "/chat/board/").await;
    receive_until(&mut socket, "sidebar-rooms").await;
    socket
        .send_json(
            &json!({"action": "Change group", "data": {"groupName": "board", "isGroup": true}}),
        )
        .await;
    assert!(receive_until(&mut socket, "no such room").await.contains("error"));
    let actions = [
        json!({"action": "New message", "data": {"message": "x", "room": room.id}}),
        json!({"action": "Read", "data": {"room": room.id.to_string(), "seq": "1"}}),
        json!({"action": "Edit message", "data": {"id": 1, "message": "x"}}),
        json!({"action": "Delete message", "data": {"id": "1"}}),
    ];
    for action in actions {
        socket.send_json(&action).await;
        let received = receive_until(&mut socket, "data-error").await;
        assert!(
            received.contains("no such room") || received.contains("was deleted"),
            "{action}: {received}"
        );
    }
    let page = ada.get("/chat/board/").await.text;
    assert_eq!(
        page.matches("<li class=\"message\"").count(),
        1,
        "none of these actions wrote anything"
    );
    assert!(
        page.contains("the secret plan") && !page.contains("message__edited"),
        "none of them changed the message: {page}"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_former_member_sees_the_room_close_and_receives_no_further_messages(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let room = open(&site, &mut ada, "hi").await;
    let mut adas = enter(&site, &ada, &room, "").await;
    let (mut bens, mut cys) =
        (window(&site, &ben, "/chat/hi/").await, enter(&site, &cy, &room, "").await);
    receive_until(&mut bens, "sidebar-rooms").await;
    adas.send_json(&new_message("for all", "c-1")).await;
    receive_until(&mut bens, "for all").await;
    let _: Value = cys.receive_json().await;
    // The room is closed while they are in it, with Ada as the only member.
    let members = format!("/chat/-/rooms/{}/members/", room.id);
    assert_eq!(ada.post(&members, &[("kind", "closed")]).await.status, 303);
    assert!(
        receive_until(&mut bens, "no longer a member of this room")
            .await
            .contains("innerHTML:#room")
    );
    for n in 0..20 {
        adas.send_json(&new_message(&format!("private {n}"), &format!("p-{n}"))).await;
    }
    let (mut messages, mut answers) = (0, 0);
    while (messages, answers) != (21, 21) {
        match adas.receive_json::<Value>().await["answer"].is_string() {
            true => answers += 1,
            false => messages += 1,
        }
    }
    let (received, close) = cys.receive_until_closed().await;
    assert_eq!(close.code(), 1008);
    assert!(received.iter().all(|frame| !frame.contains("private")), "{received:?}");
    bens.send_json(
        &json!({"action": "New message", "data": {"message": "still here?", "room": room.id}}),
    )
    .await;
    let received = receive_until(&mut bens, "no such room").await;
    assert!(!received.contains("private"), "{received}");
    assert_eq!(ada.get("/chat/hi/").await.text.matches("still here?").count(), 0);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_deleted_room_closes_for_its_windows_and_disappears_from_every_list(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let room = open(&site, &mut ada, "hi").await;
    ada.post("/chat/hi/", &[("message", "soon gone")]).await;
    let (mut inside, mut outside) =
        (window(&site, &ben, "/chat/hi/").await, window(&site, &cy, "/chat/").await);
    receive_until(&mut inside, "sidebar-rooms").await;
    receive_until(&mut outside, "sidebar-rooms").await;
    assert_eq!(ada.post(&format!("/chat/-/rooms/{}/delete/", room.id), &[]).await.status, 303);
    receive_until(&mut inside, "This room was deleted.").await;
    receive_until(&mut outside, &format!("#room-link--{}", room.id)).await;
    assert!(!ada.get("/chat/").await.text.contains("/chat/hi/"));
    site.stop().await;
}
