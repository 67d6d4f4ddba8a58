//! What a handler says in one go.

use std::sync::Arc;

use bellwire::testing::Communicator;
use bellwire::{
    Bellwire, ChannelName, Close, Consumer, Error, Frame, GroupName, Html, Limits, Patch, Socket,
};
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::{Lines, Member, Told, bellwire, room, with_limits};

/// Says what a message tells it to, word by word.
struct Speaker {
    lines: Lines,
    /// Whom it writes to directly.
    page: ChannelName,
    go_on: Arc<Notify>,
}

impl Consumer for Speaker {
    type Action = Frame;
    type Event = Told;

    async fn receive(&mut self, socket: &mut Socket, script: Frame) -> Result<(), Error> {
        let Frame::Text(script) = script else { return Ok(()) };
        let group = socket.layer().group::<Told>(room());
        for word in script.split(' ') {
            match word {
                "patch" => group.patch(Lines::patch(word)),
                "direct" => assert!(socket.layer().patch_channel(self.page, Lines::patch(word))),
                "elsewhere" => {
                    let other = socket.layer().group::<Told>(GroupName::new("elsewhere").unwrap());
                    other.patch(Patch::append("#lines", Html::text(word)));
                }
                "wait" => self.go_on.notified().await,
                "fail" => return Err("x".parse::<u8>().unwrap_err().into()),
                "panic" => panic!("a test's panic"),
                line => group.publish(self.lines.write(line), Lines::patch(line)),
            }
        }
        Ok(())
    }
}

/// A page that follows the room, and one that speaks in it.
struct Stage {
    bellwire: Bellwire,
    page: Communicator,
    speaker: Communicator,
    go_on: Arc<Notify>,
}

impl Stage {
    async fn set(bellwire: Bellwire) -> Self {
        let (lines, go_on) = (Lines::default(), Arc::<Notify>::default());
        let page = Communicator::connect(&bellwire, Member::following(&lines)).await;
        let speaker = Speaker { lines, page: page.channel(), go_on: go_on.clone() };
        let speaker = Communicator::connect(&bellwire, speaker).await;
        Self { bellwire, page, speaker, go_on }
    }

    async fn says(&mut self, script: &str) {
        self.speaker.send_text(script).await;
    }

    async fn seen(&mut self, how_many: usize) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..how_many {
            let frame: Value = self.page.receive_json().await;
            seen.push(frame["html"].as_str().unwrap().to_owned());
        }
        self.page.receive_nothing().await;
        seen
    }
}

#[tokio::test]
async fn it_arrives_in_order_whatever_it_is_and_wherever_it_goes() {
    let mut stage = Stage::set(bellwire()).await;
    let script = "1 2 patch 3 direct 4 elsewhere 5 patch direct 6";
    stage.says(script).await;
    let heard = script.split(' ').filter(|word| *word != "elsewhere").collect::<Vec<_>>();
    assert_eq!(stage.seen(heard.len()).await, heard);
    assert_eq!(stage.bellwire.layer().counts().catch_ups, 1, "for the beginning, and no more");
}

#[tokio::test]
async fn it_is_said_before_the_handler_waits() {
    let mut stage = Stage::set(bellwire()).await;
    stage.says("1 2 wait 3").await;
    assert_eq!(stage.seen(2).await, ["1", "2"]);
    stage.go_on.notify_one();
    assert_eq!(stage.seen(1).await, ["3"]);
}

#[tokio::test]
async fn it_is_said_however_the_handler_ends() {
    for end in ["fail", "panic"] {
        let mut stage = Stage::set(bellwire()).await;
        stage.says(&format!("1 2 {end} 3")).await;
        assert_eq!(stage.seen(2).await, ["1", "2"], "{end}");
        if end == "panic" {
            assert_eq!(stage.speaker.closed().await.code(), Close::ERROR);
        }
    }
}

#[tokio::test]
async fn however_much_it_is_everybody_gets_all_of_it() {
    for queue_messages in [Limits::default().queue_messages, 8] {
        let mut stage =
            Stage::set(with_limits(Limits { queue_messages, ..Limits::default() })).await;
        let script = (1..=1000).map(|number| number.to_string()).collect::<Vec<_>>();
        stage.says(&script.join(" ")).await;
        assert_eq!(stage.seen(script.len()).await, script, "in a queue of {queue_messages}");
        let counts = stage.bellwire.layer().counts();
        assert_eq!((counts.sends, counts.deliveries), (1000, 1000));
        assert!(counts.overflows > 0, "the queue was too short for it");
    }
}

#[tokio::test]
async fn it_is_one_thing_in_the_queue_of_each_member_and_bounded_as_its_parts_are() {
    let mut stage =
        Stage::set(with_limits(Limits { queue_messages: 4, ..Limits::default() })).await;
    let script = (1..=12).map(|number| number.to_string()).collect::<Vec<_>>();
    stage.says(&script.join(" ")).await;
    assert_eq!(stage.seen(script.len()).await, script);
    // One by one the fifth and the tenth had found the queue full.
    assert_eq!(stage.bellwire.layer().counts().overflows, 1);
}
