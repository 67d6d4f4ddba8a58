//! Access ends at once, whatever a socket is doing at that moment.

use std::sync::Arc;

use bellwire::testing::{Communicator, within};
use bellwire::{
    Action, CatchUp, Close, Consumer, Error, GroupName, Html, Limits, Patch, PresenceChange, Seq,
    Socket,
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{Lines, bellwire, with_limits};

/// Does as told, and waits where told to.
struct Puppet {
    lines: Lines,
    /// What it begins to do, so that a test can act while it does it.
    begun: mpsc::UnboundedSender<&'static str>,
    /// It goes on when the test lets it.
    go: Arc<Semaphore>,
    /// Stays when it is expelled.
    stays: bool,
}

#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum Do {
    WaitThenSay { text: String },
    WaitThenFollow { room: i64 },
    Follow { room: i64 },
    Join { room: i64 },
    Leave { room: i64 },
    Appear { room: i64 },
}
impl Action for Do {}

fn room(number: i64) -> GroupName {
    GroupName::of("room", number)
}

impl Puppet {
    async fn wait(&self, what: &'static str) {
        let _ = self.begun.send(what);
        self.go.acquire().await.unwrap().forget();
    }
}

impl Consumer for Puppet {
    type Action = Do;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, what: Do) -> Result<(), Error> {
        let layer = socket.layer().clone();
        let group = |number| layer.group::<()>(room(number));
        match what {
            Do::WaitThenSay { text } => {
                self.wait("say").await;
                socket.send_text(text).await?;
            }
            Do::WaitThenFollow { room } => {
                let group = group(room);
                self.wait("follow").await;
                socket.follow(&group);
            }
            Do::Follow { room } => socket.follow(&group(room)),
            Do::Join { room } => socket.join(&group(room)),
            Do::Leave { room } => socket.leave(&group(room)),
            Do::Appear { room } => socket.track(&group(room)),
        }
        Ok(())
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        if feed == &room(9) {
            self.wait("catch up").await;
        }
        Ok(self.lines.after(since))
    }

    async fn removed(&mut self, _: &mut Socket, _: &GroupName) -> Result<(), Error> {
        if self.stays { Ok(()) } else { Err(Close::policy("removed").into()) }
    }
}

struct Stage {
    bellwire: bellwire::Bellwire,
    lines: Lines,
    begun: mpsc::UnboundedReceiver<&'static str>,
    go: Arc<Semaphore>,
    browser: Communicator,
}

impl Stage {
    async fn set(bellwire: bellwire::Bellwire, stays: bool) -> Self {
        let (lines, go) = (Lines::default(), Arc::new(Semaphore::new(0)));
        let (sender, begun) = mpsc::unbounded_channel();
        let puppet = Puppet { lines: lines.clone(), begun: sender, go: go.clone(), stays };
        let browser = Communicator::to(&bellwire, "/").person("eve").connect(puppet).await;
        Self { bellwire, lines, begun, go, browser }
    }

    /// Waits until it begins to do this.
    async fn begins(&mut self, what: &str) {
        assert_eq!(within(what, self.begun.recv()).await, Some(what));
    }

    async fn tell(&mut self, action: &str, data: Value) {
        self.browser.send_json(&json!({"action": action, "data": data})).await;
    }

    fn publish(&self, number: i64, line: &str) {
        self.bellwire
            .layer()
            .group::<()>(room(number))
            .publish(self.lines.write(line), Lines::patch(line));
    }
}

#[tokio::test]
async fn a_handler_that_runs_when_its_person_is_kicked_sends_nothing_more() {
    let mut stage = Stage::set(bellwire(), false).await;
    stage.tell("WaitThenSay", json!({"text": "too late"})).await;
    stage.begins("say").await;
    stage.bellwire.layer().kick_person("eve", Close::policy("signed out"));
    stage.go.add_permits(1);
    let (heard, close) = stage.browser.heard_until_closed().await;
    assert_eq!((heard, close), (vec![], Close::policy("signed out")));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_does_not_keep_a_kicked_socket_open() {
    let mut stage = Stage::set(bellwire(), false).await;
    stage.tell("WaitThenSay", json!({"text": "never"})).await;
    stage.begins("say").await;
    stage.bellwire.layer().kick_person("eve", Close::policy("signed out"));
    assert_eq!(stage.browser.closed().await, Close::policy("signed out"));
}

#[tokio::test]
async fn what_was_read_while_a_person_was_expelled_is_not_shown() {
    for stays in [false, true] {
        let mut stage = Stage::set(bellwire(), stays).await;
        stage.lines.write("secret");
        stage.tell("Follow", json!({"room": 9})).await;
        stage.begins("catch up").await;
        stage.bellwire.layer().remove_person("eve", &room(9));
        stage.go.add_permits(1);
        if stays {
            stage.publish(9, "another secret");
            stage.browser.receive_nothing().await;
        } else {
            assert_eq!(
                stage.browser.heard_until_closed().await,
                (vec![], Close::policy("removed"))
            );
        }
    }
}

#[tokio::test]
async fn who_is_expelled_while_joining_is_out_and_gets_no_history() {
    let mut stage = Stage::set(bellwire(), true).await;
    stage.lines.write("history");
    stage.tell("WaitThenFollow", json!({"room": 1})).await;
    stage.begins("follow").await;
    stage.bellwire.layer().remove_person("eve", &room(1));
    stage.go.add_permits(1);
    stage.browser.settle().await;
    stage.publish(1, "news");
    stage.browser.receive_nothing().await;
    assert_eq!(stage.bellwire.layer().local_members(&room(1)), 0);
}

#[tokio::test]
async fn who_leaves_hears_nothing_more_and_who_follows_again_goes_on_where_it_was() {
    let mut stage = Stage::set(bellwire(), false).await;
    stage.tell("Follow", json!({"room": 1})).await;
    stage.browser.settle().await;
    stage.publish(1, "one");
    assert_eq!(stage.browser.receive_json::<Value>().await["html"], "one");
    stage.tell("Leave", json!({"room": 1})).await;
    stage.browser.settle().await;
    stage.publish(1, "two");
    stage.browser.receive_nothing().await;
    stage.tell("Follow", json!({"room": 1})).await;
    assert_eq!(stage.browser.receive_json::<Value>().await["html"], "two");
    stage.browser.receive_nothing().await;
}

#[tokio::test]
async fn a_member_who_does_not_follow_the_numbers_hears_them_live_and_is_told_when_some_are_lost() {
    let mut stage =
        Stage::set(with_limits(Limits { queue_messages: 8, ..Limits::default() }), false).await;
    stage.tell("Join", json!({"room": 1})).await;
    stage.browser.settle().await;
    stage.publish(1, "live");
    assert_eq!(stage.browser.receive_json::<Value>().await["html"], "live");
    (0..20).for_each(|i| stage.publish(1, &i.to_string()));
    assert_eq!(stage.browser.closed().await.code(), Close::TRY_AGAIN);
}

#[tokio::test]
async fn a_number_that_is_published_before_it_can_be_read_is_waited_for() {
    let mut stage = Stage::set(bellwire(), false).await;
    stage.tell("Follow", json!({"room": 1})).await;
    stage.browser.settle().await;
    let feed = stage.bellwire.layer().group::<()>(room(1));
    feed.publish(2, Patch::append("#lines", Html::text("early")));
    let asked = async {
        // Once when it began to follow, and once more, when it could not get there.
        while stage.bellwire.layer().counts().catch_ups < 2 {
            tokio::task::yield_now().await;
        }
    };
    within("a second look", asked).await;
    stage.lines.write("first");
    stage.lines.write("early");
    for expected in ["first", "early"] {
        assert_eq!(stage.browser.receive_json::<Value>().await["html"], expected);
    }
    stage.browser.receive_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_never_can_be_read_sends_the_page_back_for_a_fresh_one() {
    let mut stage = Stage::set(bellwire(), false).await;
    stage.tell("Follow", json!({"room": 1})).await;
    stage.browser.settle().await;
    stage.bellwire.layer().group::<()>(room(1)).publish(7, Patch::remove("#x"));
    assert_eq!(stage.browser.closed().await, Close::new(Close::TRY_AGAIN, "could not catch up"));
}

#[tokio::test(start_paused = true)]
async fn a_person_is_present_from_the_first_socket_to_a_while_after_the_last() {
    let mut stage = Stage::set(bellwire(), false).await;
    let presence = stage.bellwire.layer().presence().clone();
    let mut changes = presence.changes();
    stage.tell("Appear", json!({"room": 1})).await;
    stage.browser.settle().await;
    assert_eq!(presence.people(&room(1)), ["eve".into()]);
    stage.browser.cut().await;
    assert!(presence.is_present(&room(1), "eve"), "reloading a page is not leaving");
    let eve = || (room(1), "eve".into());
    let (group, person) = eve();
    assert_eq!(
        within("Eve", changes.next()).await,
        Some(PresenceChange::Arrived { group, person })
    );
    let (group, person) = eve();
    assert_eq!(
        within("her leaving", changes.next()).await,
        Some(PresenceChange::Left { group, person })
    );
    assert_eq!(presence.count(&room(1)), 0);
}
