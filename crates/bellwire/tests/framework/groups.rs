//! Groups: the cost of a send, slow members, ephemeral state, subscriptions, and the group of a
//! person. The layer contract covers delivery.

use std::collections::HashMap;
use std::time::Duration;

use bellwire::testing::{Communicator, within};
use bellwire::{
    Close, Consumer, Dialect, Error, Frame, Html, Limits, Message, Patch, Socket, Subscription,
    Topic,
};
use serde_json::{Value, json};

use crate::support::{Lines, Member, Notice, bellwire, room, with_limits};

const ELSEWHERE: Topic<u8> = Topic::new("elsewhere");

/// A member of another group.
struct Outsider;

impl Consumer for Outsider {
    type Action = Frame;
    type Event = Notice;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(ELSEWHERE.of(1));
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

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
    bellwire.layer().group(room()).patch(Patch::inner("#topic", Html::text("<b>")));
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
    let group = bellwire.layer().group(room());
    // The test's runtime has one thread, so the slow member's event loop does not run between these
    // sends.
    for i in 0..20 {
        group.send(Notice(i.to_string())).unwrap();
    }
    assert!(bellwire.layer().counts().overflows > 0);
    assert_eq!(slow.closed().await.code(), Close::TRY_AGAIN);
}

#[tokio::test(start_paused = true)]
async fn the_state_of_a_group_is_shown_to_a_late_joiner_replaced_and_expires() {
    let bellwire = bellwire();
    let group = bellwire.layer().group(room());
    let ttl = Duration::from_secs(4);
    let mut outsider = Communicator::connect(&bellwire, Outsider).await;
    let mut early = Communicator::connect(&bellwire, Member::silent()).await;
    early.receive_nothing().await;
    let (all, ada) = (r#"[data-bw-state="room"]"#, r#"[id="state--room--ada"]"#);
    let shown = |text: &str| format!(r#"<span id="state--room--ada">{text}</span>"#);

    group.state("ada", Html::text("<b> types"), ttl).unwrap();
    let shows = json!({"selector": all, "html": shown("&lt;b&gt; types"), "append": true});
    assert_eq!(early.receive_json::<Value>().await, shows);
    let mut late = Communicator::connect(&bellwire, Member::silent()).await;
    let shows_all = json!({"selector": all, "html": shown("&lt;b&gt; types")});
    assert_eq!(late.receive_json::<Value>().await, shows_all);

    group.state("ada", Html::text("thinks"), ttl).unwrap();
    let replaces = json!({"selector": ada, "html": shown("thinks"), "how": "replace"});
    let removes = json!({"selector": ada, "html": "", "how": "remove"});
    for member in [&mut early, &mut late] {
        assert_eq!(member.receive_json::<Value>().await, replaces);
        member.receive_nothing().await;
    }
    tokio::time::sleep(ttl - Duration::from_secs(1)).await;
    group.state("ada", Html::text("thinks"), ttl).unwrap();
    tokio::time::sleep(ttl - Duration::from_secs(1)).await;
    for member in [&mut early, &mut late] {
        member.receive_nothing().await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for member in [&mut early, &mut late] {
        assert_eq!(member.receive_json::<Value>().await, removes, "it has expired");
    }
    Communicator::connect(&bellwire, Member::silent()).await.receive_nothing().await;
    outsider.receive_nothing().await;
}

#[tokio::test]
async fn the_state_under_a_key_is_cleared_and_other_keys_stay() {
    let bellwire = bellwire();
    let group = bellwire.layer().group(room());
    let ttl = Duration::from_secs(60);
    for key in ["ada", "ben"] {
        group.state(key, Html::text(key), ttl).unwrap();
    }
    let mut member = Communicator::connect(&bellwire, Member::silent()).await;
    let all = member.receive_text().await;
    assert!(all.contains(">ada<") && all.contains(">ben<"), "{all}");
    group.clear_state("ada").unwrap();
    let removes = json!({"selector": r#"[id="state--room--ada"]"#, "html": "", "how": "remove"});
    assert_eq!(member.receive_json::<Value>().await, removes);
    group.clear_state("ada").unwrap();
    member.receive_nothing().await;
    let late = Communicator::connect(&bellwire, Member::silent()).await.receive_text().await;
    assert!(!late.contains(">ada<") && late.contains(">ben<"), "{late}");
    for bad in ["", "a b", "a\"b"] {
        assert!(group.state(bad, Html::text("x"), ttl).is_err(), "{bad}");
        assert!(group.clear_state(bad).is_err(), "{bad}");
    }
}

async fn next(messages: &mut Subscription<Notice>) -> Message<Notice> {
    within("a message", messages.next()).await
}

#[tokio::test]
async fn a_subscription_hears_what_members_hear() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let (layer, group) = (bellwire.layer(), bellwire.layer().group(room()));
    group.send(Notice("too early".into())).unwrap();
    let mut messages = layer.subscribe(room());
    group.send(Notice("hi".into())).unwrap();
    group.patch(Lines::patch("unnumbered"));
    group.text("text");
    layer.group(ELSEWHERE.of(1)).text("elsewhere");
    lines.publish(layer, "numbered");
    assert!(matches!(next(&mut messages).await, Message::Event(event) if event.0 == "hi"));
    let Message::Patches(patches, None) = next(&mut messages).await else {
        panic!("expected a patch without a number")
    };
    assert_eq!(patches, [Lines::patch("unnumbered")]);
    assert!(matches!(next(&mut messages).await, Message::Text(text) if text == "text"));
    let Message::Patches(patches, Some(1)) = next(&mut messages).await else {
        panic!("expected change number 1")
    };
    assert_eq!(patches, [Lines::patch("numbered")]);
    assert_eq!(layer.local_members(room()), 1);
    drop(messages);
    assert_eq!((layer.local_members(room()), layer.local_groups()), (0, 0));
}

#[tokio::test]
async fn a_subscription_that_is_read_too_slowly_hears_that_it_missed_messages() {
    let layer = bellwire().layer().clone();
    let mut messages = layer.subscribe(room());
    for number in 0..=Limits::default().queue_messages {
        layer.group(room()).text(number.to_string());
    }
    assert!(matches!(next(&mut messages).await, Message::Missed));
    layer.group(room()).text("later");
    assert!(matches!(next(&mut messages).await, Message::Text(text) if text == "later"));
}

/// Scores by pairs, which are no keys of JSON.
#[derive(serde::Serialize, serde::Deserialize)]
struct Scores(HashMap<(u8, u8), u8>);

const SCORES: Topic<u8, Scores> = Topic::new("scores");

#[tokio::test]
async fn an_event_without_a_json_form_is_an_error_of_its_sender_and_reaches_nobody() {
    let layer = bellwire().layer().clone();
    let (group, mut messages) = (layer.group(SCORES.of(1)), layer.subscribe(SCORES.of(1)));
    let error = group.send(Scores([((1, 2), 3)].into())).unwrap_err();
    assert!(error.to_string().contains("no JSON form"), "{error}");
    group.send(Scores(HashMap::new())).unwrap();
    let Message::Event(event) = within("an event", messages.next()).await else {
        panic!("expected an event")
    };
    assert!(event.0.is_empty(), "only the event with a JSON form arrives");
}
