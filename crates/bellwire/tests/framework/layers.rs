//! Layers: the contract tests, for memory and for two processes with a backplane, and the traffic
//! of the backplane.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use bellwire::testing::{Communicator, within};
use bellwire::{
    Backplane, Consumer, Error, Event, Frame, Group, GroupName, Html, Layer, Message, Patch, Socket,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::support::{Lines, Member, Notice, room, with_layer};

/// Delivers each message to the other process if it listens to the group, and counts the messages.
#[derive(Default)]
struct Bridge {
    other: OnceLock<(Layer, Arc<Bridge>)>,
    carried: Mutex<usize>,
    listening: Mutex<Vec<GroupName>>,
}

struct End(Arc<Bridge>);

impl Backplane for End {
    fn publish(&self, group: &GroupName, message: bytes::Bytes) {
        *self.0.carried.lock().unwrap() += 1;
        let (other, bridge) = self.0.other.get().unwrap();
        if bridge.listening.lock().unwrap().contains(group) {
            other.receive(group, &message).unwrap();
        }
    }

    fn listen(&self, group: &GroupName) {
        self.0.listening.lock().unwrap().push(group.clone());
    }

    fn ignore(&self, group: &GroupName) {
        self.0.listening.lock().unwrap().retain(|listened| listened != group);
    }
}

fn two_processes() -> (bellwire::Bellwire, bellwire::Bellwire, Arc<Bridge>) {
    let (here, there) = (Arc::new(Bridge::default()), Arc::new(Bridge::default()));
    let (a, b) =
        (Layer::with_backplane(End(here.clone())), Layer::with_backplane(End(there.clone())));
    assert!(here.other.set((b.clone(), there.clone())).is_ok());
    assert!(there.other.set((a.clone(), here.clone())).is_ok());
    (with_layer(a), with_layer(b), here)
}

mod memory {
    use bellwire::Layer;

    async fn one_process() -> [Layer; 2] {
        let layer = Layer::memory();
        [layer.clone(), layer]
    }

    bellwire::layer_contract!(one_process);
}

mod bridged {
    use bellwire::Layer;

    async fn two_processes() -> [Layer; 2] {
        let (here, there, _) = super::two_processes();
        [here.layer().clone(), there.layer().clone()]
    }

    bellwire::layer_contract!(two_processes);
}

#[tokio::test]
async fn a_send_crosses_the_backplane_once_for_any_number_of_members() {
    let (here, there, bridge) = two_processes();
    let mut sender = Communicator::connect(&here, Member::silent()).await;
    let mut members = Vec::new();
    for _ in 0..5 {
        members.push(Communicator::connect(&there, Member::silent()).await);
    }
    let before = *bridge.carried.lock().unwrap();
    let group = here.layer().group(room());
    group.send_except(sender.channel(), Notice("hi".into())).unwrap();
    assert_eq!(*bridge.carried.lock().unwrap() - before, 1);
    for member in &mut members {
        assert_eq!(member.receive_text().await, "notice: hi");
    }
    sender.receive_nothing().await;
}

#[tokio::test]
async fn a_process_listens_only_to_groups_with_local_members() {
    let (here, _, bridge) = two_processes();
    let ada = Communicator::connect(&here, Member::silent()).await;
    let ben = Communicator::connect(&here, Member::silent()).await;
    assert_eq!(*bridge.listening.lock().unwrap(), [room().name().clone()]);
    ada.cut().await;
    assert_eq!(*bridge.listening.lock().unwrap(), [room().name().clone()]);
    ben.cut().await;
    assert_eq!(*bridge.listening.lock().unwrap(), []);
}

#[test]
fn a_malformed_backplane_message_is_rejected() {
    for malformed in ["", "{}", "[1]", "{\"body\":{\"Remove\":\"not a name\"}}"] {
        assert!(
            Layer::memory().receive(room().name(), malformed.as_bytes()).is_err(),
            "{malformed}"
        );
    }
}

async fn receive_lines(page: &mut Communicator, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..count {
        let frame: Value = page.receive_json().await;
        lines.push(frame["html"].as_str().unwrap_or_default().to_owned());
    }
    page.receive_nothing().await;
    lines
}

#[tokio::test]
async fn a_change_rendered_for_audiences_makes_the_followers_on_other_processes_catch_up() {
    let (here, there, _) = two_processes();
    let lines = Lines::default();
    let mut near = Communicator::connect(&here, Member::follower(&lines)).await;
    let mut far = Vec::new();
    for _ in 0..5 {
        far.push(Communicator::connect(&there, Member::follower(&lines)).await);
    }
    let mut member = Communicator::connect(&there, Member::silent()).await;
    let mut messages = there.layer().subscribe(room());
    let before = there.layer().counts();
    let seq = lines.write("1");
    lines.feed(here.layer()).publish_by(seq, |_| Patch::append("#lines", Html::text("rendered")));
    assert_eq!(receive_lines(&mut near, 1).await, ["rendered"]);
    for follower in &mut far {
        assert_eq!(receive_lines(follower, 1).await, ["1"], "from the source");
    }
    let after = there.layer().counts();
    assert_eq!(after.catch_ups - before.catch_ups, 5);
    assert_eq!((after.feed_reads - before.feed_reads, after.encodings - before.encodings), (1, 1));
    member.receive_nothing().await;
    assert!(matches!(within("the change", messages.next()).await, Message::Change(1)));
}

#[tokio::test]
async fn a_page_misses_nothing_that_was_published_while_its_process_had_no_members() {
    let (here, there, _) = two_processes();
    let lines = Lines::default();
    let connect = || Communicator::connect(&there, Member::follower(&lines));
    lines.publish(here.layer(), "1");
    let mut first = connect().await;
    assert_eq!(receive_lines(&mut first, 1).await, ["1"]);
    first.cut().await;
    // The process of the page does not listen, and so does not hear of it.
    lines.publish(here.layer(), "2");
    assert_eq!(receive_lines(&mut connect().await, 2).await, ["1", "2"]);
}

#[tokio::test]
async fn the_group_of_a_person_reaches_all_their_windows_and_nobody_else() {
    let (here, there, _) = two_processes();
    let window = async |process, person: &str| {
        Communicator::to(process, "/").person(person).connect(Member::silent()).await
    };
    let mut windows =
        [window(&here, "ada").await, window(&here, "ada").await, window(&there, "ada").await];
    let mut others = [
        window(&here, "ben").await,
        window(&there, "ad").await,
        window(&there, "ada.2").await,
        Communicator::connect(&here, Member::silent()).await,
        Communicator::connect(&there, Member::silent()).await,
    ];
    for process in [&here, &there] {
        process.layer().person("ada").text("for Ada");
        for window in &mut windows {
            assert_eq!(window.receive_text().await, "for Ada");
            window.receive_nothing().await;
        }
        for other in &mut others {
            other.receive_nothing().await;
        }
    }
}

/// The number of times that an event was decoded.
static DECODED: AtomicUsize = AtomicUsize::new(0);

fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    DECODED.fetch_add(1, Ordering::SeqCst);
    i32::deserialize(deserializer)
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Moved {
    #[serde(deserialize_with = "counted")]
    x: i32,
    y: i32,
}

/// The part of it that another kind of page needs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Column {
    #[serde(deserialize_with = "counted")]
    x: i32,
}

/// Sends each event to its browser.
struct Listener<E>(Group<E>);

impl<E: Event + std::fmt::Debug> Consumer for Listener<E> {
    type Action = Frame;
    type Event = E;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(&self.0);
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }

    async fn event(&mut self, socket: &mut Socket<Self>, event: &E) -> Result<(), Error> {
        socket.send_text(format!("{event:?}")).await
    }
}

#[tokio::test]
async fn an_event_from_another_process_is_decoded_once_for_each_type_of_its_consumers() {
    let (here, there, _) = two_processes();
    let board = GroupName::new("board").unwrap();
    let mut members = Vec::new();
    for _ in 0..3 {
        let whole = Listener(Group::<Moved>::new(board.clone()));
        let part = Listener(Group::<Column>::new(board.clone()));
        members.push(("Moved { x: 1, y: 2 }", Communicator::connect(&there, whole).await));
        members.push(("Column { x: 1 }", Communicator::connect(&there, part).await));
    }
    let other = Listener(Group::<String>::new(board.clone()));
    let mut other = Communicator::connect(&there, other).await;
    let group = here.layer().group(Group::new(board));
    group.send(Moved { x: 1, y: 2 }).unwrap();
    for (expected, member) in &mut members {
        assert_eq!(member.receive_text().await, *expected);
        member.receive_nothing().await;
    }
    assert_eq!(DECODED.load(Ordering::SeqCst), 2);
    let fault = other.receive_json::<Value>().await;
    assert!(fault["error"].is_string(), "it cannot be read as this type: {fault}");
}
