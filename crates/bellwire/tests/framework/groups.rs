//! Groups: the cost of a send, and slow members. The layer contract covers delivery.

use bellwire::testing::Communicator;
use bellwire::{Close, Dialect, Html, Limits, Patch};
use serde_json::{Value, json};

use crate::support::{Member, Notice, bellwire, room, with_limits};

#[tokio::test]
async fn a_patch_is_encoded_once_per_dialect_and_reaches_each_member_in_its_own() {
    let bellwire = bellwire();
    let mut members = Vec::new();
    for i in 0..10 {
        let dialect = if i % 2 == 0 { Dialect::Json } else { Dialect::Htmx };
        let builder = Communicator::to(&bellwire, "/").dialect(dialect);
        members.push(builder.connect(Member::silent()).await);
    }
    let before = bellwire.layer().counts();
    bellwire.layer().group::<Notice>(room()).patch(Patch::inner("#topic", Html::text("<b>")));
    for (i, member) in members.iter_mut().enumerate() {
        if i % 2 == 0 {
            let expected = json!({"selector": "#topic", "html": "&lt;b&gt;"});
            assert_eq!(member.receive_json::<Value>().await, expected);
        } else {
            let expected = "<div hx-swap-oob=\"innerHTML:#topic\">&lt;b&gt;</div>";
            assert_eq!(member.receive_text().await, expected);
        }
        member.receive_nothing().await;
    }
    let after = bellwire.layer().counts();
    assert_eq!(after.encodings - before.encodings, 2, "once for each dialect");
    assert_eq!(after.deliveries - before.deliveries, 10);
}

#[tokio::test]
async fn a_reader_too_slow_for_events_is_closed_with_try_again() {
    let limits = Limits { queue_messages: 8, ..Limits::default() };
    let bellwire = with_limits(limits);
    let slow = Communicator::connect(&bellwire, Member::silent()).await;
    let group = bellwire.layer().group::<Notice>(room());
    // The test's runtime has one thread, so the slow member's event loop does not run between these
    // sends.
    for i in 0..20 {
        group.send(Notice(i.to_string()));
    }
    assert!(bellwire.layer().counts().overflows > 0);
    assert_eq!(slow.closed().await.code(), Close::TRY_AGAIN);
}
