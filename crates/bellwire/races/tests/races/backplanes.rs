//! Backplanes: the groups that a process listens to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bellwire_races::harness::{Member, race};
use bellwire_races::{Backplane, GroupName, Layer};
use bytes::Bytes;
use shuttle::thread;

use super::room;

/// The groups listened to. Its lock is not a scheduling point.
#[derive(Clone, Default)]
struct Listening(Arc<Mutex<HashSet<GroupName>>>);

impl Backplane for Listening {
    fn publish(&self, _: &GroupName, _: Bytes) {}

    fn listen(&self, group: &GroupName) {
        assert!(self.0.lock().unwrap().insert(group.clone()), "listened twice");
    }

    fn ignore(&self, group: &GroupName) {
        assert!(self.0.lock().unwrap().remove(group), "ignored a group it did not listen to");
    }
}

impl Listening {
    fn has_room(&self) -> bool {
        self.0.lock().unwrap().contains(&room())
    }
}

#[test]
fn at_rest_the_backplane_listens_exactly_to_the_groups_with_local_members() {
    race(|| {
        let listening = Listening::default();
        let layer = Layer::with_backplane(listening.clone());
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        let visits = [ada.clone(), ben.clone()].map(|member| {
            thread::spawn(move || {
                member.join(&room());
                member.leave(&room());
            })
        });
        eve.join(&room());
        visits.into_iter().for_each(|visit| visit.join().unwrap());
        assert!(listening.has_room(), "there is a member, but the backplane does not listen");
        [ada, ben, eve].iter().for_each(|member| member.disconnect(&[room()]));
        assert!(listening.0.lock().unwrap().is_empty(), "no member, but the backplane listens");
    });
}

#[test]
fn a_removal_concurrent_with_a_join_leaves_the_backplane_listening() {
    race(|| {
        let listening = Listening::default();
        let layer = Layer::with_backplane(listening.clone());
        let [ada, ben] = ["ada", "ben"].map(|person| Member::connect(&layer, person));
        let joiner = thread::spawn(move || ada.join(&room()));
        let remover = {
            let layer = layer.clone();
            thread::spawn(move || layer.remove_person("ada", room()))
        };
        ben.join(&room());
        joiner.join().unwrap();
        remover.join().unwrap();
        assert!(listening.has_room());
    });
}
