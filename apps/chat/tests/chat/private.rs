//! Conversations of two.

use bellwire_chat::ChatError;
use bellwire_chat::models::Room;
use bellwire_site::Tx;
use bellwire_testkit::{TestDatabase, apply, on_databases};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{chat, hear, window};

#[apply(on_databases)]
#[tokio::test]
async fn two_people_have_one_conversation_whoever_begins_it_and_both_see_it_appear(
    database: TestDatabase,
) {
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
        hear(each, "sidebar-rooms").await;
    }
    let begun = ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await;
    let again = ben.post(&format!("/chat/-/people/{ada_id}/"), &[]).await;
    assert_eq!((begun.status, begun.location()), (303, again.location()));
    let path = begun.location().to_owned();
    assert!(hear(&mut adas, &path).await.contains(">Ben<"));
    assert!(hear(&mut bens, &path).await.contains(">Ada<"));
    ada.post(&path, &[("message", "between us")]).await;
    // Ben is told that there is something new, and that he is spoken to.
    let heard = hear(&mut bens, "newest--").await;
    assert!(heard.contains("data-text=\"between us\""), "{heard}");
    assert!(ben.get(&path).await.text.contains("between us"));

    let room = Room::of_two(site.state().db().read(), ada_id, ben_id).await.unwrap().unwrap();
    assert_eq!(cy.get(&path).await.status, 404);
    assert_eq!(cy.post(&path, &[("message", "me too")]).await.status, 404);
    cys.send_json(
        &json!({"action": "New message", "data": {"message": "me too", "room": room.id}}),
    )
    .await;
    let heard = hear(&mut cys, "no such room").await;
    assert!(!heard.contains("between us") && !heard.contains(&path), "{heard}");
    assert!(!cy.get("/chat/-/search/?q=between").await.text.contains("between us"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn nobody_talks_to_themselves_or_to_nobody(database: TestDatabase) {
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
    hear(&mut window, "sidebar-rooms").await;
    for name in ["Ada", "Nobody", "", "\u{0}"] {
        window
            .send_json(
                &json!({"action": "Change group", "data": {"groupName": name, "isGroup": false}}),
            )
            .await;
        hear(&mut window, "error").await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_was_said_with_somebody_who_is_gone_can_still_be_read_and_a_refused_click_is_explained(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let (ben_id, cy_id) = (site.user(&ben).await.id, site.user(&cy).await.id);
    let path = ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location().to_owned();
    ada.post(&path, &[("message", "before you go")]).await;
    let gone = move |tx: Tx| async move {
        let sql = format!("UPDATE users SET is_active = FALSE WHERE id IN ({ben_id}, {cy_id})");
        Ok::<_, ChatError>(tx.execute_unprepared(&sql).await?)
    };
    site.state().db().write(gone).await.unwrap();
    assert_eq!(ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location(), path);
    assert_eq!(ada.post(&format!("/chat/-/people/{cy_id}/"), &[]).await.status, 404);
    let mut adas = window(&site, &ada, "/chat/").await;
    hear(&mut adas, "sidebar-rooms").await;
    let click = |name: &str| json!({"action": "Change group", "data": {"groupName": name, "isGroup": false}});
    adas.send_json(&click("Ben")).await;
    hear(&mut adas, "before you go").await;
    adas.send_json(&click("Cy")).await;
    let heard = hear(&mut adas, "There is nobody of that name.").await;
    assert!(heard.contains("innerHTML:#error\""), "{heard}");
    assert!(ada.get("/chat/").await.text.contains("id=\"error\" role=\"alert\""));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn two_who_begin_at_once_have_one_conversation(database: TestDatabase) {
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
