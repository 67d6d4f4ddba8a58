//! Permissions: reading closed rooms, and managing them.

use bellwire_chat::models::{Room, membership};
use bellwire_site::{DbError, Tx};
use bellwire_testkit::{Client, TestDatabase, TestSite, apply, on_databases};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::support::{admin, chat, crowd, enter, open, open_closed, receive_until, window};

/// More users than any list shows.
const CROWD: usize = 1_500;

/// Stores that these users have read the room.
async fn have_read(site: &TestSite, room: &Room, people: &[i64]) {
    let (room, people) = (room.id, people.to_vec());
    let rows = people.into_iter().map(move |person| membership::ActiveModel {
        room_id: Set(room),
        user_id: Set(person),
        last_read_seq: Set(0),
        created_at: Set(chrono::Utc::now()),
        ..Default::default()
    });
    let rows: Vec<_> = rows.collect();
    site.state()
        .db()
        .write(async move |tx: Tx| {
            for some in rows.chunks(1_000) {
                let many = membership::Entity::insert_many(some.to_vec());
                many.exec_without_returning(&tx).await.map_err(DbError::from)?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

/// Sends the settings form: the checked users, and the members that the form listed.
async fn members(person: &mut Client, room: &Room, are: &[i64], were: &[i64]) -> u16 {
    let (are, were) = (are.iter().map(|id| ("member", id)), were.iter().map(|id| ("was", id)));
    let people: Vec<_> = are.chain(were).map(|(name, id)| (name, id.to_string())).collect();
    let people = people.iter().map(|(name, id)| (*name, id.as_str()));
    let fields: Vec<_> = [("kind", "closed")].into_iter().chain(people).collect();
    person.post(&format!("/chat/-/rooms/{}/members/", room.id), &fields).await.status
}

#[apply(on_databases)]
#[tokio::test]
async fn closing_a_room_excludes_everyone_who_was_not_chosen_however_many_have_read_it(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut people = crowd(&site, "Reader", CROWD).await;
    // The last users can sign in and look.
    let (mut ben, cy) = (site.person("Ben").await, site.person("Cy").await);
    let (ben_id, cy_id) = (site.user(&ben).await.id, site.user(&cy).await.id);
    people.extend([ben_id, cy_id]);
    have_read(&site, &room, &people).await;
    assert_eq!(members(&mut ada, &room, &[cy_id], &[]).await, 303);
    let (db, room) = (site.state().db().read(), Room::by_slug(site.state().db().read(), "hi"));
    let room = room.await.unwrap().unwrap();
    for person in [people[0], people[CROWD / 2], people[CROWD - 1], ben_id] {
        assert!(
            !room.admits(db, person).await.unwrap(),
            "{person} has read it, but is not a member"
        );
    }
    assert!(room.admits(db, cy_id).await.unwrap(), "a user who was chosen");
    assert!(room.admits(db, site.user(&ada).await.id).await.unwrap(), "the user who closed it");
    assert_eq!(ben.get("/chat/hi/").await.status, 404);
    // Marking it as read again grants no access.
    mark_read_again(&site, &ben, &room).await;
    assert_eq!(ben.get("/chat/hi/").await.status, 404);
    site.stop().await;
}

async fn mark_read_again(site: &TestSite, person: &Client, room: &Room) {
    let mut window = window(site, person, "/chat/").await;
    receive_until(&mut window, "sidebar-rooms").await;
    for action in ["Read", "Mark unread"] {
        window
            .send_json(&serde_json::json!({"action": action, "data": {"room": room.id, "seq": 1}}))
            .await;
        receive_until(&mut window, "no such room").await;
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn saving_members_does_not_change_members_who_were_not_listed(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open_closed(&site, &mut ada, "board").await;
    let people = crowd(&site, "Member", CROWD).await;
    for some in people.chunks(500) {
        assert_eq!(members(&mut ada, &room, some, &[]).await, 303);
    }
    let ben = site.user(&site.person("Ben").await).await.id;
    assert_eq!(members(&mut ada, &room, &[ben], &people[..1]).await, 303);
    let db = site.state().db().read();
    assert!(!room.admits(db, people[0]).await.unwrap(), "a listed member who was unchecked");
    for person in [ben, people[1], people[CROWD / 2], people[CROWD - 1]] {
        assert!(room.admits(db, person).await.unwrap(), "{person}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_creator_who_was_removed_can_no_longer_manage_the_room(database: TestDatabase) {
    let site = chat(&database).await;
    let mut root = admin(&site).await;
    let mut freya = site.person("Freya").await;
    let (freya_id, ben_id) =
        (site.user(&freya).await.id, site.user(&site.person("Ben").await).await.id);
    let room = open_closed(&site, &mut freya, "freyas").await;
    assert_eq!(members(&mut root, &room, &[ben_id], &[freya_id]).await, 303);
    let run = format!("/chat/-/rooms/{}/", room.id);
    for path in ["/chat/freyas/", &run, &format!("{run}members/")] {
        assert_eq!(freya.get(path).await.status, 404, "{path}");
    }
    assert_eq!(members(&mut freya, &room, &[freya_id], &[]).await, 404);
    for path in [&run, &format!("{run}members/"), &format!("{run}delete/")] {
        let fields = [("name", "mine"), ("kind", "open")];
        assert_eq!(freya.post(path, &fields).await.status, 404, "{path}");
    }
    assert_eq!(freya.post("/chat/", &[("name", "freyas"), ("closed", "1")]).await.status, 422);
    assert_eq!(freya.get("/chat/freyas/").await.status, 404);
    // After she is added again, she can manage the room as before.
    assert_eq!(members(&mut root, &room, &[freya_id], &[]).await, 303);
    assert_eq!(freya.get("/chat/freyas/").await.status, 200);
    assert_eq!(freya.get(&run).await.status, 200);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_administrator_who_changes_the_members_of_a_closed_room_still_cannot_read_it(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut root = admin(&site).await;
    let mut ada = site.person("Ada").await;
    let ben_id = site.user(&site.person("Ben").await).await.id;
    let room = open_closed(&site, &mut ada, "board").await;
    assert_eq!(members(&mut root, &room, &[ben_id], &[]).await, 303);
    assert_eq!(root.get("/chat/board/").await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn ids_of_users_that_do_not_exist_are_ignored(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let ben_id = site.user(&site.person("Ben").await).await.id;
    let room = open_closed(&site, &mut ada, "board").await;
    assert_eq!(members(&mut ada, &room, &[999_999, ben_id, i64::MAX], &[-1]).await, 303);
    assert!(room.admits(site.state().db().read(), ben_id).await.unwrap());
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_member_who_was_removed_and_added_again_can_read_and_others_still_cannot(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben, mut cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let ben_id = site.user(&ben).await.id;
    let room = open_closed(&site, &mut ada, "board").await;
    members(&mut ada, &room, &[ben_id], &[]).await;
    let bens = enter(&site, &ben, &room, "").await;
    members(&mut ada, &room, &[], &[ben_id]).await;
    assert_eq!(bens.receive_until_closed().await.1.code(), 1008);
    ada.post("/chat/board/", &[("message", "without Ben")]).await;
    assert_eq!(ben.get("/chat/board/").await.status, 404);
    members(&mut ada, &room, &[ben_id], &[]).await;
    assert!(ben.get("/chat/board/").await.text.contains("without Ben"));
    assert_eq!(cy.get("/chat/board/").await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_room_that_was_opened_and_closed_again_has_only_the_new_members(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let ben_id = site.user(&ben).await.id;
    let room = open_closed(&site, &mut ada, "board").await;
    members(&mut ada, &room, &[ben_id], &[]).await;
    let mut bens = window(&site, &ben, "/chat/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    let path = format!("/chat/-/rooms/{}/members/", room.id);
    assert_eq!(ada.post(&path, &[("kind", "open")]).await.status, 303);
    receive_until(&mut bens, &format!("room-link--{}", room.id)).await;
    assert_eq!(members(&mut ada, &room, &[], &[]).await, 303);
    receive_until(&mut bens, &format!("delete:#room-link--{}", room.id)).await;
    assert_eq!(ben.get("/chat/board/").await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_settings_list_every_member_in_pages_and_members_see_each_other(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let ben_id = site.user(&ben).await.id;
    let room = open_closed(&site, &mut ada, "board").await;
    let people = crowd(&site, "Member", 250).await;
    members(&mut ada, &room, &[people.clone(), vec![ben_id]].concat(), &[]).await;
    let run = format!("/chat/-/rooms/{}/", room.id);
    let listed = |text: &str, id: i64| text.contains(&format!("name=\"was\" value=\"{id}\""));
    let (first, last) = (ada.get(&run).await.text, ada.get(&format!("{run}?page=3")).await.text);
    assert!(listed(&first, people[0]) && !listed(&first, people[249]), "the first page");
    assert!(listed(&last, people[249]), "and the last page");
    let by_name = ada.get(&format!("{run}?q=member%200249")).await.text;
    assert!(listed(&by_name, people[249]) && !listed(&by_name, people[0]), "or by name");

    let members = format!("{run}members/");
    let (first, last) =
        (ben.get(&members).await.text, ben.get(&format!("{members}?page=3")).await.text);
    assert!(first.contains("Member 0000") && last.contains("Member 0249"));
    assert!(!first.contains("name=\"member\""), "the list is read-only");
    assert!(
        ben.get("/chat/board/").await.text.contains(&members),
        "the header of the room links to it"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn names_suggested_in_a_closed_room_are_its_members_and_wildcards_are_literal(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut cy) = (site.person("Ada").await, site.person("Cy").await);
    let ben_id = site.user(&site.person("Ben").await).await.id;
    site.person("Bertha").await;
    let open_room = open(&site, &mut ada, "hi").await;
    let room = open_closed(&site, &mut ada, "board").await;
    members(&mut ada, &room, &[ben_id], &[]).await;
    let names = |typed: &str, room: i64| format!("/chat/-/names/?q={typed}&room={room}");
    assert_eq!(ada.get(&names("be", room.id)).await.text, "[\"Ben\"]");
    assert_eq!(ada.get(&names("be", open_room.id)).await.text, "[\"Ben\",\"Bertha\"]");
    assert_eq!(
        cy.get(&names("be", room.id)).await.status,
        404,
        "the room is hidden from users who may not read it"
    );
    crowd(&site, "Zed", 9).await;
    let offered = ada.get("/chat/-/names/?q=zed").await.text;
    assert_eq!(offered.matches("Zed").count(), 8, "{offered}");
    for wild in ["%25", "_", "b_", "%5C"] {
        assert_eq!(ada.get(&format!("/chat/-/names/?q={wild}")).await.text, "[]", "{wild}");
    }
    site.stop().await;
}
