//! Feeds: numbered changes are delivered once, in order and without gaps.

use bellwire::testing::Communicator;
use bellwire::{Group, Limits};
use serde_json::Value;

use crate::support::{Lines, Member, Notice, bellwire, room, with_limits};

async fn receive_lines(browser: &mut Communicator, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..count {
        let frame: Value = browser.receive_json().await;
        lines.push(frame["html"].as_str().unwrap().to_owned());
    }
    browser.receive_nothing().await;
    lines
}

fn feed(bellwire: &bellwire::Bellwire) -> Group<Notice> {
    bellwire.layer().group(room())
}

#[tokio::test]
async fn a_new_page_receives_all_changes_and_then_new_ones() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    lines.write("1");
    lines.write("2");
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    assert_eq!(receive_lines(&mut page, 2).await, ["1", "2"]);
    feed(&bellwire).publish(lines.write("3"), Lines::patch("3"));
    assert_eq!(receive_lines(&mut page, 1).await, ["3"]);
}

#[tokio::test]
async fn a_returning_page_receives_exactly_the_changes_it_missed() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    for line in ["1", "2", "3", "4"] {
        lines.write(line);
    }
    let builder = Communicator::to(&bellwire, "/?since=room:2");
    let mut page = builder.connect(Member::follower(&lines)).await;
    let (third, fourth): (Value, Value) = (page.receive_json().await, page.receive_json().await);
    assert_eq!(
        (&third["html"], &third["seq"]),
        (&"3".into(), &Value::Null),
        "only the last patch has the position"
    );
    assert_eq!(
        (&fourth["html"], &fourth["seq"], &fourth["feed"]),
        (&"4".into(), &4.into(), &"room".into())
    );
    page.receive_nothing().await;
}

#[tokio::test]
async fn a_missing_number_is_filled_before_the_next_one_and_nothing_is_repeated() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    let feed = feed(&bellwire);
    feed.publish(lines.write("1"), Lines::patch("1"));
    let second = lines.write("2");
    let third = lines.write("3");
    feed.publish(third, Lines::patch("3"));
    feed.publish(second, Lines::patch("2"));
    feed.publish(third, Lines::patch("3"));
    assert_eq!(receive_lines(&mut page, 3).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_slow_reader_catches_up_from_the_source_of_truth() {
    let limits = Limits { queue_messages: 8, ..Limits::default() };
    let (bellwire, lines) = (with_limits(limits), Lines::default());
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    let feed = feed(&bellwire);
    let expected: Vec<String> = (1..=100).map(|i| i.to_string()).collect();
    for line in &expected {
        feed.publish(lines.write(line), Lines::patch(line));
    }
    assert!(bellwire.layer().counts().overflows > 0, "the queue was too short");
    assert_eq!(receive_lines(&mut page, 100).await, expected);
}

#[tokio::test]
async fn concurrent_writers_give_every_reader_the_same_order() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let mut pages = Vec::new();
    for _ in 0..5 {
        pages.push(Communicator::connect(&bellwire, Member::follower(&lines)).await);
    }
    let writers = (0..8).map(|writer| {
        let (feed, lines) = (feed(&bellwire), lines.clone());
        tokio::spawn(async move {
            for i in 0..25 {
                let line = format!("{writer}-{i}");
                let seq = lines.write(&line);
                // Another writer may publish in between.
                tokio::task::yield_now().await;
                feed.publish(seq, Lines::patch(&line));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let first = receive_lines(&mut pages[0], 200).await;
    for page in &mut pages[1..] {
        assert_eq!(receive_lines(page, 200).await, first);
    }
}
