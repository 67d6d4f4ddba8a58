//! Two processes with a backplane between them: one message a process, and the same promises.

use std::sync::{Arc, Mutex, OnceLock};

use bellwire::testing::Communicator;
use bellwire::{Backplane, Close, GroupName, Layer};

use crate::support::{Lines, Member, Told, room, with_layer};

/// Carries each message to the other process, and counts.
#[derive(Default)]
struct Bridge {
    other: OnceLock<Layer>,
    carried: Mutex<usize>,
    listening: Mutex<Vec<GroupName>>,
}

struct End(Arc<Bridge>);

impl Backplane for End {
    fn publish(&self, group: &GroupName, message: bytes::Bytes) {
        *self.0.carried.lock().unwrap() += 1;
        self.0.other.get().unwrap().receive(group, &message).unwrap();
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
    let (a, b) = (Layer::with_backplane(End(here.clone())), Layer::with_backplane(End(there.clone())));
    here.other.set(b.clone()).unwrap();
    there.other.set(a.clone()).unwrap();
    (with_layer(a), with_layer(b), here)
}

#[tokio::test]
async fn a_send_crosses_once_however_many_members_are_there() {
    let (here, there, bridge) = two_processes();
    let mut near = Communicator::connect(&here, Member::silent()).await;
    let mut far = Vec::new();
    for _ in 0..5 {
        far.push(Communicator::connect(&there, Member::silent()).await);
    }
    let before = *bridge.carried.lock().unwrap();
    here.layer().group::<Told>(room()).send_except(near.channel(), Told("hi".into()));
    assert_eq!(*bridge.carried.lock().unwrap() - before, 1);
    for member in &mut far {
        assert_eq!(member.receive_text().await, "told: hi");
    }
    near.receive_nothing().await;
}

#[tokio::test]
async fn numbers_and_gaps_are_the_same_across_processes() {
    let (here, there, _) = two_processes();
    let lines = Lines::default();
    let mut far = Communicator::connect(&there, Member::following(&lines)).await;
    lines.write("lost on the way");
    here.layer().group::<Told>(room()).publish(lines.write("hint"), Lines::patch("hint"));
    let heard: serde_json::Value = far.receive_json().await;
    assert_eq!(heard["html"], "lost on the way");
    let heard: serde_json::Value = far.receive_json().await;
    assert_eq!((&heard["html"], &heard["seq"]), (&"hint".into(), &2.into()));
    far.receive_nothing().await;
}

#[tokio::test]
async fn a_kick_and_an_expulsion_reach_every_process() {
    let (here, there, _) = two_processes();
    let kicked = Communicator::to(&there, "/").person("ada").connect(Member::silent()).await;
    let expelled = Communicator::to(&there, "/").person("ben").connect(Member::silent()).await;
    here.layer().kick_person("ada", Close::policy("signed out"));
    here.layer().expel_person("ben", &room());
    assert_eq!(kicked.closed().await, Close::policy("signed out"));
    assert_eq!(expelled.closed().await, Close::policy("removed"));
}

#[tokio::test]
async fn a_process_listens_only_to_groups_in_which_it_has_members() {
    let (here, _, bridge) = two_processes();
    let ada = Communicator::connect(&here, Member::silent()).await;
    let ben = Communicator::connect(&here, Member::silent()).await;
    assert_eq!(*bridge.listening.lock().unwrap(), [room()]);
    ada.cut().await;
    assert_eq!(*bridge.listening.lock().unwrap(), [room()]);
    ben.cut().await;
    assert_eq!(*bridge.listening.lock().unwrap(), []);
}

#[test]
fn a_message_that_none_of_ours_can_have_sent_is_refused() {
    for garbled in ["", "{}", "[1]", "{\"body\":{\"Expel\":\"not a name\"}}"] {
        assert!(Layer::memory().receive(&room(), garbled.as_bytes()).is_err(), "{garbled}");
    }
}
