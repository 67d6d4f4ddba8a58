//! Contract tests for layers: the promises of `docs/channel-layer.md`, each a function of the same
//! name. [`layer_contract!`](crate::layer_contract) makes a test of each of them for a layer.
//!
//! Each function takes the layers of two processes: for memory the same layer twice, for a
//! backplane one layer at each end. Messages between processes take time, so a test shows that a
//! member does not receive a message by sending another one afterwards, which arrives first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::testing::Communicator;
use crate::{
    Bellwire, CatchUp, Close, Consumer, Dialect, Error, Feed, FeedSource, Frame, Group,
    GroupHandle, Html, Layer, Limits, Patch, Seq, Socket, Topic,
};

/// Makes a test of every promise of the layer contract. The argument is the path of an async
/// function without arguments that returns `[Layer; 2]`.
///
/// ```
/// use bellwire::Layer;
///
/// async fn memory() -> [Layer; 2] {
///     let layer = Layer::memory();
///     [layer.clone(), layer]
/// }
///
/// bellwire::layer_contract!(memory);
/// ```
#[macro_export]
macro_rules! layer_contract {
    ($layers:path) => {
        $crate::layer_contract! { $layers:
            a_send_reaches_every_member_on_every_process,
            a_send_reaches_nobody_outside_the_group,
            a_former_member_receives_no_further_messages,
            send_except_skips_one_channel_on_any_process,
            sends_of_one_sender_arrive_in_order,
            a_patch_arrives_in_each_members_dialect,
            a_feed_is_delivered_in_order_and_without_repeats,
            a_gap_in_a_feed_is_filled_before_later_changes,
            a_full_queue_is_recovered_by_catching_up,
            a_channel_is_reached_by_its_name,
            a_kick_closes_a_persons_sockets_on_every_process,
            a_kick_of_one_session_leaves_other_sessions_open,
            nothing_sent_after_a_kick_is_delivered,
            a_removed_person_receives_no_further_messages_from_the_group,
            an_empty_group_is_dropped,
        }
    };
    ($layers:path: $($promise:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            $crate::testing::contract::$promise($layers().await).await;
        })*
    };
}

const CONTRACT: Topic<u64, String> = Topic::new("contract");

/// A member that sends each event to its browser, and follows the feed if there are lines.
struct Member {
    group: Group<String>,
    lines: Option<Lines>,
}

/// The source of a feed.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedSource for Lines {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let lines = self.lock();
        let since = usize::try_from(since.unwrap_or(0))?;
        Ok(CatchUp {
            patches: lines.iter().skip(since).map(|line| patch(line)).collect(),
            seq: Seq::try_from(lines.len())?,
        })
    }
}

impl Consumer for Member {
    type Action = Frame;
    type Event = String;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        match &self.lines {
            Some(lines) => {
                let feed = socket.layer().feed(self.group.clone(), lines.clone());
                socket.follow(&feed);
            }
            None => socket.join(&self.group),
        }
        Ok(())
    }

    /// Leaves the group on any message.
    async fn receive(&mut self, socket: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        socket.leave(&self.group);
        Ok(())
    }

    async fn event(&mut self, socket: &mut Socket<Self>, event: &String) -> Result<(), Error> {
        socket.send_text(event).await
    }
}

/// The fixture of one test. Each has its own group and persons, so that tests can share a server.
struct Fixture {
    processes: [Bellwire; 2],
    group: Group<String>,
    lines: Lines,
}

impl Fixture {
    fn new(layers: [Layer; 2]) -> Self {
        Self::with_limits(layers, Limits::default())
    }

    fn with_limits(layers: [Layer; 2], limits: Limits) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = (u64::from(std::process::id()) << 32) + COUNT.fetch_add(1, Ordering::Relaxed);
        let process = |layer| {
            let built =
                Bellwire::builder("http://127.0.0.1:8000").limits(limits).layer(layer).build();
            built.unwrap_or_else(|error| panic!("{error}"))
        };
        let group = CONTRACT.of(number);
        Self { processes: layers.map(process), group, lines: Lines::default() }
    }

    fn group(&self) -> GroupHandle<String> {
        self.processes[0].layer().group(self.group.clone())
    }

    fn feed(&self) -> Feed<String, Lines> {
        self.processes[0].layer().feed(self.group.clone(), self.lines.clone())
    }

    async fn member(&self, process: usize, person: &str) -> Communicator {
        self.join(process, person, "", None, Dialect::Json).await
    }

    async fn follower(&self, process: usize) -> Communicator {
        self.join(process, "ada", "", Some(self.lines.clone()), Dialect::Json).await
    }

    async fn join(
        &self,
        process: usize,
        person: &str,
        session: &str,
        lines: Option<Lines>,
        dialect: Dialect,
    ) -> Communicator {
        Communicator::to(&self.processes[process], "/")
            .dialect(dialect)
            .person(self.key(person))
            .session(self.key(session))
            .connect(Member { group: self.group.clone(), lines })
            .await
    }

    /// The key of a person or session of this fixture.
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.group.name())
    }

    fn send(&self, text: &str) {
        send(self.group().send(text.to_owned()));
    }

    /// Writes a line to the source of truth without publishing it.
    fn write(&self, line: &str) -> Seq {
        let mut lines = self.lines.lock();
        lines.push(line.to_owned());
        lines.len() as Seq
    }

    fn publish(&self, line: &str) {
        self.feed().publish(self.write(line), patch(line));
    }
}

/// A send that cannot fail, because text has a JSON form.
fn send(sent: Result<(), Error>) {
    sent.unwrap_or_else(|error| panic!("{error}"));
}

fn patch(line: &str) -> Patch {
    Patch::append("#lines", Html::text(line))
}

async fn receive_line(page: &mut Communicator) -> String {
    let frame: serde_json::Value = page.receive_json().await;
    frame["html"].as_str().unwrap_or_default().to_owned()
}

/// A send reaches every member of the group, once, on every process.
pub async fn a_send_reaches_every_member_on_every_process(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let mut members = [
        fixture.member(0, "ada").await,
        fixture.member(0, "ben").await,
        fixture.member(1, "cy").await,
    ];
    fixture.send("hi");
    for member in &mut members {
        assert_eq!(member.receive_text().await, "hi");
        member.receive_nothing().await;
    }
}

/// A send does not reach channels outside the group.
pub async fn a_send_reaches_nobody_outside_the_group(layers: [Layer; 2]) {
    let (fixture, other) = (Fixture::new(layers.clone()), Fixture::new(layers));
    let mut outsiders = [other.member(0, "ada").await, other.member(1, "ben").await];
    fixture.send("not for you");
    other.send("for you");
    for outsider in &mut outsiders {
        assert_eq!(outsider.receive_text().await, "for you");
    }
}

/// A member that left the group receives no further messages from it.
pub async fn a_former_member_receives_no_further_messages(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let (mut leaver, mut stayer) = (fixture.member(1, "ada").await, fixture.member(1, "ben").await);
    leaver.send_text("leave").await;
    leaver.settle().await;
    fixture.send("after");
    assert_eq!(stayer.receive_text().await, "after");
    leaver.receive_nothing().await;
}

/// `send_except` skips one channel, on any process.
pub async fn send_except_skips_one_channel_on_any_process(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let mut members = [fixture.member(0, "ada").await, fixture.member(1, "ben").await];
    for skipped in 0..2 {
        send(fixture.group().send_except(members[skipped].channel(), "psst".to_owned()));
        fixture.send("all");
        assert_eq!(members[1 - skipped].receive_text().await, "psst");
        for member in &mut members {
            assert_eq!(member.receive_text().await, "all");
        }
    }
}

/// The sends of one sender to a group arrive in the order in which they were sent.
pub async fn sends_of_one_sender_arrive_in_order(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let mut members = [fixture.member(0, "ada").await, fixture.member(1, "ben").await];
    let all: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    all.iter().for_each(|text| fixture.send(text));
    for member in &mut members {
        for text in &all {
            assert_eq!(member.receive_text().await, *text);
        }
    }
}

/// A patch arrives in the dialect of each member.
pub async fn a_patch_arrives_in_each_members_dialect(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    fixture.group().patch(Patch::inner("#x", Html::text("no member yet")));
    for process in 0..2 {
        let mut json = fixture.join(process, "ada", "", None, Dialect::Json).await;
        let mut htmx = fixture.join(process, "ada", "", None, Dialect::Htmx).await;
        fixture.group().patch(Patch::inner("#x", Html::text("<b>")));
        assert_eq!(json.receive_text().await, r##"{"selector":"#x","html":"&lt;b&gt;"}"##);
        assert_eq!(
            htmx.receive_text().await,
            r##"<div hx-swap-oob="innerHTML:#x">&lt;b&gt;</div>"##
        );
    }
}

/// Followers of a feed receive each number once and in order, also if numbers are published twice
/// or late.
pub async fn a_feed_is_delivered_in_order_and_without_repeats(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let mut pages = [fixture.follower(0).await, fixture.follower(1).await];
    fixture.publish("1");
    let (second, third) = (fixture.write("2"), fixture.write("3"));
    fixture.feed().publish(third, patch("3"));
    fixture.feed().publish(second, patch("2"));
    fixture.feed().publish(third, patch("3"));
    fixture.publish("4");
    for page in &mut pages {
        for expected in ["1", "2", "3", "4"] {
            assert_eq!(receive_line(page).await, expected);
        }
        page.receive_nothing().await;
    }
}

/// A missing number is read from the source of truth before later changes are sent.
pub async fn a_gap_in_a_feed_is_filled_before_later_changes(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let mut pages = [fixture.follower(0).await, fixture.follower(1).await];
    fixture.write("unpublished");
    fixture.publish("published");
    for page in &mut pages {
        assert_eq!(receive_line(page).await, "unpublished");
        assert_eq!(receive_line(page).await, "published");
    }
}

/// After a queue overflow, dropped changes are read from the source of truth.
pub async fn a_full_queue_is_recovered_by_catching_up(layers: [Layer; 2]) {
    let limits = Limits { queue_messages: 4, ..Limits::default() };
    let fixture = Fixture::with_limits(layers, limits);
    let mut pages = [fixture.follower(0).await, fixture.follower(1).await];
    let all: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    all.iter().for_each(|text| fixture.publish(text));
    for page in &mut pages {
        for expected in &all {
            assert_eq!(receive_line(page).await, *expected);
        }
    }
}

/// A message sent to a channel name reaches that channel only. A name is never used again.
pub async fn a_channel_is_reached_by_its_name(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let (mut ada, mut ben) = (fixture.member(0, "ada").await, fixture.member(0, "ben").await);
    let layer = fixture.processes[0].layer();
    assert!(layer.send_channel(ada.channel(), "you".to_owned()));
    assert_eq!(ada.receive_text().await, "you");
    ben.receive_nothing().await;
    let closed = ada.channel();
    ada.close(Close::normal()).await;
    assert!(!layer.send_channel(closed, "too late".to_owned()));
}

/// A kick closes every socket of a person on every process, and no other socket.
pub async fn a_kick_closes_a_persons_sockets_on_every_process(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let kicked = [fixture.member(0, "ada").await, fixture.member(1, "ada").await];
    let mut stayer = fixture.member(1, "ben").await;
    fixture.processes[0].layer().kick_person(&fixture.key("ada"), Close::policy("signed out"));
    for socket in kicked {
        assert_eq!(socket.closed().await, Close::policy("signed out"));
    }
    fixture.send("still here");
    assert_eq!(stayer.receive_text().await, "still here");
}

/// A kick of one session leaves the person's other sessions open.
pub async fn a_kick_of_one_session_leaves_other_sessions_open(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let phone = fixture.join(1, "ada", "phone", None, Dialect::Json).await;
    let mut laptop = fixture.join(1, "ada", "laptop", None, Dialect::Json).await;
    fixture.processes[0].layer().kick_session(&fixture.key("phone"), Close::policy("ended"));
    assert_eq!(phone.closed().await, Close::policy("ended"));
    fixture.send("still here");
    assert_eq!(laptop.receive_text().await, "still here");
}

/// On the process of the kick, neither queued messages nor messages sent after the kick returned
/// are delivered.
pub async fn nothing_sent_after_a_kick_is_delivered(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let ada = fixture.member(0, "ada").await;
    fixture.processes[0].layer().kick_person(&fixture.key("ada"), Close::policy("signed out"));
    fixture.send("secret");
    assert_eq!(ada.receive_until_closed().await, (vec![], Close::policy("signed out")));
}

/// A person who is removed from a group receives no further messages from it, on every process.
pub async fn a_removed_person_receives_no_further_messages_from_the_group(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let removed = [fixture.member(0, "ada").await, fixture.member(1, "ada").await];
    let mut stayer = fixture.member(1, "ben").await;
    fixture.processes[0].layer().remove_person(&fixture.key("ada"), &fixture.group);
    fixture.send("secret");
    assert_eq!(stayer.receive_text().await, "secret");
    for socket in removed {
        assert_eq!(socket.receive_until_closed().await, (vec![], Close::policy("removed")));
    }
}

/// A group without members is dropped, and a send to it delivers nothing.
pub async fn an_empty_group_is_dropped(layers: [Layer; 2]) {
    let fixture = Fixture::new(layers);
    let ada = fixture.member(0, "ada").await;
    assert_eq!(fixture.processes[0].layer().local_members(&fixture.group), 1);
    ada.cut().await;
    assert_eq!(fixture.processes[0].layer().local_members(&fixture.group), 0);
    let before = fixture.processes[0].layer().counts().deliveries;
    fixture.send("anybody?");
    assert_eq!(fixture.processes[0].layer().counts().deliveries, before);
}
