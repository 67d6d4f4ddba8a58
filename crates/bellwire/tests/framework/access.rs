//! Access control: a kick or a removal takes effect at once, whatever a socket is doing.

use std::sync::Arc;

use bellwire::testing::{Communicator, within};
use bellwire::{
    Action, CatchUp, Close, Consumer, Error, Feed, FeedSource, GroupName, Html, Layer, Limits,
    NoEvents, Patch, PresenceChange, Seq, Socket, Topic,
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{Lines, bellwire, with_limits};

const ROOM: Topic<i64> = Topic::new("room");

/// A consumer that executes the test's actions, and waits at some of them.
struct TestConsumer {
    lines: Lines,
    gate: Gate,
    /// Whether `removed` leaves the connection open.
    stays_connected: bool,
}

/// A place at which a test stops the server.
#[derive(Clone)]
struct Gate {
    /// Sends the name of each wait when it starts, so that a test can act meanwhile.
    started: mpsc::UnboundedSender<&'static str>,
    /// A wait ends when the test adds a permit.
    go: Arc<Semaphore>,
}

impl Gate {
    async fn wait(&self, what: &'static str) {
        let _ = self.started.send(what);
        self.go.acquire().await.unwrap().forget();
    }
}

#[derive(Action)]
enum TestAction {
    WaitThenSay { text: String },
    WaitThenFollow { room: i64 },
    Follow { room: i64 },
    Join { room: i64 },
    Leave { room: i64 },
    Track { room: i64 },
}

/// The lines of a room. Reading those of room 9 waits.
struct RoomLines {
    lines: Lines,
    gate: Option<Gate>,
}

impl FeedSource for RoomLines {
    async fn catch_up(&self, since: Option<Seq>, audience: &str) -> Result<CatchUp, Error> {
        if let Some(gate) = &self.gate {
            gate.wait("catch up").await;
        }
        self.lines.catch_up(since, audience).await
    }
}

impl TestConsumer {
    fn feed(&self, layer: &Layer, room: i64) -> Feed<NoEvents, RoomLines> {
        let gate = (room == 9).then(|| self.gate.clone());
        layer.feed(ROOM.of(room), RoomLines { lines: self.lines.clone(), gate })
    }
}

impl Consumer for TestConsumer {
    type Action = TestAction;
    type Event = ();
    type Error = Error;

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: TestAction,
    ) -> Result<(), Error> {
        match action {
            TestAction::WaitThenSay { text } => {
                self.gate.wait("say").await;
                socket.send_text(text).await?;
            }
            TestAction::WaitThenFollow { room } => {
                let feed = self.feed(socket.layer(), room);
                self.gate.wait("follow").await;
                socket.follow(&feed);
            }
            TestAction::Follow { room } => {
                let feed = self.feed(socket.layer(), room);
                socket.follow(&feed);
            }
            TestAction::Join { room } => socket.join(ROOM.of(room)),
            TestAction::Leave { room } => socket.leave(ROOM.of(room)),
            TestAction::Track { room } => socket.track(ROOM.of(room)),
        }
        Ok(())
    }

    async fn removed(&mut self, _: &mut Socket<Self>, _: &GroupName) -> Result<(), Error> {
        if self.stays_connected { Ok(()) } else { Err(Close::policy("removed").into()) }
    }
}

struct Fixture {
    bellwire: bellwire::Bellwire,
    lines: Lines,
    started: mpsc::UnboundedReceiver<&'static str>,
    go: Arc<Semaphore>,
    browser: Communicator,
}

impl Fixture {
    async fn new(bellwire: bellwire::Bellwire, stays_connected: bool) -> Self {
        let (lines, go) = (Lines::default(), Arc::new(Semaphore::new(0)));
        let (sender, started) = mpsc::unbounded_channel();
        let gate = Gate { started: sender, go: go.clone() };
        let consumer = TestConsumer { lines: lines.clone(), gate, stays_connected };
        let browser = Communicator::to(&bellwire, "/").person("eve").connect(consumer).await;
        Self { bellwire, lines, started, go, browser }
    }

    /// Waits until this wait has started.
    async fn wait_for(&mut self, what: &str) {
        assert_eq!(within(what, self.started.recv()).await, Some(what));
    }

    async fn act(&mut self, action: &str, data: Value) {
        self.browser.send_json(&json!({"action": action, "data": data})).await;
    }

    fn feed(&self, number: i64) -> Feed<NoEvents, Lines> {
        self.bellwire.layer().feed(ROOM.of(number), self.lines.clone())
    }

    fn publish(&self, number: i64, line: &str) {
        self.feed(number).publish(self.lines.write(line), Lines::patch(line));
    }
}

#[tokio::test]
async fn a_handler_that_is_running_during_a_kick_sends_nothing_more() {
    let mut fixture = Fixture::new(bellwire(), false).await;
    fixture.act("WaitThenSay", json!({"text": "too late"})).await;
    fixture.wait_for("say").await;
    fixture.bellwire.layer().kick_person("eve", Close::policy("signed out"));
    fixture.go.add_permits(1);
    let (texts, close) = fixture.browser.receive_until_closed().await;
    assert_eq!((texts, close), (vec![], Close::policy("signed out")));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_does_not_keep_a_kicked_socket_open() {
    let mut fixture = Fixture::new(bellwire(), false).await;
    fixture.act("WaitThenSay", json!({"text": "never"})).await;
    fixture.wait_for("say").await;
    fixture.bellwire.layer().kick_person("eve", Close::policy("signed out"));
    assert_eq!(fixture.browser.closed().await, Close::policy("signed out"));
}

#[tokio::test]
async fn data_read_during_a_removal_is_not_sent() {
    for stays_connected in [false, true] {
        let mut fixture = Fixture::new(bellwire(), stays_connected).await;
        fixture.lines.write("secret");
        fixture.act("Follow", json!({"room": 9})).await;
        fixture.wait_for("catch up").await;
        fixture.bellwire.layer().remove_person("eve", ROOM.of(9));
        fixture.go.add_permits(1);
        if stays_connected {
            fixture.publish(9, "another secret");
            fixture.browser.receive_nothing().await;
        } else {
            assert_eq!(
                fixture.browser.receive_until_closed().await,
                (vec![], Close::policy("removed"))
            );
        }
    }
}

#[tokio::test]
async fn a_person_removed_while_joining_is_not_a_member_and_receives_no_history() {
    let mut fixture = Fixture::new(bellwire(), true).await;
    fixture.lines.write("history");
    fixture.act("WaitThenFollow", json!({"room": 1})).await;
    fixture.wait_for("follow").await;
    fixture.bellwire.layer().remove_person("eve", ROOM.of(1));
    fixture.go.add_permits(1);
    fixture.browser.settle().await;
    fixture.publish(1, "news");
    fixture.browser.receive_nothing().await;
    assert_eq!(fixture.bellwire.layer().local_members(ROOM.of(1)), 0);
}

#[tokio::test]
async fn a_socket_that_leaves_receives_nothing_and_resumes_at_its_position_when_it_follows_again() {
    let mut fixture = Fixture::new(bellwire(), false).await;
    fixture.act("Follow", json!({"room": 1})).await;
    fixture.browser.settle().await;
    fixture.publish(1, "one");
    assert_eq!(fixture.browser.receive_json::<Value>().await["html"], "one");
    fixture.act("Leave", json!({"room": 1})).await;
    fixture.browser.settle().await;
    fixture.publish(1, "two");
    fixture.browser.receive_nothing().await;
    fixture.act("Follow", json!({"room": 1})).await;
    assert_eq!(fixture.browser.receive_json::<Value>().await["html"], "two");
    fixture.browser.receive_nothing().await;
}

#[tokio::test]
async fn a_member_that_does_not_follow_receives_changes_live_and_is_closed_when_some_are_lost() {
    let mut fixture =
        Fixture::new(with_limits(Limits { queue_messages: 8, ..Limits::default() }), false).await;
    fixture.act("Join", json!({"room": 1})).await;
    fixture.browser.settle().await;
    fixture.publish(1, "live");
    assert_eq!(fixture.browser.receive_json::<Value>().await["html"], "live");
    (0..20).for_each(|i| fixture.publish(1, &i.to_string()));
    assert_eq!(fixture.browser.closed().await.code(), Close::TRY_AGAIN);
}

#[tokio::test]
async fn a_number_published_before_it_can_be_read_is_awaited() {
    let mut fixture = Fixture::new(bellwire(), false).await;
    fixture.act("Follow", json!({"room": 1})).await;
    fixture.browser.settle().await;
    fixture.feed(1).publish(2, Patch::append("#lines", Html::text("early")));
    let second_attempt = async {
        // One catch-up when it follows, and another one when the number could not be read.
        while fixture.bellwire.layer().counts().catch_ups < 2 {
            tokio::task::yield_now().await;
        }
    };
    within("a second catch-up", second_attempt).await;
    fixture.lines.write("first");
    fixture.lines.write("early");
    for expected in ["first", "early"] {
        assert_eq!(fixture.browser.receive_json::<Value>().await["html"], expected);
    }
    fixture.browser.receive_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_can_never_be_read_closes_the_page_with_try_again() {
    let mut fixture = Fixture::new(bellwire(), false).await;
    fixture.act("Follow", json!({"room": 1})).await;
    fixture.browser.settle().await;
    fixture.feed(1).publish(7, Patch::remove("#x"));
    assert_eq!(fixture.browser.closed().await, Close::new(Close::TRY_AGAIN, "could not catch up"));
}

#[tokio::test(start_paused = true)]
async fn a_person_is_present_until_the_grace_period_after_the_last_socket_ends() {
    let mut fixture = Fixture::new(bellwire(), false).await;
    let presence = fixture.bellwire.layer().presence().clone();
    let mut changes = presence.changes();
    fixture.act("Track", json!({"room": 1})).await;
    fixture.browser.settle().await;
    assert_eq!(presence.people(ROOM.of(1)), ["eve".into()]);
    fixture.browser.cut().await;
    assert!(presence.is_present(ROOM.of(1), "eve"), "reloading a page does not count as leaving");
    let Some(PresenceChange::Arrived { group, who }) =
        within("Eve's arrival", changes.next()).await
    else {
        panic!("expected Eve's arrival")
    };
    assert_eq!((&group, &*who.person), (ROOM.of(1).name(), "eve"));
    assert_eq!(
        within("Eve's leaving", changes.next()).await,
        Some(PresenceChange::Left { group, person: "eve".into() })
    );
    assert_eq!(presence.count(ROOM.of(1)), 0);
}
