//! Conversations between two users.

use bellwire_chat::ChatError;
use bellwire_chat::models::Room;
use bellwire_site::Tx;
use bellwire_testkit::{TestDatabase, apply, on_databases};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{chat, events, receive_until, window};

#[apply(on_databases)]
#[tokio::test]
async fn two_people_have_one_conversation_and_both_see_it_appear(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben, mut cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let (ada_id, ben_id) = (site.user(&ada).await.id, site.user(&ben).await.id);
    let (mut adas, mut bens, mut cys) = (
        window(&site, &ada, "/chat/").await,
        window(&site, &ben, "/chat/").await,
        window(&site, &cy, "/chat/").await,
    );
    for each in [&mut adas, &mut bens, &mut cys] {
        receive_until(each, "sidebar-rooms").await;
    }
    let begun = ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await;
    let again = ben.post(&format!("/chat/-/people/{ada_id}/"), &[]).await;
    assert_eq!((begun.status, begun.location()), (303, again.location()));
    let path = begun.location().to_owned();
    assert!(receive_until(&mut adas, &path).await.contains(">Ben<"));
    assert!(receive_until(&mut bens, &path).await.contains(">Ada<"));
    ada.post(&path, &[("message", "between us")]).await;
    // Ben receives an update and an alert for the direct message.
    let received = receive_until(&mut bens, "chat:newest").await;
    assert_eq!(events(&received, "chat:alert")[0]["text"], "between us");
    assert!(ben.get(&path).await.text.contains("between us"));

    let room = Room::find_direct(site.state().db().read(), ada_id, ben_id).await.unwrap().unwrap();
    assert_eq!(cy.get(&path).await.status, 404);
    assert_eq!(cy.post(&path, &[("message", "me too")]).await.status, 404);
    cys.send_json(
        &json!({"action": "New message", "data": {"message": "me too", "room": room.id}}),
    )
    .await;
    let received = receive_until(&mut cys, "no such room").await;
    assert!(!received.contains("between us") && !received.contains(&path), "{received}");
    assert!(!cy.get("/chat/-/search/?q=between").await.text.contains("between us"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_conversation_requires_another_existing_user(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let id = site.user(&ada).await.id;
    for nobody in [id, 0, -1, i64::MAX] {
        assert_eq!(
            ada.post(&format!("/chat/-/people/{nobody}/"), &[]).await.status,
            404,
            "{nobody}"
        );
    }
    let mut window = window(&site, &ada, "/chat/").await;
    receive_until(&mut window, "sidebar-rooms").await;
    for name in ["Ada", "Nobody", "", "\u{0}"] {
        window
            .send_json(
                &json!({"action": "Change group", "data": {"groupName": name, "isGroup": false}}),
            )
            .await;
        receive_until(&mut window, "error").await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_conversation_with_an_inactive_user_stays_readable_and_a_rejected_click_is_explained(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let (ben_id, cy_id) = (site.user(&ben).await.id, site.user(&cy).await.id);
    let path = ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location().to_owned();
    ada.post(&path, &[("message", "before you go")]).await;
    let deactivate = move |tx: Tx| async move {
        let sql = format!("UPDATE users SET is_active = FALSE WHERE id IN ({ben_id}, {cy_id})");
        Ok::<_, ChatError>(tx.execute_unprepared(&sql).await?)
    };
    site.state().db().write(deactivate).await.unwrap();
    assert_eq!(ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location(), path);
    assert_eq!(ada.post(&format!("/chat/-/people/{cy_id}/"), &[]).await.status, 404);
    let mut adas = window(&site, &ada, "/chat/").await;
    receive_until(&mut adas, "sidebar-rooms").await;
    let click = |name: &str| json!({"action": "Change group", "data": {"groupName": name, "isGroup": false}});
    adas.send_json(&click("Ben")).await;
    receive_until(&mut adas, "before you go").await;
    adas.send_json(&click("Cy")).await;
    let received = receive_until(&mut adas, "There is no person with that name.").await;
    assert!(received.contains("innerHTML:#error\""), "{received}");
    assert!(ada.get("/chat/").await.text.contains("id=\"error\" role=\"alert\""));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn concurrent_requests_open_one_conversation(database: TestDatabase) {
    let site = chat(&database).await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (ada, ben) = (site.user(&ada).await, site.user(&ben).await);
    let begin = |by: &bellwire_site::User, with: i64| {
        let (site, by) = (site.state().clone(), by.clone());
        async move { bellwire_chat::actions::open_conversation(&site, &by, with).await.unwrap().id }
    };
    let (one, other) = tokio::join!(begin(&ada, ben.id), begin(&ben, ada.id));
    assert_eq!(one, other);
    site.stop().await;
}
