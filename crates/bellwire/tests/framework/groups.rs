//! Groups: who hears, and who hears nothing.

use bellwire::testing::Communicator;
use bellwire::{Close, Dialect, GroupName, Html, Layer, Limits, Patch};
use serde_json::{Value, json};

use crate::support::{Member, Told, bellwire, room, with_limits};

#[tokio::test]
async fn an_event_reaches_every_member_and_nobody_else() {
    let bellwire = bellwire();
    let mut ada = Communicator::connect(&bellwire, Member::silent()).await;
    let mut ben = Communicator::connect(&bellwire, Member::silent()).await;
    let elsewhere = bellwire.layer().group::<Told>(GroupName::new("elsewhere").unwrap());
    let here = bellwire.layer().group::<Told>(room());
    elsewhere.send(Told("not for you".into()));
    here.send(Told("hi".into()));
    for member in [&mut ada, &mut ben] {
        assert_eq!(member.receive_text().await, "told: hi");
        member.receive_nothing().await;
    }
}

#[tokio::test]
async fn send_except_leaves_out_the_sender() {
    let bellwire = bellwire();
    let mut ada = Communicator::connect(&bellwire, Member::silent()).await;
    let mut ben = Communicator::connect(&bellwire, Member::silent()).await;
    ada.send_json(&json!({"action": "Tell", "data": {"message": "psst"}})).await;
    assert_eq!(ben.receive_text().await, "told: psst");
    ada.receive_nothing().await;
}

#[tokio::test]
async fn a_patch_reaches_each_member_in_its_own_dialect_encoded_once_for_each() {
    let bellwire = bellwire();
    let mut members = Vec::new();
    for i in 0..10 {
        let dialect = if i % 2 == 0 { Dialect::Json } else { Dialect::Htmx };
        let dial = Communicator::to(&bellwire, "/").dialect(dialect);
        members.push(dial.connect(Member::silent()).await);
    }
    let before = bellwire.layer().counts();
    bellwire.layer().group::<Told>(room()).patch(Patch::inner("#topic", Html::text("<b>")));
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
async fn one_connection_is_reached_by_its_channel() {
    let bellwire = bellwire();
    let mut ada = Communicator::connect(&bellwire, Member::silent()).await;
    let mut ben = Communicator::connect(&bellwire, Member::silent()).await;
    assert!(bellwire.layer().send_channel(ada.channel(), Told("you".into())));
    assert_eq!(ada.receive_text().await, "told: you");
    ben.receive_nothing().await;
    let gone = ada.channel();
    ada.close(Close::normal()).await;
    assert!(!bellwire.layer().send_channel(gone, Told("too late".into())));
    assert!(!Layer::memory().send_channel(ben.channel(), Told("another process".into())));
}

#[tokio::test]
async fn who_left_hears_nothing_and_an_empty_group_is_forgotten() {
    let bellwire = bellwire();
    let ada = Communicator::connect(&bellwire, Member::silent()).await;
    assert_eq!(bellwire.layer().members_here(&room()), 1);
    ada.cut().await;
    assert_eq!(bellwire.layer().members_here(&room()), 0);
    let before = bellwire.layer().counts().deliveries;
    bellwire.layer().group::<Told>(room()).send(Told("anybody?".into()));
    assert_eq!(bellwire.layer().counts().deliveries, before);
}

#[tokio::test]
async fn a_kicked_person_is_closed_everywhere_and_hears_nothing_sent_after() {
    let bellwire = bellwire();
    let group = bellwire.layer().group::<Told>(room());
    let first = Communicator::to(&bellwire, "/").person("ada").connect(Member::silent()).await;
    let second = Communicator::to(&bellwire, "/").person("ada").connect(Member::silent()).await;
    let mut ben = Communicator::to(&bellwire, "/").person("ben").connect(Member::silent()).await;
    bellwire.layer().kick_person("ada", Close::policy("signed out"));
    group.send(Told("secret".into()));
    assert_eq!(ben.receive_text().await, "told: secret");
    for kicked in [first, second] {
        // `heard` returns everything that came before the close.
        let (heard, close) = kicked.heard_until_closed().await;
        assert_eq!(heard, Vec::<String>::new());
        assert_eq!(close, Close::policy("signed out"));
    }
}

#[tokio::test]
async fn a_kick_of_one_session_leaves_the_persons_other_session_alone() {
    let bellwire = bellwire();
    let phone =
        Communicator::to(&bellwire, "/").person("ada").session("phone").connect(Member::silent()).await;
    let desk = Communicator::to(&bellwire, "/").person("ada").session("desk").connect(Member::silent()).await;
    bellwire.layer().kick_session("phone", Close::policy("ended"));
    assert_eq!(phone.closed().await, Close::policy("ended"));
    assert_eq!(desk.close(Close::normal()).await, Close::normal());
}

#[tokio::test]
async fn an_expelled_person_hears_nothing_more_from_the_group() {
    let bellwire = bellwire();
    let ada = Communicator::to(&bellwire, "/").person("ada").connect(Member::silent()).await;
    let mut ben = Communicator::to(&bellwire, "/").person("ben").connect(Member::silent()).await;
    bellwire.layer().expel_person("ada", &room());
    bellwire.layer().group::<Told>(room()).send(Told("secret".into()));
    assert_eq!(ben.receive_text().await, "told: secret");
    let (heard, close) = ada.heard_until_closed().await;
    assert_eq!(heard, Vec::<String>::new());
    assert_eq!(close, Close::policy("removed"));
}

#[tokio::test]
async fn a_reader_who_is_too_slow_for_events_is_told_to_come_back_and_harms_nobody() {
    let limits = Limits { queue_messages: 8, ..Limits::default() };
    let bellwire = with_limits(limits);
    let slow = Communicator::connect(&bellwire, Member::silent()).await;
    let group = bellwire.layer().group::<Told>(room());
    // Nothing of the slow one's loop runs between these sends: the test's runtime has one thread.
    for i in 0..20 {
        group.send(Told(i.to_string()));
    }
    assert!(bellwire.layer().counts().overflows > 0);
    assert_eq!(slow.closed().await.code(), Close::TRY_AGAIN);
}
