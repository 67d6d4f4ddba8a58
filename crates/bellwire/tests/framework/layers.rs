//! Layers: the contract tests, for memory and for two processes with a backplane, and the traffic
//! of the backplane.

use std::sync::{Arc, Mutex, OnceLock};

use bellwire::testing::Communicator;
use bellwire::{Backplane, GroupName, Layer};

use crate::support::{Member, Notice, room, with_layer};

/// Delivers each message to the other process, and counts the messages.
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
    let (a, b) =
        (Layer::with_backplane(End(here.clone())), Layer::with_backplane(End(there.clone())));
    here.other.set(b.clone()).unwrap();
    there.other.set(a.clone()).unwrap();
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
    here.layer().group::<Notice>(room()).send_except(sender.channel(), Notice("hi".into()));
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
    assert_eq!(*bridge.listening.lock().unwrap(), [room()]);
    ada.cut().await;
    assert_eq!(*bridge.listening.lock().unwrap(), [room()]);
    ben.cut().await;
    assert_eq!(*bridge.listening.lock().unwrap(), []);
}

#[test]
fn a_malformed_backplane_message_is_rejected() {
    for malformed in ["", "{}", "[1]", "{\"body\":{\"Remove\":\"not a name\"}}"] {
        assert!(Layer::memory().receive(&room(), malformed.as_bytes()).is_err(), "{malformed}");
    }
}
