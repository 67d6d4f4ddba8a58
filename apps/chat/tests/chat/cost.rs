//! What a message costs, counted: one rendering and one encoding, however many hear it.

use bellwire_testkit::{Log, TestDatabase, apply, on_databases};
use serde_json::Value;

use crate::support::{chat, enter_as, open, say, words};

/// Two people's sockets would not be so many: the room is full of a company.
const MEMBERS: usize = 1000;

// One thread, so that the log of this thread is the log of everything.
#[apply(on_databases)]
#[tokio::test(flavor = "current_thread")]
async fn a_message_to_1000_members_is_rendered_once_encoded_once_and_handed_to_each_once(
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
    members[0].send_json(&say("to everyone", "c-1")).await;
    for member in &mut members {
        let frame: Value = member.receive_json().await;
        assert_eq!(words(frame["html"].as_str().unwrap()), ["to everyone"]);
    }
    let after = site.state().bellwire().layer().counts();
    assert_eq!(log.text().matches("Rendered message").count(), 1);
    // One to the room; a moment later, gathered with others, one that there is something new.
    assert!((1..=2).contains(&(after.sends - before.sends)));
    assert_eq!(after.encodings - before.encodings, 1);
    assert_eq!(after.deliveries - before.deliveries, MEMBERS as u64);
    assert_eq!(after.catch_ups, before.catch_ups, "nobody had to ask the database");
    drop(members);
    site.stop().await;
}
