//! Batches: the publishes of one handler.

use std::sync::Arc;

use bellwire::testing::Communicator;
use bellwire::{
    Bellwire, ChannelName, Close, Consumer, Error, Frame, Html, Limits, Patch, Socket, Topic,
};
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::{Lines, Member, Notice, bellwire, with_limits};

const ELSEWHERE: Topic<u8> = Topic::new("elsewhere");

/// Executes a script that it receives as text, word by word.
struct Speaker {
    lines: Lines,
    /// The channel of the word `direct`.
    page: ChannelName,
    go_on: Arc<Notify>,
}

impl Consumer for Speaker {
    type Action = Frame;
    type Event = Notice;
    type Error = Error;

    async fn receive(&mut self, socket: &mut Socket<Self>, script: Frame) -> Result<(), Error> {
        let Frame::Text(script) = script else { return Ok(()) };
        let feed = self.lines.feed(socket.layer());
        for word in script.split(' ') {
            match word {
                "patch" => feed.patch(Lines::patch(word)),
                "direct" => assert!(socket.layer().patch_channel(self.page, Lines::patch(word))),
                "elsewhere" => {
                    let other = socket.layer().group(ELSEWHERE.of(1));
                    other.patch(Patch::append("#lines", Html::text(word)));
                }
                "wait" => self.go_on.notified().await,
                "fail" => return Err("x".parse::<u8>().unwrap_err().into()),
                "panic" => panic!("a test's panic"),
                line => feed.publish(self.lines.write(line), Lines::patch(line)),
            }
        }
        Ok(())
    }
}

/// A page that follows the room, and a speaker that publishes there.
struct Fixture {
    bellwire: Bellwire,
    page: Communicator,
    speaker: Communicator,
    go_on: Arc<Notify>,
}

impl Fixture {
    async fn new(bellwire: Bellwire) -> Self {
        let (lines, go_on) = (Lines::default(), Arc::<Notify>::default());
        let page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
        let speaker = Speaker { lines, page: page.channel(), go_on: go_on.clone() };
        let speaker = Communicator::connect(&bellwire, speaker).await;
        Self { bellwire, page, speaker, go_on }
    }

    async fn run(&mut self, script: &str) {
        self.speaker.send_text(script).await;
    }

    /// The lines of the next `count` frames. Asserts that no other frame follows.
    async fn receive(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..count {
            let frame: Value = self.page.receive_json().await;
            lines.push(frame["html"].as_str().unwrap().to_owned());
        }
        self.page.receive_nothing().await;
        lines
    }
}

#[tokio::test]
async fn messages_of_a_batch_arrive_in_order_across_kinds_and_targets() {
    let mut fixture = Fixture::new(bellwire()).await;
    let script = "1 2 patch 3 direct 4 elsewhere 5 patch direct 6";
    fixture.run(script).await;
    let expected = script.split(' ').filter(|word| *word != "elsewhere").collect::<Vec<_>>();
    assert_eq!(fixture.receive(expected.len()).await, expected);
    assert_eq!(fixture.bellwire.layer().counts().catch_ups, 1, "one on connecting, and no other");
}

#[tokio::test]
async fn a_batch_is_flushed_before_the_handler_waits() {
    let mut fixture = Fixture::new(bellwire()).await;
    fixture.run("1 2 wait 3").await;
    assert_eq!(fixture.receive(2).await, ["1", "2"]);
    fixture.go_on.notify_one();
    assert_eq!(fixture.receive(1).await, ["3"]);
}

#[tokio::test]
async fn a_batch_is_flushed_however_the_handler_ends() {
    for end in ["fail", "panic"] {
        let mut fixture = Fixture::new(bellwire()).await;
        fixture.run(&format!("1 2 {end} 3")).await;
        assert_eq!(fixture.receive(2).await, ["1", "2"], "{end}");
        if end == "panic" {
            assert_eq!(fixture.speaker.closed().await.code(), Close::ERROR);
        }
    }
}

#[tokio::test]
async fn a_batch_of_any_size_is_delivered_in_full() {
    for queue_messages in [Limits::default().queue_messages, 8] {
        let mut fixture =
            Fixture::new(with_limits(Limits { queue_messages, ..Limits::default() })).await;
        let script = (1..=1000).map(|number| number.to_string()).collect::<Vec<_>>();
        fixture.run(&script.join(" ")).await;
        assert_eq!(fixture.receive(script.len()).await, script, "in a queue of {queue_messages}");
        let counts = fixture.bellwire.layer().counts();
        assert_eq!((counts.sends, counts.deliveries), (1000, 1000));
        assert!(counts.overflows > 0, "the queue was too short for the batch");
    }
}

#[tokio::test]
async fn a_batch_is_one_entry_in_each_members_queue_and_is_bounded_by_its_parts() {
    let mut fixture =
        Fixture::new(with_limits(Limits { queue_messages: 4, ..Limits::default() })).await;
    let script = (1..=12).map(|number| number.to_string()).collect::<Vec<_>>();
    fixture.run(&script.join(" ")).await;
    assert_eq!(fixture.receive(script.len()).await, script);
    // Without the batch, the fifth and the tenth change would each overflow the queue.
    assert_eq!(fixture.bellwire.layer().counts().overflows, 1);
}
