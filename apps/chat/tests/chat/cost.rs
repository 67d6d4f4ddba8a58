//! Cost of a message: one rendering and one encoding, regardless of the number of recipients.

use bellwire_testkit::{Log, TestDatabase, apply, on_databases};
use serde_json::Value;

use crate::support::{chat, enter_as, message_texts, new_message, open};

/// The number of members, as in a room of a large company.
const MEMBERS: usize = 1000;

// One thread, because the log captures only this thread.
#[apply(on_databases)]
#[tokio::test(flavor = "current_thread")]
async fn a_message_to_1000_members_is_rendered_once_encoded_once_and_delivered_to_each_once(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let user = site.user(&ada).await;
    let mut members = Vec::with_capacity(MEMBERS);
    for member in 0..MEMBERS {
        members.push(enter_as(&site, user.clone(), &room, "", &format!("member.{member}")).await);
    }
    let log = Log::listen("bellwire_chat=trace");
    let before = site.state().bellwire().layer().counts();
    members[0].send_json(&new_message("to everyone", "c-1")).await;
    for member in &mut members {
        let frame: Value = member.receive_json().await;
        assert_eq!(message_texts(frame["html"].as_str().unwrap()), ["to everyone"]);
    }
    let after = site.state().bellwire().layer().counts();
    assert_eq!(log.text().matches("Rendered message").count(), 1);
    // One send to the room, and one coalesced update to the other windows shortly after.
    assert!((1..=2).contains(&(after.sends - before.sends)));
    assert_eq!(after.encodings - before.encodings, 1);
    assert_eq!(after.deliveries - before.deliveries, MEMBERS as u64);
    assert_eq!(after.catch_ups, before.catch_ups, "no member had to catch up from the database");
    drop(members);
    site.stop().await;
}
